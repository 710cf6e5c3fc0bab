//! What the numbers of an OpenEXR file mean as light. They are linear by the
//! format's own definition; the primaries are in the file, or assumed and said.

use super::Header;
use crate::sink::exr::{COLOR, ENCODING};
use crate::source::encoding::{self, P3, REC2020};
use exr::math::Vec2;
use exr::meta::attribute::AttributeValue;
use platefarm_model::clip::NO_PRIMARIES;
use platefarm_model::color::{self, ACES_WHITE, AP0, AP1, D65, Matrix3, REC709, Xy, meaning, name};
use platefarm_model::{Code, Fault, Outcome};

/// Distance of chromaticities up to which they are the same; headers carry floats of rounded values.
const SAME_XY: f64 = 1e-4;
/// Spaces that have a name: ours, that of the colour interop forum, primaries and white.
const KNOWN: &[(&str, &str, [Xy; 3], Xy)] = &[
    ("ACES2065-1", "lin_ap0_scene", AP0, ACES_WHITE),
    ("ACEScg", "lin_ap1_scene", AP1, ACES_WHITE),
    ("linear Rec.709", "lin_rec709_scene", REC709, D65),
    ("linear P3-D65", "lin_p3d65_scene", P3, D65),
    ("linear Rec.2020", "lin_rec2020_scene", REC2020, D65),
];

/// What pixels are as light.
pub(super) struct Meaning {
    /// Name of the space.
    pub(super) name: String,
    /// Matrix to ACES2065-1.
    pub(super) to_aces: Matrix3,
    /// Why the colours cannot be used, where they cannot.
    pub(super) known: Outcome<()>,
    /// What was assumed, where the file has no primaries.
    pub(super) assumed: Option<Fault>,
}

impl Meaning {
    /// Light, by the file's own word.
    fn light(name: impl Into<String>, to_aces: Matrix3) -> Self {
        Self { name: name.into(), to_aces, known: Ok(()), assumed: None }
    }

    /// Codes that are no light.
    fn codes(name: &str) -> Self {
        Self { known: unknown(name), ..Self::light(name, color::IDENTITY) }
    }
}

/// What the pixels of a file mean.
///
/// # Errors
/// [`Code::BadColorData`] when the chromaticities span no space.
pub(super) fn of(header: &Header) -> Outcome<Meaning> {
    let part = &header.part;
    let mut aces = false;
    let mut interop = None;
    let (mut ours, mut encoded) = (None, false);
    for (name, value) in part.all_named_attributes() {
        match (name, value) {
            (b"acesImageContainerFlag", AttributeValue::I32(1)) => aces = true,
            (b"colorInteropID", AttributeValue::Text(text)) => {
                interop = Some(String::from_utf8_lossy(text.as_slice()).into_owned());
            }
            (name, AttributeValue::Text(text)) if name == COLOR.as_bytes() => {
                ours = Some(String::from_utf8_lossy(text.as_slice()).into_owned());
            }
            (name, _) if name == ENCODING.as_bytes() => encoded = true,
            _ => {}
        }
    }
    // Primaries alone would make light of codes.
    if let Some(name) = coded(ours.as_deref(), interop.as_deref(), encoded).filter(|_| !aces) {
        return Ok(Meaning::codes(&name));
    }
    if let Some(chromaticities) = part.shared_attributes.chromaticities.filter(|_| !aces) {
        let xy = |v: Vec2<f32>| [f64::from(v.x()), f64::from(v.y())];
        let primaries = [chromaticities.red, chromaticities.green, chromaticities.blue].map(xy);
        return by_primaries(primaries, xy(chromaticities.white));
    }
    // SMPTE ST 2065-4: the flag alone says ACES2065-1.
    let name = if aces { Some("lin_ap0_scene") } else { interop.as_deref() };
    if let Some(name) = name {
        return Ok(match KNOWN.iter().find(|known| known.1 == name) {
            Some((name, _, primaries, white)) => Meaning::light(*name, matrix(primaries, *white)?),
            None => Meaning::codes(name),
        });
    }
    let note = Fault::new(Code::MetadataAbsent, format!("{NO_PRIMARIES}, as OpenEXR says"))
        .at("chromaticities");
    Ok(Meaning { assumed: Some(note), ..by_primaries(REC709, D65)? })
}

fn by_primaries(primaries: [Xy; 3], white: Xy) -> Outcome<Meaning> {
    let near = |a: Xy, b: Xy| (a[0] - b[0]).abs() < SAME_XY && (a[1] - b[1]).abs() < SAME_XY;
    let known = KNOWN
        .iter()
        .find(|(_, _, p, w)| near(white, *w) && primaries.iter().zip(p).all(|(a, b)| near(*a, *b)));
    // A name means the exact values, of which the file has rounded ones.
    if let Some((name, _, primaries, white)) = known {
        return Ok(Meaning::light(*name, matrix(primaries, *white)?));
    }
    let shown = |[x, y]: Xy| format!("{x:.4} {y:.4}");
    let [r, g, b] = primaries.map(shown);
    let name = format!("linear, primaries {r}, {g}, {b}, white {}", shown(white));
    Ok(Meaning::light(name, matrix(&primaries, white)?))
}

/// Linear RGB to ACES2065-1, the white adapted by Bradford. ACES2065-1 itself is left as it is, exactly.
fn matrix(primaries: &[Xy; 3], white: Xy) -> Outcome<Matrix3> {
    if *primaries == AP0 && white == ACES_WHITE {
        return Ok(color::IDENTITY);
    }
    let to_aces = encoding::to_aces(primaries, white);
    let usable = to_aces.iter().flatten().all(|v| v.is_finite() && v.abs() < 1e3)
        && color::invert(&to_aces).is_some();
    if usable {
        return Ok(to_aces);
    }
    Err(Fault::new(
        Code::BadColorData,
        format!("primaries {primaries:?} and white {white:?} span no colour space"),
    )
    .at("chromaticities"))
}

/// The name of what a file holds by its own word, where that is codes and no light; `encoded` where it says that it is.
fn coded(ours: Option<&str>, interop: Option<&str>, encoded: bool) -> Option<String> {
    let scene = interop.and_then(meaning::space_of_interop_id);
    let named = ours.or(scene).and_then(|name| name::resolve(name).ok());
    match (named, interop) {
        (Some(named), _) => {
            let meaning = named.meaning();
            (!meaning.linear || meaning.display).then(|| named.name().to_owned())
        }
        (None, Some(id)) if meaning::is_display_id(id) => Some(id.to_owned()),
        (None, _) => encoded.then(|| ours.unwrap_or("codes of a space without a name").to_owned()),
    }
}

fn unknown(name: &str) -> Outcome<()> {
    let fault = Fault::new(
        Code::NoInputTransform,
        format!("the file says that its colours are '{name}', which are not linear light"),
    )
    .at("colorInteropID");
    Err(match name::resolve(name).and_then(|named| named.to_aces()) {
        Ok(_) => fault.remedy(format!("Say that they are to be decoded: --color-in '{name}'.")),
        Err(_) => fault,
    })
}
