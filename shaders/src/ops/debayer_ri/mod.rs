//! Adaptive residual interpolation: the debayer of plates.
//!
//! Residual interpolation (Kiku et al. 2013, 2014, 2016; Monno et al. 2017)
//! predicts a missing colour from the one that is there by a local line
//! `y = a x + b` and interpolates only what the line does not explain. Within
//! one window `b` cancels: what remains is the mean of the neighbours plus
//! `a` times the Laplacian of the colour that is there, which is Hamilton and
//! Adams' filter with a measured gain instead of 1. The gain comes from band
//! passes of both colours, as a product sum over a square sum, so that no two
//! large numbers are ever subtracted. Green is decided between four directions
//! by how smooth the colour difference is there (Pekkucuksen, Altunbasak
//! 2010), and how far each direction looks depends on how well both colours
//! share their detail. Red and blue follow green by lines fitted to Laplacians
//! (MLRI).
//!
//! # The steps
//!
//! Everything is a function of the white-balanced mosaic, mirrored about its
//! edge photosites as far as needed; nothing else knows of an edge, so that
//! the steps are the same at every place of it, whatever is computed with it.
//! `p(x)` is a value at the site at hand, offsets along a row are written
//! `p(+1)`, along a column likewise; *v* forms are the *h* forms with the axes
//! exchanged. All is `f32`. Sums are in the order written; "spread sum" of
//! `2n+1` terms is `p(0) + (p(-1) + p(+1))`, then `+ (p(-2) + p(+2))`, and so on
//! outwards, so that no side is preferred.
//! A site is green (`g`) or coloured (`c`: red or blue).
//!
//! 1. **Encode.** `m = encode(photosite)`: see [`encode`].
//! 2. **Band passes**, on both axes at every site:
//!    `own = 2 (m(+2) - m(-2)) + 0.5 (m(+4) - m(-4))` and
//!    `oth = 1.5 ((m(+1) + m(+3)) - (m(-1) + m(-3)))`
//!    are the band passes of the site's own colour and of the other one of its line.
//!    `gg`, `cc` are the squares of green's and of the colour's one, `gc = own * oth`.
//! 3. **Gains**: `GG`, `CC`, `GC` are the spread sums of 11 along the axis;
//!    `a = (GC + SLOPE) / (OWN + SLOPE)`, `OWN` being `GG` at green sites and
//!    `CC` at coloured ones, kept within -8 and 8.
//! 4. **Colour difference** green minus colour along the axis: with
//!    `mean = (m(-1) + m(+1)) * 0.5`, `lap = ((m + m) - (m(-2) + m(+2))) * 0.25`,
//!    `other = mean + a * lap`: `d = m - other` at green sites, `other - m` at coloured ones.
//!    Where one of the 5x5 photosites around is clipped, `other` is first kept within the
//!    range of `m(-1)` and `m(+1)`, and half of that range beyond.
//! 5. **Smoothness**: `t = |d(-1) - d(+1)|` along the axis of `d`; then for both
//!    axes of `d` alike `s` is the spread sum of 3 of `t` along the row, `b` that
//!    of `s` along the column, and `w = 1 / (b * b + ROUGH)`. The weights of a
//!    site towards its four sides are `west = wh(-1)`, `east = wh(+1)`,
//!    `north = wv(-1)`, `south = wv(+1)`; `across = west + east`,
//!    `down = north + south`, `all = across + down`.
//! 6. **Shared detail**, at coloured sites: `gg = spread sum of 5 along the
//!    column of GGh + spread sum of 5 along the row of GGv`, `cc`, `gc` likewise;
//!    `s = gg + cc`, `u = gg - cc`,
//!    `q = (u * u) / ((gg * cc + 0.001 * (s * s)) + TINY * TINY) * GAIN`,
//!    `o = (s - (gc + gc)) / (s + TINY) * APART`, `rough = (1 + q * q) + o * o`.
//! 7. **Green** at coloured sites: `B` is the spread sum of 5 of `d` along its axis,
//!    `near = 0.65 * ((across * dh) + (down * dv)) + 0.35 * (((west * dh(-1)) + (east * dh(+1))) + ((north * dv(-1)) + (south * dv(+1))))`,
//!    `far = 0.2 * (((west * Bh(-2)) + (east * Bh(+2))) + ((north * Bv(-2)) + (south * Bv(+2))))`,
//!    `n = near / all`, `f = far / all`, `k = f * HUE`, `trust = 1 / (rough + k * k)`,
//!    `guess = n + (f - n) * trust` is green minus colour at first sight. It is made even
//!    with the sites of the same colour two steps away, towards the sides that count and as far as
//!    both colours share their detail: with `beside = ((west * guess(-2) + east * guess(+2))
//!    + (north * guess(-2) + south * guess(+2))) / all`,
//!    `green = m + (guess + (beside - guess) * (trust * trust * EVEN))`.
//! 8. **Lines**, for red and for blue, on the lattice of that colour's sites
//!    (steps of two): `L(p) = 4 p - ((p(west) + p(east)) + (p(north) + p(south)))`;
//!    products `L(colour) * L(green)` and squares `L(green)^2`, each summed as
//!    a spread sum of 5 along rows and one of 5 of those along columns;
//!    `A = (product + LINE * 0.4) / (square + LINE)`, kept within -2 and 2;
//!    `S` is the spread sum of 5 along rows, then of 5 along columns, times 0.04.
//!    Between the lattice's sites `A` is `(S(west) + S(east)) * 0.5` along a row
//!    of it, `(S(north) + S(south)) * 0.5` along a column, and at the other
//!    colour's sites `((S(nw) + S(ne)) + (S(sw) + S(se))) * 0.25`.
//! 9. **Residuals**, for each colour: at its own sites `r = colour - A * green`.
//!    At the other colour's sites, with `e1 = |green(+1,+1) - green(-1,-1)|` and
//!    `e2 = |green(+1,-1) - green(-1,+1)|` at every site, `E1`, `E2` their sums
//!    over 3x3 (rows, then columns, as in step 5),
//!    `v1 = E1 * E1 + DIAGONAL`, `v2` likewise, `h = v2 / (2 (v1 + v2))`,
//!    `r = h * (r(nw) + r(se)) + (0.5 - h) * (r(ne) + r(sw))`.
//!    At green sites `h = across / (all + all)` and
//!    `r = h * (r(west) + r(east)) + (0.5 - h) * (r(north) + r(south))`.
//!    The colour there is `A * green + r`; at its own sites it is the photosite.
//!    Where one of the 5x5 photosites around is clipped, the colour is kept within
//!    the range of what `r` was made of, which is photosites at the diagonals or finished
//!    colours at the four sides: of the four colours, and of what the four colours minus
//!    their greens make with the green at hand.
//! 10. **Decode** the three: see [`encode`].
//!
//! A photosite is clipped where `m` reaches the encoded value of
//! [`CLIPPED`] times its gain. That is the clip mask: a comparison.

pub mod cpu;
pub mod encode;
mod op;
#[cfg(test)]
mod reference;
#[cfg(test)]
mod tests;

pub use op::DebayerRi;

/// Rows and columns that the steps reach on each side, rounded up to whole
/// pairs: 15 up to green, 12 from there on.
pub const HALO: u32 = 28;

/// Share of full scale from which a photosite counts as clipped.
pub const CLIPPED: f32 = 63.0 / 64.0;

/// From where encoded photosites count as clipped, for red, green and blue
/// that were balanced with `gains`.
#[must_use]
pub fn clips(gains: [f32; 3]) -> [f32; 3] {
    gains.map(|gain| encode::encode(gain * CLIPPED))
}

/// Step 3: holds the gain at 1 where there is no detail to measure it.
pub const SLOPE: f32 = 0.01;
/// Step 3: most that one colour changes when the other changes by 1.
///
/// A strand of hair before a green screen takes green down by 6 to 8 times as much
/// as it takes red; held at 4, the matte error grows by a tenth.
pub const STEEP: f32 = 8.0;
/// Step 4: how far beyond its neighbours a guess may go around clipped photosites, as a part of their range.
pub const ROOM: f32 = 0.5;
/// Step 5: a difference that is no roughness.
pub const ROUGH: f32 = 1.0e-4;
/// Step 6: detail that is none, in units of its sums.
pub const TINY: f32 = 1.0e-6;
/// Step 6: how soon unequal detail of both colours ends the far look.
pub const GAIN: f32 = 1.0 / 0.3;
/// Step 6: how soon opposed detail of both colours ends it.
pub const APART: f32 = 0.5;
/// Step 7: how soon a coloured surface ends it.
pub const HUE: f32 = 10.0;
/// Step 7: how much of the way to its neighbours a guess goes.
pub const EVEN: f32 = 0.3;
/// Step 8: holds the line at 0.4 where there is no detail to fit it to.
pub const LINE: f32 = 0.025;
/// Step 9: an edge that is none.
pub const DIAGONAL: f32 = 1.0e-4;
