//! The nodes that are tables.

use super::{Depth, array, counted, finite, refused};
use crate::xml::Element;
use platefarm_model::color::chain::{Link, Lut1d, Lut3d};
use platefarm_model::{Outcome, limits};
use std::sync::Arc;

/// Entries of a table that is indexed by the bits of a half.
const HALVES: usize = 65536;
/// Most entries along the edge of a cube.
const MAX_EDGE: usize = 129;

/// An attribute that may only be absent or `true`.
fn flag(node: &Element, name: &str) -> Outcome<bool> {
    match node.attribute(name) {
        None => Ok(false),
        Some("true") => Ok(true),
        Some(other) => {
            Err(refused(format!("'{other}' is not 'true', its only value"), format!("@{name}")))
        }
    }
}

fn no_index_map(node: &Element) -> Outcome<()> {
    if node.child("IndexMap").is_some() {
        return Err(refused("an IndexMap is of versions before 3", "IndexMap"));
    }
    Ok(())
}

pub(super) fn lut1d(node: &Element, [_, to]: [Depth; 2]) -> Outcome<Vec<Link>> {
    no_index_map(node)?;
    let half_domain = flag(node, "halfDomain")?;
    let raw_halves = flag(node, "rawHalfs")?;
    let hue_adjust = match node.attribute("hueAdjust") {
        None => false,
        Some("dw3") => true,
        Some(other) => return Err(refused(format!("'{other}' is no hueAdjust"), "@hueAdjust")),
    };
    match node.attribute("interpolation") {
        None | Some("linear" | "default") => {}
        Some(other) => {
            let message = format!("'{other}' is no interpolation of a LUT1D");
            return Err(refused(message, "@interpolation"));
        }
    }
    let (sizes, values) = array(node)?;
    let [length, columns @ (1 | 3)] = sizes[..] else {
        return Err(refused(format!("a table of {sizes:?}"), "Array/@dim"));
    };
    if length < 2 || length as u64 > limits::MAX_DOCUMENT_BYTES {
        return Err(refused(format!("a table of {length} entries"), "Array/@dim"));
    }
    if half_domain && length != HALVES {
        let message = format!("a half domain has {HALVES} entries, not {length}");
        return Err(refused(message, "Array/@dim"));
    }
    counted(&values, length.saturating_mul(columns))?;
    let value = |v: f64| {
        if raw_halves { half(v as u32) } else { (v / to.one) as f32 }
    };
    let column = |c: usize| values.iter().skip(c).step_by(columns).map(|v| value(*v));
    let channels = (0..3).flat_map(|c| column(if columns == 1 { 0 } else { c }));
    Ok(vec![Link::Lut1d(Arc::new(Lut1d {
        length,
        values: channels.collect(),
        domain: [0.0, 1.0],
        half_domain,
        hue_adjust,
        inverse: false,
    }))])
}

/// Value of the bits of a half.
fn half(bits: u32) -> f32 {
    let (sign, exponent, mantissa) = (bits >> 15 & 1, bits >> 10 & 31, bits & 0x3ff);
    let magnitude = match exponent {
        0 => mantissa as f32 * 2.0_f32.powi(-24),
        31 if mantissa == 0 => f32::INFINITY,
        31 => f32::NAN,
        _ => f32::from_bits((exponent + 112) << 23 | mantissa << 13),
    };
    if sign == 1 { -magnitude } else { magnitude }
}

pub(super) fn lut3d(node: &Element, [_, to]: [Depth; 2]) -> Outcome<Vec<Link>> {
    no_index_map(node)?;
    let tetrahedral = match node.attribute("interpolation") {
        Some("tetrahedral") => true,
        None | Some("trilinear" | "default") => false,
        Some(other) => {
            let message = format!("'{other}' is no interpolation of a LUT3D");
            return Err(refused(message, "@interpolation"));
        }
    };
    let (sizes, values) = array(node)?;
    let [size, green, blue, 3] = sizes[..] else {
        return Err(refused(format!("a cube of {sizes:?}"), "Array/@dim"));
    };
    if size != green || size != blue || !(2..=MAX_EDGE).contains(&size) {
        let message = format!("a cube of {size}, {green} and {blue} entries");
        return Err(refused(message, "Array/@dim"));
    }
    counted(&values, size * size * size * 3)?;
    finite(&values)?;
    Ok(vec![Link::Lut3d(Arc::new(Lut3d {
        size,
        values: values.into_iter().map(|v| (v / to.one) as f32).collect(),
        domain: [[0.0; 3], [1.0; 3]],
        tetrahedral,
        inverse: false,
    }))])
}
