#!/usr/bin/env python3
"""Two small lossy DNGs and what libjpeg-turbo reads from them, for tests/lossy.rs.

    python -m venv venv && venv/bin/pip install numpy==2.4.6 pillow==13.0.0 imagecodecs==2026.3.6
    venv/bin/python lossy_dng.py ../fixtures

lossy_linear.dng is as Adobe's converter writes them: LinearRaw of 8 bits in tiles of
baseline JPEG (Compression 34892) behind a LinearizationTable. lossy_mosaic.dng is a
mosaic, one component, Compression 7. The pictures are computed; Pillow encodes them.
The .samples files hold the samples that imagecodecs' libjpeg-turbo decodes, a byte each.
"""
import io
import pathlib
import struct
import sys

import imagecodecs
import numpy as np
from PIL import Image

WIDTH, HEIGHT, TILE_WIDTH, TILE_HEIGHT = 100, 70, 64, 48


def picture(samples):
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    waves = [128 + 100 * np.sin(x / 17 + i) * np.cos(y / 11 - i) for i in range(samples)]
    return np.clip(np.stack(waves, axis=-1), 0, 255).astype("u1")


def tiles(pixels):
    for y in range(0, HEIGHT, TILE_HEIGHT):
        for x in range(0, WIDTH, TILE_WIDTH):
            cut = pixels[y : y + TILE_HEIGHT, x : x + TILE_WIDTH]
            pad = [(0, TILE_HEIGHT - cut.shape[0]), (0, TILE_WIDTH - cut.shape[1]), (0, 0)]
            yield y, x, np.pad(cut, pad, mode="edge")


def write(path, samples, compression, extra):
    streams, decoded = [], np.zeros((HEIGHT, WIDTH, samples), "u1")
    for y, x, cut in tiles(picture(samples)):
        out = io.BytesIO()
        image = Image.fromarray(cut if samples == 3 else cut[..., 0])
        image.save(out, "JPEG", quality=92, subsampling=0)
        streams.append(out.getvalue())
        back = imagecodecs.jpeg8_decode(streams[-1]).reshape(cut.shape)
        decoded[y : y + TILE_HEIGHT, x : x + TILE_WIDTH] = back[: HEIGHT - y, : WIDTH - x]
    matrix = [6500, -1500, -500, -4000, 12000, 2500, -500, 1500, 6000]
    tags = {
        254: ("I", [0]), 256: ("I", [WIDTH]), 257: ("I", [HEIGHT]), 258: ("H", [8] * samples),
        259: ("H", [compression]), 262: ("H", [34892 if samples == 3 else 32803]), 277: ("H", [samples]),
        322: ("I", [TILE_WIDTH]), 323: ("I", [TILE_HEIGHT]), 324: ("I", [0] * len(streams)),
        325: ("I", [len(s) for s in streams]), 50706: ("B", [1, 4, 0, 0]),
        50721: ("r", [v for m in matrix for v in (m, 10000)]), 50728: ("R", [4, 10, 1, 1, 7, 10]), **extra,
    }
    kinds = {"B": (1, 1, "B"), "H": (3, 1, "H"), "I": (4, 1, "I"), "R": (5, 2, "I"), "r": (10, 2, "i")}
    data_at = 8 + 2 + 12 * len(tags) + 4
    values = b""
    for final in (False, True):
        if final:
            at, offsets = data_at + len(values), []
            for stream in streams:
                offsets.append(at)
                at += len(stream)
            tags[324] = ("I", offsets)
        entries, values = b"", b""
        for tag, (kind, numbers) in sorted(tags.items()):
            number, per_value, code = kinds[kind]
            packed = struct.pack(f"<{len(numbers)}{code}", *numbers)
            entries += struct.pack("<HHI", tag, number, len(numbers) // per_value)
            if len(packed) <= 4:
                entries += packed.ljust(4, b"\0")
            else:
                entries += struct.pack("<I", data_at + len(values))
                values += packed + b"\0" * (len(packed) % 2)
    head = struct.pack("<2sHIH", b"II", 42, 8, len(tags))
    path.write_bytes(head + entries + struct.pack("<I", 0) + values + b"".join(streams))
    path.with_suffix(".samples").write_bytes(decoded.tobytes())


def main():
    out = pathlib.Path(sys.argv[1])
    table = [round(65535 * (i / 255) ** 2.2) for i in range(256)]
    write(out / "lossy_linear.dng", 3, 34892, {50712: ("H", table), 50717: ("I", [65535] * 3)})
    write(out / "lossy_mosaic.dng", 1, 7, {33421: ("H", [2, 2]), 33422: ("B", [0, 1, 1, 2])})


main()
