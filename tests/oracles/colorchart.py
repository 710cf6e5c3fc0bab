#!/usr/bin/env python3
"""What LibRaw makes of the colour chart: mean values of 24 patches.

usage: colorchart.py CHART.dng [OVERLAY.png] > colorchart.json

Three values per patch, each the mean over a rectangle given in pixels of the
delivered crop (1734x1156):

  mosaic   white-balanced camera RGB straight from the samples: the mean of the
           red, green and blue photosites in the rectangle, by rawpy's
           raw_image, (value - black) / (white - black) * gain. No demosaic takes
           part, so every sound one must agree closely on a flat patch.
  ahd      the same after LibRaw's AHD demosaic in camera RGB.
  aces_dng the mosaic value through the camera transform of the DNG
           specification, computed here in f64.
  aces_libraw, xyz_libraw  LibRaw's own output in ACES and in XYZ after AHD.

LibRaw's colour is another method: it takes the white for D65, whatever the
neutral says, and adapts by scaling camera RGB; the DNG specification finds the
white that the neutral has (here about 5000 K) and adapts in Bradford's space.
The CIEDE2000 between the two is recorded per patch and bounds how near a
correct plate can come to LibRaw.

Used: rawpy 0.28.0 (LibRaw 0.22.2), numpy 2.4, pillow for the overlay.
"""
import json
import sys

import numpy as np
import rawpy

import colour

NAMES = ["dark skin", "light skin", "blue sky", "foliage", "blue flower", "bluish green",
         "orange", "purplish blue", "moderate red", "purple", "yellow green", "orange yellow",
         "blue", "green", "red", "yellow", "magenta", "cyan",
         "white", "neutral 8", "neutral 6.5", "neutral 5", "neutral 3.5", "black"]
# Centres of the four corner patches in the crop, found by eye on the picture.
CORNERS = np.array([[[715.5, 625.0], [1251.5, 614.0]], [[702.0, 930.5], [1260.5, 921.0]]])
HALF = 24
MATRIX = np.array([6461, -1164, -857, -3825, 11597, 2534, -416, 1540, 6039]).reshape(3, 3) / 10000
NEUTRAL = np.array([1.0, 2.477, 1.462])


def rectangles():
    for row in range(4):
        for column in range(6):
            v, u = row / 3, column / 5
            left, right = CORNERS[:, 0], CORNERS[:, 1]
            line = (left + (right - left) * u)
            x, y = line[0] + (line[1] - line[0]) * v
            # Even corners, so that every rectangle holds whole 2x2 patterns.
            x0, y0 = 2 * round((x - HALF) / 2), 2 * round((y - HALF) / 2)
            yield x0, y0, 2 * HALF, 2 * HALF


def developed(path, color, demosaic):
    with rawpy.imread(path) as raw:
        out = raw.postprocess(
            demosaic_algorithm=demosaic, use_camera_wb=True, output_color=color, gamma=(1, 1),
            no_auto_bright=True, output_bps=16, user_flip=0, adjust_maximum_thr=0,
            highlight_mode=rawpy.HighlightMode.Clip)
    return out.astype(np.float64) / 65535


def mosaic_planes(path):
    with rawpy.imread(path) as raw:
        s = raw.sizes
        visible = raw.raw_image[s.top_margin:s.top_margin + s.height, s.left_margin:s.left_margin + s.width]
        assert raw.raw_pattern.tolist() == [[0, 1], [3, 2]]
        black, white = raw.black_level_per_channel[0], raw.white_level
        return (visible.astype(np.float64) - black) / (white - black)


def main():
    path = sys.argv[1]
    gains = NEUTRAL[1] / NEUTRAL
    linear = mosaic_planes(path)
    ahd = developed(path, rawpy.ColorSpace.raw, rawpy.DemosaicAlgorithm.AHD)
    aces = developed(path, rawpy.ColorSpace(6), rawpy.DemosaicAlgorithm.AHD)
    xyz = developed(path, rawpy.ColorSpace.XYZ, rawpy.DemosaicAlgorithm.AHD)
    transform, white = colour.camera_to_aces(MATRIX, NEUTRAL)
    assert ahd.shape == (1156, 1734, 3)
    patches = []
    for name, (x, y, w, h) in zip(NAMES, rectangles()):
        cut = linear[y:y + h, x:x + w]
        sites = [cut[0::2, 0::2], np.concatenate([cut[0::2, 1::2], cut[1::2, 0::2]]), cut[1::2, 1::2]]
        mosaic = np.array([s.mean() for s in sites]) * gains
        area = np.s_[y:y + h, x:x + w]
        patches.append({
            "name": name, "rect": [x, y, w, h], "mosaic": mosaic,
            "noise_of_mean": np.array([s.std() / np.sqrt(s.size) for s in sites]) * gains,
            "ahd": ahd[area].mean((0, 1)), "aces_dng": transform @ mosaic,
            "aces_libraw": aces[area].mean((0, 1)), "xyz_libraw": xyz[area].mean((0, 1)),
        })
    # Lightness relative to the white patch, taken as 89 % reflectance.
    white_y = (colour.npm(colour.AP0, colour.ACES_WHITE) @ patches[18]["aces_dng"])[1] / 0.89
    for p in patches:
        p["de2000_dng_libraw"] = float(colour.ciede2000(
            colour.lab(p["aces_dng"], white_y), colour.lab(p["aces_libraw"], white_y)))
    result = {
        "reader": "LibRaw " + ".".join(map(str, rawpy.libraw_version)),
        "crop": [1734, 1156], "black": 2056, "white": 15000,
        "white_balance": gains, "white_xy_dng": white, "camera_to_aces_dng": transform,
        "white_y_for_lab": white_y,
        "worst_ahd_to_mosaic": max(float(np.abs(p["ahd"] - p["mosaic"]).max()) for p in patches),
        "worst_de2000_dng_libraw": max(p["de2000_dng_libraw"] for p in patches),
        "mean_de2000_dng_libraw": float(np.mean([p["de2000_dng_libraw"] for p in patches])),
        "patches": patches,
    }
    rounded = lambda v: np.round(v, 7).tolist() if isinstance(v, np.ndarray) else v
    print("{")
    for key, value in result.items():
        if key != "patches":
            print(f" {json.dumps(key)}: {json.dumps(rounded(value))},")
    lines = [json.dumps({k: rounded(v) for k, v in p.items()}) for p in patches]
    print(' "patches": [\n  ' + ",\n  ".join(lines) + "\n ]\n}")
    if len(sys.argv) > 2:
        from PIL import Image, ImageDraw
        picture = Image.fromarray((np.clip(ahd * 3, 0, 1) ** (1 / 2.2) * 255).astype(np.uint8))
        draw = ImageDraw.Draw(picture)
        for p in patches:
            x, y, w, h = p["rect"]
            draw.rectangle([x, y, x + w - 1, y + h - 1], outline=(255, 255, 255))
        picture.crop((500, 520, 1460, 1060)).save(sys.argv[2])


main()
