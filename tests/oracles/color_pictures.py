"""Pictures for docs/color.md: scenes through our output transforms and OpenColorIO's, side by side.

    python3 tests/oracles/color_pictures.py target/release/platefarm ../shared/data/raw docs/images/color

Needs opencolorio (2.6), numpy, pillow and OpenEXR from PyPI. Every scene is brought to
ACES2065-1 by platefarm once; from there both programs start from the same floats. What is
compared is the whole picture, pixel for pixel; what is shown is a reduction of it. The numbers
that go under the pictures are printed, and written to `differences.json` beside them.
"""

import json
import pathlib
import subprocess
import sys

import numpy as np
import OpenEXR
import PyOpenColorIO as ocio
from PIL import Image, ImageDraw

PROGRAM, RAW, OUT = (pathlib.Path(a) for a in sys.argv[1:4])
# Name, file, and stops by which the scene is opened up, so that there is something to see.
SCENES = [
    ("StillLife", "openexr-images/ScanLines/StillLife.exr", 2),
    ("CandleGlass", "openexr-images/ScanLines/CandleGlass.exr", 2),
    ("MtTamWest", "openexr-images/ScanLines/MtTamWest.exr", 1),
    ("GoldenGate", "openexr-images/Tiles/GoldenGate.exr", 1),
    ("ColorChart", "tinydng/colorchart.dng", 2),
]
CONFIG = ocio.Config.CreateFromBuiltinConfig("studio-config-v5.0.0_aces-v2.1_ocio-v2.6")


def view(display, name):
    return ocio.DisplayViewTransform(src="ACES2065-1", display=display, view=name)


def builtins(*names):
    return ocio.GroupTransform([ocio.BuiltinTransform(style=n) for n in names])


# What it is called in the documentation, ours, OpenColorIO's, peak in cd/m2, decoding to light over 100 cd/m2.
def srgb(v):
    return np.where(v <= 0.04045, v / 12.92, ((np.maximum(v, 0) + 0.055) / 1.055) ** 2.4)


def pq(v):
    p = np.maximum(v, 0) ** (1 / 78.84375)
    return 100 * (np.maximum(p - 0.8359375, 0) / (18.8515625 - 18.6875 * p)) ** (1 / 0.1593017578125)


OUTPUTS = [
    ("aces2_sdr", "ACES 2.0, SDR 100 cd/m2, sRGB", "Rec709-D65_100nit_in_Rec709-D65_sRGB-Piecewise",
     view("sRGB - Display", "ACES 2.0 - SDR 100 nits (Rec.709)"), 1.0, srgb),
    ("aces1_sdr", "ACES 1.3, SDR, sRGB", "ACES 1.3 SDR sRGB",
     builtins("ACES-OUTPUT - ACES2065-1_to_CIE-XYZ-D65 - SDR-VIDEO_1.0", "DISPLAY - CIE-XYZ-D65_to_sRGB"), 1.0, srgb),
    ("aces2_hdr", "ACES 2.0, HDR 1000 cd/m2, P3 in Rec.2100 PQ", "P3-D65_1000nit_in_Rec2100-D65_ST2084",
     view("Rec.2100-PQ - Display", "ACES 2.0 - HDR 1000 nits (P3 D65)"), 10.0, pq),
]
TO_709 = np.array([[1.660491, -0.587641, -0.072850], [-0.124550, 1.132900, -0.008349], [-0.018151, -0.100579, 1.118730]])


def run(*args, **more):
    return subprocess.run([str(PROGRAM), *map(str, args)], check=True, capture_output=True, **more)


def aces(name, path):
    """The scene in ACES2065-1."""
    work = OUT / "work"
    work.mkdir(parents=True, exist_ok=True)
    if path.endswith(".dng"):
        run("render", RAW / path, "--out", work, "--name", name, "--frames", "0-0", "--backend", "cpu")
        file = work / f"{name}.1001.exr"
    else:
        file = work / f"{name}.exr"
        run("color", "convert", "--to", "ACES2065-1", RAW / path, file)
    channels = OpenEXR.File(str(file), separate_channels=True).channels()
    return np.stack([channels[c].pixels for c in "RGB"], axis=-1).astype(np.float32)


def ours(pixels, to):
    done = run("color", "convert", "--from", "ACES2065-1", "--to", to, input=pixels.tobytes())
    return np.frombuffer(done.stdout, np.float32).reshape(pixels.shape)


def theirs(pixels, transform):
    # Both take what no half holds for what one does.
    processor = CONFIG.getProcessor(transform).getOptimizedCPUProcessor(ocio.OPTIMIZATION_NONE)
    out = np.ascontiguousarray(np.clip(np.nan_to_num(pixels), -65504, 65504))
    processor.applyRGB(out.reshape(-1, 3))
    return out


def reduced(codes, width=300):
    step = max(1, codes.shape[1] // width)
    height, wide = codes.shape[0] // step * step, codes.shape[1] // step * step
    return codes[:height, :wide].reshape(height // step, step, wide // step, step, 3).mean((1, 3))


def shown(codes, decode, peak):
    """Codes on a computer's display. HDR is shown as a camera would see it two stops down: 400 cd/m2 is white."""
    small = reduced(codes)
    if peak > 1:
        light = np.maximum(decode(small) @ TO_709.T, 0) / 4
        small = np.where(light <= 0.0031308, 12.92 * light, 1.055 * np.maximum(light, 1e-9) ** (1 / 2.4) - 0.055)
    return (np.clip(small, 0, 1) * 255 + 0.5).astype(np.uint8)


OUT.mkdir(parents=True, exist_ok=True)
report = {}
for key, title, name, transform, peak, decode in OUTPUTS:
    rows = []
    for scene, path, stops in SCENES:
        pixels = aces(scene, path) * np.float32(2**stops)
        a, b = ours(pixels, name), np.clip(theirs(pixels, transform), 0, 1)
        a = np.clip(a, 0, 1)
        light = np.abs(decode(a) - decode(b)) / peak
        codes = np.abs(a - b)[(b > 0.02).all(-1)]
        worst = np.abs(np.rint(a * 255) - np.rint(b * 255)).max() if peak == 1 else np.abs(np.rint(a * 1023) - np.rint(b * 1023)).max()
        report.setdefault(key, {})[scene] = {
            "light_over_peak_max": float(light.max()),
            "light_over_peak_p999": float(np.quantile(light, 0.999)),
            "light_over_peak_median": float(np.median(light)),
            "code_max_above_0_02": float(codes.max()) if codes.size else 0.0,
            "largest_step": int(worst),
            "steps_of": 255 if peak == 1 else 1023,
            "pixels": int(a.shape[0] * a.shape[1]),
        }
        print(key, scene, report[key][scene], flush=True)
        difference = (np.clip(reduced(light) * 1e6, 0, 1) * 255).astype(np.uint8)
        rows.append((scene, shown(a, decode, peak), shown(b, decode, peak), difference))
    width = max(r[1].shape[1] for r in rows)
    height = sum(r[1].shape[0] + 6 for r in rows) + 22
    sheet = Image.new("RGB", (3 * (width + 6), height), (22, 23, 25))
    draw = ImageDraw.Draw(sheet)
    for i, text in enumerate([f"platefarm: {title}", "OpenColorIO 2.6", "difference: white is 1e-6 of the peak"]):
        draw.text((i * (width + 6) + 4, 5), text, fill=(222, 222, 218))
    y = 22
    for _, *pictures in rows:
        for i, picture in enumerate(pictures):
            sheet.paste(Image.fromarray(picture), (i * (width + 6), y))
        y += pictures[0].shape[0] + 6
    sheet.save(OUT / f"{key}.png", optimize=True)
(OUT / "differences.json").write_text(json.dumps(report, indent=1) + "\n")
