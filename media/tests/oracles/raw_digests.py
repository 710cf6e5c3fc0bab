#!/usr/bin/env python3
"""Digests of raw rasters as LibRaw decodes them, for tests/decoders.rs.

    python -m venv venv && venv/bin/pip install rawpy numpy xxhash
    venv/bin/python raw_digests.py FILE.dng ... > ../fixtures/raw_digests.json

For every file: the size of the full stored raster (masked borders included)
and the XXH128 of its samples as little-endian words, after the file's
LinearizationTable where it has one (LibRaw applies it while it decodes).
"""
import json
import os
import sys

import numpy as np
import rawpy
import xxhash

out = {"decoder": "LibRaw " + ".".join(map(str, rawpy.libraw_version)), "files": {}}
for path in sys.argv[1:]:
    with rawpy.imread(path) as raw:
        image = np.ascontiguousarray(raw.raw_image.astype("<u2"))
    name = "/".join(os.path.normpath(path).split(os.sep)[-2:])
    out["files"][name] = {
        "width": image.shape[1],
        "height": image.shape[0],
        "xxh128": xxhash.xxh3_128_hexdigest(image.tobytes()),
    }
json.dump(out, sys.stdout, indent=1)
print()
