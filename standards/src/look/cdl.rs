//! ASC CDL in its own files: `.cc` (one correction), `.ccc` (a collection) and
//! `.cdl` (a list of decisions).
//!
//! Source: ASC CDL 1.2. The element names of the standard's examples and of
//! tools in use are both taken (`SOPNode` and `ASC_SOP`, `SatNode` and `ASC_SAT`).

use crate::clf::cdl_values;
use crate::xml::{self, Element};
use platefarm_model::color::chain::{Cdl, Chain, Link};
use platefarm_model::{Code, Fault, Outcome};

/// One correction.
#[derive(Clone, Debug, PartialEq)]
pub struct Correction {
    /// Its id.
    pub id: Option<String>,
    /// Its numbers.
    pub cdl: Cdl,
}

impl Correction {
    /// As a chain; `clamp` keeps values within 0 and 1 as ASC CDL 1.2 writes
    /// it, without it scene light above 1 and below 0 lives on.
    #[must_use]
    pub fn chain(&self, clamp: bool) -> Chain {
        Chain(vec![Link::Cdl(Cdl { clamp, ..self.cdl })])
    }
}

/// Reads all corrections of a file.
///
/// # Errors
/// [`Code::BadLook`] with the place.
pub fn parse_cdl(bytes: &[u8]) -> Outcome<Vec<Correction>> {
    let root = xml::read(bytes, Code::BadLook)?;
    let mut found = Vec::new();
    collect(&root, 0, &mut found)?;
    if found.is_empty() {
        let message = format!("the document is a '{}' without a ColorCorrection", root.name);
        return Err(Fault::new(Code::BadLook, message));
    }
    Ok(found)
}

/// Corrections stand at most three levels down.
const DEEPEST: usize = 3;

fn collect(element: &Element, depth: usize, found: &mut Vec<Correction>) -> Outcome<()> {
    if &*element.name == "ColorCorrection" {
        let id = element.attribute("id").map(str::to_owned);
        let place = format!("ColorCorrection {}", id.as_deref().unwrap_or(""));
        let child = |names: [&str; 3]| names.into_iter().find_map(|n| element.child(n));
        let sop = child(["SOPNode", "ASC_SOP", "SopNode"]);
        let sat = child(["SatNode", "ASC_SAT", "SATNode"]);
        if sop.is_none() && sat.is_none() {
            return Err(Fault::new(Code::BadLook, "neither SOPNode nor SatNode").at(place));
        }
        let cdl = cdl_values(sop, sat).map_err(|fault| fault.within(place.trim_end()))?;
        found.push(Correction { id, cdl });
        return Ok(());
    }
    if depth < DEEPEST {
        for child in &element.children {
            collect(child, depth + 1, found)?;
        }
    }
    Ok(())
}

/// The correction of an id; without one, the only one.
pub(super) fn choose(all: &[Correction], id: Option<&str>) -> Outcome<Correction> {
    let ids: Vec<&str> = all.iter().filter_map(|c| c.id.as_deref()).collect();
    let chosen = match id {
        Some(id) => {
            let mut same = all.iter().filter(|c| c.id.as_deref() == Some(id));
            let first = same.next();
            if same.any(|other| Some(other) != first) {
                let message = format!("the file holds several corrections '{id}', and they differ");
                return Err(Fault::new(Code::BadLook, message)
                    .remedy("Give each correction an id of its own."));
            }
            first
        }
        None if all.len() == 1 => all.first(),
        None => {
            let message = format!("the file holds {} corrections, one must be named", all.len());
            return Err(Fault::new(Code::BadLook, message)
                .remedy(format!("Write FILE#ID with one of: {}.", ids.join(", "))));
        }
    };
    chosen.cloned().ok_or_else(|| {
        Fault::new(Code::BadLook, format!("there is no correction '{}'", id.unwrap_or("")))
            .remedy(format!("Choose one of: {}.", ids.join(", ")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLLECTION: &str = r#"<?xml version="1.0"?>
        <ColorCorrectionCollection xmlns="urn:ASC:CDL:v1.2">
          <ColorCorrection id="a"><SOPNode><Slope>1.1 1 0.9</Slope><Offset>0 0.1 0</Offset>
            <Power>1 1 1.2</Power></SOPNode><SatNode><Saturation>0.8</Saturation></SatNode></ColorCorrection>
          <ColorCorrection id="b"><ASC_SAT><Saturation>1.5</Saturation></ASC_SAT></ColorCorrection>
        </ColorCorrectionCollection>"#;

    #[test]
    fn a_collection_is_read_and_asked_by_id() {
        let all = parse_cdl(COLLECTION.as_bytes()).unwrap();
        assert_eq!(all[0].cdl.slope, [1.1, 1.0, 0.9]);
        assert_eq!((all[0].cdl.saturation, all[1].cdl.saturation), (0.8, 1.5));
        assert_eq!(choose(&all, Some("b")).unwrap(), all[1]);
        for id in [None, Some("c")] {
            let fault = choose(&all, id).unwrap_err();
            assert!(fault.remedy.unwrap().contains("a, b"));
        }
    }

    #[test]
    fn an_id_that_two_corrections_have_chooses_none() {
        let text = COLLECTION.replace("id=\"b\"", "id=\"a\"");
        let all = parse_cdl(text.as_bytes()).unwrap();
        let fault = choose(&all, Some("a")).unwrap_err();
        assert!(fault.message.contains("several corrections 'a'"), "{fault}");
        // Twice the same is no question.
        let twice = [all[0].clone(), all[0].clone()];
        assert_eq!(choose(&twice, Some("a")).unwrap(), all[0]);
    }

    #[test]
    fn a_bad_number_names_its_correction() {
        let text = COLLECTION.replace("1.1 1 0.9", "1.1 1");
        let fault = parse_cdl(text.as_bytes()).unwrap_err();
        assert_eq!(fault.place.as_deref(), Some("ColorCorrection a: Slope"));
    }
}
