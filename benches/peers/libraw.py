"""LibRaw on one camera file, unpacked over and over on one thread.

libraw.py FILE [--reads N]. Prints one line of JSON: user and system CPU milliseconds and milliseconds on the wall of
a read, opening included, and the version; without numbers where LibRaw does not read the file.
"""

import argparse
import json
import os
import resource
import time

os.environ["OMP_NUM_THREADS"] = "1"

import rawpy  # noqa: E402

parser = argparse.ArgumentParser()
parser.add_argument("file")
parser.add_argument("--reads", type=int, default=10)
options = parser.parse_args()


def read():
    with rawpy.imread(options.file) as raw:
        return raw.raw_image.shape


report = {"version": "LibRaw " + ".".join(map(str, rawpy.libraw_version))}
try:
    read()
    begun, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF)
    for _ in range(options.reads):
        read()
    after = resource.getrusage(resource.RUSAGE_SELF)
    each = 1000 / options.reads
    report["user"] = (after.ru_utime - before.ru_utime) * each
    report["system"] = (after.ru_stime - before.ru_stime) * each
    report["wall"] = (time.perf_counter() - begun) * each
except rawpy.LibRawError:
    pass
print(json.dumps(report))
