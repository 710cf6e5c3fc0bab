//! What a movie's tags say of its colours (ITU-T H.273 code points, by
//! FFmpeg's names), and no more. Camera makers write BT.709 tags over their
//! log footage, so any tag that speaks of a log curve outweighs them.

use super::planes::{Conversion, Kind, ONE, Planes, ZERO};
use super::probe::Track;
use crate::source::encoding;
use platefarm_model::color::{self, D65, Matrix3, REC709, Xy};
use platefarm_model::{Code, Fault, Outcome};
use std::sync::Arc;

/// Primaries of BT.601 with 525 lines (SMPTE RP 145).
const SMPTE_C: [Xy; 3] = [[0.630, 0.340], [0.310, 0.595], [0.155, 0.070]];
/// Primaries of BT.601 with 625 lines (EBU Tech. 3213).
const EBU: [Xy; 3] = [[0.640, 0.330], [0.290, 0.600], [0.150, 0.060]];
/// White of SMPTE RP 431-2.
const DCI_WHITE: Xy = [0.314, 0.351];

/// Names by which cameras speak of their log curves.
const LOG_NAMES: &[&str] = &[
    "logc",
    "log-c",
    "log c",
    "s-log",
    "slog",
    "log3g10",
    "log3g12",
    "redlog",
    "c-log",
    "clog",
    "canon log",
    "v-log",
    "vlog",
    "n-log",
    "nlog",
    "f-log",
    "flog",
    "d-log",
    "dlog",
    "apple log",
    "applelog",
    "bmdfilm",
    "blackmagic film",
    "blackmagic design film",
    "davinci intermediate",
    "protune",
];

/// What the decoded samples mean.
pub(super) struct Meaning {
    /// Absent where the tags say nothing.
    pub(super) name: Option<String>,
    pub(super) conversion: Conversion,
    pub(super) curve: Arc<[f32]>,
    pub(super) to_aces: Matrix3,
    pub(super) known: Outcome<()>,
    pub(super) notes: Vec<Fault>,
}

/// What the tags of `track` say.
///
/// # Errors
/// [`Code::UnsupportedFeature`] for a matrix that is none, by name.
pub(super) fn of(track: &Track, planes: Planes) -> Outcome<Meaning> {
    let mut notes = Vec::new();
    let conversion = conversion(track, planes, &mut notes)?;
    let encoded = |light: fn(f64) -> f64| curve(planes, conversion, light);
    let (transfer, primaries) = (track.transfer.as_deref(), track.primaries.as_deref());
    let found = match log_tag(track) {
        Some(tag) => Err(format!("the tag {tag} speaks of a log curve")),
        None => match (transfer.and_then(light), primaries.and_then(gamut)) {
            (Some(light), Some(gamut)) => Ok((light, gamut)),
            _ => Err(format!(
                "the file is tagged with transfer {}, primaries {}",
                transfer.unwrap_or("unknown"),
                primaries.unwrap_or("unknown")
            )),
        },
    };
    Ok(match found {
        Ok(((encoding, light), (gamut, primaries, white))) => Meaning {
            name: Some(format!("{encoding}, {gamut} primaries")),
            conversion,
            curve: encoded(light),
            to_aces: encoding::to_aces(&primaries, white),
            known: Ok(()),
            notes,
        },
        Err(why) => Meaning {
            name: transfer.or(primaries).map(|_| {
                let [transfer, primaries] = [transfer, primaries].map(|t| t.unwrap_or("unknown"));
                format!("{transfer}, {primaries} primaries")
            }),
            conversion,
            curve: encoded(encoding::linear),
            to_aces: color::IDENTITY,
            known: Err(Fault::new(Code::NoInputTransform, why).at("color_transfer")),
            notes,
        },
    })
}

/// The curve over the codes that the planes become.
fn curve(planes: Planes, conversion: Conversion, light: fn(f64) -> f64) -> Arc<[f32]> {
    if planes.kind == Kind::Yuv {
        return (0..=u16::MAX)
            .map(|code| light((f64::from(code) - ZERO) / (ONE - ZERO)) as f32)
            .collect();
    }
    if conversion.full_range {
        return encoding::curve(planes.bits, light);
    }
    let unit = f64::from(1u32 << (planes.bits - 8));
    let last = (1u32 << planes.bits) - 1;
    (0..=last).map(|code| light((f64::from(code) / unit - 16.0) / 219.0) as f32).collect()
}

fn conversion(track: &Track, planes: Planes, notes: &mut Vec<Fault>) -> Outcome<Conversion> {
    let mut assumed = |what: String, place: &str| {
        notes.push(Fault::new(Code::MetadataAbsent, what).at(place));
    };
    let is_yuv = planes.kind == Kind::Yuv;
    let weights = match track.matrix.as_deref() {
        _ if !is_yuv => [0.2126, 0.0722],
        Some("bt709") => [0.2126, 0.0722],
        Some("bt470bg" | "smpte170m") => [0.299, 0.114],
        Some("bt2020nc") => [0.2627, 0.0593],
        Some("smpte240m") => [0.212, 0.087],
        Some("fcc") => [0.30, 0.11],
        Some(other) => {
            return Err(Fault::new(
                Code::UnsupportedFeature,
                format!("colour matrix '{other}' is not read"),
            )
            .at("color_space"));
        }
        None if track.height > 576 => {
            assumed(
                "no colour matrix in the file: that of BT.709 is assumed".into(),
                "color_space",
            );
            [0.2126, 0.0722]
        }
        None => {
            let size = format!("{}x{}", track.width, track.height);
            assumed(
                format!("no colour matrix in the file: at {size} that of BT.601 is assumed"),
                "color_space",
            );
            [0.299, 0.114]
        }
    };
    let jpeg = track.pixel_format.as_deref().is_some_and(|p| p.starts_with("yuvj"));
    let full_range = match track.range.as_deref() {
        _ if jpeg => true,
        Some("pc") => true,
        Some(_) => false,
        None if is_yuv => {
            assumed("no range in the file: video levels are assumed".into(), "color_range");
            false
        }
        None => true,
    };
    let chroma_at = match track.chroma_location.as_deref() {
        Some("center") => [0.5, 0.5],
        Some("topleft") => [0.0, 0.0],
        Some("top") => [0.5, 0.0],
        Some("bottomleft") => [0.0, 1.0],
        Some("bottom") => [0.5, 1.0],
        None if jpeg => [0.5, 0.5],
        // H.264 and H.265 say so where they say nothing; so do ProRes and DNx, which are 4:2:2.
        _ => [0.0, 0.5],
    };
    Ok(Conversion { weights, full_range, chroma_at })
}

/// A tag that names a log curve, with its value.
fn log_tag(track: &Track) -> Option<String> {
    track.tags.iter().find_map(|(name, value)| {
        if !name.contains(".tags.") {
            return None;
        }
        let text = value.to_lowercase();
        let speaks = LOG_NAMES.iter().any(|log| text.contains(log));
        speaks.then(|| format!("{name} ({value})"))
    })
}

type Light = (&'static str, fn(f64) -> f64);

/// Scene-linear light of a transfer characteristic whose formula is exact.
fn light(transfer: &str) -> Option<Light> {
    Some(match transfer {
        "linear" => ("linear", encoding::linear),
        "bt709" | "smpte170m" | "bt2020-10" | "bt2020-12" => {
            ("Rec.709 camera", encoding::rec709_camera)
        }
        "iec61966-2-1" => ("sRGB", encoding::srgb),
        "gamma22" | "bt470m" => ("gamma 2.2", |v| encoding::power(v, 2.2)),
        "gamma28" | "bt470bg" => ("gamma 2.8", |v| encoding::power(v, 2.8)),
        _ => return None,
    })
}

/// Primaries and white of a colour primaries code.
fn gamut(primaries: &str) -> Option<(&'static str, [Xy; 3], Xy)> {
    Some(match primaries {
        "bt709" => ("Rec.709", REC709, D65),
        "bt2020" => ("Rec.2020", encoding::REC2020, D65),
        "smpte170m" | "smpte240m" => ("SMPTE C", SMPTE_C, D65),
        "bt470bg" => ("EBU", EBU, D65),
        "smpte432" => ("P3-D65", encoding::P3, D65),
        "smpte431" => ("P3-DCI", encoding::P3, DCI_WHITE),
        _ => return None,
    })
}
