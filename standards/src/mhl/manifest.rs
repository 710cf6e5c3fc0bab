//! One generation of a history.

use super::hash::Digest;
use crate::xml::Writer;
use platefarm_model::Timestamp;
use platefarm_model::utc::Utc;

pub(super) const NAMESPACE: &str = "urn:ASC:MHL:v2.0";

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
    /// By whom.
    pub authors: Vec<Author>,
    /// Where.
    pub location: Option<String>,
    /// Remark.
    pub comment: Option<String>,
}

/// A person.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Author {
    /// Name.
    pub name: String,
    /// E-mail address.
    pub email: Option<String>,
    /// Telephone number.
    pub phone: Option<String>,
    /// Role in the production.
    pub role: Option<String>,
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
        let Creator { date, host, tool: (tool, version), authors, location, comment } =
            &self.creator;
        xml.open("creatorinfo", &[]);
        xml.leaf("creationdate", &[], date);
        xml.leaf("hostname", &[], host);
        let version: Vec<(&str, &str)> = version.iter().map(|v| ("version", v.as_str())).collect();
        xml.leaf("tool", &version, tool);
        for Author { name, email, phone, role } in authors {
            let known = [("email", email), ("phone", phone), ("role", role)];
            let known = known.iter().filter_map(|(key, text)| Some((*key, text.as_deref()?)));
            xml.leaf("author", &known.collect::<Vec<_>>(), name);
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
    /// Its word in manifests.
    #[must_use]
    pub const fn name(self) -> &'static str {
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
    for name in ["content", "structure"] {
        xml.open(name, &[]);
        for pair in digests {
            let digest = if name == "content" { &pair.content } else { &pair.structure };
            xml.leaf(digest.format().name(), &[], &digest.to_string());
        }
        xml.close();
    }
}
