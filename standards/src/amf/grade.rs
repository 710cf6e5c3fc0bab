//! A grade that goes beside a plate in its AMF: an ASC CDL as a look that is
//! still ahead of the pixels.

use super::Cdl;
use super::registry::{self, Meaning};
use super::write::{leaf, node, set};
use crate::xml::Element;
use platefarm_model::color::space::URN;
use platefarm_model::{Code, Fault, Outcome};

/// The space of a grade that names none.
const GRADING: &str = "ACEScct";
/// Namespace of the nodes of a grade.
pub(super) const NAMESPACE: &str = "urn:ASC:CDL:v1.01";

/// A grade that is not in the pixels and is meant to be made in ACEScct, where
/// a CDL is graded that says no other space (AMF implementation guide).
#[derive(Clone, Debug, PartialEq)]
pub struct GradeLook {
    /// Where it came from, for people.
    pub description: String,
    /// Its numbers.
    pub cdl: Cdl,
}

/// What names a correction of a file that is made on ACES2065-1 itself, as looks are.
pub(super) fn correction(id: &str) -> [Element; 2] {
    let same = format!("{URN}CSC.Academy.Unity.a2.v1");
    let from = node("fromCdlWorkingSpace", vec![leaf("transformId", &same)]);
    let mut reference = leaf("ColorCorrectionRef", "");
    reference.namespace = NAMESPACE.into();
    set(&mut reference, "ref", id);
    [node("cdlWorkingSpace", vec![from]), reference]
}

/// A grade as a look: the schema wants both nodes and one way into its space.
pub(super) fn look(grade: &GradeLook) -> Outcome<Element> {
    let Cdl { slope, offset, power, saturation } = &grade.cdl;
    let row = |values: &[f64; 3]| values.map(|v| v.to_string()).join(" ");
    let way = |name: &str, meaning: Meaning| -> Outcome<Element> {
        let unknown = || Fault::new(Code::Internal, format!("{GRADING} has no ACES transform id"));
        let id = registry::id_of(&meaning).ok_or_else(unknown)?;
        Ok(node(name, vec![leaf("transformId", &id)]))
    };
    let to = way("toCdlWorkingSpace", Meaning::FromAces(GRADING.to_owned()))?;
    let from = way("fromCdlWorkingSpace", Meaning::ToAces(GRADING.to_owned()))?;
    let space = node("cdlWorkingSpace", vec![to, from]);
    let cdl = |name: &str, children: Vec<Element>, text: String| Element {
        name: name.into(),
        namespace: NAMESPACE.into(),
        text,
        children,
        ..Element::default()
    };
    let value = |name: &str, text: String| cdl(name, Vec::new(), text);
    let sop = [("Slope", slope), ("Offset", offset), ("Power", power)];
    let sop = sop.map(|(name, values)| value(name, row(values))).to_vec();
    let sat = vec![value("Saturation", saturation.to_string())];
    let children = vec![
        leaf("description", &grade.description),
        space,
        cdl("SOPNode", sop, String::new()),
        cdl("SatNode", sat, String::new()),
    ];
    let mut look = node("lookTransform", children);
    set(&mut look, "applied", "false");
    Ok(look)
}
