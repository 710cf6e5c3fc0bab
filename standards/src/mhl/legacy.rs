//! Media hash lists of version 1 (mediahashlist.org): one list of files with
//! sizes and hashes. Read only; what is made is ASC MHL.
//!
//! Source: the MHL format specification 1.1, and lists that Silverstack, YoYotta
//! and Hedge wrote. The 64-bit xxHash is there in two byte orders, of which
//! `xxhash64be` names its own and `xxhash64` is met in both; either is accepted.

use super::check::{Found, FoundFile};
use super::hash::{Digest, Format};
use super::problem::{Kind, Problem};
use super::{damaged, is_relative};
use crate::xml::{self, Element};
use platefarm_model::{Code, Outcome};
use std::collections::BTreeMap;

/// A list.
#[derive(Clone, Debug, PartialEq)]
pub struct List {
    /// `1.0` or `1.1`.
    pub version: String,
    /// Program that made it, where it says so.
    pub tool: Option<String>,
    entries: Vec<Entry>,
    /// Entries that cannot be used.
    wrong: Vec<Problem>,
}

#[derive(Clone, Debug, PartialEq)]
struct Entry {
    path: String,
    size: Option<u64>,
    /// Accepted values; several of one format where the byte order is not known.
    digests: Vec<Digest>,
}

impl List {
    /// Reads a list.
    ///
    /// # Errors
    /// [`Code::BadManifest`] when it is no list of version 1.
    pub fn parse(bytes: &[u8]) -> Outcome<Self> {
        let root = xml::read(bytes, Code::BadManifest)?;
        let version = root.attribute("version").unwrap_or_default().trim();
        if &*root.name != "hashlist" || !root.namespace.is_empty() || !version.starts_with("1.") {
            return Err(damaged(format!("'{}' {version} is no MHL of version 1", root.name)));
        }
        let creator = root.child("creatorinfo");
        let mut list = Self {
            version: version.to_owned(),
            tool: creator.and_then(|c| c.text_of("tool")).map(str::to_owned),
            entries: Vec::new(),
            wrong: Vec::new(),
        };
        for hash in root.all("hash") {
            match entry(hash) {
                Ok(entry) => list.entries.push(entry),
                Err(problem) => list.wrong.push(*problem),
            }
        }
        Ok(list)
    }

    /// Paths of its files.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|entry| entry.path.as_str())
    }

    /// The formats that each file has to be hashed in for [`Self::check`].
    #[must_use]
    pub fn wanted(&self) -> BTreeMap<String, Vec<Format>> {
        let formats = |entry: &Entry| {
            let mut formats: Vec<Format> = entry.digests.iter().map(Digest::format).collect();
            formats.dedup();
            formats
        };
        self.entries.iter().map(|entry| (entry.path.clone(), formats(entry))).collect()
    }

    /// Holds the list against what was found: everything that is wrong. With
    /// `names_only` no size or hash is looked at.
    #[must_use]
    pub fn check(&self, found: &Found, names_only: bool) -> Vec<Problem> {
        let there: BTreeMap<&str, &FoundFile> =
            found.files.iter().map(|file| (file.path.as_str(), file)).collect();
        let mut problems = self.wrong.clone();
        for entry in &self.entries {
            let path = entry.path.as_str();
            let Some(file) = there.get(path) else {
                let message = format!("'{path}' is missing");
                problems.push(Problem::of_file(Kind::Missing, path, message));
                continue;
            };
            if !names_only {
                problems.extend(entry.differs(file));
            }
        }
        problems
    }
}

impl Entry {
    fn differs(&self, file: &FoundFile) -> Option<Problem> {
        let path = &self.path;
        if let Some(size) = self.size.filter(|size| *size != file.size) {
            let message = format!("'{path}' has {} bytes, the list says {size}", file.size);
            return Some(Problem::of_file(Kind::Modified, path, message));
        }
        for actual in &file.digests {
            let told: Vec<&Digest> =
                self.digests.iter().filter(|d| d.format() == actual.format()).collect();
            if !told.is_empty() && !told.contains(&actual) {
                let format = actual.format().name();
                let message = format!("'{path}' has {format} {actual}, the list says {}", told[0]);
                return Some(Problem::of_file(Kind::Modified, path, message));
            }
        }
        None
    }
}

fn entry(hash: &Element) -> Result<Entry, Box<Problem>> {
    let problem = |kind, why: &str, message: String| Box::new(Problem::new(kind, why, message));
    let Some(path) = hash.child("file").map(|file| file.text.trim().replace('\\', "/")) else {
        let message = "an entry without a file".to_owned();
        return Err(problem(Kind::ManifestSchema, "path missing", message));
    };
    let path = path.strip_prefix("./").unwrap_or(&path).to_owned();
    if !is_relative(&path) {
        let message = format!("path '{path}' is not relative to the list");
        return Err(problem(Kind::ManifestInvalid, "path traversal", message));
    }
    let mut digests = Vec::new();
    for child in &hash.children {
        let text = child.text.trim();
        match &*child.name {
            "md5" => digests.extend(Format::Md5.read(text)),
            "sha1" => digests.extend(Format::Sha1.read(text)),
            "xxhash64be" => digests.extend(Format::Xxh64.read(text)),
            "xxhash64" => {
                digests.extend(Format::Xxh64.read(text));
                digests.extend(turned(text));
            }
            _ => {}
        }
    }
    if digests.is_empty() {
        let message = format!(
            "'{path}' has no hash of a format that is read: md5, sha1, xxhash64be, xxhash64"
        );
        return Err(Box::new(Problem::of_file(Kind::ManifestSchema, &path, message)));
    }
    let size = hash.text_of("size").and_then(|text| text.parse().ok());
    Ok(Entry { path, size, digests })
}

/// A hexadecimal value with its bytes in the other order.
fn turned(text: &str) -> Option<Digest> {
    let pairs: Option<Vec<&str>> = (0..text.len()).step_by(2).map(|i| text.get(i..i + 2)).collect();
    Format::Xxh64.read(&pairs?.into_iter().rev().collect::<String>())
}
