//! One generation of a history.

use super::hash::{Digest, Format};
use super::{damaged, is_relative};
use crate::date::Utc;
use crate::xml::{self, Element, Writer};
use platefarm_model::{Code, Fault, Timestamp};
use std::collections::HashSet;

const NAMESPACE: &str = "urn:ASC:MHL:v2.0";

/// A manifest.
#[derive(Clone, Debug, PartialEq)]
pub struct Manifest {
    /// Who made it.
    pub creator: Creator,
    /// Why.
    pub process: Process,
    /// Hashes of the root directory.
    pub root: Vec<TreeDigest>,
    /// Patterns of what is left out.
    pub ignore: Vec<String>,
    /// Files and directories, in order.
    pub records: Vec<Record>,
    /// Manifests of histories below this one, of the same run.
    pub references: Vec<ManifestReference>,
}

/// Who made a manifest.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Creator {
    /// When, as an XML date and time.
    pub date: String,
    /// On which machine.
    pub host: String,
    /// With which tool, and its version.
    pub tool: (String, Option<String>),
    /// Name and e-mail address of a person.
    pub author: Option<(String, Option<String>)>,
    /// Where.
    pub location: Option<String>,
    /// Remark.
    pub comment: Option<String>,
}

/// What a run did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Process {
    /// Hashed what was there.
    InPlace,
    /// Copied and hashed.
    Transfer,
    /// Made a packing list of a history.
    Flatten,
}

/// What came of hashing a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// First seen.
    Original,
    /// The same as before.
    Verified,
    /// Not the same as before: never used.
    Failed,
}

/// One thing in a manifest.
#[derive(Clone, Debug, PartialEq)]
pub enum Record {
    /// A file.
    File(FileRecord),
    /// A directory.
    Directory(DirectoryRecord),
}

/// A file in a manifest.
#[derive(Clone, Debug, PartialEq)]
pub struct FileRecord {
    /// Path from the root, with `/`.
    pub path: String,
    /// Size in bytes.
    pub size: Option<u64>,
    /// When it was last modified, as an XML date and time.
    pub modified: Option<String>,
    /// Its hashes.
    pub digests: Vec<RecordedDigest>,
    /// Path that it had before.
    pub previous_path: Option<String>,
}

/// A hash with what came of it.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordedDigest {
    /// The value.
    pub digest: Digest,
    /// What came of it; absent in damaged manifests.
    pub action: Option<Action>,
}

/// A directory in a manifest.
#[derive(Clone, Debug, PartialEq)]
pub struct DirectoryRecord {
    /// Path from the root, with `/`.
    pub path: String,
    /// Its hashes, one pair for each format.
    pub digests: Vec<TreeDigest>,
    /// Path that it had before.
    pub previous_path: Option<String>,
}

/// The two hashes of a directory, in one format.
#[derive(Clone, Debug, PartialEq)]
pub struct TreeDigest {
    /// Of what is in it, whatever it is called.
    pub content: Digest,
    /// Of what is in it with its names.
    pub structure: Digest,
}

/// A manifest of a history below this one.
#[derive(Clone, Debug, PartialEq)]
pub struct ManifestReference {
    /// Path from the root.
    pub path: String,
    /// C4 of the file.
    pub c4: Digest,
}

impl Manifest {
    /// The files.
    pub fn files(&self) -> impl Iterator<Item = &FileRecord> {
        self.records.iter().filter_map(|record| match record {
            Record::File(file) => Some(file),
            Record::Directory(_) => None,
        })
    }

    /// The directories.
    pub fn directories(&self) -> impl Iterator<Item = &DirectoryRecord> {
        self.records.iter().filter_map(|record| match record {
            Record::File(_) => None,
            Record::Directory(directory) => Some(directory),
        })
    }

    /// Reads a manifest as far as it can be read, with everything that is
    /// wrong in it. An entry that cannot be used is left out; a file without
    /// an action stays, with hashes that count for nothing.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> (Option<Self>, Vec<Fault>) {
        let root = match xml::read(bytes, Code::BadManifest) {
            Ok(root) => root,
            Err(fault) => return (None, vec![fault]),
        };
        if (&*root.namespace, &*root.name) != (NAMESPACE, "hashlist") {
            let message = format!("'{}' in '{}' is not a hash list", root.name, root.namespace);
            return (None, vec![damaged(message)]);
        }
        let version = root.attribute("version").unwrap_or_default();
        if version != "2.0" {
            return (None, vec![damaged(format!("version '{version}' is not read, 2.0 is"))]);
        }
        let mut reader = Reader { faults: Vec::new(), seen: HashSet::new() };
        let manifest = reader.manifest(&root);
        (Some(manifest), reader.faults)
    }

    /// The document, in the order of the schema.
    #[must_use]
    pub fn to_xml(&self) -> String {
        let mut xml = Writer::new();
        xml.open("hashlist", &[("version", "2.0"), ("xmlns", NAMESPACE)]);
        self.write_creator(&mut xml);
        xml.open("processinfo", &[]);
        xml.leaf("process", &[], self.process.name());
        if !self.root.is_empty() {
            xml.open("roothash", &[]);
            write_tree(&mut xml, &self.root);
            xml.close();
        }
        if !self.ignore.is_empty() {
            xml.open("ignore", &[]);
            for pattern in &self.ignore {
                xml.leaf("pattern", &[], pattern);
            }
            xml.close();
        }
        xml.close();
        if !self.records.is_empty() {
            xml.open("hashes", &[]);
            for record in &self.records {
                match record {
                    Record::File(file) => file.write(&mut xml),
                    Record::Directory(directory) => directory.write(&mut xml),
                }
            }
            xml.close();
        }
        if !self.references.is_empty() {
            xml.open("references", &[]);
            for reference in &self.references {
                xml.open("hashlistreference", &[]);
                xml.leaf("path", &[], &reference.path);
                xml.leaf("c4", &[], &reference.c4.to_string());
                xml.close();
            }
            xml.close();
        }
        xml.finish()
    }

    fn write_creator(&self, xml: &mut Writer) {
        let Creator { date, host, tool: (tool, version), author, location, comment } =
            &self.creator;
        xml.open("creatorinfo", &[]);
        xml.leaf("creationdate", &[], date);
        xml.leaf("hostname", &[], host);
        let version: Vec<(&str, &str)> = version.iter().map(|v| ("version", v.as_str())).collect();
        xml.leaf("tool", &version, tool);
        if let Some((name, address)) = author {
            let email: Vec<(&str, &str)> = address.iter().map(|a| ("email", a.as_str())).collect();
            xml.leaf("author", &email, name);
        }
        for (name, text) in [("location", location), ("comment", comment)] {
            if let Some(text) = text {
                xml.leaf(name, &[], text);
            }
        }
        xml.close();
    }
}

impl Creator {
    /// Sets the date.
    #[must_use]
    pub fn at(mut self, moment: Timestamp) -> Self {
        self.date = Utc::from(moment).date_time();
        self
    }
}

impl Process {
    fn name(self) -> &'static str {
        match self {
            Self::InPlace => "in-place",
            Self::Transfer => "transfer",
            Self::Flatten => "flatten",
        }
    }
}

impl Action {
    fn name(self) -> &'static str {
        match self {
            Self::Original => "original",
            Self::Verified => "verified",
            Self::Failed => "failed",
        }
    }
}

impl FileRecord {
    fn write(&self, xml: &mut Writer) {
        xml.open("hash", &[]);
        let size = self.size.map(|size| size.to_string());
        let mut attributes: Vec<(&str, &str)> = Vec::new();
        attributes.extend(size.as_deref().map(|size| ("size", size)));
        attributes.extend(self.modified.as_deref().map(|m| ("lastmodificationdate", m)));
        xml.leaf("path", &attributes, &self.path);
        for RecordedDigest { digest, action } in &self.digests {
            let action: Vec<(&str, &str)> = action.iter().map(|a| ("action", a.name())).collect();
            xml.leaf(digest.format().name(), &action, &digest.to_string());
        }
        if let Some(path) = &self.previous_path {
            xml.leaf("previousPath", &[], path);
        }
        xml.close();
    }
}

impl DirectoryRecord {
    fn write(&self, xml: &mut Writer) {
        xml.open("directoryhash", &[]);
        xml.leaf("path", &[], &self.path);
        write_tree(xml, &self.digests);
        if let Some(path) = &self.previous_path {
            xml.leaf("previousPath", &[], path);
        }
        xml.close();
    }
}

fn write_tree(xml: &mut Writer, digests: &[TreeDigest]) {
    let pick: [(&str, fn(&TreeDigest) -> &Digest); 2] =
        [("content", |pair| &pair.content), ("structure", |pair| &pair.structure)];
    for (name, digest) in pick {
        xml.open(name, &[]);
        for pair in digests {
            let digest = digest(pair);
            xml.leaf(digest.format().name(), &[], &digest.to_string());
        }
        xml.close();
    }
}

struct Reader {
    faults: Vec<Fault>,
    seen: HashSet<String>,
}

impl Reader {
    fn manifest(&mut self, root: &Element) -> Manifest {
        let process = root.child("processinfo");
        if process.is_none() {
            self.faults.push(damaged("there is no processinfo"));
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
            self.faults.push(damaged("there is no creatorinfo"));
            return Creator::default();
        };
        let text = |name: &str| info.text_of(name).map(str::to_owned);
        let tool = info.child("tool");
        let version = tool.and_then(|tool| tool.attribute("version")).map(str::to_owned);
        let author = info.child("author").map(|author| {
            (author.text.trim().to_owned(), author.attribute("email").map(str::to_owned))
        });
        Creator {
            date: text("creationdate").unwrap_or_default(),
            host: text("hostname").unwrap_or_default(),
            tool: (text("tool").unwrap_or_default(), version),
            author,
            location: text("location"),
            comment: text("comment"),
        }
    }

    fn fault(&mut self, place: &str, message: impl Into<String>) {
        self.faults.push(damaged(message).at(place));
    }

    /// Path of an entry, when it may be used.
    fn path(&mut self, element: &Element) -> Option<String> {
        let Some(path) = element.child("path").map(|path| path.text.clone()) else {
            self.fault(&element.name, "an entry without a path");
            return None;
        };
        if !is_relative(&path) {
            self.fault(&path, format!("path '{path}' is not relative to the root"));
            return None;
        }
        Some(path)
    }

    fn record(&mut self, element: &Element) -> Option<Record> {
        let is_file = match &*element.name {
            "hash" => true,
            "directoryhash" => false,
            other => {
                self.fault("hashes", format!("'{other}' is no entry of a hash list"));
                return None;
            }
        };
        let path = self.path(element)?;
        if !self.seen.insert(path.clone()) {
            self.fault(&path, format!("path '{path}' is there twice"));
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
                self.fault(&path, format!("size '{size}' is not a number"));
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
                    let action = other.unwrap_or("missing");
                    self.fault(path, format!("action of '{path}' is {action}"));
                    None
                }
            };
            digests.push(RecordedDigest { digest, action });
        }
        if digests.is_empty() {
            self.fault(path, format!("'{path}' has no hash"));
        }
        digests
    }

    fn values<'a>(&mut self, element: &'a Element, path: &str) -> Vec<(Digest, &'a Element)> {
        let mut values = Vec::new();
        for child in &element.children {
            let Some(format) = Format::parse(&child.name) else { continue };
            match format.read(&child.text) {
                Some(digest) => values.push((digest, child)),
                None => {
                    let (name, text) = (format.name(), &child.text);
                    self.fault(path, format!("'{text}' is not a {name} value"));
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
            self.fault(&path, format!("the reference to '{path}' has no c4"));
        }
        Some(ManifestReference { path, c4: c4? })
    }
}
