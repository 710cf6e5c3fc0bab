//! The input transform of an AMF that we write: what leads, or led, to ACES2065-1.

use super::plate::{hash_of, relative};
use super::write::{leaf, node, set, step};
use crate::xml::Element;
use platefarm_model::{Code, Fault, Outcome};

/// What leads from the clip to ACES2065-1, or, where the delivered pixels are
/// codes of another space, from these.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum InputTransform<'a> {
    /// A transform of the ACES registry, or one that has an id of our own.
    Registered {
        /// What was done, or what it is, for people.
        description: &'a str,
        /// `urn:ampas:aces:transformId:v2.0:CSC.Arri.LogC4_to_ACES.a2.v1`
        id: &'a str,
        /// Whether it is in the pixels, and not still to be done.
        applied: bool,
    },
    /// A file beside the AMF or below it.
    File {
        /// What was done, or what it is, for people.
        description: &'a str,
        /// Relative path, with `/`.
        path: &'a str,
        /// Its content, which is hashed.
        content: &'a [u8],
        /// Whether it is in the pixels.
        applied: bool,
    },
}

/// Its element.
pub(super) fn input_transform(input: InputTransform<'_>) -> Outcome<Element> {
    let (children, applied) = match input {
        InputTransform::Registered { description, id, applied } => {
            let Some(named) = input_reference(id) else {
                let message = format!("'{id}' is not the id of an input transform");
                return Err(Fault::new(Code::BadAmf, message));
            };
            ([vec![leaf("description", description)], named].concat(), applied)
        }
        InputTransform::File { description, path, content, applied } => {
            relative(path)?;
            let children =
                vec![leaf("description", description), hash_of(content), leaf("file", path)];
            (children, applied)
        }
    };
    let mut element = node("inputTransform", children);
    set(&mut element, "applied", if applied { "true" } else { "false" });
    Ok(element)
}

/// How an input transform names an id, by the kinds that the schema takes: by itself, or, where it
/// leads back from a display's codes, as an inverse output.
fn input_reference(id: &str) -> Option<Vec<Element>> {
    let rest = id.strip_prefix("urn:ampas:aces:transformId:")?;
    let (version, name) =
        rest.split_once(':').filter(|(_, name)| !name.contains(char::is_whitespace))?;
    let (class, _) = name.split_once('.')?;
    Some(match (version, class) {
        ("v1.5", "IDT" | "ACEScsc") | ("v2.0", "Input" | "CSC") => vec![leaf("transformId", id)],
        ("v1.5", "InvRRTODT") | ("v2.0", "InvOutput") => vec![step("inverseOutputTransform", id)],
        // ACES 1 leads back from most displays in two transforms, of which the last is always the same.
        ("v1.5", "InvODT") => {
            let rendering = "urn:ampas:aces:transformId:v1.5:InvRRT.a1.0.3";
            let last = step("inverseReferenceRenderingTransform", rendering);
            vec![step("inverseOutputDeviceTransform", id), last]
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn input_ids_are_told_from_others() {
        let names = |id: &str| {
            let named = input_reference(&format!("urn:ampas:aces:transformId:{id}"))?;
            Some(named.iter().map(|element| element.name.to_string()).collect::<Vec<_>>().join(" "))
        };
        for (id, named) in [
            ("v2.0:CSC.Arri.LogC4_to_ACES.a2.v1", "transformId"),
            ("v1.5:IDT.ARRI.Alexa-v3-logC-EI800.a1.v2", "transformId"),
            (
                "v2.0:InvOutput.Academy.Rec709-D65_100nit_in_Rec709-D65_BT1886.a2.v1",
                "inverseOutputTransform",
            ),
            (
                "v1.5:InvODT.Academy.Rec709_100nits_dim.a1.0.3",
                "inverseOutputDeviceTransform inverseReferenceRenderingTransform",
            ),
        ] {
            assert_eq!(names(id).as_deref(), Some(named), "{id}");
        }
        for id in ["v1.5:RRT.a1.0.3", "v1.5:CSC.Arri.LogC4_to_ACES.a2.v1", "v2.0:Output.A.B.a2.v1"]
        {
            assert_eq!(names(id), None, "{id}");
        }
        assert!(input_reference("CSC.Arri.LogC4_to_ACES.a2.v1").is_none());
    }
}
