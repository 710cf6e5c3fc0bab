//! Directory hashes: one pair for each directory, from the hashes of what is
//! in it. The content hash does not see names, the structure hash does.

use super::damaged;
use super::hash::{Digest, Format};
use super::manifest::TreeDigest;
use platefarm_model::Outcome;
use std::collections::BTreeMap;

/// What a directory holds, as its hashes see it.
#[derive(Default)]
struct Children {
    contents: Vec<Digest>,
    structures: Vec<Digest>,
}

impl Children {
    fn add(&mut self, name: &str, content: Digest, structure: &Digest) {
        let format = content.format();
        self.contents.push(content);
        self.structures.push(format.of(&[name.as_bytes(), structure.bytes()].concat()));
    }

    fn hashes(self, format: Format) -> TreeDigest {
        TreeDigest {
            content: list(format, self.contents),
            structure: list(format, self.structures),
        }
    }
}

/// The hash of a list of hashes. The list is sorted as text: for C4 that is
/// another order than that of the bytes.
fn list(format: Format, digests: Vec<Digest>) -> Digest {
    let mut by_text: Vec<(String, Digest)> =
        digests.into_iter().map(|digest| (digest.to_string(), digest)).collect();
    by_text.sort_by(|a, b| a.0.cmp(&b.0));
    let bytes: Vec<u8> = by_text.iter().flat_map(|(_, digest)| digest.bytes()).copied().collect();
    format.of(&bytes)
}

/// Hashes of every directory by its path; the root is `""`. `known` are
/// directories whose hashes are known already: the roots of histories inside.
///
/// # Errors
/// [`platefarm_model::Code::BadManifest`] when a path is a file and a directory, or is there twice.
pub(super) fn directory_hashes<'a>(
    format: Format,
    files: impl IntoIterator<Item = (&'a str, Digest)>,
    directories: impl IntoIterator<Item = &'a str>,
    known: impl IntoIterator<Item = (&'a str, TreeDigest)>,
) -> Outcome<BTreeMap<String, TreeDigest>> {
    let mut open: BTreeMap<String, Children> =
        BTreeMap::from([(String::new(), Children::default())]);
    let mut seen = std::collections::HashSet::new();
    let mut with_ancestors = |mut path: &str| {
        while open.insert(path.to_owned(), Children::default()).is_none() {
            path = parent(path).0;
        }
    };
    for directory in directories {
        with_ancestors(directory);
    }
    let known: BTreeMap<&str, TreeDigest> = known.into_iter().collect();
    for path in known.keys() {
        with_ancestors(path);
    }
    let files: Vec<(&str, Digest)> = files.into_iter().collect();
    for (path, _) in &files {
        with_ancestors(parent(path).0);
    }
    for (path, digest) in files {
        if open.contains_key(path) {
            return Err(damaged("the path is a file and a directory").at(path));
        }
        if !seen.insert(path) {
            return Err(damaged("the path is there twice").at(path));
        }
        let (directory, name) = parent(path);
        if let Some(children) = open.get_mut(directory) {
            children.add(name, digest.clone(), &digest);
        }
    }
    // The deepest first, so that each is complete before it enters its parent.
    let mut paths: Vec<String> = open.keys().cloned().collect();
    paths.sort_by_key(|path| std::cmp::Reverse((path.matches('/').count(), !path.is_empty())));
    let mut done = BTreeMap::new();
    for path in paths {
        let Some(children) = open.remove(&path) else { continue };
        let hashes = match known.get(path.as_str()) {
            Some(known) => known.clone(),
            None => children.hashes(format),
        };
        if !path.is_empty() {
            let (directory, name) = parent(&path);
            if let Some(children) = open.get_mut(directory) {
                children.add(name, hashes.content.clone(), &hashes.structure);
            }
        }
        done.insert(path, hashes);
    }
    Ok(done)
}

/// Directory and name of a path.
pub(super) fn parent(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}
