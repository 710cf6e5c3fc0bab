#!/usr/bin/env python3
"""Reads generated clips with two independent readers and records what they found.

usage: variants.py GENERATOR > readers.json

GENERATOR is the built platefarm-testclips program. For each line of
variants.txt (a name and the generator's options) one frame is written and read by

  LibRaw    samples after the LinearizationTable, levels, white balance, geometry
  tifffile  samples as stored (lossless JPEG by imagecodecs: liblj92, libjpeg SOF3)

The digests are SHA-256 over the samples as little-endian numbers of 16 bits, or
floats of 32, row by row over the stored raster, the samples of a pixel together;
null where a reader refuses the file. ../tests/readers.rs
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
import zlib

import imagecodecs
import numpy as np
import rawpy
import tifffile


def digest(samples):
    kind = "<f4" if samples.dtype.kind == "f" else "<u2"
    return hashlib.sha256(samples.astype(kind).tobytes()).hexdigest()


def by_libraw(path):
    try:
        raw = rawpy.imread(str(path))
        # Of pictures with all their colours LibRaw keeps a fourth sample.
        flat = raw.raw_type == rawpy.RawType.Flat
        samples = digest(raw.raw_image if flat else raw.raw_image[..., :3])
    except (rawpy.LibRawError, RuntimeError) as error:
        print(f"LibRaw refuses {path.name}: {error}", file=sys.stderr)
        return {"samples_sha256": None}
    sizes = raw.sizes
    names = raw.color_desc.decode().lower()
    return {
        "samples_sha256": samples,
        "stored": [sizes.raw_width, sizes.raw_height],
        "active": [sizes.left_margin, sizes.top_margin, sizes.width, sizes.height],
        "pattern": "".join(names[i] for i in raw.raw_pattern.flatten()) if flat else None,
        "black": sorted(int(v) for v in raw.black_level_per_channel),
        "white": int(raw.white_level),
        "white_balance": [round(float(v), 5) for v in raw.camera_whitebalance[:3]],
    }


def by_tifffile(path):
    with tifffile.TiffFile(path) as file:
        page = file.pages[0]
        if page.pages:  # the picture lies in a SubIFD
            page = page.pages[0]
        try:
            samples = page.asarray()
        except NotImplementedError:
            samples = by_definition(page)
        if page.planarconfig == tifffile.PLANARCONFIG.SEPARATE:
            samples = samples.transpose(1, 2, 0)
        return {"samples_sha256": digest(samples)}


def by_definition(page):
    """Deflated samples whose predictors tifffile does not undo: steps of two and four pixels, floats of 24 bits."""
    whole = page.predictor in (34892, 34893)
    step = {3: 1, 34892: 2, 34893: 4, 34894: 2, 34895: 4}[page.predictor]
    size = page.bitspersample // 8
    planar = page.planarconfig == tifffile.PLANARCONFIG.SEPARATE
    height, width, samples = page.imagelength, page.imagewidth, page.samplesperpixel
    planes, per_pixel = (samples, 1) if planar else (1, samples)
    columns, rows = (page.tilewidth, page.tilelength) if page.is_tiled else (width, page.rowsperstrip)
    down, across = -(-height // rows), -(-width // columns)
    out = np.zeros((planes, down * rows, across * columns, per_pixel), "u2" if whole else "f4")
    places = np.ndindex(planes, down, across)
    for (plane, y, x), offset, count in zip(places, page.dataoffsets, page.databytecounts):
        page.parent.filehandle.seek(offset)
        data = zlib.decompress(page.parent.filehandle.read(count))
        kind = np.dtype(f"{page.parent.byteorder}u{size}" if whole else "u1")
        lines = np.frombuffer(data, kind).reshape(-1, columns * per_pixel * (1 if whole else size)).copy()
        step_samples = step * per_pixel
        for at in range(step_samples, lines.shape[1]):
            lines[:, at] += lines[:, at - step_samples]
        if not whole:
            # The first bytes of all samples, then the second ones: big-endian when put together.
            big = lines.reshape(len(lines), size, -1).transpose(0, 2, 1).tobytes()
            lines = imagecodecs.float24_decode(big, byteorder=">") if size == 3 else np.frombuffer(big, f">f{size}")
        piece = lines.reshape(-1, columns, per_pixel)
        y, x = y * rows, x * columns
        out[plane, y : y + len(piece), x : x + columns] = piece
    out = out[:, :height, :width]
    return out[..., 0] if planar else out[0, ..., 0] if samples == 1 else out[0]


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
