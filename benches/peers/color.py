"""One picture of floats through OpenColorIO, on one thread.

color.py IN OUT --transform NAME --size WIDTH HEIGHT [--runs N]

IN and OUT are RGB triples of little-endian floats. Transforms are OpenColorIO's builtins with default optimisation,
which is what its users get; pixels are RGBA, its own form. Prints one line of JSON: megapixels per CPU second of the
median run.
"""

import argparse
import json
import statistics
import time

import numpy as np
import PyOpenColorIO as ocio

OUTPUT = "ACES-OUTPUT - ACES2065-1_to_CIE-XYZ-D65 - "
DISPLAY = "DISPLAY - CIE-XYZ-D65_to_"
SRGB_20 = [OUTPUT + "SDR-100nit-REC709_2.0", DISPLAY + "sRGB"]
TRANSFORMS = {
    "acescg": (["ACEScg_to_ACES2065-1"], True),
    "acescct": (["ACEScct_to_ACES2065-1"], True),
    "logc4": (["ARRI_LOGC4_to_ACES2065-1"], False),
    "slog3": (["SONY_SLOG3-SGAMUT3.CINE_to_ACES2065-1"], False),
    "aces13_srgb": ([OUTPUT + "SDR-VIDEO_1.0", DISPLAY + "sRGB"], False),
    "aces13_pq1000": ([OUTPUT + "HDR-VIDEO-1000nit-15nit-REC2020lim_1.1", DISPLAY + "REC.2100-PQ"], False),
    "aces20_srgb": (SRGB_20, False),
    "aces20_pq1000": ([OUTPUT + "HDR-1000nit-P3-D65_2.0", DISPLAY + "ST2084-P3-D65"], False),
    "aces20_srgb_inv": (SRGB_20, True),
    "logc4_aces20_srgb": (["ARRI_LOGC4_to_ACES2065-1", *SRGB_20], False),
}

parser = argparse.ArgumentParser()
parser.add_argument("picture")
parser.add_argument("out")
parser.add_argument("--transform", choices=TRANSFORMS, required=True)
parser.add_argument("--size", type=int, nargs=2, required=True)
parser.add_argument("--runs", type=int, default=3)
options = parser.parse_args()

styles, inverse = TRANSFORMS[options.transform]
group = ocio.GroupTransform()
for style in styles:
    group.appendTransform(ocio.BuiltinTransform(style))
direction = ocio.TRANSFORM_DIR_INVERSE if inverse else ocio.TRANSFORM_DIR_FORWARD
processor = ocio.Config.CreateRaw().getProcessor(group, direction).getDefaultCPUProcessor()

width, height = options.size
source = np.ones((height * width, 4), np.float32)
source[:, :3] = np.fromfile(options.picture, "<f4").reshape(-1, 3)
speeds = []
for _ in range(options.runs + 1):
    pixels = source.copy()
    begun = time.process_time()
    processor.applyRGBA(pixels)
    speeds.append(width * height / max(time.process_time() - begun, 1e-9) / 1e6)
pixels[:, :3].astype("<f4").tofile(options.out)
print(json.dumps({"mpix_per_second": statistics.median(speeds[1:]), "version": ocio.__version__}))
