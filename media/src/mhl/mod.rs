//! ASC MHL on disk: the files that [`platefarm_standards::mhl`] makes values
//! of, read, hashed and written. [`create`] adds a generation to a history or
//! begins one, [`prepare`] begins that of a package whose hashes are known,
//! [`examine`] holds a directory against the history it has.

mod create;
mod hashing;
mod legacy;
mod seal;
mod staged;
mod tree;

pub use create::{CreateOptions, Created, create, create_and_tell};
pub use seal::{Known, Prepared, SealMeta, prepare};

use crate::source::read_fault;
use hashing::{Wanted, hash_files};
use platefarm_model::{Fault, Outcome};
use platefarm_standards::mhl::{
    self, Checked, Digest, Format, Found, HistoryFiles, Manifest, Problem,
};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use tree::{Loaded, Tree};

/// What is held against a history.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// Names only: nothing is read but the history.
    pub names_only: bool,
    /// Hashes of directories too, which is stricter than the specification
    /// asks: they find a history that was rewritten as a whole, an empty
    /// directory or a card with its own history that came.
    pub directories: bool,
}

/// Holds a directory against its history and those inside it: everything that
/// is wrong, nothing when all is well. Files are hashed in parallel. A
/// directory without a history of ASC MHL that has an MHL of version 1 is held
/// against that.
#[must_use]
pub fn examine(dir: &Path, scope: Scope) -> Checked {
    hold(dir, scope, &HashMap::new())
}

/// [`examine`], where the XXH128 of some files is `known`.
fn hold(dir: &Path, scope: Scope, known: &HashMap<String, String>) -> Checked {
    let mut unread = Vec::new();
    let tree = Tree::walk(dir, &mut unread);
    if tree.histories.is_empty()
        && let Some(list) = legacy::find(dir)
    {
        return legacy::verify(&list, scope.names_only);
    }
    let loaded: Vec<Loaded> =
        tree.histories.iter().filter_map(|root| Loaded::read(dir, root, &mut unread)).collect();
    let histories: Vec<HistoryFiles<'_>> = loaded.iter().map(Loaded::as_files).collect();
    let mut wanted = if scope.names_only { Wanted::new() } else { mhl::wanted(&histories) };
    let known = without_known(&mut wanted, known);
    let (mut files, failed) = hash_files(dir, &tree.files, &wanted);
    for file in &mut files {
        file.digests.extend(known.get(&file.path).cloned());
    }
    unread.extend(failed);
    let not_sealed = tree.notices(&histories, &[]);
    let found = Found { files, directories: tree.directories };
    let mut checked = match scope.names_only {
        true => mhl::names(&histories, &found),
        false => mhl::check(&histories, &found),
    };
    checked.notices.extend(not_sealed);
    // A file that cannot be read is there: it is not missing.
    let unreadable: Vec<&str> = unread.iter().map(|p| p.subject.as_str()).collect();
    checked.problems.retain(|p| !unreadable.contains(&p.subject.as_str()));
    checked.problems.extend(unread);
    // What single files say is reported once; directory hashes speak when those are silent.
    if scope.directories && !scope.names_only && checked.problems.is_empty() {
        match mhl::check_directories(&histories, &found) {
            Ok(more) => checked.problems.extend(more),
            Err(fault) => checked.problems.push(Problem::unreadable("", fault)),
        }
    }
    checked
}

/// Takes out of what is wanted the files of which nothing is, or only what is known already; that comes back.
fn without_known(wanted: &mut Wanted, known: &HashMap<String, String>) -> HashMap<String, Digest> {
    let only = Format::Xxh128;
    let mut read = HashMap::new();
    wanted.retain(|path, formats| {
        let known = known.get(path).filter(|_| *formats == [only]);
        let Some(digest) = known.and_then(|text| only.read(text)) else {
            return !formats.is_empty();
        };
        read.insert(path.clone(), digest);
        false
    });
    read
}

/// Holds an MHL of version 1 against the files that it lists.
///
/// # Errors
/// [`platefarm_model::Code::BadManifest`] when the file is none; `F01xx`.
pub fn examine_legacy(list: &Path) -> Outcome<Checked> {
    if !list.is_file() {
        return Err(read_fault(list, &std::io::ErrorKind::NotFound.into()));
    }
    Ok(legacy::verify(list, false))
}

/// As [`examine`] with directory hashes: everything that is wrong.
#[must_use]
pub fn verify(dir: &Path) -> Vec<Fault> {
    verify_known(dir, &HashMap::new())
}

/// The same, where the XXH128 of some files is `known`, since they were read whole a moment ago:
/// they are not read again, where no other hash of them is recorded. By their paths from there, with `/`.
#[must_use]
pub fn verify_known(dir: &Path, known: &HashMap<String, String>) -> Vec<Fault> {
    let scope = Scope { directories: true, ..Scope::default() };
    hold(dir, scope, known).problems.into_iter().map(Fault::from).collect()
}

/// A history with its generations, for showing.
#[derive(Clone, Debug, PartialEq)]
pub struct HistoryInfo {
    /// Directory, relative to the outermost; `""` for that.
    pub root: String,
    /// Name and content of its manifests in the order of their numbers, as far as they can be read.
    pub generations: Vec<(String, Manifest)>,
}

/// The histories of a directory, the outermost first, and what is wrong with them as such.
#[must_use]
pub fn info(dir: &Path) -> (Vec<HistoryInfo>, Vec<Problem>) {
    let mut problems = Vec::new();
    let tree = Tree::walk(dir, &mut problems);
    let loaded: Vec<Loaded> =
        tree.histories.iter().filter_map(|root| Loaded::read(dir, root, &mut problems)).collect();
    let histories: Vec<HistoryFiles<'_>> = loaded.iter().map(Loaded::as_files).collect();
    problems.extend(mhl::check_histories(&histories));
    let infos = histories.iter().map(|files| HistoryInfo {
        root: files.root.to_owned(),
        generations: files
            .manifests
            .iter()
            .filter_map(|(name, bytes)| Some(((*name).to_owned(), Manifest::parse(bytes).0?)))
            .collect(),
    });
    (infos.collect(), problems)
}

/// Bytes that [`examine`] will read, as the manifests have them, each file once; none where they do
/// not say it, or there are none.
#[must_use]
pub fn recorded_bytes(dir: &Path) -> Option<u64> {
    recorded_bytes_but(dir, |_| false)
}

/// Bytes that [`verify_known`] will read, where the files are known that `known` says.
#[must_use]
pub fn recorded_bytes_but(dir: &Path, known: impl Fn(&str) -> bool) -> Option<u64> {
    let mut sizes: BTreeMap<String, u64> = BTreeMap::new();
    for history in info(dir).0 {
        for (_, manifest) in &history.generations {
            for file in manifest.files() {
                let path = match history.root.as_str() {
                    "" => file.path.clone(),
                    root => format!("{root}/{}", file.path),
                };
                let mut formats = file.digests.iter().map(|recorded| recorded.digest.format());
                let read = !known(&path) || formats.any(|format| format != Format::Xxh128);
                sizes.insert(path, if read { file.size? } else { 0 });
            }
        }
    }
    (!sizes.is_empty()).then(|| sizes.values().sum())
}
