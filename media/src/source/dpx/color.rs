//! What a DPX code means as light: the transfer characteristics of SMPTE
//! ST 268 whose formulas are published, and no guess at the others.

use super::header::Header;
use crate::source::encoding;
use platefarm_model::clip::NO_PRIMARIES;
use platefarm_model::color::{self, Matrix3};
use platefarm_model::{Code, Fault, Outcome};
use std::sync::Arc;

/// How codes become light.
pub(super) struct Meaning {
    pub(super) name: String,
    pub(super) curve: Arc<[f32]>,
    pub(super) to_aces: Matrix3,
    pub(super) known: Outcome<()>,
    /// Whether the file has no primaries, and those of the matrix are assumed.
    pub(super) assumed: bool,
    pub(super) notes: Vec<Fault>,
}

/// Whether codes are densities of a print.
pub(super) const fn is_density(header: &Header) -> bool {
    matches!(header.transfer, 1 | 3)
}

/// What the codes of a file mean.
pub(super) fn of(header: &Header) -> Meaning {
    let (name, light): (_, fn(f64) -> f64) = match header.transfer {
        1 | 3 => ("Cineon printing density", encoding::cineon),
        2 => ("linear Rec.709", encoding::linear),
        5 | 6 => ("Rec.709 camera", encoding::rec709_camera),
        other => {
            let name = transfer(other);
            let fault = Fault::new(
                Code::NoInputTransform,
                format!("the transfer characteristic is {other} ({name})"),
            )
            .at("offset 801");
            return Meaning {
                name: format!("DPX {name}"),
                curve: encoding::curve(header.bits, encoding::linear),
                to_aces: color::IDENTITY,
                known: Err(fault),
                assumed: false,
                notes: Vec::new(),
            };
        }
    };
    let mut notes = Vec::new();
    let mut assume = |what: &str| {
        notes.push(Fault::new(Code::MetadataAbsent, what).at("offset 801"));
    };
    if is_density(header) {
        assume(
            "printing density is taken as Cineon's: black 95, white 685, gamma 0.6, 0.002 a code",
        );
    }
    let assumed = !matches!(header.colorimetric, 5 | 6);
    if assumed {
        assume(NO_PRIMARIES);
    }
    Meaning {
        name: name.into(),
        curve: encoding::curve(header.bits, light),
        to_aces: encoding::rec709_to_aces(),
        known: Ok(()),
        assumed,
        notes,
    }
}

/// Names of transfer characteristics (SMPTE ST 268, table 5A).
const fn transfer(number: u8) -> &'static str {
    match number {
        0 => "user-defined",
        4 => "unspecified video",
        7 => "BT.601, 625 lines",
        8 => "BT.601, 525 lines",
        9 => "composite NTSC",
        10 => "composite PAL",
        11 => "linear depth",
        12 => "homogeneous depth",
        13 => "ADX",
        _ => "undefined",
    }
}
