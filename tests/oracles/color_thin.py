"""Thins the colour reference values (OpenColorIO 2.6.0 and the Academy's CTL on
the same pixels) to what the tests carry along: all named pixels, and every so
many of the others. Usage: color_thin.py DATA/aces OUT"""
import json
import re
import sys
from pathlib import Path

import numpy as np

data, out = Path(sys.argv[1]), Path(sys.argv[2])
manifest = json.loads((data / "oracle/manifest.json").read_text())
read = lambda path: np.fromfile(path, "<f4").reshape(-1, 3)
KEEP = {"scene": 260, "code": 160, "disp": 160}
picked = {}
for grid, most in KEEP.items():
    pixels = read(data / f"oracle/grid_{grid}.f32")
    sections = manifest["grids"][grid]["sections"]
    named = [s for s in sections if s.get("names")] if isinstance(sections, list) else []
    first = named[0]["count"] if named else {"scene": 142, "code": 31, "disp": 15}[grid]
    step = (len(pixels) - first) // (most - first)
    # An odd step walks through lattices and rings without falling into their rhythm.
    picked[grid] = np.unique(np.r_[np.arange(first), np.arange(first, len(pixels), step | 1)])
    pixels[picked[grid]].tofile(out / f"grid_{grid}.f32")
lines, packed = [], {"oracle": [], "ctl": []}
for name, entry in manifest["transforms"].items():
    grid = entry["grid"]
    makers = []
    for maker, label in [("oracle", "ocio"), ("ctl", "ctl")]:
        path = data / maker / f"{name}.f32"
        if path.exists():
            packed[maker].append(read(path)[picked[grid]])
            makers.append(label)
    # The recipe of an ACES 2.0 transform names the registry's; the way back is that of its name.
    recipe = manifest["transforms"].get(name.removesuffix("_inv"), entry)["recipe"]
    found = re.search(r"Output\.Academy\.\S+", recipe)
    identity = found.group(0) + ".a2.v1" if found else ""
    line = [name, grid, repr(entry["code_scale"]), "+".join(makers), identity]
    lines.append("\t".join(line))
np.concatenate(packed["oracle"]).tofile(out / "ocio.f32")
np.concatenate(packed["ctl"]).tofile(out / "ctl.f32")
(out / "index.tsv").write_text("\n".join(lines) + "\n")

# The tables of ACES 2.0 by hue: every eleventh entry, and the ends that repeat.
tables = json.loads((data / "oracle/aces20_tables.json").read_text())
params = json.loads((data / "aces20_params_f64.json").read_text())
entries = sorted({*range(0, 363, 11), 0, 1, 360, 361, 362})
thin = {"entries": entries, "sets": {}}
for name, table in tables.items():
    columns = ["hue", "reach_M", "cusp_J", "cusp_M", "upper_hull_gamma_inv"]
    thin["sets"][name] = {
        "peak": table["peak"],
        "limit_primaries": table["limit_primaries"],
        "search": table["hue_search_range"],
        **{c: [table[c][i] for i in entries] for c in columns},
        "params": {k: v for k, v in params[name].items() if isinstance(v, float)},
    }
(out / "aces20_tables.json").write_text(json.dumps(thin) + "\n")

# Pixels of special values: what they are, and what OpenColorIO makes of them, as text that has inf and nan.
text = lambda pixels: " ".join(f"{float(v):.9g}" for v in np.ravel(pixels))
special = [text(read(data / "oracle/grid_special.f32"))]
for name, entry in manifest["transforms"].items():
    if "special_out" in entry:
        special.append(f"{name}\t{text(entry['special_out'])}")
(out / "special.tsv").write_text("\n".join(special) + "\n")
