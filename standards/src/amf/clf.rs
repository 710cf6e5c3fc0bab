//! The camera's transform as a Common LUT Format file.
//!
//! Written as CLF version 3 in the Academy's namespace (S-2014-006): readers of
//! the later SMPTE ST 2136-1 take it too, and the tools in use today read no other.

use crate::xml::Writer;
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
    let mut xml = Writer::new();
    let attributes = [
        ("id", camera.id),
        ("name", camera.name),
        ("compCLFversion", "3"),
        ("xmlns", "urn:AMPAS:CLF:v3.0"),
    ];
    xml.open("ProcessList", &attributes);
    xml.leaf("Description", &[], camera.description);
    xml.leaf("InputDescriptor", &[], "linear camera RGB, black at 0, clipping at 1");
    xml.leaf("OutputDescriptor", &[], "ACES2065-1");
    matrix(&mut xml, "white balance", &gains);
    matrix(&mut xml, "camera RGB to ACES2065-1", &camera.camera_to_aces);
    Ok(xml.finish())
}

fn matrix(xml: &mut Writer, name: &str, rows: &Matrix3) {
    let node = [("name", name), ("inBitDepth", "32f"), ("outBitDepth", "32f")];
    xml.open("Matrix", &node);
    let numbers: Vec<String> = rows.iter().flatten().map(ToString::to_string).collect();
    xml.leaf("Array", &[("dim", "3 3")], &numbers.join(" "));
    xml.close();
}
