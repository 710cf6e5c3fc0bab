#!/usr/bin/env python3
"""Small OpenEXR files of every kind, written by OpenEXR itself, and what
OpenImageIO reads from them, for tests/exr.rs.

    python -m venv venv && venv/bin/pip install OpenEXR OpenImageIO numpy xxhash
    venv/bin/python exr_files.py ../fixtures/exr

For every file: the size of the display window and the XXH128 of its red, green
and blue as little-endian binary32, interleaved, black where there is no data.
"""
import json
import os
import sys

import numpy as np
import OpenEXR
import OpenImageIO as oiio
import xxhash

out = sys.argv[1]
os.makedirs(out, exist_ok=True)
rng = np.random.default_rng(3)


def picture(width, height):
    """A smooth field with an edge, noise, negatives and highlights; exact in half."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    base = np.stack([x / width, y / height, (x + y) / (width + height)], -1) * 2.0
    base[(x > width * 0.6) & (y > height * 0.4)] *= 8.0
    base += rng.normal(0, 0.02, base.shape)
    return base.astype(np.float16)


def header(data, display, compression, **more):
    box = lambda b: (np.array(b[:2], np.int32), np.array(b[2:], np.int32))
    return {
        "compression": compression,
        "type": OpenEXR.scanlineimage,
        "dataWindow": box(data),
        "displayWindow": box(display),
        **more,
    }


def write(name, pixels, compression, data=None, display=None, channels="RGB", **more):
    height, width = pixels.shape[:2]
    data = data or (0, 0, width - 1, height - 1)
    planes = {c: np.ascontiguousarray(pixels[..., i]) for i, c in enumerate(channels)}
    with OpenEXR.File(header(data, display or data, compression, **more), planes) as f:
        f.write(os.path.join(out, name))


W, H = 67, 45
half = picture(W, H)
for name in ["NO", "RLE", "ZIPS", "ZIP", "PIZ", "PXR24", "B44", "B44A", "DWAA", "DWAB"]:
    write(f"{name.lower()}.exr", half, getattr(OpenEXR, name + "_COMPRESSION"))
write("float.exr", half.astype(np.float32) / 3, OpenEXR.ZIP_COMPRESSION)
write("luma.exr", half[..., :1], OpenEXR.PIZ_COMPRESSION, channels="Y")
write("alpha.exr", np.dstack([half, half[..., :1]]), OpenEXR.ZIP_COMPRESSION, channels="RGBA")
write("inset.exr", half, OpenEXR.ZIP_COMPRESSION, (10, 7, 10 + W - 1, 7 + H - 1), (0, 0, 95, 63))
write("overscan.exr", half, OpenEXR.ZIP_COMPRESSION, (-8, -4, W - 9, H - 5), (0, 0, 50, 36))
write("offset.exr", half, OpenEXR.PIZ_COMPRESSION, (95, 193, 95 + W - 1, 193 + H - 1),
      (100, 200, 150, 230))

# Channels of two types, and those of layers.
planes = {"R": half[..., 0], "G": half[..., 1].astype(np.float32) / 3, "B": half[..., 2]}
planes = {k: np.ascontiguousarray(v) for k, v in planes.items()}
box = (0, 0, W - 1, H - 1)
with OpenEXR.File(header(box, box, OpenEXR.ZIP_COMPRESSION), planes) as f:
    f.write(os.path.join(out, "mixed.exr"))
planes = {f"beauty.{c}": np.ascontiguousarray(half[..., i]) for i, c in enumerate("RGB")}
planes["depth.Z"] = np.ascontiguousarray(half[..., 0])
with OpenEXR.File(header(box, box, OpenEXR.ZIP_COMPRESSION), planes) as f:
    f.write(os.path.join(out, "layer.exr"))

# Parts; tiles with smaller levels.
parts = [
    OpenEXR.Part(
        {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage},
        {c: np.ascontiguousarray(p[..., i]) for i, c in enumerate("RGB")},
        name,
    )
    for name, p in (("left", half), ("right", half[::-1]))
]
with OpenEXR.File(parts) as f:
    f.write(os.path.join(out, "parts.exr"))
spec = oiio.ImageSpec(W, H, 3, "half")
spec.tile_width = spec.tile_height = 32
spec["compression"] = "zip"
for name, levels in (("tiles.exr", False), ("levels.exr", True)):
    buf = oiio.ImageBuf(spec)
    buf.set_pixels(oiio.ROI(), half.astype(np.float32))
    path = os.path.join(out, name)
    if levels:
        config = oiio.ImageSpec()
        config["maketx:filtername"] = "box"
        config["compression"] = "zip"
        config.tile_width = config.tile_height = 32
        oiio.ImageBufAlgo.make_texture(oiio.MakeTxTexture, buf, path, config)
    else:
        buf.write(path)

# What the header says.
spec = oiio.ImageSpec(W, H, 3, "half")
spec["compression"] = "zip"
spec.attribute("chromaticities", "float[8]",
               (0.7347, 0.2653, 0.0, 1.0, 0.0001, -0.077, 0.32168, 0.33767))
# SMPTE 12M, 01:02:03:04, as OpenEXR packs it.
spec.attribute("smpte:TimeCode", "timecode", (0x01020304, 0))
spec.attribute("FramesPerSecond", "rational", (24000, 1001))
for key, value in {
    "reelName": "A007R1AB", "cameraMake": "Maker",
    "cameraModel": "Model 1", "cameraSerialNumber": "S-17", "isoSpeed": 800.0,
    "expTime": 0.0208333, "tStop": 2.8, "nominalFocalLength": 35.0, "lensModel": "Prime 35",
}.items():
    spec[key] = value
buf = oiio.ImageBuf(spec)
buf.set_pixels(oiio.ROI(), half.astype(np.float32))
buf.write(os.path.join(out, "meta.exr"))

# Kinds that are refused.
spec = oiio.ImageSpec(4, 3, 5, "half")
spec.channelnames = ("R", "G", "B", "A", "Z")
spec.deep = True
deep = oiio.DeepData()
deep.init(12, 5, [oiio.HALF] * 5, spec.channelnames)
for pixel in range(12):
    deep.set_samples(pixel, pixel % 3)
file = oiio.ImageOutput.create("x.exr")
assert file.open(os.path.join(out, "deep.exr"), spec), file.geterror()
file.write_deep_image(deep)
file.close()
# OpenEXR's Python binding writes no subsampled channels: their header is enough to be refused.
luma = {c: np.ascontiguousarray(half[:44, :64, i]) for i, c in enumerate(("Y", "RY", "BY"))}
path = os.path.join(out, "chroma.exr")
box = (0, 0, 63, 43)
with OpenEXR.File(header(box, box, OpenEXR.ZIP_COMPRESSION), luma) as f:
    f.write(path)
with open(path, "rb") as f:
    data = bytearray(f.read())
for name in (b"BY\0", b"RY\0"):
    at = data.index(name) + len(name) + 8
    data[at:at + 8] = np.array([2, 2], "<i4").tobytes()
with open(path, "wb") as f:
    f.write(data)
ints = {c: np.ones((3, 4), np.uint32) for c in "RGB"}
with OpenEXR.File(header((0, 0, 3, 2), (0, 0, 3, 2), OpenEXR.ZIP_COMPRESSION), ints) as f:
    f.write(os.path.join(out, "whole.exr"))
REFUSED = {"deep.exr", "chroma.exr", "whole.exr"}

expected = {}
for name in sorted(os.listdir(out)):
    if not name.endswith(".exr") or name.endswith("decoded.exr") or name in REFUSED:
        continue
    file = oiio.ImageInput.open(os.path.join(out, name))
    spec = file.spec()
    pixels = file.read_image(0, 0, 0, spec.nchannels, "float")
    names = list(spec.channelnames)
    wanted = [next(i for i, n in enumerate(names) if n == c or n == "beauty." + c or n == "Y")
              for c in "RGB"]
    raster = np.zeros((spec.full_height, spec.full_width, 3), "<f4")
    for y in range(spec.height):
        for x in range(spec.width):
            row, column = y + spec.y - spec.full_y, x + spec.x - spec.full_x
            if 0 <= row < spec.full_height and 0 <= column < spec.full_width:
                raster[row, column] = pixels[y, x, wanted]
    expected[name] = {
        "size": [spec.full_width, spec.full_height],
        "xxh128": xxhash.xxh3_128_hexdigest(raster.tobytes()),
    }
    if name.startswith("dwa"):
        # Its decoders differ in the last bits, so the pixels themselves are kept.
        write(name.replace(".exr", ".decoded.exr"), pixels[..., wanted].astype(np.float16),
              OpenEXR.NO_COMPRESSION)
record = {"decoder": "OpenImageIO " + oiio.VERSION_STRING, "files": expected}
with open(os.path.join(out, "expected.json"), "w") as f:
    json.dump(record, f, indent=1)
    f.write("\n")
