#!/usr/bin/env python3
"""What OpenImageIO reads from photographs and renders of the OpenEXR project
(openexr-images), for tests/exr.rs: the display window's red, green and blue as
little-endian binary32, interleaved, black where there is no data, hashed.

    venv/bin/python exr_photographs.py DIR FILE.exr ... > ../fixtures/exr_photographs.json

FILEs are relative to DIR.
"""
import json
import os
import sys

import numpy as np
import OpenImageIO as oiio
import xxhash

root, files = sys.argv[1], sys.argv[2:]
out = {"decoder": "OpenImageIO " + oiio.VERSION_STRING, "files": {}}
for name in files:
    file = oiio.ImageInput.open(os.path.join(root, name))
    spec = file.spec()
    names = list(spec.channelnames)
    pixels = file.read_image(0, 0, 0, spec.nchannels, "float")
    pixels = pixels[..., [names.index(c) for c in "RGB"]]
    raster = np.zeros((spec.full_height, spec.full_width, 3), "<f4")
    x, y = spec.x - spec.full_x, spec.y - spec.full_y
    x0, y0 = max(x, 0), max(y, 0)
    x1 = min(x + spec.width, spec.full_width)
    y1 = min(y + spec.height, spec.full_height)
    raster[y0:y1, x0:x1] = pixels[y0 - y:y1 - y, x0 - x:x1 - x]
    out["files"][name] = {
        "size": [spec.full_width, spec.full_height],
        "data": [spec.x, spec.y, spec.width, spec.height],
        "xxh128": xxhash.xxh3_128_hexdigest(raster.tobytes()),
    }
json.dump(out, sys.stdout, indent=1)
print()
