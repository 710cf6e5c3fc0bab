"""One picture of floats onto a smaller raster, lanczos3, on one thread.

resize.py IN OUT --way oiio|pillow --from WIDTH HEIGHT --to WIDTH HEIGHT [--runs N]

IN and OUT are three planes of little-endian floats. Only the resize itself is counted, in the form in which the
library has its pictures: interleaved for OpenImageIO, a plane at a time for Pillow. Prints one line of JSON: CPU
seconds of the median run, and the version.
"""

import argparse
import json
import os
import statistics
import time

os.environ["OPENIMAGEIO_THREADS"] = "1"

parser = argparse.ArgumentParser()
parser.add_argument("picture")
parser.add_argument("out")
parser.add_argument("--way", choices=("oiio", "pillow"), required=True)
parser.add_argument("--from", dest="source", type=int, nargs=2, required=True)
parser.add_argument("--to", dest="size", type=int, nargs=2, required=True)
parser.add_argument("--runs", type=int, default=3)
options = parser.parse_args()

import numpy as np  # noqa: E402

width, height = options.source
planes = np.fromfile(options.picture, "<f4").reshape(3, height, width)

if options.way == "oiio":
    import OpenImageIO as oiio

    oiio.attribute("threads", 1)
    version = oiio.__version__
    source = oiio.ImageBuf(oiio.ImageSpec(width, height, 3, "float"))
    source.set_pixels(oiio.ROI(0, width, 0, height, 0, 1), np.ascontiguousarray(planes.transpose(1, 2, 0)))
    roi = oiio.ROI(0, options.size[0], 0, options.size[1], 0, 1, 0, 3)

    def resize():
        return oiio.ImageBufAlgo.resize(source, "lanczos3", 0.0, roi, 1)

    def pixels(result):
        return result.get_pixels(oiio.FLOAT).transpose(2, 0, 1)

else:
    import PIL
    from PIL import Image

    version = PIL.__version__
    source = [Image.fromarray(plane) for plane in planes]

    def resize():
        return [plane.resize(tuple(options.size), Image.Resampling.LANCZOS) for plane in source]

    def pixels(result):
        return np.stack([np.asarray(plane) for plane in result])


seconds = []
for _ in range(options.runs):
    begun = time.process_time()
    result = resize()
    seconds.append(time.process_time() - begun)
np.ascontiguousarray(pixels(result), dtype="<f4").tofile(options.out)
print(json.dumps({"seconds": statistics.median(seconds), "version": version}))
