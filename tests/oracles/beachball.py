#!/usr/bin/env python3
"""How near two independent pipelines come to the motion clip's truth.

usage: beachball.py CLIPS_DIR > beachball.json      (CLIPS_DIR = testclips/clips)

The relation, found by least squares between samples and truth and recorded in
`fit`: the sample of a photosite of colour c is row c of A times the truth at the
same pixel, with gain 1, where A = ColorMatrix1 * (BT.709 to XYZ), divided by the
green that a neutral of 1 gives. So, where nothing clips,

    plate[y][x] = rec709_to_aces * truth[y + 8][x + 8]

for the delivered crop (origin 8,8; 1136x752) of the active area (1152x768, which
is the truth's size), with no gain and no shift.

Measures, all on the crop in ACES2065-1:

  psnr       -10 log10(mean of squared differences over pixels and channels),
             peak 1, over pixels that are not hot. Hot: within 4 pixels (square
             neighbourhood, inside the truth) of one where a row of A times the
             truth exceeds 0.95.
  psnr_display  the same of all pixels after the way back to BT.709 and the sRGB
             curve with clamping to 0..1 (highlights that clip are white in both).
  bias       mean of plate - truth per channel over pixels that are not hot.
  block      over 16x16 blocks without hot pixels whose truth has a mean
             luminance above 0.02: largest channel difference of the means over
             that luminance; median, 99th percentile.
  patch_de2000   over the same blocks, CIEDE2000 of the means for a white of
             luminance 1; median, 99th percentile.

Pipelines: `mhc` is this file's own Malvar-He-Cutler 2004 on the white-balanced
mosaic (samples by LibRaw, borders mirrored at the active area); `ahd` is LibRaw's
AHD in camera RGB; both then take the camera matrix of the DNG specification.
Controls: `shifted` is mhc compared one pixel off, `unadapted` leaves the Bradford
step out, `bilinear` is the plain debayer: a test's bounds have to tell them from mhc.

Used: rawpy 0.28.0 (LibRaw 0.22.2), OpenEXR 3.5.3, numpy 2.4.
"""
import json
import pathlib
import sys

import numpy as np
import OpenEXR
import rawpy

import colour

CROP = np.s_[8:760, 8:1144]
MATRIX = np.array([6461, -1164, -857, -3825, 11597, 2534, -416, 1540, 6039]).reshape(3, 3) / 10000
NEUTRAL = np.array([0.377206, 1.0, 0.720117])
TO_ACES = colour.rec709_to_aces()
A = MATRIX @ colour.npm(colour.REC709, colour.D65)
A = A / A[1].sum()
CAMERA_TO_ACES, WHITE_XY = colour.camera_to_aces(MATRIX, NEUTRAL)


def mosaic(path):
    with rawpy.imread(str(path)) as raw:
        active = raw.raw_image[16:784, 16:1168].astype(np.float64)
        black, white = raw.black_level_per_channel[0], raw.white_level
        return (active - black) / (white - black)


def balanced(linear):
    gains = NEUTRAL[1] / NEUTRAL
    out = linear.copy()
    out[0::2, 0::2] *= gains[0]
    out[1::2, 1::2] *= gains[2]
    return out


def convolve(plane, kernel):
    pad = np.pad(plane, 2, mode="reflect")
    h, w = plane.shape
    return sum(k * pad[y:y + h, x:x + w] for (y, x), k in np.ndenumerate(kernel) if k)


def mhc(cfa):
    """Malvar, He, Cutler 2004, figure 2; the coefficients are over 8. RGGB."""
    g = np.array([[0, 0, -1, 0, 0], [0, 0, 2, 0, 0], [-1, 2, 4, 2, -1], [0, 0, 2, 0, 0], [0, 0, -1, 0, 0]]) / 8
    row = np.array([[0, 0, .5, 0, 0], [0, -1, 0, -1, 0], [-1, 4, 5, 4, -1], [0, -1, 0, -1, 0], [0, 0, .5, 0, 0]]) / 8
    cross = np.array([[0, 0, -1.5, 0, 0], [0, 2, 0, 2, 0], [-1.5, 0, 6, 0, -1.5], [0, 2, 0, 2, 0],
                      [0, 0, -1.5, 0, 0]]) / 8
    green, beside, above, across = (convolve(cfa, k) for k in (g, row, row.T, cross))
    out = np.stack([cfa] * 3, -1)
    out[0::2, 0::2, 1], out[1::2, 1::2, 1] = green[0::2, 0::2], green[1::2, 1::2]
    out[0::2, 1::2, 0], out[1::2, 0::2, 0], out[1::2, 1::2, 0] = beside[0::2, 1::2], above[1::2, 0::2], across[1::2, 1::2]
    out[0::2, 1::2, 2], out[1::2, 0::2, 2], out[0::2, 0::2, 2] = above[0::2, 1::2], beside[1::2, 0::2], across[0::2, 0::2]
    return out


def bilinear(cfa):
    green = np.array([[0, 0, 0, 0, 0], [0, 0, 1, 0, 0], [0, 1, 4, 1, 0], [0, 0, 1, 0, 0], [0, 0, 0, 0, 0]]) / 4
    other = np.array([[0, 0, 0, 0, 0], [0, 1, 2, 1, 0], [0, 2, 4, 2, 0], [0, 1, 2, 1, 0], [0, 0, 0, 0, 0]]) / 4
    sites = np.zeros((3,) + cfa.shape)
    sites[0, 0::2, 0::2], sites[2, 1::2, 1::2] = cfa[0::2, 0::2], cfa[1::2, 1::2]
    sites[1, 0::2, 1::2], sites[1, 1::2, 0::2] = cfa[0::2, 1::2], cfa[1::2, 0::2]
    return np.stack([convolve(sites[i], green if i == 1 else other) for i in range(3)], -1)


def ahd(path):
    with rawpy.imread(str(path)) as raw:
        out = raw.postprocess(
            demosaic_algorithm=rawpy.DemosaicAlgorithm.AHD, use_camera_wb=True,
            output_color=rawpy.ColorSpace.raw, gamma=(1, 1), no_auto_bright=True, output_bps=16,
            user_flip=0, adjust_maximum_thr=0, highlight_mode=rawpy.HighlightMode.Clip)
    return out.astype(np.float64) / 65535


def half(image):
    return image.astype(np.float16).astype(np.float64)


def display(aces):
    rgb = np.clip(aces @ np.linalg.inv(TO_ACES).T, 0, 1)
    return np.where(rgb <= 0.0031308, 12.92 * rgb, 1.055 * rgb ** (1 / 2.4) - 0.055)


def hot_pixels(truth):
    hot = ((truth @ A.T) > 0.95).any(-1)
    pad = np.pad(hot, 4)
    h, w = hot.shape
    return np.any([pad[y:y + h, x:x + w] for y in range(9) for x in range(9)], axis=0)


def measure(plate, truth, hot):
    difference = plate - truth
    cold = ~hot
    psnr = lambda d: float(-10 * np.log10((d**2).mean()))
    blocks = lambda a: a[:, :1136 // 16 * 16].reshape(752 // 16, 16, 1136 // 16, 16, -1).mean((1, 3))
    luminance = (blocks(truth) @ colour.npm(colour.AP0, colour.ACES_WHITE).T)[..., 1]
    use = (blocks(hot[..., None].astype(float))[..., 0] == 0) & (luminance > 0.02)
    a, b = blocks(plate)[use], blocks(truth)[use]
    relative = np.abs(a - b).max(-1) / luminance[use]
    de = colour.ciede2000(colour.lab(a), colour.lab(b))
    pair = lambda v: [round(float(np.percentile(v, q)), 5) for q in (50, 99)]
    return {
        "psnr": round(psnr(difference[cold]), 3),
        "psnr_display": round(psnr(display(plate) - display(truth)), 3),
        "bias": np.round(difference[cold].mean(0), 6).tolist(),
        "block": pair(relative), "patch_de2000": pair(de),
        "cold_pixels": int(cold.sum()), "blocks": int(use.sum()),
    }


def fit(pairs):
    """Rows of A by least squares over all frames, for comparison with the derived ones."""
    rows = []
    for color, sites in (("r", [(0, 0)]), ("g", [(0, 1), (1, 0)]), ("b", [(1, 1)])):
        t = np.concatenate([truth[y::2, x::2].reshape(-1, 3) for truth, _ in pairs for y, x in sites])
        s = np.concatenate([cfa[y::2, x::2].ravel() for _, cfa in pairs for y, x in sites])
        ok = (s > 0) & (s < 0.9) & (t.max(-1) < 2)
        derived = A["rgb".index(color)]
        predicted = t[ok] @ derived
        rows.append({
            "color": color, "derived": np.round(derived, 6).tolist(),
            "fitted": np.round(np.linalg.lstsq(t[ok], s[ok], rcond=None)[0], 6).tolist(),
            "gain": round(float(s[ok] @ predicted / (predicted @ predicted)), 6),
            "rms": round(float(np.sqrt(np.mean((s[ok] - predicted) ** 2))), 6),
        })
    return rows


def main():
    clips = pathlib.Path(sys.argv[1])
    frames, pairs = [], []
    for index in range(8):
        path = clips / f"beachball/A001_C001_{index:06d}.dng"
        truth709 = OpenEXR.File(str(clips / f"beachball-truth/{index:06d}.exr")).channels()["RGB"].pixels.astype(np.float64)
        truth = (truth709 @ TO_ACES.T)[CROP]
        hot = hot_pixels(truth709)[CROP]
        linear = mosaic(path)
        pairs.append((truth709, linear))
        cfa = balanced(linear)
        to_aces = lambda camera: half(camera @ CAMERA_TO_ACES.T)
        mine = to_aces(mhc(cfa))
        entry = {"index": index, "mhc": measure(mine[CROP], truth, hot)}
        entry["ahd"] = measure(to_aces(ahd(path))[CROP], truth, hot)
        entry["bilinear"] = measure(to_aces(bilinear(cfa))[CROP], truth, hot)
        entry["shifted"] = measure(mine[8:760, 9:1145], truth, hot)
        unadapted = np.linalg.inv(colour.npm(colour.AP0, colour.ACES_WHITE)) @ colour.adapt(
            colour.ACES_WHITE, WHITE_XY) @ colour.npm(colour.AP0, colour.ACES_WHITE) @ CAMERA_TO_ACES
        entry["unadapted"] = measure(half(mhc(cfa) @ unadapted.T)[CROP], truth, hot)
        if index == 3:
            twin = balanced(mosaic(clips / "beachball-lin12/A001_C001_000003.dng"))
            entry["mhc_lin12"] = measure(to_aces(mhc(twin))[CROP], truth, hot)
        frames.append(entry)
    print("{")
    print(f' "crop": {{"origin": [8, 8], "size": [1136, 752]}},')
    print(f' "rec709_to_aces": {json.dumps(np.round(TO_ACES, 10).tolist())},')
    print(f' "scene_to_camera": {json.dumps(np.round(A, 10).tolist())},')
    print(f' "camera_to_aces_dng": {json.dumps(np.round(CAMERA_TO_ACES, 10).tolist())},')
    print(f' "white_xy_dng": {json.dumps(np.round(WHITE_XY, 7).tolist())},')
    print(f' "hot": {{"threshold": 0.95, "halo_px": 4}},')
    print(' "fit": [\n  ' + ",\n  ".join(json.dumps(row) for row in fit(pairs)) + "\n ],")
    print(' "frames": [\n  ' + ",\n  ".join(json.dumps(f) for f in frames) + "\n ]\n}")


main()
