#!/usr/bin/env python3
"""Reads generated clips with two independent readers and records what they found.

usage: variants.py GENERATOR > readers.json

GENERATOR is the built platefarm-testclips program. For each line of
variants.txt (a name and the generator's options) one frame is written and read by

  LibRaw    samples after the LinearizationTable, levels, white balance, geometry
  tifffile  samples as stored (lossless JPEG by imagecodecs: liblj92, libjpeg SOF3)

The digests are SHA-256 over the samples as 16-bit little-endian numbers, row by
row over the stored raster; null where a reader refuses the file. ../tests/readers.rs
asserts that our generator means the same samples, and knows the two things that
LibRaw does not read (see ../README.md).

Used: rawpy 0.28.0 (LibRaw 0.22.2), tifffile 2026.3.3, imagecodecs 2026.3.6, numpy 2.4.
"""
import hashlib
import json
import pathlib
import subprocess
import sys
import tempfile

import rawpy
import tifffile


def digest(samples):
    return hashlib.sha256(samples.astype("<u2").tobytes()).hexdigest()


def by_libraw(path):
    raw = rawpy.imread(str(path))
    try:
        samples = digest(raw.raw_image)
    except rawpy.LibRawError as error:
        print(f"LibRaw refuses {path.name}: {error}", file=sys.stderr)
        return {"samples_sha256": None}
    sizes = raw.sizes
    names = raw.color_desc.decode().lower()
    return {
        "samples_sha256": samples,
        "stored": [sizes.raw_width, sizes.raw_height],
        "active": [sizes.left_margin, sizes.top_margin, sizes.width, sizes.height],
        "pattern": "".join(names[i] for i in raw.raw_pattern.flatten()),
        "black": sorted(int(v) for v in raw.black_level_per_channel),
        "white": int(raw.white_level),
        "white_balance": [round(float(v), 5) for v in raw.camera_whitebalance[:3]],
    }


def by_tifffile(path):
    with tifffile.TiffFile(path) as file:
        page = file.pages[0]
        if page.pages:  # the picture lies in a SubIFD
            page = page.pages[0]
        return {"samples_sha256": digest(page.asarray())}


def main():
    here = pathlib.Path(__file__).parent
    lines = []
    for line in (here / "variants.txt").read_text().splitlines():
        if line.startswith("#"):
            continue
        name, *options = line.split()
        with tempfile.TemporaryDirectory() as tmp:
            command = [sys.argv[1], tmp, "--frames", "1", *options]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            (path,) = pathlib.Path(tmp).glob("*.dng")
            entry = {
                "options": options,
                "file_sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
                "libraw": by_libraw(path),
                "tifffile": by_tifffile(path),
            }
        lines.append(f"{json.dumps(name)}: {json.dumps(entry)}")
    print("{\n" + ",\n".join(lines) + "\n}")


main()
