"""Every name of OpenColorIO's built-in ACES configs, for the names that platefarm understands.

    python3 tests/oracles/color_names.py

needs PyOpenColorIO 2.6.0 (BSD-3-Clause; the package `opencolorio`). It writes

* `model/src/color/names.tsv`: names that are not those of platefarm's own lists, and what they
  mean: a name of ours, or `!` and why none can be meant;
* `model/tests/fixtures/color/ocio_names.tsv`: all names of the configs, aliases, displays with
  views, looks, curves, roles and interop ids, with what OpenColorIO makes of three pixels of
  ACES2065-1 (`OPTIMIZATION_NONE`), or why it is not asked.

Which name of ours is meant follows from the configs: names of one colour space are aliases of
each other, over all configs, and we have the name of the newest config. Views of ACES 1 are named
here, and the values in the fixture tell whether rightly.
"""

import sys
from collections import defaultdict
from pathlib import Path

import PyOpenColorIO as ocio

ROOT = Path(__file__).resolve().parents[2]
CONFIGS = [
    f"{kind}-config-{version}"
    for version in (
        "v1.0.0_aces-v1.3_ocio-v2.1",
        "v2.1.0_aces-v1.3_ocio-v2.3",
        "v2.2.0_aces-v1.3_ocio-v2.4",
        "v4.0.0_aces-v2.0_ocio-v2.5",
        "v5.0.0_aces-v2.1_ocio-v2.6",
    )
    for kind in ("cg", "studio")
]
# Linear Rec.709 light within every display's gamut, by the Academy's matrix to ACES2065-1.
TO_AP0 = (
    (0.439632982, 0.382988698, 0.177378320),
    (0.089776443, 0.813439429, 0.096784128),
    (0.017541170, 0.111546553, 0.870912277),
)
PIXELS = [
    [sum(m * v for m, v in zip(row, rgb)) for row in TO_AP0]
    for rgb in ((0.18, 0.18, 0.18), (0.2, 0.3, 0.15), (0.7, 0.45, 0.35))
]
# Views of ACES 1, by display.
SDR = {
    "sRGB - Display": "ACES 1.3 SDR sRGB",
    "Rec.1886 Rec.709 - Display": "ACES 1.3 SDR Rec.709 BT.1886",
    "Display P3 - Display": "ACES 1.3 SDR Display P3",
}
VIEWS = {(display, "ACES 1.0 - SDR Video"): name for display, name in SDR.items()}
VIEWS |= {
    (display, "ACES 1.0 - SDR Video (D60 sim on D65)"): f"{name.removesuffix(' BT.1886')} D60 simulated"
    for display, name in SDR.items()
}
# White of D60 as bright as in the Rec.709 output; the Academy's P3 output scales it by another number.
VIEWS[("Display P3 - Display", "ACES 1.0 - SDR Video (D60 sim on D65)")] = "!scale"
VIEWS[("Rec.1886 Rec.2020 - Display", "ACES 1.0 - SDR Video")] = "ACES 1.3 SDR Rec.2020 BT.1886"
for part, view in (("P3", "P3 lim"), ("Rec.709", "Rec.709 lim")):
    VIEWS[("Rec.1886 Rec.2020 - Display", f"ACES 1.1 - SDR Video ({view})")] = (
        f"ACES 1.3 SDR Rec.2020 {part} limited BT.1886"
    )
VIEWS[("Rec.2100-HLG - Display", "ACES 1.1 - HDR Video (1000 nits & Rec.2020 lim)")] = (
    "ACES 1.3 HDR 1000 Rec.2100 HLG"
)
for nits in (1000, 2000, 4000):
    VIEWS[("Rec.2100-PQ - Display", f"ACES 1.1 - HDR Video ({nits} nits & Rec.2020 lim)")] = (
        f"ACES 1.3 HDR {nits} Rec.2100 PQ"
    )
    VIEWS[("ST2084-P3-D65 - Display", f"ACES 1.1 - HDR Video ({nits} nits & P3 lim)")] = (
        f"ACES 1.3 HDR {nits} P3-D65 PQ"
    )
VIEWS[("ST2084-P3-D65 - Display", "ACES 1.1 - HDR Cinema (108 nits & P3 lim)")] = (
    "ACES 1.3 HDR cinema 108 P3-D65 PQ"
)
CINEMA = "ACES 1.3 cinema"
for display in ("P3-D65 - Display", "Gamma 2.6 P3-D65 - Display"):
    VIEWS[(display, "ACES 1.0 - SDR Cinema")] = f"{CINEMA} P3-D65"
    VIEWS[(display, "ACES 1.1 - SDR Cinema (D60 sim on D65)")] = f"{CINEMA} P3-D65 D60 simulated"
    VIEWS[(display, "ACES 1.1 - SDR Cinema (Rec.709 lim)")] = f"{CINEMA} P3-D65 Rec.709 limited"
    # ACES 2.0, whose other views platefarm names by itself.
    VIEWS[(display, "ACES 2.0 - SDR 100 nits (P3 D65)")] = "P3-D65_48nit_in_P3-D65_Gamma2pt6"
    VIEWS[(display, "ACES 2.0 - SDR 100 nits (Rec.709)")] = "Rec709-D65_48nit_in_P3-D65_Gamma2pt6"
VIEWS[("P3-D60 - Display", "ACES 1.0 - SDR Cinema")] = f"{CINEMA} P3-D60"
VIEWS[("P3-DCI - Display", "ACES 1.0 - SDR Cinema (D60 sim on DCI)")] = f"{CINEMA} P3-DCI D60 simulated"
VIEWS[("P3-DCI - Display", "ACES 1.1 - SDR Cinema (D65 sim on DCI)")] = f"{CINEMA} P3-DCI D65 simulated"
VIEWS[("Display P3 HDR - Display", "ACES 2.0 - SDR 100 nits (Rec.709)")] = (
    "Rec709-D65_100nit_in_P3-D65_sRGB-Piecewise"
)
AS_IT_IS = ("Un-tone-mapped", "Video (colorimetric)")
XYZ = "CIE XYZ-D65 - Scene-referred"


class Names:
    """Names that mean the same, as a forest."""

    def __init__(self):
        self.parent = {}

    def root(self, name):
        while self.parent.setdefault(name, name) != name:
            name = self.parent[name]
        return name

    def same(self, a, b):
        self.parent[self.root(a)] = self.root(b)


def values(config, transform):
    processor = config.getProcessor(transform)
    processor = processor.getOptimizedCPUProcessor(ocio.OPTIMIZATION_NONE)
    out = [processor.applyRGB(list(pixel)) for pixel in PIXELS]
    return " ".join(f"{v:.7g}" for pixel in out for v in pixel)


def read():
    """Name to (kind, the space's own name, values), of the newest config that has it; aliases; roles."""
    found, same, roles = {}, Names(), defaultdict(set)
    for config_name in CONFIGS:
        config = ocio.Config.CreateFromBuiltinConfig(config_name)
        to = lambda name: values(config, ocio.ColorSpaceTransform("ACES2065-1", name))
        for space in config.getColorSpaces(ocio.SEARCH_REFERENCE_SPACE_ALL, ocio.COLORSPACE_ALL):
            own = space.getName()
            kind = "data" if space.isData() else "space"
            try:
                made = "-" if kind == "data" else to(own)
            except ocio.Exception:
                made = "-"
            names = [own, *space.getAliases(), space.getInteropID()]
            for name in filter(None, names):
                same.same(name, own)
                found[name] = (kind, own, made)
        for named in config.getNamedTransforms():
            for name in (named.getName(), *named.getAliases()):
                found[name] = ("curve", named.getName(), "-")
        for look in config.getLookNames():
            found[look] = ("look", look, "-")
        for role in config.getRoleNames():
            own = config.getColorSpace(role).getName()
            roles[role].add(own)
            if role not in found or found[role][0] == "role":
                found[role] = ("role", own, to(own) if not config.getColorSpace(role).isData() else "-")
        for display in config.getDisplaysAll():
            for view in config.getViews(display):
                kind = "data" if view == "Raw" else "view"
                transform = ocio.DisplayViewTransform("ACES2065-1", display, view)
                made = "-" if kind == "data" else values(config, transform)
                found[f"{display}/{view}"] = (kind, f"{display}/{view}", made)
    # The configs of 2021 had another name without a common alias, and no name for digital cinema.
    same.same("CIE-XYZ-D65", "CIE XYZ-D65 - Display-referred")
    dcdm = ocio.GroupTransform(
        [
            ocio.BuiltinTransform("UTILITY - ACES-AP0_to_CIE-XYZ-D65_BFD"),
            ocio.BuiltinTransform("DISPLAY - CIE-XYZ-D65_to_DCDM-D65"),
        ]
    )
    found["DCDM-D65 - Display"] = ("builtin", "DCDM-D65 - Display", values(config, dcdm))
    return found, same, roles


def meaning(name, entry, same, newest, roles):
    kind, own, _ = entry
    if kind in ("data", "curve", "look"):
        return f"!{kind}"
    if kind == "role":
        spaces = {newest[same.root(space)] for space in roles[name]}
        return spaces.pop() if len(spaces) == 1 else "!role"
    if kind == "view":
        display, view = name.split("/", 1)
        if view in AS_IT_IS:
            return newest[same.root(display)]
        return VIEWS.get((display, view), name)
    if kind == "builtin":
        return own
    space = newest[same.root(own)]
    return "!xyz" if space == XYZ else space


def main():
    found, same, roles = read()
    # The name of a space in the newest config that has it.
    newest = {}
    for name, (kind, own, _) in found.items():
        if kind in ("space", "data"):
            newest[same.root(name)] = own
    table, fixture = [], []
    for name, entry in sorted(found.items()):
        means = meaning(name, entry, same, newest, roles)
        kind, _, made = entry
        if means != name:
            table.append(f"{name}\t{means}")
        fixture.append(f"{name}\t{means if means.startswith('!') else kind}\t{made}")
    head = "# Made by tests/oracles/color_names.py of the built-in configs of OpenColorIO"
    head += f" {ocio.GetVersion()}."
    pixels = " ".join(f"{v:.9g}" for pixel in PIXELS for v in pixel)
    for path, rows, more in (
        ("model/src/color/names.tsv", table, []),
        ("model/tests/fixtures/color/ocio_names.tsv", fixture, [f"# {pixels}"]),
    ):
        (ROOT / path).write_text("\n".join([head, *more, *rows]) + "\n")
    print(len(found), "names,", len(table), "of them in the table", file=sys.stderr)


if __name__ == "__main__":
    main()
