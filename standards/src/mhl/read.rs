//! Reading a manifest: as much as can be used, and everything that is wrong.

use super::hash::{Digest, Format};
use super::manifest::{
    Action, Creator, DirectoryRecord, FileRecord, Manifest, ManifestReference, NAMESPACE, Process,
    Record, RecordedDigest, TreeDigest,
};
use super::problem::{Kind, Problem};
use super::{Author, is_relative};
use crate::xml::{self, Element};
use platefarm_model::{Code, Fault};
use std::collections::HashSet;

impl Manifest {
    /// Reads a manifest as far as it can be read, with everything that is
    /// wrong in it. An entry that cannot be used is left out; a file without
    /// an action stays, with hashes that count for nothing.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> (Option<Self>, Vec<Fault>) {
        let (manifest, wrong) = Self::read(bytes);
        (manifest, wrong.into_iter().map(Fault::from).collect())
    }

    /// As [`Self::parse`], with the kind of what is wrong. A subject says what
    /// is invalid; where it is empty the manifest as a whole is.
    pub(super) fn read(bytes: &[u8]) -> (Option<Self>, Vec<Problem>) {
        let invalid = |why: &str, message: String| {
            (None, vec![Problem::new(Kind::ManifestInvalid, why, message)])
        };
        let root = match xml::read(bytes, Code::BadManifest) {
            Ok(root) => root,
            Err(fault) => {
                let why = if fault.message == xml::DOCTYPE_REFUSED { "DTD" } else { "" };
                let problem = Problem { kind: Kind::ManifestInvalid, subject: why.into(), fault };
                return (None, vec![problem]);
            }
        };
        if (&*root.namespace, &*root.name) != (NAMESPACE, "hashlist") {
            let message = format!("'{}' in '{}' is not a hash list", root.name, root.namespace);
            return invalid("namespace", message);
        }
        let version = root.attribute("version").unwrap_or_default();
        if version != "2.0" {
            return invalid("version", format!("version '{version}' is not read, 2.0 is"));
        }
        let mut reader = Reader { problems: Vec::new(), seen: HashSet::new() };
        let manifest = reader.manifest(&root);
        (Some(manifest), reader.problems)
    }
}

struct Reader {
    problems: Vec<Problem>,
    seen: HashSet<String>,
}

impl Reader {
    fn manifest(&mut self, root: &Element) -> Manifest {
        let process = root.child("processinfo");
        if process.is_none() {
            self.schema("processinfo missing", "manifest", "there is no processinfo");
        }
        let ignore = process.and_then(|p| p.child("ignore"));
        let hashes = root.child("hashes");
        let references = root.child("references");
        Manifest {
            creator: self.creator(root),
            process: match process.and_then(|p| p.text_of("process")) {
                Some("transfer") => Process::Transfer,
                Some("flatten") => Process::Flatten,
                _ => Process::InPlace,
            },
            root: process
                .and_then(|p| p.child("roothash"))
                .map(|root| self.tree(root, "roothash"))
                .unwrap_or_default(),
            ignore: ignore
                .map(|i| i.all("pattern").map(|p| p.text.trim().to_owned()).collect())
                .unwrap_or_default(),
            records: hashes
                .map(|h| h.children.iter().filter_map(|child| self.record(child)).collect())
                .unwrap_or_default(),
            references: references
                .map(|r| r.all("hashlistreference").filter_map(|c| self.reference(c)).collect())
                .unwrap_or_default(),
        }
    }

    fn creator(&mut self, root: &Element) -> Creator {
        let Some(info) = root.child("creatorinfo") else {
            self.schema("creatorinfo missing", "manifest", "there is no creatorinfo");
            return Creator::default();
        };
        let text = |name: &str| info.text_of(name).map(str::to_owned);
        let tool = info.child("tool");
        let version = tool.and_then(|tool| tool.attribute("version")).map(str::to_owned);
        let authors = info.all("author").map(|author| {
            let attribute = |name| author.attribute(name).map(str::to_owned);
            Author {
                name: author.text.trim().to_owned(),
                email: attribute("email"),
                phone: attribute("phone"),
                role: attribute("role"),
            }
        });
        let authors = authors.collect();
        Creator {
            date: text("creationdate").unwrap_or_default(),
            host: text("hostname").unwrap_or_default(),
            tool: (text("tool").unwrap_or_default(), version),
            authors,
            location: text("location"),
            comment: text("comment"),
        }
    }

    fn problem(&mut self, kind: Kind, why: &str, place: &str, message: impl Into<String>) {
        self.problems.push(Problem::new(kind, why, message).at(place));
    }

    fn invalid(&mut self, why: &str, place: &str, message: impl Into<String>) {
        self.problem(Kind::ManifestInvalid, why, place, message);
    }

    fn schema(&mut self, why: &str, place: &str, message: impl Into<String>) {
        self.problem(Kind::ManifestSchema, why, place, message);
    }

    /// Path of an entry, when it may be used.
    fn path(&mut self, element: &Element) -> Option<String> {
        let Some(path) = element.child("path").map(|path| path.text.clone()) else {
            self.schema("path missing", &element.name, "an entry without a path");
            return None;
        };
        if !is_relative(&path) {
            let why = if path.starts_with('/') { "absolute path" } else { "path traversal" };
            self.invalid(why, &path, format!("path '{path}' is not relative to the root"));
            return None;
        }
        Some(path)
    }

    fn record(&mut self, element: &Element) -> Option<Record> {
        let is_file = match &*element.name {
            "hash" => true,
            "directoryhash" => false,
            other => {
                self.schema(
                    "unknown entry",
                    "hashes",
                    format!("'{other}' is no entry of a hash list"),
                );
                return None;
            }
        };
        let path = self.path(element)?;
        if !self.seen.insert(path.clone()) {
            self.invalid("duplicate path", &path, format!("path '{path}' is there twice"));
            return None;
        }
        let previous_path = element.child("previousPath").map(|p| p.text.clone());
        if !is_file {
            let digests = self.tree(element, &path);
            return Some(Record::Directory(DirectoryRecord { path, digests, previous_path }));
        }
        let attribute = |name| element.child("path").and_then(|p| p.attribute(name));
        let size = attribute("size").and_then(|size| {
            let read = size.parse().ok();
            if read.is_none() {
                self.schema("size", &path, format!("size '{size}' is not a number"));
            }
            read
        });
        let modified = attribute("lastmodificationdate").map(str::to_owned);
        let digests = self.digests(element, &path);
        Some(Record::File(FileRecord { path, size, modified, digests, previous_path }))
    }

    fn digests(&mut self, element: &Element, path: &str) -> Vec<RecordedDigest> {
        let mut digests = Vec::new();
        for (digest, child) in self.values(element, path) {
            let action = match child.attribute("action") {
                Some("original") => Some(Action::Original),
                Some("verified") => Some(Action::Verified),
                Some("failed") => Some(Action::Failed),
                other => {
                    let why = if other.is_none() { "action missing" } else { "action unknown" };
                    let action = other.unwrap_or("missing");
                    self.schema(why, path, format!("action of '{path}' is {action}"));
                    None
                }
            };
            digests.push(RecordedDigest { digest, action });
        }
        if digests.is_empty() {
            self.schema("hash missing", path, format!("'{path}' has no hash"));
        }
        digests
    }

    fn values<'a>(&mut self, element: &'a Element, path: &str) -> Vec<(Digest, &'a Element)> {
        let mut values = Vec::new();
        for child in &element.children {
            let Some(format) = Format::parse(&child.name) else { continue };
            let (name, text) = (format.name(), &child.text);
            match format.read(text) {
                Some(digest) => {
                    if digest.to_string() != *text {
                        let message = format!(
                            "the {name} value of '{path}' is written as '{text}', which is read as {digest}"
                        );
                        self.problems.push(Problem::of_file(Kind::Unclear, path, message));
                    }
                    values.push((digest, child));
                }
                None => {
                    self.schema("hash value", path, format!("'{text}' is not a {name} value"));
                }
            }
        }
        values
    }

    fn tree(&mut self, element: &Element, path: &str) -> Vec<TreeDigest> {
        let mut of = |name| match element.child(name) {
            Some(child) => self.values(child, path),
            None => Vec::new(),
        };
        let (contents, structures) = (of("content"), of("structure"));
        let structure = |format| structures.iter().find(|(s, _)| s.format() == format);
        contents
            .into_iter()
            .filter_map(|(content, _)| {
                let (structure, _) = structure(content.format())?;
                Some(TreeDigest { content, structure: structure.clone() })
            })
            .collect()
    }

    fn reference(&mut self, element: &Element) -> Option<ManifestReference> {
        let path = self.path(element)?;
        let c4 = element.child("c4").and_then(|c4| Format::C4.read(&c4.text));
        if c4.is_none() {
            self.schema(
                "reference without c4",
                &path,
                format!("the reference to '{path}' has no c4"),
            );
        }
        Some(ManifestReference { path, c4: c4? })
    }
}
