#!/usr/bin/env python3
"""Small DPX files of every kind, written by OpenImageIO, and the codes that
OpenImageIO and FFmpeg read from them, for tests/dpx.rs.

    apt-get install ffmpeg
    python -m venv venv && venv/bin/pip install OpenImageIO numpy xxhash
    venv/bin/python dpx_files.py ../fixtures/dpx

For every file: its size, bits, and the XXH128 of red, green and blue as they
are coded, little-endian 16-bit words. Where both decoders read a kind, they
had to agree; `decoders` says who was asked. (OpenImageIO 3.2 neither writes nor
expects rows that begin at words; FFmpeg does both.)
"""
import json
import os
import subprocess
import sys

import numpy as np
import OpenImageIO as oiio
import xxhash

out = sys.argv[1]
os.makedirs(out, exist_ok=True)
rng = np.random.default_rng(5)
W, H = 37, 23  # odd, so that rows do not end with a word


def codes(bits, channels):
    y, x = np.mgrid[0:H, 0:W]
    top = (1 << bits) - 1
    base = np.stack([(x * (c + 3) * 29 + y * 53 * (c + 1)) % (top + 1) for c in range(channels)], -1)
    base[0, 0] = 0
    base[0, 1] = top
    return (base ^ rng.integers(0, 4, base.shape)).clip(0, top).astype(np.uint16)


def write(name, bits, channels=3, packing=None, endian="big", **more):
    spec = oiio.ImageSpec(W, H, channels, "uint8" if bits == 8 else "uint16")
    spec["oiio:BitsPerSample"] = bits
    spec["oiio:Endian"] = endian
    spec["oiio:RawColor"] = 1
    if packing:
        spec["dpx:Packing"] = packing
    if channels == 4:
        spec["oiio:UnassociatedAlpha"] = 1
    for key, value in more.items():
        if key == "smpte__TimeCode":
            spec.attribute("smpte:TimeCode", "timecode", value)
        else:
            spec[key.replace("__", ":")] = value
    data = codes(bits, channels)
    wide = data.astype(np.uint32)
    if bits in (10, 12):
        # OpenImageIO takes 16 bits and keeps the upper ones.
        wide = (wide << (16 - bits)) | (wide >> (2 * bits - 16))
    file = oiio.ImageOutput.create("x.dpx")
    assert file.open(os.path.join(out, name), spec), file.geterror()
    file.write_image(wide.astype(np.uint8 if bits == 8 else np.uint16))
    file.close()
    return data


written = {}
for endian in ("big", "little"):
    e = endian[0] + "e"
    written[f"8{e}.dpx"] = (8, write(f"8{e}.dpx", 8, endian=endian))
    written[f"16{e}.dpx"] = (16, write(f"16{e}.dpx", 16, endian=endian))
    for short, packing in (("a", "Filled, method A"), ("b", "Filled, method B"), ("p", "Packed")):
        name = f"10{short}{e}.dpx"
        written[name] = (10, write(name, 10, packing=packing, endian=endian))
    # Of 12 bits OpenImageIO writes the packed form alone, FFmpeg the filled one (method A);
    # method B is the same words, shifted.
    written[f"12p{e}.dpx"] = (12, write(f"12p{e}.dpx", 12, endian=endian))
    data = codes(12, 3)
    planes = np.ascontiguousarray(data[..., [1, 2, 0]].transpose(2, 0, 1).astype("<u2")).tobytes()
    path = os.path.join(out, f"12a{e}.dpx")
    subprocess.run(
        ["ffmpeg", "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "gbrp12le", "-s", f"{W}x{H}",
         "-i", "-", "-pix_fmt", f"gbrp12{e}", "-frames:v", "1", "-update", "1", path],
        input=planes, check=True)
    written[f"12a{e}.dpx"] = (12, data)
    with open(path, "rb") as f:
        file = bytearray(f.read())
    order = ">" if endian == "big" else "<"
    assert np.frombuffer(file, order + "u2", 1, 804)[0] == 1
    start = int(np.frombuffer(file, order + "u4", 1, 4)[0])
    words = np.frombuffer(file[start:], order + "u2")
    file[start:] = (words >> 4).astype(order + "u2").tobytes()
    file[804:806] = np.array([2], order + "u2").tobytes()
    with open(os.path.join(out, f"12b{e}.dpx"), "wb") as f:
        f.write(file)
    written[f"12b{e}.dpx"] = (12, data)
written["rgba16.dpx"] = (16, write("rgba16.dpx", 16, 4))
written["rgba8.dpx"] = (8, write("rgba8.dpx", 8, 4))
written["luma10.dpx"] = (10, write("luma10.dpx", 10, 1, packing="Filled, method A"))
written["meta.dpx"] = (10, write(
    "meta.dpx", 10, packing="Filled, method A", dpx__Transfer="Printing density",
    dpx__Colorimetric="Printing density", smpte__TimeCode=(0x01020304, 0),
    dpx__FrameRate=24.0, dpx__TemporalFrameRate=24.0, dpx__InputDevice="Scanner 1",
    dpx__InputDeviceSerialNumber="S-17", Copyright="nobody",
))
written["linear.dpx"] = (16, write(
    "linear.dpx", 16, dpx__Transfer="Linear", dpx__Colorimetric="ITU-R 709-4"))
written["rec709.dpx"] = (10, write(
    "rec709.dpx", 10, packing="Filled, method A", dpx__Transfer="ITU-R 709-4",
    dpx__Colorimetric="ITU-R 709-4"))


def by_oiio(path, bits):
    config = oiio.ImageSpec()
    config["oiio:RawColor"] = 1
    file = oiio.ImageInput.open(path, config)
    pixels = file.read_image("uint16").astype(np.uint32)
    pixels = pixels.reshape(H, W, -1)
    if bits == 8:
        return (pixels // 257).astype(np.uint16)
    return (pixels >> (16 - bits)).astype(np.uint16)


def by_ffmpeg(path, bits):
    run = subprocess.run(
        ["ffmpeg", "-v", "error", "-i", path, "-f", "rawvideo", "-pix_fmt", "gbrp%sle" % bits if bits in (10, 12)
         else ("rgb48le" if bits == 16 else "rgb24"), "-"], capture_output=True)
    if run.returncode or not run.stdout:
        return None
    if bits in (10, 12):
        g, b, r = np.frombuffer(run.stdout, "<u2").reshape(3, H, W)
        return np.stack([r, g, b], -1)
    kind = "<u2" if bits == 16 else "u1"
    return np.frombuffer(run.stdout, kind).reshape(H, W, 3).astype(np.uint16)


record = {}
for name, (bits, data) in written.items():
    path = os.path.join(out, name)
    readers = []
    want = np.repeat(data, 3, -1) if data.shape[-1] == 1 else data[..., :3]
    for reader, read in (("OpenImageIO", by_oiio), ("FFmpeg", by_ffmpeg)):
        found = read(path, bits)
        if found is None:
            continue
        found = np.repeat(found, 3, -1) if found.shape[-1] == 1 else found[..., :3]
        if (found == want).all():
            readers.append(reader)
        else:
            print(f"{name}: {reader} reads other codes: {np.mean(found != want):.2f}", file=sys.stderr)
    record[name] = {
        "size": [W, H], "bits": bits, "decoders": readers,
        "xxh128": xxhash.xxh3_128_hexdigest(np.ascontiguousarray(want.astype("<u2")).tobytes()),
    }
with open(os.path.join(out, "expected.json"), "w") as f:
    json.dump({"writer": "OpenImageIO " + oiio.VERSION_STRING, "files": record}, f, indent=1)
    f.write("\n")
