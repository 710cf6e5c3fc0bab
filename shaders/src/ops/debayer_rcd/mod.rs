//! A fast adaptive debayer of the ratio-corrected class.
//!
//! Green at a site of red or blue is guessed along the row and along the
//! column, from neighbours that are corrected by the ratio of a low pass of
//! all colours; the direction in which the difference of colours changes less
//! counts more. The other colours follow as differences from green, from those
//! neighbours to which the way is smooth. Nothing transcendental is in it, and
//! no branch, so that both forms can say the same.
//!
//! What is published is the plan: ratio-corrected demosaicing (Sanz Rodriguez
//! 2017, its description in words), directions by how colour differences
//! change (Pekkucuksen and Altunbasak 2010), and smoothing a difference as far
//! as it is noise to the guess (Zhang and Wu 2005). Filters, weights and
//! constants are our own, chosen by measuring (`cargo xtask bench debayer`).
//!
//! It works on the white-balanced mosaic in the curve of
//! [`debayer_ri`](super::debayer_ri::encode), plus a pedestal that keeps ratios
//! of low passes away from a division by noise.
//!
//! # The steps
//!
//! `m(x, y)` is the mosaic, mirrored about the edge photosites
//! ([`mirror`](super::debayer_mhc::mirror)), so that everything below is defined
//! on all sides; `(k)` is the neighbour `k` sites on along the line in question.
//! All is `f32`, and sums are made in the order in which they are written.
//!
//! 1. **Encoding**, all sites: `c = encode(m) + PEDESTAL`.
//! 2. **Low pass**, all sites: `v(x) = (c(x, y-1) + c(x, y+1)) + c(x, y) * 2`,
//!    `l = max((v(x-1) + v(x+1)) + v(x) * 2, FLOOR)`.
//! 3. **Guesses**, all sites, for the row (`D` along) and for the column (`D` down):
//!    `near = |c(-1) - c(1)| + NEAR`,
//!    `a = near + (|c - c(-2)| + |c(-1) - c(-3)|)`,
//!    `b = near + (|c - c(2)| + |c(1) - c(3)|)`,
//!    `p = l + l(-2)`, `q = l + l(2)`,
//!    `g = ((l * 2) * (c(-1) * (b * q) + c(1) * (a * p))) / ((a + b) * (p * q))`,
//!    `D = (g - c) * s`, where `s` is 1 at red and blue and -1 at green: green minus colour.
//! 4. **Changes**, all sites: `e = (D(1) - D(-1))^2`, each along its own line.
//! 5. **Directions**, sites of red and blue, for each of both `e`: with
//!    `t(y) = (e(x-1, y) + e(x+1, y)) + e(x, y)`,
//!    `w = (t(y-1) + t(y+1)) + (t(y) + SMALL)`; then
//!    `h = wd^2 / (wd^2 + wa^2)` from `wa` along and `wd` down.
//! 6. **Smoothing**, sites of red and blue, for each of both `D` along its own line: with
//!    `S(k) = (D(k-1) + D(k+1)) + D(k) * 2`, `W(k) = D(k) * 2 - (D(k-1) + D(k+1))`,
//!    `n = W(0)^2 + (W(-1)^2 + W(1)^2) * 0.5`,
//!    `f = ((S(2) - S(-2))^2 + (S(3) - S(-3))^2) * CALM + TINY`,
//!    `r = D + (((S(-2) + S(2)) - S(0) * 2) * 0.0625 - W(0) * 0.25) * (n / (n + f))`.
//! 7. **Green**, sites of red and blue: `g = c + (rd + (ra - rd) * h)`, kept
//!    within `lo - (hi - lo) * LIMIT` (first) and `hi + (hi - lo) * LIMIT` of the
//!    least and the most of the four green neighbours; `d = c - g`. At green `g` is `c`.
//! 8. **The opposite colour**, sites of red and blue, from the corners NW, SE,
//!    NE, SW: `across = |c(NW) - c(SE)| + NEAR` for the first two, `|c(NE) - c(SW)| + NEAR`
//!    for the others; `z = across + (|g - g(2 corner)| + |g - g(corner)|)`;
//!    weights `z(SE) * P2, z(NW) * P2, z(SW) * P1, z(NE) * P1` with
//!    `P1 = z(NW) * z(SE)`, `P2 = z(NE) * z(SW)`;
//!    `d' = ((w0 d0 + w1 d1) + (w2 d2 + w3 d3)) / ((w0 + w1) + (w2 + w3))`.
//! 9. **Both colours at green**, from N, S, W, E with the same weights, where
//!    `across = (|R(N) - R(S)| + |B(N) - B(S)|) * 0.5 + NEAR`, `R = g + dR`, `B = g + dB`.
//! 10. **Decoding**: `decode((g + d) - PEDESTAL)`, and `decode(g - PEDESTAL)` for green.

pub mod cpu;
mod op;
#[cfg(test)]
mod reference;
#[cfg(test)]
mod tests;

pub use op::DebayerRcd;

/// Rows and columns that a pixel depends on, on each side.
pub const HALO: u32 = 10;

/// What stands for black.
const PEDESTAL: f32 = 0.1;
/// Least low pass, in sixteenths.
const FLOOR: f32 = 0.25;
/// Least roughness of a way, so that even ones share.
const NEAR: f32 = 1.0 / 1024.0;
/// Least sum of squared changes.
const SMALL: f32 = 1.0e-7;
/// Weight of the changes of a smoothed difference against its alternations.
const CALM: f32 = 3.0 / 128.0;
/// Least weighted change.
const TINY: f32 = 1.0e-9;
/// How far green may leave the range of its four neighbours, as a part of that range.
const LIMIT: f32 = 0.5;
