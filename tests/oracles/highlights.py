"""Digests of a plate for every way of `--highlights`, by the rules of `shaders/src/ops`, for `shaders/tests/versions.rs`.

    python3 tests/oracles/highlights.py

Needs numpy from PyPI. Everything is IEEE single precision in the order that the rules say, and so the same to the bit:
the mosaic of that test, white balance, what becomes of lights that clip, Malvar's debayer, halves. That the debayer is
ours is seen by its own digest, which that test has too.
"""

import numpy as np

F = np.float32
WIDTH, HEIGHT = 150, 94
GAINS = [F(2.0), F(1.0), F(1.5)]
START, END = F(60 / 64), F(63 / 64)


def mosaic():
    """Photosites of GRBG, as `mosaic()` of the test has them."""
    state, sites = 1, np.empty((HEIGHT, WIDTH), F)
    for y in range(HEIGHT):
        for x in range(WIDTH):
            state = (state * 1664525 + 1013904223) & 0xFFFFFFFF
            value = 90 * x + 120 * y + (state >> 21)
            value += 9000 if (x // 11 + y // 7) % 3 == 0 else 0
            value += 40000 if abs(x - 110) + abs(y - 40) < 12 else 0
            sites[y, x] = (F(min(value, 32768)) - F(64)) / F(32704)
    return sites


Y, X = np.mgrid[0:HEIGHT, 0:WIDTH]
RED_ROW = Y % 2 == 0
GREEN = (X % 2 == 0) == RED_ROW
COLOR = np.where(GREEN, 1, np.where(RED_ROW, 0, 2))


def at(m, dy, dx):
    """Neighbours, mirrored about the photosites of the edge."""
    return np.pad(m, 2, "reflect")[2 + dy : 2 + dy + HEIGHT, 2 + dx : 2 + dx + WIDTH]


def near(v, gain):
    return np.minimum(np.maximum((v - gain * START) / (gain * (END - START)), F(0)), F(1))


def rebuilt(m):
    """`ops/highlights/mod.rs`, Rebuild."""
    w, e, n, s = at(m, 0, -1), at(m, 0, 1), at(m, -1, 0), at(m, 1, 0)
    corners = ((at(m, -1, -1) + at(m, -1, 1)) + (at(m, 1, -1) + at(m, 1, 1))) * F(0.25)
    x = np.where(GREEN, (w + e) * F(0.5), ((w + e) + (n + s)) * F(0.25))
    y = np.where(GREEN, (n + s) * F(0.5), corners)
    gains = np.array(GAINS)
    of_row = np.where(RED_ROW, gains[0], gains[2])
    other = np.where(RED_ROW, gains[2], gains[0])
    own, first = np.where(GREEN, gains[1], of_row), np.where(GREEN, of_row, gains[1])
    even = (x + y) * F(0.5)
    light = even + (np.maximum(np.maximum(x, y), m) - even) * np.minimum(near(x, first), near(y, other))
    return m + np.maximum(light - m, F(0)) * near(m, own)


def ratio(clipped, known, c, wanted, own, sides):
    some = own > 0
    guess = c * (wanted / np.where(some, own, F(1)))
    low, high = np.minimum.reduce(sides), np.maximum.reduce(sides)
    return np.where(clipped, np.minimum(np.maximum(np.where(some, guess, known), low), high), known)


def debayered(m, heights):
    """`ops/debayer_mhc`, with the heights at which red, green and blue clip."""
    w, e, n, s = at(m, 0, -1), at(m, 0, 1), at(m, -1, 0), at(m, 1, 0)
    nw, ne, sw, se = at(m, -1, -1), at(m, -1, 1), at(m, 1, -1), at(m, 1, 1)
    rows, columns = n + s, w + e
    far_rows, far_columns = at(m, -2, 0) + at(m, 2, 0), at(m, 0, -2) + at(m, 0, 2)
    diagonals = (nw + ne) + (sw + se)
    green = ((F(4) * m + F(2) * (rows + columns)) - (far_rows + far_columns)) * F(0.125)
    other = ((F(6) * m + F(2) * diagonals) - F(1.5) * (far_rows + far_columns)) * F(0.125)
    beside = (((F(5) * m + F(4) * columns) - (far_columns + diagonals)) + F(0.5) * far_rows) * F(0.125)
    above = (((F(5) * m + F(4) * rows) - (far_rows + diagonals)) + F(0.5) * far_columns) * F(0.125)

    def even(r):
        return (at(m, r, -2) + at(m, r, 2)) + F(3) * at(m, r, 0)

    def odd(r):
        return F(2) * (at(m, r, -1) + at(m, r, 1))

    of_own = (even(-2) + even(2)) + F(3) * even(0)
    of_above = F(2) * (even(-1) + even(1))
    of_beside = (odd(-2) + odd(2)) + F(3) * odd(0)
    of_corners = F(2) * (odd(-1) + odd(1))
    clip = m >= np.array([h * START for h in heights])[COLOR]
    wide = np.pad(clip, 2, "reflect")
    clipped = np.zeros_like(clip)
    for dy in range(5):
        for dx in range(5):
            clipped |= wide[dy : dy + HEIGHT, dx : dx + WIDTH]
    at_green = ratio(clipped, green, m, (of_above + of_beside) * F(25 / 40), of_own, [n, s, w, e])
    at_other = ratio(clipped, other, m, of_corners * F(25 / 16), of_own, [nw, ne, sw, se])
    every = of_own + of_corners
    at_beside = ratio(clipped, beside, m, of_beside * F(41 / 20), every, [w, e])
    at_above = ratio(clipped, above, m, of_above * F(41 / 20), every, [n, s])
    of_row = np.where(GREEN, at_beside, m)
    of_column = np.where(GREEN, at_above, at_other)
    return [np.where(RED_ROW, of_row, of_column), np.where(GREEN, m, at_green), np.where(RED_ROW, of_column, of_row)]


def digest(planes, kind):
    """FNV-1a."""
    found = 0xCBF29CE484222325
    for byte in b"".join(np.ascontiguousarray(p.astype(kind)).tobytes() for p in planes):
        found = (found ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return f"0x{found:016x}"


plain = mosaic()
assert digest(debayered(plain, [F(1)] * 3), "<f4") == "0x255290fb3548b04b", "this is not our debayer"
balanced = plain * np.array(GAINS)[COLOR]
least = min(GAINS)
print("off       ", digest(debayered(balanced, GAINS), "<f2"))
unbound = debayered(np.minimum(balanced, least), [least] * 3)
print("clip v1   ", digest(unbound, "<f2"), "pixels unbound, largest", max(p.max() for p in unbound))
print("clip v2   ", digest([np.minimum(p, least) for p in unbound], "<f2"))
print("rebuild v1", digest(debayered(rebuilt(balanced), GAINS), "<f2"))
