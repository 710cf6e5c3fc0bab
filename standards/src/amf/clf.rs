//! The camera's transform as a Common LUT Format file, and that of a picture
//! whose space is in no registry.
//!
//! Written as CLF version 3 in the Academy's namespace (S-2014-006): readers of
//! the later SMPTE ST 2136-1 take it too, and the tools in use today read no other.

use crate::xml::Writer;
use platefarm_model::color::chain::{Chain, Link};
use platefarm_model::color::transfer::Transfer;
use platefarm_model::color::{Matrix3, diagonal};
use platefarm_model::{Code, Fault, Outcome};

/// A camera's colour transform: linear sensor RGB to ACES2065-1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CameraClf<'a> {
    /// Id of the file; any text that is unique, e.g. `urn:uuid:...`.
    pub id: &'a str,
    /// Camera or clip, for people.
    pub name: &'a str,
    /// Where the numbers come from.
    pub description: &'a str,
    /// Gains that make the scene's white neutral, applied first.
    pub white_balance: [f64; 3],
    /// White-balanced camera RGB to ACES2065-1, row-major, on column vectors.
    pub camera_to_aces: Matrix3,
}

/// Writes the file: the white balance, then the matrix, on 32-bit floats. Its
/// input is linear camera RGB with 0 at black and 1 at the clipping point.
///
/// # Errors
/// [`Code::BadColorData`] when a number is not finite.
pub fn camera_clf(camera: &CameraClf<'_>) -> Outcome<String> {
    let gains = diagonal(camera.white_balance);
    if !gains.iter().chain(&camera.camera_to_aces).flatten().all(|v| v.is_finite()) {
        let message = format!("the colour transform of '{}' is not finite", camera.name);
        return Err(Fault::new(Code::BadColorData, message));
    }
    let input = "linear camera RGB, black at 0, clipping at 1";
    let mut xml = opened(camera.id, camera.name, camera.description, input);
    matrix(&mut xml, "white balance", &gains);
    matrix(&mut xml, "camera RGB to ACES2065-1", &camera.camera_to_aces);
    Ok(xml.finish())
}

/// The transform of a picture to ACES2065-1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PictureClf<'a> {
    /// Id of the file; any text that is unique, e.g. `urn:uuid:...`.
    pub id: &'a str,
    /// The space of the picture.
    pub name: &'a str,
    /// Where it is applied.
    pub description: &'a str,
    /// Codes to ACES2065-1.
    pub chain: &'a Chain,
}

/// Writes the file: powers and matrices, on 32-bit floats. `None` where a link is neither.
#[must_use]
pub fn picture_clf(picture: &PictureClf<'_>) -> Option<String> {
    let mut xml = opened(picture.id, picture.name, picture.description, picture.name);
    for link in &picture.chain.0 {
        match link {
            Link::Decode(Transfer::Linear) => {}
            Link::Decode(Transfer::Gamma(gamma)) => {
                power(&mut xml, "basicPassThruFwd", *gamma, None);
            }
            Link::Decode(Transfer::Toed { gamma, offset }) => {
                power(&mut xml, "monCurveFwd", *gamma, Some(*offset));
            }
            Link::Matrix { matrix: rows, offset } if *offset == [0.0; 3] => {
                matrix(&mut xml, &format!("{} to ACES2065-1", picture.name), rows);
            }
            _ => return None,
        }
    }
    Some(xml.finish())
}

fn opened(id: &str, name: &str, description: &str, input: &str) -> Writer {
    let mut xml = Writer::new();
    let attributes =
        [("id", id), ("name", name), ("compCLFversion", "3"), ("xmlns", "urn:AMPAS:CLF:v3.0")];
    xml.open("ProcessList", &attributes);
    xml.leaf("Description", &[], description);
    xml.leaf("InputDescriptor", &[], input);
    xml.leaf("OutputDescriptor", &[], "ACES2065-1");
    xml
}

fn power(xml: &mut Writer, style: &str, gamma: f64, offset: Option<f64>) {
    let node = [("inBitDepth", "32f"), ("outBitDepth", "32f"), ("style", style)];
    xml.open("Exponent", &node);
    let (gamma, offset) = (gamma.to_string(), offset.map(|v| v.to_string()));
    let mut params = vec![("exponent", gamma.as_str())];
    params.extend(offset.as_deref().map(|offset| ("offset", offset)));
    xml.leaf("ExponentParams", &params, "");
    xml.close();
}

fn matrix(xml: &mut Writer, name: &str, rows: &Matrix3) {
    let node = [("name", name), ("inBitDepth", "32f"), ("outBitDepth", "32f")];
    xml.open("Matrix", &node);
    let numbers: Vec<String> = rows.iter().flatten().map(ToString::to_string).collect();
    xml.leaf("Array", &[("dim", "3 3")], &numbers.join(" "));
    xml.close();
}
