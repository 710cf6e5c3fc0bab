"""Makes shaders/tests/fixtures/aces1_outputs.f32: what OpenColorIO 2.6 makes of the scene grid with the outputs of
ACES 1 that the reference set does not have, in the order of OUTPUTS, and in codes of the display.

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
results = []
for view, display in OUTPUTS:
    chain = ocio.GroupTransform()
    chain.appendTransform(ocio.BuiltinTransform(f"ACES-OUTPUT - ACES2065-1_to_CIE-XYZ-D65 - {view}"))
    chain.appendTransform(ocio.BuiltinTransform(f"DISPLAY - CIE-XYZ-D65_to_{display}"))
    processor = config.getProcessor(chain).getOptimizedCPUProcessor(ocio.OPTIMIZATION_NONE)
    pixels = grid.copy()
    processor.applyRGB(pixels)
    results.append(pixels)
np.concatenate(results).astype("<f4").tofile("shaders/tests/fixtures/aces1_outputs.f32")
