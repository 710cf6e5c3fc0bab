"""Debayers mosaics that come in on standard input, one after another, as other software does it.

demosaic.py WAY                     mosaics in, pictures out, until the input ends
demosaic.py WAY --time WIDTH HEIGHT [--runs N]
                                    one line of JSON: CPU seconds of the median run on a mosaic made here

A mosaic is two little-endian 32-bit words (columns, rows) and the RGGB photosites as little-endian floats, 0 black and
1 white; a picture is its three planes. WAY is one of WAYS below. OpenCV and LibRaw take 16-bit integers (OpenCV's VNG
8-bit ones), so values are rounded and clipped for them. LibRaw gets a DNG made in memory and gives camera RGB: no white
balance, no matrix, no curve.
"""

import argparse
import io
import json
import os
import statistics
import struct
import sys
import time

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[name] = "1"

import numpy as np  # noqa: E402


def integers(mosaic, depth):
    peak = (1 << depth) - 1
    return np.rint(np.clip(mosaic, 0, 1) * peak).astype(np.uint16 if depth > 8 else np.uint8)


def opencv(code, depth):
    import cv2

    cv2.setNumThreads(1)
    # OpenCV names a pattern by the second row's second and third site: BayerBG is RGGB, and its order is BGR.
    code = getattr(cv2, code)

    def prepare(mosaic):
        return integers(mosaic, depth)

    def picture(result):
        return result[..., ::-1].astype(np.float32) / ((1 << depth) - 1)

    return prepare, lambda sites: cv2.cvtColor(sites, code), picture


def dng(sites):
    """A linear 16-bit RGGB DNG with an identity for its matrix."""
    height, width = sites.shape
    data = sites.astype("<u2").tobytes()
    entries = [
        (254, 4, [0]),
        (256, 4, [width]),
        (257, 4, [height]),
        (258, 3, [16]),
        (259, 3, [1]),
        (262, 3, [32803]),
        (271, 2, b"p\0"),
        (272, 2, b"p\0"),
        (273, 4, [None]),
        (274, 3, [1]),
        (277, 3, [1]),
        (278, 4, [height]),
        (279, 4, [len(data)]),
        (33421, 3, [2, 2]),
        (33422, 1, bytes([0, 1, 1, 2])),
        (50706, 1, bytes([1, 4, 0, 0])),
        (50708, 2, b"p\0"),
        (50714, 3, [0]),
        (50717, 4, [65535]),
        (50721, 10, [v for i in range(9) for v in (int(i % 4 == 0), 1)]),
        (50728, 5, [1, 1] * 3),
    ]
    table = 10 + 12 * len(entries) + 4
    large = b""
    start = table + sum(8 * len(v) // 2 if t in (5, 10) else 0 for _, t, v in entries)
    body = b""
    for tag, kind, value in entries:
        count = len(value) // 2 if kind in (5, 10) else len(value)
        if isinstance(value, bytes):
            packed = value
        else:
            value = [start if v is None else v for v in value]
            packed = struct.pack("<%d%s" % (len(value), {3: "H", 4: "I", 5: "I", 10: "i"}[kind]), *value)
        if len(packed) > 4:
            packed, large = struct.pack("<I", table + len(large)), large + packed
        body += struct.pack("<HHI", tag, kind, count) + packed.ljust(4, b"\0")
    assert table + len(large) == start
    return struct.pack("<2sHIH", b"II", 42, 8, len(entries)) + body + bytes(4) + large + data


def libraw(name):
    import rawpy

    algorithm = getattr(rawpy.DemosaicAlgorithm, name)

    def prepare(mosaic):
        raw = rawpy.imread(io.BytesIO(dng(integers(mosaic, 16))))
        # Its reading of the file is not the debayer's time.
        raw.raw_image[0, 0]
        return raw

    def run(raw):
        return raw.postprocess(
            demosaic_algorithm=algorithm,
            output_color=rawpy.ColorSpace.raw,
            output_bps=16,
            gamma=(1, 1),
            no_auto_bright=True,
            no_auto_scale=False,
            adjust_maximum_thr=0.0,
            user_wb=[1.0, 1.0, 1.0, 1.0],
            user_black=0,
            user_sat=65535,
            user_flip=0,
            four_color_rgb=False,
        )

    return prepare, run, lambda result: result.astype(np.float32) / 65535


def colour(name):
    import warnings

    warnings.simplefilter("ignore")
    import colour_demosaicing

    function = getattr(colour_demosaicing, name)
    return lambda mosaic: mosaic, lambda mosaic: function(mosaic, "RGGB"), lambda result: result


WAYS = {
    "opencv-bilinear": lambda: opencv("COLOR_BayerBG2BGR", 16),
    "opencv-ea": lambda: opencv("COLOR_BayerBG2BGR_EA", 16),
    "opencv-vng": lambda: opencv("COLOR_BayerBG2BGR_VNG", 8),
    "libraw-linear": lambda: libraw("LINEAR"),
    "libraw-ppg": lambda: libraw("PPG"),
    "libraw-dcb": lambda: libraw("DCB"),
    "libraw-dht": lambda: libraw("DHT"),
    "libraw-ahd": lambda: libraw("AHD"),
    "libraw-aahd": lambda: libraw("AAHD"),
    "colour-malvar": lambda: colour("demosaicing_CFA_Bayer_Malvar2004"),
    "colour-menon": lambda: colour("demosaicing_CFA_Bayer_DDFAPD"),
}


def serve(prepare, run, picture):
    source, out = sys.stdin.buffer, sys.stdout.buffer
    while head := source.read(8):
        width, height = struct.unpack("<II", head)
        mosaic = np.frombuffer(source.read(4 * width * height), "<f4").reshape(height, width)
        planes = picture(run(prepare(mosaic)))
        assert planes.shape == (height, width, 3), planes.shape
        out.write(np.ascontiguousarray(planes.transpose(2, 0, 1), dtype="<f4").tobytes())
        out.flush()


def noise(count):
    """The bench's own (`Noise(3)` in protocol.rs), evenly within 0 to 1."""

    def step(states):
        for left, right in ((13, 0), (0, 17), (5, 0)):
            states = states ^ (states << np.uint32(left) if left else states >> np.uint32(right))
        return states

    def jump(bits, states):
        """States so far on: the sum, without carries, of where each of their bits goes."""
        there = np.zeros_like(states)
        for bit, goes in enumerate(bits):
            there ^= (states >> np.uint32(bit) & np.uint32(1)) * goes
        return there

    states = step(np.array([3], np.uint32))
    bits = step(np.uint32(1) << np.arange(32, dtype=np.uint32))
    while states.size < count:
        states = np.concatenate([states, jump(bits, states)])
        bits = jump(bits, bits)
    return (states[:count] >> np.uint32(8)).astype(np.float32) / np.float32(1 << 24)


def clock(prepare, run, size, runs):
    width, height = size
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    waves = np.sin(rows * columns / np.float32(5e4)) * np.cos(columns / np.float32(7))
    # The mosaic of ours (`textured` in speed.rs), noise included.
    mosaic = np.float32(0.45) + np.float32(0.35) * waves + np.float32(0.1) * noise(width * height).reshape(height, width)
    seconds = []
    for _ in range(runs):
        prepared = prepare(mosaic)
        begun = time.process_time()
        run(prepared)
        seconds.append(time.process_time() - begun)
    print(json.dumps({"seconds": statistics.median(seconds)}))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("way", choices=WAYS)
    parser.add_argument("--time", type=int, nargs=2)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    forms = WAYS[options.way]()
    if options.time:
        clock(forms[0], forms[1], options.time, options.runs)
    else:
        serve(*forms)
