"""OpenEXR's own writer on the pixels of one of our plates.

encode.py PLATE.exr OUT.exr [--rounds N]. Prints one line of JSON: for each compression the median milliseconds
of a write with no extra threads and with one for each core, the CPU milliseconds of the first, and the size of the file.
"""

import argparse
import json
import os
import pathlib
import statistics
import time

import numpy as np
import OpenEXR

parser = argparse.ArgumentParser()
parser.add_argument("plate", type=pathlib.Path)
parser.add_argument("out", type=pathlib.Path)
parser.add_argument("--rounds", type=int, default=15)
options = parser.parse_args()

with OpenEXR.File(str(options.plate), separate_channels=True) as plate:
    channels = {name: np.ascontiguousarray(plate.channels()[name].pixels) for name in "RGB"}
assert all(pixels.dtype == np.float16 for pixels in channels.values())

KINDS = {
    "none": OpenEXR.NO_COMPRESSION,
    "zips": OpenEXR.ZIPS_COMPRESSION,
    "zip": OpenEXR.ZIP_COMPRESSION,
    "piz": OpenEXR.PIZ_COMPRESSION,
    "dwaa": OpenEXR.DWAA_COMPRESSION,
    "dwab": OpenEXR.DWAB_COMPRESSION,
}


def write(compression):
    begun = time.perf_counter()
    header = {"compression": compression, "type": OpenEXR.scanlineimage}
    with OpenEXR.File(header, channels) as file:
        file.write(str(options.out))
    return (time.perf_counter() - begun) * 1000


report = {}
for name, compression in KINDS.items():
    times, cpu = [], []
    for threads in (0, os.cpu_count()):
        OpenEXR.set_global_thread_count(threads)
        before = time.process_time()
        times.append(statistics.median(write(compression) for _ in range(options.rounds)))
        cpu.append((time.process_time() - before) * 1000 / options.rounds)
    report[name] = {"one": times[0], "all": times[1], "cpu": cpu[0], "bytes": options.out.stat().st_size}
print(json.dumps(report))
