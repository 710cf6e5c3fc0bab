//! AMF, the ACES Metadata File: which colour transforms are in the pixels and
//! which are still to be applied.
//!
//! [`plate_amf`] writes version 2.0 for a delivered plate; [`clf::camera_clf`]
//! writes the camera's transform as a Common LUT Format file to stand beside
//! it, because a DNG's matrix belongs to its clip and no registry can know it.
//! [`Amf::parse`] reads versions 1 and 2 leniently.
//!
//! Sources: S-2019-001 and the schema of version 2.0 (`ampas/aces-amf`), the
//! AMF implementation guide (`ampas/aces-docs`).

pub mod clf;
mod read;
pub mod registry;

pub use read::{Amf, Cdl, Clip, ClipMedia, Hash, Pipeline, Reference, Stage, StageKind};

use crate::date::Utc;
use crate::xml::Writer;
use platefarm_model::recipe::FrameNaming;
use platefarm_model::{Code, Fault, FrameRange, Outcome, Timestamp};
use sha2::{Digest, Sha256};

/// What turned the camera's signal into the plate's ACES2065-1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum InputTransform<'a> {
    /// A transform of the ACES registry, by its id.
    Registered {
        /// What was done, for people.
        description: &'a str,
        /// `urn:ampas:aces:transformId:v2.0:CSC.Arri.LogC4_to_ACES.a2.v1`
        id: &'a str,
    },
    /// A file beside the AMF or below it.
    File {
        /// What was done, for people.
        description: &'a str,
        /// Relative path, with `/`.
        path: &'a str,
        /// Its content, which is hashed.
        content: &'a [u8],
    },
}

/// How the plate is meant to be looked at. It is not in the pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Viewing {
    /// ACES 1.3 for a Rec.709 display at 100 nit: RRT and ODT. The rule of
    /// defaults asks for ACES Rec.709 where a show says nothing, and this is
    /// the one that our contact sheet and thumbnails show; an AMF that named
    /// another would contradict the picture that is delivered with it.
    #[default]
    Aces13Rec709,
    /// ACES 2.0 for a Rec.709 display at 100 nit.
    Aces20Rec709,
}

/// A delivered plate, as its AMF describes it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PlateAmf<'a> {
    /// What it is: pull, source clip, tool and version.
    pub description: &'a str,
    /// Name and e-mail address of who is responsible.
    pub author: Option<(&'a str, &'a str)>,
    /// When it was made.
    pub created: Timestamp,
    /// UUID of the file, with or without `urn:uuid:`.
    pub uuid: &'a str,
    /// UUID of the pipeline, likewise; another one.
    pub pipeline_uuid: &'a str,
    /// Name of the clip that is delivered.
    pub clip_name: &'a str,
    /// Names of its frames.
    pub naming: &'a FrameNaming,
    /// Its frames; numbers from 0.
    pub frames: FrameRange,
    /// What is in the pixels.
    pub input: InputTransform<'a>,
    /// What is not.
    pub viewing: Viewing,
}

/// Name of an AMF by the guide's convention: `<description>_<date>_<time>.amf`.
#[must_use]
pub fn file_name(description: &str, created: Timestamp) -> String {
    format!("{description}_{}.amf", Utc::from(created).file_stamp())
}

/// Writes the AMF of a plate, valid by the schema of version 2.0.
///
/// # Errors
/// [`Code::BadAmf`] when a value cannot stand in an AMF: a malformed UUID,
/// frame numbers below 0, an e-mail address without `@`, an id that is no
/// input transform, a path that is absolute or leaves the directory.
pub fn plate_amf(plate: &PlateAmf<'_>) -> Outcome<String> {
    let (uuid, pipeline_uuid) = (urn(plate.uuid)?, urn(plate.pipeline_uuid)?);
    let created = Utc::from(plate.created).date_time();
    let mut xml = Writer::new();
    let namespace = [("version", "2.0"), ("xmlns:aces", "urn:ampas:aces:amf:v2.0")];
    xml.open("aces:acesMetadataFile", &namespace);

    xml.open("aces:amfInfo", &[]);
    xml.leaf("aces:description", &[], plate.description);
    if let Some((name, address)) = plate.author {
        author(&mut xml, name, address)?;
    }
    date_time(&mut xml, &created);
    xml.leaf("aces:uuid", &[], &uuid);
    xml.close();

    clip_id(&mut xml, plate)?;

    xml.open("aces:pipeline", &[]);
    xml.open("aces:pipelineInfo", &[]);
    date_time(&mut xml, &created);
    xml.leaf("aces:uuid", &[], &pipeline_uuid);
    let system = match plate.viewing {
        Viewing::Aces13Rec709 => ["1", "3", "0"],
        Viewing::Aces20Rec709 => ["2", "0", "0"],
    };
    xml.open("aces:systemVersion", &[]);
    for (name, number) in
        ["aces:majorVersion", "aces:minorVersion", "aces:patchVersion"].into_iter().zip(system)
    {
        xml.leaf(name, &[], number);
    }
    xml.close();
    xml.close();
    input(&mut xml, plate.input)?;
    // Work on the plate happens here: after what is baked, before any look.
    xml.leaf("aces:workingLocation", &[], "");
    output(&mut xml, plate.viewing);
    Ok(xml.finish())
}

fn bad(message: String) -> Fault {
    Fault::new(Code::BadAmf, message)
}

/// `urn:uuid:` and the UUID, which the schema wants.
fn urn(uuid: &str) -> Outcome<String> {
    let plain = uuid.strip_prefix("urn:uuid:").unwrap_or(uuid);
    let formed = plain.len() == 36
        && plain.bytes().enumerate().all(|(i, b)| match i {
            8 | 13 | 18 | 23 => b == b'-',
            _ => b.is_ascii_hexdigit(),
        });
    if formed {
        Ok(format!("urn:uuid:{plain}"))
    } else {
        Err(bad(format!("'{uuid}' is not a UUID")))
    }
}

fn author(xml: &mut Writer, name: &str, address: &str) -> Outcome<()> {
    if !address
        .split_once('@')
        .is_some_and(|(a, b)| !a.is_empty() && !b.is_empty() && !b.contains('@'))
    {
        return Err(bad(format!("'{address}' is not an e-mail address")));
    }
    xml.open("aces:author", &[]);
    xml.leaf("aces:name", &[], name);
    xml.leaf("aces:emailAddress", &[], address);
    xml.close();
    Ok(())
}

fn date_time(xml: &mut Writer, created: &str) {
    xml.open("aces:dateTime", &[]);
    xml.leaf("aces:creationDateTime", &[], created);
    xml.leaf("aces:modificationDateTime", &[], created);
    xml.close();
}

fn clip_id(xml: &mut Writer, plate: &PlateAmf<'_>) -> Outcome<()> {
    let (first, last) = (plate.frames.first(), plate.frames.last());
    if first < 0 {
        return Err(bad(format!("frame {first} is below 0, which an AMF cannot name")));
    }
    let naming = plate.naming;
    relative(&naming.stem)?;
    let digits = "#".repeat(usize::from(naming.padding.max(1)));
    xml.open("aces:clipId", &[]);
    xml.leaf("aces:clipName", &[], plate.clip_name);
    let range = [("idx", "#"), ("min", &*first.to_string()), ("max", &*last.to_string())];
    xml.leaf("aces:sequence", &range, &format!("{}.{digits}.exr", naming.stem));
    xml.close();
    Ok(())
}

/// Paths in an AMF point beside it or below it.
fn relative(path: &str) -> Outcome<()> {
    let leaves = path.is_empty()
        || path.contains('\\')
        || path.starts_with('/')
        || path.split('/').any(|part| part == ".." || part.is_empty());
    if leaves {
        return Err(bad(format!("path '{path}' does not stay beside the AMF")));
    }
    Ok(())
}

fn input(xml: &mut Writer, input: InputTransform<'_>) -> Outcome<()> {
    xml.open("aces:inputTransform", &[("applied", "true")]);
    match input {
        InputTransform::Registered { description, id } => {
            if !is_input_id(id) {
                return Err(bad(format!("'{id}' is not the id of an input transform")));
            }
            xml.leaf("aces:description", &[], description);
            xml.leaf("aces:transformId", &[], id);
        }
        InputTransform::File { description, path, content } => {
            relative(path)?;
            xml.leaf("aces:description", &[], description);
            let algorithm = [("algorithm", "http://www.w3.org/2001/04/xmlenc#sha256")];
            xml.leaf("aces:hash", &algorithm, &base64(&Sha256::digest(content)));
            xml.leaf("aces:file", &[], path);
        }
    }
    xml.close();
    Ok(())
}

/// The kinds of id that the schema takes for an input transform.
fn is_input_id(id: &str) -> bool {
    let kinds = [("v1.5", ["IDT.", "ACEScsc."]), ("v2.0", ["Input.", "CSC."])];
    let rest = id.strip_prefix("urn:ampas:aces:transformId:");
    rest.and_then(|rest| rest.split_once(':')).is_some_and(|(version, name)| {
        !name.contains(char::is_whitespace)
            && kinds
                .iter()
                .any(|(v, kinds)| *v == version && kinds.iter().any(|k| name.starts_with(k)))
    })
}

fn output(xml: &mut Writer, viewing: Viewing) {
    let step = |xml: &mut Writer, name: &str, id: &str| {
        xml.open(name, &[]);
        xml.leaf("aces:transformId", &[], id);
        xml.close();
    };
    xml.open("aces:outputTransform", &[("applied", "false")]);
    match viewing {
        // The registry has no single transform for ACES 1.3 and Rec.709: it is these two.
        Viewing::Aces13Rec709 => {
            let rrt = "urn:ampas:aces:transformId:v1.5:RRT.a1.0.3";
            let odt = "urn:ampas:aces:transformId:v1.5:ODT.Academy.Rec709_100nits_dim.a1.0.3";
            step(xml, "aces:referenceRenderingTransform", rrt);
            step(xml, "aces:outputDeviceTransform", odt);
        }
        Viewing::Aces20Rec709 => xml.leaf(
            "aces:transformId",
            &[],
            "urn:ampas:aces:transformId:v2.0:Output.Academy.Rec709-D65_100nit_in_Rec709-D65_BT1886.a2.v1",
        ),
    }
    xml.close();
}

/// RFC 4648, with padding.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let word = group.iter().fold(0_u32, |word, byte| word << 8 | u32::from(*byte))
            << (8 * (3 - group.len()));
        for digit in 0..4 {
            text.push(if digit <= group.len() {
                DIGITS[(word >> (18 - 6 * digit)) as usize & 63] as char
            } else {
                '='
            });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Test vectors of RFC 4648, section 10.
    #[test]
    fn base64_is_the_rfcs() {
        for (plain, text) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(plain.as_bytes()), text);
        }
    }

    #[test]
    fn input_ids_are_told_from_others() {
        assert!(is_input_id("urn:ampas:aces:transformId:v2.0:CSC.Arri.LogC4_to_ACES.a2.v1"));
        assert!(is_input_id("urn:ampas:aces:transformId:v1.5:IDT.ARRI.Alexa-v3-logC-EI800.a1.v2"));
        assert!(!is_input_id("urn:ampas:aces:transformId:v1.5:RRT.a1.0.3"));
        assert!(!is_input_id("urn:ampas:aces:transformId:v1.5:CSC.Arri.LogC4_to_ACES.a2.v1"));
        assert!(!is_input_id("CSC.Arri.LogC4_to_ACES.a2.v1"));
    }
}
