"""The main job as a pipeline engineer scripts it: DNG in, half OpenEXR ZIP in ACES2065-1 out.

plates.py CLIP OUT --way textbook|tuned|fastest [--frames N] [--processes P] [--compare OURS.exr]

textbook  LibRaw AHD with its ACES output, OpenImageIO's lanczos3, OpenImageIO's writer
tuned     LibRaw AHD with its ACES output, Pillow's Lanczos per channel, OpenEXR's own writer
fastest   OpenCV's edge-aware debayer and matrix, Pillow's Lanczos, OpenEXR's own writer

All crop 3840x2160 at (128, 72) of 4096x2304 and deliver 2048x1152. Prints one line of JSON: frames per second,
CPU seconds per frame, and the median milliseconds of each stage. Importing is not counted.
"""

import argparse
import json
import multiprocessing
import os
import pathlib
import resource
import statistics
import time

CROP = (128, 72, 3840, 2160)
SIZE = (2048, 1152)
AP0 = ((0.7347, 0.2653), (0.0, 1.0), (0.0001, -0.077))
ACES_WHITE = (0.32168, 0.33767)
REC709 = ((0.64, 0.33), (0.30, 0.60), (0.15, 0.06))
D65 = (0.3127, 0.3290)

parser = argparse.ArgumentParser()
parser.add_argument("clip", type=pathlib.Path)
parser.add_argument("out", type=pathlib.Path)
parser.add_argument("--way", choices=("textbook", "tuned", "fastest"), required=True)
parser.add_argument("--frames", type=int, default=12)
parser.add_argument("--processes", type=int, default=os.cpu_count())
parser.add_argument("--compare", type=pathlib.Path)
options = parser.parse_args()

# One thread in each of as many processes as there are cores: the set-up with the highest throughput.
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "OPENIMAGEIO_THREADS", "OPENEXR_THREADS"):
    os.environ[name] = "1"

import cv2  # noqa: E402
import numpy as np  # noqa: E402
import OpenEXR  # noqa: E402
import OpenImageIO as oiio  # noqa: E402
import rawpy  # noqa: E402
from PIL import Image  # noqa: E402

cv2.setNumThreads(1)
oiio.attribute("threads", 1)
oiio.attribute("exr_threads", -1)
OpenEXR.set_global_thread_count(0)


def to_xyz(primaries, white):
    """RGB of these primaries and this white to CIE XYZ, white at Y = 1."""
    columns = np.array([(x / y, 1.0, (1 - x - y) / y) for x, y in primaries]).T
    x, y = white
    return columns * np.linalg.solve(columns, (x / y, 1.0, (1 - x - y) / y))


def adapt(source, target):
    """Bradford's adaptation between two whites."""
    cone = np.array([(0.8951, 0.2664, -0.1614), (-0.7502, 1.7135, 0.0367), (0.0389, -0.0685, 1.0296)])
    there, here = (cone @ (x / y, 1.0, (1 - x - y) / y) for x, y in (target, source))
    return np.linalg.solve(cone, np.diag(there / here) @ cone)


SRGB_TO_AP0 = np.linalg.solve(to_xyz(AP0, ACES_WHITE), adapt(D65, ACES_WHITE) @ to_xyz(REC709, D65))


class Clock:
    """Milliseconds since the last question, by name of the stage."""

    def __init__(self):
        self.millis, self.last = {}, time.perf_counter()

    def done(self, stage):
        now = time.perf_counter()
        self.millis[stage] = (now - self.last) * 1000
        self.last = now


def libraw_aces(raw):
    return raw.postprocess(
        demosaic_algorithm=rawpy.DemosaicAlgorithm.AHD, use_camera_wb=True, no_auto_bright=True, gamma=(1, 1),
        output_bps=16, user_flip=0, adjust_maximum_thr=0.0, highlight_mode=rawpy.HighlightMode.Clip,
        output_color=rawpy.ColorSpace.ACES)


def opencv_balanced(raw, mosaic):
    """White-balanced 16-bit RGB and the factor that brings it back to 1.0 at the clipping neutral."""
    black, white = raw.black_level_per_channel[0], raw.white_level
    gains = np.array(raw.camera_whitebalance[:3])
    gains = gains / gains.min()
    unit = 65535.0 / (white - black) / gains.max()
    balanced = cv2.subtract(mosaic, int(black))
    for row in (0, 1):
        for column in (0, 1):
            colour = min(int(raw.raw_pattern[row, column]), 3)
            gain = float(unit * gains[1 if colour == 3 else colour])
            site = balanced[row::2, column::2]
            balanced[row::2, column::2] = cv2.multiply(site, gain, dtype=cv2.CV_16U)
    return cv2.demosaicing(balanced, cv2.COLOR_BayerBG2RGB_EA), gains.max() / 65535.0


def cropped(picture):
    x, y, width, height = CROP
    return picture[y:y + height, x:x + width]


def pillow_lanczos(picture):
    planes = (Image.fromarray(np.ascontiguousarray(picture[..., c])) for c in range(3))
    return np.stack([np.asarray(plane.resize(SIZE, Image.LANCZOS)) for plane in planes], -1)


def oiio_lanczos(picture):
    height, width, _ = picture.shape
    buffer = oiio.ImageBuf(oiio.ImageSpec(width, height, 3, oiio.FLOAT))
    buffer.set_pixels(oiio.ROI(0, width, 0, height, 0, 1, 0, 3), picture)
    return oiio.ImageBufAlgo.resize(buffer, "lanczos3", 0.0, oiio.ROI(0, SIZE[0], 0, SIZE[1], 0, 1, 0, 3))


def write_oiio(buffer, path):
    spec = buffer.specmod()
    spec.attribute("compression", "zip")
    numbers = [v for xy in (*AP0, ACES_WHITE) for v in xy]
    spec.attribute("chromaticities", oiio.TypeDesc("float[8]"), numbers)
    buffer.set_write_format(oiio.HALF)
    if not buffer.write(str(path)):
        raise SystemExit(buffer.geterror())


def write_openexr(picture, path):
    header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
    with OpenEXR.File(header, {"RGB": picture.astype(np.float16)}) as file:
        file.write(str(path))


def plate(source):
    path = options.out / (source.stem + ".exr")
    clock = Clock()
    with rawpy.imread(str(source)) as raw:
        mosaic = raw.raw_image
        clock.done("decode")
        if options.way == "fastest":
            rgb, unit = opencv_balanced(raw, mosaic)
            matrix = SRGB_TO_AP0 @ np.array(raw.color_matrix)[:3, :3]
        else:
            rgb, unit, matrix = libraw_aces(raw), 1 / 65535.0, None
        clock.done("debayer")
    picture = cropped(rgb).astype(np.float32)
    if matrix is None:
        picture *= np.float32(unit)
    else:
        picture = cv2.transform(picture, (matrix * unit).astype(np.float32))
    clock.done("colour")
    if options.way == "textbook":
        buffer = oiio_lanczos(np.ascontiguousarray(picture))
        clock.done("resample")
        write_oiio(buffer, path)
    else:
        picture = pillow_lanczos(picture)
        clock.done("resample")
        write_openexr(picture, path)
    clock.done("write")
    return clock.millis


def means(path):
    """Mean of R, G, B over the middle of a plate."""
    pixels = oiio.ImageBuf(str(path)).get_pixels(oiio.FLOAT)
    height, width, _ = pixels.shape
    middle = pixels[height // 4:-height // 4, width // 4:-width // 4, :3]
    return [float(v) for v in middle.mean((0, 1))]


def main():
    files = sorted(options.clip.glob("*.dng"))[:options.frames]
    options.out.mkdir(parents=True, exist_ok=True)
    cpu = lambda: sum(  # noqa: E731
        u.ru_utime + u.ru_stime
        for u in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)))
    imported, begun = cpu(), time.perf_counter()
    with multiprocessing.get_context("fork").Pool(options.processes) as pool:
        stages = pool.map(plate, files, chunksize=1)
        wall = time.perf_counter() - begun
        pool.close()
        pool.join()
    report = {
        "frames_per_second": len(files) / wall,
        "cpu_seconds_per_frame": (cpu() - imported) / len(files),
        "stages": {name: statistics.median(s[name] for s in stages) for name in stages[0]},
    }
    if options.compare:
        theirs = means(options.out / (files[0].stem + ".exr"))
        report["means_over_ours"] = [t / o for t, o in zip(theirs, means(options.compare))]
    print(json.dumps(report))


main()
