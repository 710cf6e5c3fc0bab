"""Copies the small CLF files of the OpenColorIO project and thins what
OpenColorIO makes of them. Usage: clf_thin.py DATA/aces OUT"""
import json
import shutil
import sys
from pathlib import Path

import numpy as np

data, out = Path(sys.argv[1]), Path(sys.argv[2])
SMALL = 70_000  # bytes
read = lambda path: np.fromfile(path, "<f4").reshape(-1, 3)
names = []
for source in sorted((data / "clf").rglob("*.clf")):
    if source.stat().st_size <= SMALL:
        target = out / source.relative_to(data / "clf")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
        if source.parent == data / "clf":
            names.append(source.stem)
pixels = slice(0, None, 11)
read(data / "clf_oracle/grid_clf.f32")[pixels].tofile(out / "grid.f32")
sets = [f"{n}{way}" for n in names for way in ["", "_inv"]]
packed = [read(data / f"clf_oracle/{n}.f32")[pixels] for n in sets]
np.concatenate(packed).tofile(out / "ocio.f32")
(out / "index.txt").write_text("\n".join(sets) + "\n")
