"""Makes shaders/tests/fixtures/aces1_outputs.f32: what OpenColorIO 2.6 makes of the scene grid with the outputs of
ACES 1 that the reference set does not have, in the order of OUTPUTS, and in codes of the display. The last two are
put together, since OpenColorIO has no display of their white: DCDM as the Academy's ODT.Academy.DCDM (1.0.3) and
ODT.Academy.DCDM_P3D60 write it, for an observer who is adapted to D60.

    python3 tests/oracles/aces1_outputs.py

Needs opencolorio (2.6) and numpy from PyPI. Run in the project's root.
"""

import numpy as np
import PyOpenColorIO as ocio

OUTPUTS = [
    ("SDR-VIDEO-D60sim-D65_1.0", "sRGB"),
    ("SDR-VIDEO-P3lim_1.1", "REC.1886-REC.2020"),
    ("SDR-VIDEO-REC709lim_1.1", "REC.1886-REC.2020"),
    ("SDR-VIDEO_1.0", "REC.1886-REC.2020"),
    ("SDR-CINEMA-REC709lim_1.1", "G2.6-P3-D65"),
    ("SDR-CINEMA-D60sim-D65_1.1", "G2.6-P3-D65"),
    ("SDR-CINEMA_1.0", "G2.6-P3-D60-BFD"),
    ("SDR-CINEMA-D60sim-DCI_1.0", "G2.6-P3-DCI-BFD"),
    ("SDR-CINEMA-D65sim-DCI_1.1", "G2.6-P3-DCI-BFD"),
    ("HDR-VIDEO-2000nit-15nit-P3lim_1.1", "ST2084-P3-D65"),
    ("HDR-VIDEO-4000nit-15nit-P3lim_1.1", "ST2084-P3-D65"),
]

grid = np.fromfile("model/tests/fixtures/color/grid_scene.f32", "<f4").reshape(-1, 3)
config = ocio.Config.CreateRaw()


def xyz(x, y):
    return np.array([x / y, 1.0, (1.0 - x - y) / y])


D60, D65 = xyz(0.32168, 0.33767), xyz(0.3127, 0.3290)
BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])


def matrix(m):
    whole = np.eye(4)
    whole[:3, :3] = m
    return ocio.MatrixTransform(whole.flatten())


def from_p3(white):
    columns = np.array([xyz(0.680, 0.320), xyz(0.265, 0.690), xyz(0.150, 0.060)]).T
    return columns * np.linalg.solve(columns, white)


def dcdm_d60(limited):
    """CIE-XYZ-D65 to DCDM codes of D60, within P3-D60 or not."""
    steps = [matrix(np.linalg.inv(BRADFORD) @ np.diag(BRADFORD @ D60 / (BRADFORD @ D65)) @ BRADFORD)]
    if limited:
        steps += [matrix(np.linalg.inv(from_p3(D60))), ocio.RangeTransform(0, 1, 0, 1), matrix(from_p3(D60))]
    power = ocio.ExponentTransform([1 / 2.6] * 3 + [1], ocio.NEGATIVE_CLAMP)
    return steps + [matrix(np.eye(3) * 48 / 52.37), power]


def results():
    for view, display in OUTPUTS:
        yield view, [ocio.BuiltinTransform(f"DISPLAY - CIE-XYZ-D65_to_{display}")]
    for limited in (False, True):
        yield "SDR-CINEMA_1.0", dcdm_d60(limited)


def computed(view, display):
    chain = ocio.GroupTransform()
    chain.appendTransform(ocio.BuiltinTransform(f"ACES-OUTPUT - ACES2065-1_to_CIE-XYZ-D65 - {view}"))
    for step in display:
        chain.appendTransform(step)
    processor = config.getProcessor(chain).getOptimizedCPUProcessor(ocio.OPTIMIZATION_NONE)
    pixels = grid.copy()
    processor.applyRGB(pixels)
    return pixels


every = [computed(*each) for each in results()]
np.concatenate(every).astype("<f4").tofile("shaders/tests/fixtures/aces1_outputs.f32")
