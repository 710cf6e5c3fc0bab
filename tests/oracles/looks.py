"""Makes standards/tests/fixtures/look: looks in .cube, .cc, .ccc and .cdl as tools write them, and what
OpenColorIO 2.6 makes of a grid of pixels with each.

    python3 tests/oracles/looks.py standards/tests/fixtures/look

Needs opencolorio (2.6) and numpy from PyPI. Everything is made here: nothing of others is copied.
"""

import pathlib
import sys

import numpy as np
import PyOpenColorIO as ocio

OUT = pathlib.Path(sys.argv[1])
OUT.mkdir(parents=True, exist_ok=True)
random = np.random.default_rng(5)


def cube(size, low=None, high=None, head="", tail="", end="\n", precision=6):
    axis = np.linspace(0, 1, size)
    b, g, r = np.meshgrid(axis, axis, axis, indexing="ij")
    rgb = np.stack([r, g, b], -1).reshape(-1, 3)
    rgb = np.clip(rgb**1.3 @ np.array([[0.9, 0.1, 0.05], [0.05, 0.8, 0.1], [0.05, 0.1, 0.85]]), 0, 1.2)
    rgb += random.uniform(-0.02, 0.02, rgb.shape)
    lines = [head + f"LUT_3D_SIZE {size}"]
    if low:
        lines.append(f"DOMAIN_MIN {low}")
    if high:
        lines.append(f"DOMAIN_MAX {high}")
    lines += [" ".join(f"{v:.{precision}f}" for v in p) for p in rgb]
    return end.join(lines) + tail + end


def table(size, head="", values=None):
    x = np.linspace(0, 1, size)
    values = values if values is not None else np.stack([x**0.5, x**0.8, 1 - x], -1)
    return f"{head}LUT_1D_SIZE {size}\n" + "\n".join(" ".join(f"{v:.7g}" for v in p) for p in values) + "\n"


SOP = "<SOPNode><Description>a grade</Description><Slope>1.2 1 0.85</Slope><Offset>0.02 -0.01 0</Offset><Power>1.1 1 0.9</Power></SOPNode>"
SAT = "<SatNode><Saturation>0.8</Saturation></SatNode>"
CC = f'<ColorCorrection xmlns="urn:ASC:CDL:v1.2" id="shot1">{SOP}{SAT}</ColorCorrection>'
OTHER = '<ColorCorrection id="shot2"><SOPNode><Slope>1 1 1</Slope><Offset>0.1 0.1 0.1</Offset><Power>2 2 2</Power></SOPNode></ColorCorrection>'
LONE = '<ColorCorrection id="shot3"><SatNode><Saturation>1.6</Saturation></SatNode></ColorCorrection>'

FILES = {
    "plain.cube": cube(5, head='TITLE "a look"\n# made for a test\n\n'),
    "domain.cube": cube(4, "-0.1 -0.2 0.0", "1.2 1.5 2.0"),
    "windows.cube": cube(3, end="\r\n"),
    "resolve.cube": "LUT_3D_SIZE 3\nLUT_3D_INPUT_RANGE -0.25 1.25\n" + cube(3).split("\n", 1)[1],
    "exponents.cube": "LUT_3D_SIZE 2\n" + "\n".join(f"{(i & 1) * 1e0:e} {(i >> 1 & 1) * 0.9:E} {(i >> 2) * 5e-1:.3e}" for i in range(8)) + "\n",
    "curve.cube": table(17),
    "curve_domain.cube": table(9, "DOMAIN_MIN -0.5 -0.5 -0.5\nDOMAIN_MAX 1.5 1.5 1.5\n"),
    "one.cc": '<?xml version="1.0" encoding="UTF-8"?>\n' + CC,
    "collection.ccc": f'<ColorCorrectionCollection xmlns="urn:ASC:CDL:v1.2">{CC.replace(chr(32) + "xmlns=" + chr(34) + "urn:ASC:CDL:v1.2" + chr(34), "")}{OTHER}{LONE}</ColorCorrectionCollection>',
    "list.cdl": f'<ColorDecisionList xmlns="urn:ASC:CDL:v1.2"><ColorDecision><MediaRef ref="a.exr"/>{CC.replace(chr(32) + "xmlns=" + chr(34) + "urn:ASC:CDL:v1.2" + chr(34), "")}</ColorDecision><ColorDecision>{OTHER}</ColorDecision></ColorDecisionList>',
}
SETS = [(f, "") for f in FILES if f.endswith(("cube", ".cc"))]
SETS += [("collection.ccc", i) for i in ("shot1", "shot2", "shot3")] + [("list.cdl", i) for i in ("shot1", "shot2")]

for name, text in FILES.items():
    (OUT / name).write_bytes(text.encode())

axis = np.linspace(-0.6, 2.2, 8)
grid = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), -1).reshape(-1, 3)
grid = np.concatenate([grid, random.uniform(-0.1, 1.1, (300, 3))]).astype("<f4")
config = ocio.Config.CreateRaw()
results = []
for name, identity in SETS:
    transform = ocio.FileTransform(src=str((OUT / name).resolve()), interpolation=ocio.INTERP_TETRAHEDRAL if "curve" not in name else ocio.INTERP_LINEAR)
    if identity:
        transform.setCCCId(identity)
    processor = config.getProcessor(transform).getOptimizedCPUProcessor(ocio.OPTIMIZATION_NONE)
    pixels = grid.copy()
    processor.applyRGB(pixels)
    assert np.isfinite(pixels).all(), name
    results.append(pixels)
(OUT / "grid.f32").write_bytes(grid.tobytes())
(OUT / "ocio.f32").write_bytes(np.concatenate(results).astype("<f4").tobytes())
(OUT / "index.txt").write_text("".join(f"{n}{'#' + i if i else ''}\n" for n, i in SETS))
(OUT / "README.md").write_text(
    "# Looks, and what OpenColorIO makes of them\n\nMade by `tests/oracles/looks.py` with OpenColorIO 2.6.0 (`OPTIMIZATION_NONE`, "
    "tetrahedral), CC0. `grid.f32` holds the input, `ocio.f32` the results in the order of `index.txt`: little-endian 32-bit "
    "floats, red, green and blue together.\n")
