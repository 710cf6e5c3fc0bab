#!/usr/bin/env python3
"""A bridge to LibRaw's command-line tools: camera raw that platefarm does not
read itself (Canon CRM, photo raw) as photosites with their levels.

    [[bridge]]
    name = "libraw"
    command = ["python3", "/path/to/libraw_bridge.py"]
    extensions = ["crm", "cr3", "nef"]

Needs Python 3.8 and LibRaw's samples `raw-identify`, `unprocessed_raw` and
`dcraw_emu` on PATH (Debian: libraw-bin; Canon CRM wants LibRaw 0.21 or later).
With `--shared` frames go through files in the folder that platefarm's hello
names (in memory where it can be) instead of the pipe, as long as it has room.

LibRaw's tools do not print all that platefarm asks for. What is assumed instead
is said in the clip's notes.

The protocol is in docs/bridge.md; `platefarm bridge check` tries it. This file
is an example to start from: everything about LibRaw is in `Clip`.
"""
import array
import json
import os
import re
import subprocess
import sys
import tempfile

PROTOCOL = 1
NAME = "libraw"


class Refusal(Exception):
    """An answer with ok = false."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


def run(*command):
    """Standard output of a tool, or a refusal that says what it said."""
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True)
    except FileNotFoundError:
        raise Refusal("unavailable", f"LibRaw's {command[0]} is not installed")
    if done.returncode != 0:
        words = done.stderr.decode("utf-8", "replace").strip()[-300:]
        raise Refusal("damaged", f"{command[0]}: {words or done.returncode}")
    return done.stdout


def pnm(data):
    """Width, height, channels and 16-bit samples of a PGM or PPM."""
    match = re.match(rb"P([56])\s+(\d+)\s+(\d+)\s+(\d+)\s", data)
    if not match or int(match[4]) < 256:
        raise Refusal("damaged", "LibRaw wrote no 16-bit picture")
    width, height, channels = int(match[2]), int(match[3]), 3 if match[1] == b"6" else 1
    samples = array.array("H")
    samples.frombytes(data[match.end():match.end() + width * height * channels * 2])
    if len(samples) != width * height * channels:
        raise Refusal("damaged", "LibRaw's picture is cut short")
    if sys.byteorder == "little":
        samples.byteswap()
    return width, height, channels, samples


def identify(path):
    """What raw-identify says, as text; a refusal when it knows nothing of the file."""
    if not os.path.isfile(path):
        raise Refusal("missing", f"there is no file {path}")
    text = run("raw-identify", "-v", path).decode("utf-8", "replace")
    if "Filter pattern:" not in text:
        raise Refusal("unsupported", "LibRaw does not know this file, or it has no colour filter")
    return text


def find(text, pattern, default=None):
    match = re.search(pattern, text, re.MULTILINE)
    return match[1].strip() if match else default


def numbers(text):
    return [float(n) for n in re.findall(r"-?\d+(?:\.\d+)?(?:e-?\d+)?", text)]


class Clip:
    """An open file: what it is, and its frames."""

    def __init__(self, path):
        text = identify(path)
        self.notes = []
        # The tools write beside their input: give them a link in a folder of our own.
        self.folder = tempfile.TemporaryDirectory(prefix="libraw-bridge-")
        self.link = os.path.join(self.folder.name, "clip" + os.path.splitext(path)[1])
        os.symlink(os.path.abspath(path), self.link)
        self.frames = int(self.said(text, r"^Number of raw images: (\d+)", "1", "number of frames"))
        said = run("unprocessed_raw", "-s", "0", self.link).decode("utf-8", "replace")
        self.top, self.left = (int(self.said(said, rf"{name}=(\d+)", "0", f"{name} margin"))
                               for name in ("top", "left"))
        self.width, self.height, _, first = self.take_picture()
        visible = find(text, r"^Image size:\s*(\d+ x \d+)")
        if not visible:
            raise Refusal("unsupported", "LibRaw does not say the size of the visible image")
        self.visible = [int(n) for n in visible.split(" x ")]
        pattern = find(text, r"^Filter pattern: *([RGB]{4})", "").lower()
        if pattern not in ("rggb", "grbg", "gbrg", "bggr"):
            raise Refusal("unsupported", f"the colour filter '{pattern}' is no Bayer pattern")
        self.pattern = pattern
        self.black = self.black_levels(text)
        self.white = self.white_level(text, first)
        self.text = text

    def said(self, text, pattern, default, what):
        """What a tool prints of `what`, else the default, with a note."""
        found = find(text, pattern)
        if found is None:
            self.notes.append(f"LibRaw's tools do not print the {what}: taken as {default}")
        return default if found is None else found

    def take_picture(self):
        """The PGM that unprocessed_raw left; removes it."""
        for name in os.listdir(self.folder.name):
            if name.endswith(".pgm"):
                path = os.path.join(self.folder.name, name)
                with open(path, "rb") as file:
                    data = file.read()
                os.remove(path)
                return pnm(data)
        raise Refusal("damaged", "unprocessed_raw wrote no picture")

    def black_levels(self, text):
        base = float(self.said(text, r"^black: (\d+)", "0", "black level"))
        each = numbers(find(text, r"^cblack\[0 \.\. 3\]:(.*)$", ""))[:4]
        if len(each) < 4:
            return [base] * 4
        # LibRaw counts red, green, blue, second green; we count rows of the pattern.
        order = {"rggb": (0, 1, 3, 2), "bggr": (2, 3, 1, 0), "grbg": (1, 0, 2, 3),
                 "gbrg": (3, 2, 0, 1)}[self.pattern]
        return [base + each[i] for i in order]

    def white_level(self, text, raw):
        """The clipping code. The tools do not print it, so it follows from what LibRaw's own
        scaling to 16 bits does to the brightest samples: out = 65535 (in - black) / (white - black).
        """
        limits = [n for n in numbers(find(text, r"^Highlight linearity limits:(.*)$", "")) if n > 0]
        if limits:
            self.notes.append(f"white level {min(limits):g}: the lowest of the file's linearity limits")
            return min(limits)
        out = run("dcraw_emu", "-4", "-r", "1", "1", "1", "1", "-o", "0", "-disinterp", "-c", "0",
                  "-j", "-t", "0", "-Z", "-", self.link)
        width, height, channels, scaled = pnm(out)
        found = []
        for y in range(0, height, 7):
            for x in range(0, width, 5):
                value = max(scaled[(y * width + x) * channels:][:channels])
                if value < 65000:
                    code = raw[(y + self.top) * self.width + x + self.left]
                    black = self.black[y % 2 * 2 + x % 2]
                    found.append((value, black + 65535 * (code - black) / max(value, 1)))
        brightest = sorted(white for value, white in sorted(found)[-64:])
        if not brightest:
            raise Refusal("damaged", "the picture has no sample below clipping")
        white = float(min(round(brightest[len(brightest) // 2]), 65535))
        self.notes.append(f"white level {white:g}: LibRaw's tools do not print it; it follows from how "
                          "they scale the brightest samples of frame 0, and is used for all frames")
        return white

    def describe(self):
        text = self.text
        shot = numbers(find(text, r"^\s*As shot\s(.*)$", ""))[:3]
        if len(shot) < 3 or min(shot) <= 0:
            shot = numbers(find(text, r"^Derived D65 multipliers:(.*)$", ""))[:3]
            if len(shot) < 3 or min(shot) <= 0:
                raise Refusal("unsupported", "LibRaw knows no white balance for this camera")
            self.notes.append("white balance: the file has none as shot; LibRaw's for D65 is taken")
        rows = re.search(r"camRGB -> sRGB Matrix:\n((?:.*\n){3})", text)
        matrix = [numbers(row)[:3] for row in rows[1].strip().split("\n")] if rows else []
        if [len(row) for row in matrix] != [3, 3, 3]:
            raise Refusal("unsupported", "LibRaw has no colour matrix for this camera")
        # Four decimals: a neutral is to stay one.
        self.notes.append("colour: LibRaw's matrix for this camera, for D65 whatever the light")
        matrix = [[v / sum(row) for v in row] for row in matrix]
        make, model = (find(text, r"^Camera: (\S+)"), find(text, r"^Camera: \S+ (.*?)(?: ID: .*)?$"))
        iso = float(find(text, r"^ISO speed: (\d+)", "0"))
        # Printed for some formats only; platefarm notes that it is not known of the others.
        bits = find(run("raw-identify", "-c", self.link).decode("utf-8", "replace"), r"=bps (\d+)")
        return {
            "frames": self.frames,
            "bit_depth": int(bits or 0) or None,
            "codec": "libraw",
            "camera": {"make": make, "model": model, "iso_speed": iso or None},
            "layout": {
                "kind": "mosaic", "width": self.width, "height": self.height, "samples": "u16",
                "active": [self.left, self.top, *self.visible],
                "crop": [0, 0, *self.visible],
                "pattern": self.pattern, "black": self.black, "white": [self.white] * 4,
                "white_balance": [shot[0] / shot[1], 1.0, shot[2] / shot[1]],
                "matrix": matrix, "space": "lin_rec709_scene",
            },
            "vendor": {"libraw.timestamp": find(text, r"^Timestamp: (.*)$", "")},
            "notes": self.notes,
        }

    def frame(self, index):
        run("unprocessed_raw", "-q", "-s", str(index), self.link)
        width, height, _, samples = self.take_picture()
        if (width, height) != (self.width, self.height):
            raise Refusal("damaged", f"frame {index} is {width}x{height}")
        if sys.byteorder == "big":
            samples.byteswap()
        return samples.tobytes()


class Bridge:
    def __init__(self, shared):
        self.shared = shared
        self.folder = None
        self.clips = {}
        self.opened = 0

    def hello(self, request):
        if PROTOCOL not in request.get("protocol", []):
            raise Refusal("unsupported", f"this bridge speaks protocol {PROTOCOL}")
        self.folder = request.get("folder")
        return {"protocol": PROTOCOL, "name": NAME, "version": "1"}, None

    def probe(self, request):
        try:
            identify(request["path"])
            return {"reads": True}, None
        except Refusal as refusal:
            if refusal.code == "unavailable":
                raise
            return {"reads": False, "why": str(refusal)}, None

    def open(self, request):
        clip = Clip(request["path"])
        answer = clip.describe()
        self.opened += 1
        self.clips[self.opened] = clip
        return {"clip": self.opened, **answer}, None

    def clip(self, request):
        if request.get("clip") not in self.clips:
            raise Refusal("missing", f"clip {request.get('clip')} is not open")
        return self.clips[request["clip"]]

    def frame(self, request):
        clip, index = self.clip(request), request["index"]
        if not 0 <= index < clip.frames:
            raise Refusal("missing", f"there is no frame {index} of {clip.frames}")
        pixels = clip.frame(index)
        path = self.leave(pixels) if self.shared and self.folder else None
        if path is None:
            return {"bytes": len(pixels), "via": "pipe"}, pixels
        return {"bytes": len(pixels), "via": "file", "path": path}, None

    def leave(self, pixels):
        """A file of these bytes in the folder; none where it has no room for them."""
        path = os.path.join(self.folder, "frame")
        try:
            with open(path, "wb") as out:
                out.write(pixels)
            return path
        except OSError:
            if os.path.lexists(path):
                os.remove(path)
            return None

    def close(self, request):
        self.clip(request).folder.cleanup()
        del self.clips[request["clip"]]
        return {}, None

    def answer(self, line):
        """The answer to a line, and the pixels behind it."""
        request = {}
        try:
            request = json.loads(line)
            handler = {"hello": self.hello, "probe": self.probe, "open": self.open,
                       "frame": self.frame, "close": self.close}.get(request.get("op"))
            if not handler:
                raise Refusal("unsupported", f"there is no request {request.get('op')!r}")
            body, pixels = handler(request)
            return {"id": request.get("id"), "ok": True, **body}, pixels
        except Refusal as refusal:
            error = {"code": refusal.code, "message": str(refusal)}
        except (ValueError, KeyError, TypeError, AttributeError) as problem:
            error = {"code": "internal", "message": f"{type(problem).__name__}: {problem}"}
        number = request.get("id") if isinstance(request, dict) else None
        return {"id": number, "ok": False, "error": error}, None


def main():
    bridge = Bridge(shared="--shared" in sys.argv[1:])
    for line in sys.stdin.buffer:
        body, pixels = bridge.answer(line)
        sys.stdout.buffer.write(json.dumps(body).encode() + b"\n")
        if pixels:
            sys.stdout.buffer.write(pixels)
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
