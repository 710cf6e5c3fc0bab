"""Colour arithmetic in f64 for the oracles: matrices, Bradford, CIEDE2000.

Written from the standards (SMPTE RP 177 and ST 2065-1, the DNG specification
1.4 chapter 6, CIE 142-2001 as Sharma et al. 2005 explain it), apart from the
product's code on purpose.
"""
import numpy as np

AP0 = [(0.7347, 0.2653), (0.0, 1.0), (0.0001, -0.0770)]
REC709 = [(0.640, 0.330), (0.300, 0.600), (0.150, 0.060)]
ACES_WHITE = (0.32168, 0.33767)
D65 = (0.3127, 0.3290)
D50 = (0.3457, 0.3585)
BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])


def xyz(xy):
    return np.array([xy[0] / xy[1], 1.0, (1 - xy[0] - xy[1]) / xy[1]])


def npm(primaries, white):
    columns = np.array([[x, y, 1 - x - y] for x, y in primaries]).T
    return columns * np.linalg.solve(columns, xyz(white))


def adapt(source, target):
    gain = (BRADFORD @ xyz(target)) / (BRADFORD @ xyz(source))
    return np.linalg.inv(BRADFORD) @ np.diag(gain) @ BRADFORD


def rec709_to_aces():
    return np.linalg.inv(npm(AP0, ACES_WHITE)) @ adapt(D65, ACES_WHITE) @ npm(REC709, D65)


def camera_to_aces(matrix, neutral):
    """White-balanced camera RGB to ACES2065-1, and the scene's white as xy.

    One ColorMatrix (XYZ to camera), AsShotNeutral: the white is what the matrix
    makes of the neutral; camera XYZ is adapted from it by Bradford. A neutral of
    1 becomes a neutral of 1.
    """
    neutral = np.asarray(neutral) / neutral[1]
    to_xyz = np.linalg.inv(matrix)
    white = to_xyz @ neutral
    xy = white[:2] / white.sum()
    scaled = to_xyz @ np.diag(neutral) / white[1]
    return np.linalg.inv(npm(AP0, ACES_WHITE)) @ adapt(xy, ACES_WHITE) @ scaled, xy


def lab(aces, white_y=1.0):
    """CIELAB (D50) of ACES2065-1 values whose white is `white_y`."""
    to_d50 = adapt(ACES_WHITE, D50) @ npm(AP0, ACES_WHITE)
    t = (np.asarray(aces) @ to_d50.T) / (xyz(D50) * white_y)
    f = np.where(t > (6 / 29) ** 3, np.cbrt(t), t * (29 / 6) ** 2 / 3 + 4 / 29)
    return np.stack([116 * f[..., 1] - 16, 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])], -1)


def ciede2000(a, b):
    l1, a1, b1 = np.moveaxis(np.asarray(a), -1, 0)
    l2, a2, b2 = np.moveaxis(np.asarray(b), -1, 0)
    c7 = ((np.hypot(a1, b1) + np.hypot(a2, b2)) / 2) ** 7
    g = 0.5 * (1 - np.sqrt(c7 / (c7 + 25.0**7)))
    a1, a2 = a1 * (1 + g), a2 * (1 + g)
    c1, c2 = np.hypot(a1, b1), np.hypot(a2, b2)
    h1, h2 = np.degrees(np.arctan2(b1, a1)) % 360, np.degrees(np.arctan2(b2, a2)) % 360
    dh = (h2 - h1 + 180) % 360 - 180
    chroma = c1 * c2 > 0
    dh = np.where(chroma, dh, 0)
    hm = np.where(np.abs(h1 - h2) > 180, (h1 + h2 + 360) / 2, (h1 + h2) / 2) % 360
    hm = np.where(chroma, hm, h1 + h2)
    lm, cm = (l1 + l2) / 2, (c1 + c2) / 2
    t = (1 - 0.17 * np.cos(np.radians(hm - 30)) + 0.24 * np.cos(np.radians(2 * hm))
         + 0.32 * np.cos(np.radians(3 * hm + 6)) - 0.20 * np.cos(np.radians(4 * hm - 63)))
    sl = 1 + 0.015 * (lm - 50) ** 2 / np.sqrt(20 + (lm - 50) ** 2)
    sc, sh = 1 + 0.045 * cm, 1 + 0.015 * cm * t
    rt = (-2 * np.sqrt(cm**7 / (cm**7 + 25.0**7))
          * np.sin(np.radians(60 * np.exp(-(((hm - 275) / 25) ** 2)))))
    dl, dc, dH = l2 - l1, c2 - c1, 2 * np.sqrt(c1 * c2) * np.sin(np.radians(dh / 2))
    return np.sqrt((dl / sl) ** 2 + (dc / sc) ** 2 + (dH / sh) ** 2 + rt * (dc / sc) * (dH / sh))
