//! Two by two photosites to one pixel: a picture of half the size.
//!
//! Green is the mean of both. Red and blue lie half a photosite off the middle
//! of the block, so they are moved there between the four nearest of their
//! kind (9, 3, 3 and 1 sixteenths): taken as they are they would fringe every
//! edge, which costs 4 to 5 dB. Colours do not meet, so there is no false
//! colour, and no debayer is faster.
//!
//! A plate made this way lies where any other does. Framing maps the clip's
//! source pixels onto the delivered raster, `delivered = scale * source +
//! offset` in pixel-edge coordinates; pixel `i` of the half-size picture covers
//! source `2 i` to `2 i + 2`, so in its own coordinates the same map is
//! `delivered = (2 scale) * half + offset`, and its middle is the middle of its
//! block. Neither the size of the source nor the delivered size nor the FDL's
//! geometry knows of it.

pub mod cpu;
#[cfg(test)]
mod tests;

use super::{Op, Tolerance};

/// The operation, for [`OPS`](super::OPS).
#[derive(Debug)]
pub struct Superpixel;

/// Photosites on each side of a block.
pub const BLOCK: u32 = 2;
/// Rows and columns around its block that a pixel looks at.
pub const HALO: u32 = 1;

/// Columns or rows of the half-size picture of `side` photosites. The last
/// block of an odd number is completed by the photosite before the last, which
/// has the colour of the one that is missing.
#[must_use]
pub const fn size(side: u32) -> u32 {
    side.div_ceil(BLOCK)
}

impl Op for Superpixel {
    fn name(&self) -> &'static str {
        "superpixel"
    }
    fn doc(&self) -> &'static str {
        "makes one pixel of two by two photosites, for a picture of half the size"
    }
    fn reference(&self) -> &'static str {
        "bilinear interpolation of each colour at the middle of its block"
    }
    fn tolerance(&self) -> Tolerance {
        Tolerance {
            abs: 0.0,
            rel: 0.0,
            reason: "products are with powers of two and so exact, fused or not; both forms must be equal",
        }
    }
    fn wgsl(&self) -> &'static str {
        include_str!("superpixel.wgsl")
    }
    #[cfg(test)]
    fn trials(&self) -> Vec<crate::twin::Trial> {
        tests::trials()
    }
    #[cfg(test)]
    fn sabotage(&self) -> (&'static str, &'static str) {
        ("* 0.5", "* 0.5001")
    }
}
