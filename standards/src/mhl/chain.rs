//! The list of a history's manifests, each with the hash that seals it.

use super::hash::{Digest, Format};
use super::problem::{Kind, Problem};
use crate::xml::{self, Writer};
use platefarm_model::{Code, Outcome};

const NAMESPACE: &str = "urn:ASC:MHL:DIRECTORY:v2.0";

/// The chain file of a history.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Chain {
    /// Its manifests, the first generation first.
    pub entries: Vec<ChainEntry>,
}

/// A manifest in the chain.
#[derive(Clone, Debug, PartialEq)]
pub struct ChainEntry {
    /// Number of the generation, without gaps.
    pub sequence: u64,
    /// File name in the `ascmhl` directory.
    pub path: String,
    /// C4 of the file.
    pub c4: Digest,
}

impl Chain {
    /// Reads a chain.
    ///
    /// # Errors
    /// [`Code::BadManifest`] when it is not a chain, an entry lacks its
    /// number, name or C4, or the numbers have a gap.
    pub fn parse(bytes: &[u8]) -> Outcome<Self> {
        Self::read(bytes).map_err(|problem| problem.fault)
    }

    /// Reads a chain, and says of what kind its fault is.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, Box<Problem>> {
        let wrong = |kind, why: &str, message: String| Box::new(Problem::new(kind, why, message));
        let invalid = |why: &str, message: String| wrong(Kind::ChainInvalid, why, message);
        let root = xml::read(bytes, Code::BadManifest).map_err(|fault| {
            Box::new(Problem { kind: Kind::ChainInvalid, subject: String::new(), fault })
        })?;
        if (&*root.namespace, &*root.name) != (NAMESPACE, "ascmhldirectory") {
            let message = format!("'{}' in '{}' is not a chain", root.name, root.namespace);
            return Err(invalid("", message));
        }
        let mut entries = Vec::new();
        for element in root.all("hashlist") {
            let written = element.attribute("sequencenr").unwrap_or_default().trim();
            let read = written.parse::<u64>().ok().filter(|number| *number > 0);
            // Without gaps; a history whose old part is archived begins later than at 1.
            let last = entries.last().map(|entry: &ChainEntry| entry.sequence);
            let expected = last.and_then(|last| last.checked_add(1)).or(read).unwrap_or(1);
            if read != Some(expected) {
                let message = format!("the chain has '{written}' in the place of {expected}");
                return Err(wrong(Kind::ChainSequence, "", message));
            }
            let path = element.text_of("path").unwrap_or_default().to_owned();
            let Some(c4) = element.text_of("c4").and_then(|text| Format::C4.read(text)) else {
                let message = format!("generation {expected} of the chain has no c4");
                return Err(invalid("not c4", message));
            };
            if generation(&path) != Some(expected) {
                let message = format!("'{path}' is not the name of generation {expected}");
                return Err(invalid("manifest name", message));
            }
            entries.push(ChainEntry { sequence: expected, path, c4 });
        }
        if entries.is_empty() {
            return Err(invalid("", "the chain lists no manifest".into()));
        }
        Ok(Self { entries })
    }

    /// The document.
    #[must_use]
    pub fn to_xml(&self) -> String {
        let mut xml = Writer::new();
        xml.open("ascmhldirectory", &[("xmlns", NAMESPACE)]);
        for entry in &self.entries {
            xml.open("hashlist", &[("sequencenr", &entry.sequence.to_string())]);
            xml.leaf("path", &[], &entry.path);
            xml.leaf("c4", &[], &entry.c4.to_string());
            xml.close();
        }
        xml.finish()
    }

    /// Holds the chain against the manifest files of its directory: those that
    /// are missing, changed, or not listed.
    pub(super) fn check(&self, manifests: &[(&str, &[u8])]) -> Vec<Problem> {
        let mut problems = Vec::new();
        for entry in &self.entries {
            let name = &entry.path;
            let kind = match manifests.iter().find(|(other, _)| other == name) {
                None => Kind::ManifestMissing,
                Some((_, bytes)) if Format::C4.of(bytes) != entry.c4 => Kind::ManifestModified,
                Some(_) => continue,
            };
            let what = match kind {
                Kind::ManifestMissing => "is missing",
                _ => "is not what the chain says",
            };
            let message = format!("manifest '{name}' {what}");
            problems.push(Problem::new(kind, entry.sequence.to_string(), message).at(name));
        }
        for (name, _) in manifests {
            if !self.entries.iter().any(|entry| entry.path == *name) {
                let message = format!("manifest '{name}' is not in the chain");
                let number = generation(name).map_or_else(|| (*name).into(), |n| n.to_string());
                problems.push(Problem::new(Kind::ManifestUnlisted, number, message).at(*name));
            }
        }
        problems
    }
}

/// Number of a manifest by its name: `0001_<directory>_<date>_<time>Z.mhl`.
pub(super) fn generation(name: &str) -> Option<u64> {
    let (number, rest) = name.split_once('_')?;
    let numbered = number.len() >= 4 && number.bytes().all(|b| b.is_ascii_digit());
    let plain = rest.ends_with(".mhl") && !name.contains('/');
    if numbered && plain { number.parse().ok() } else { None }
}
