//! Media hash lists of version 1 (mediahashlist.org), one file beside what it
//! lists, which offload tools wrote before ASC MHL and some still write.

use super::hashing::{Wanted, hash_files};
use super::tree::document;
use platefarm_model::{Code, Fault};
use platefarm_standards::mhl::legacy::List;
use platefarm_standards::mhl::{Checked, Found, Kind, Problem};
use std::path::{Path, PathBuf};

/// The list of a directory that has no history: the only `.mhl` in it that is one of version 1.
pub(super) fn find(dir: &Path) -> Option<PathBuf> {
    let entries = crate::storage::read_dir(dir).ok()?;
    let mut lists: Vec<PathBuf> = entries
        .into_iter()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|e| e.eq_ignore_ascii_case("mhl")))
        .filter(|path| document(path).is_ok_and(|bytes| List::parse(&bytes).is_ok()))
        .collect();
    lists.sort();
    lists.pop()
}

/// Holds a list against the files beside it. It does not claim to list everything.
pub(super) fn verify(path: &Path, names_only: bool) -> Checked {
    let dir = path.parent().unwrap_or(Path::new("."));
    let list = match document(path).and_then(|bytes| List::parse(&bytes)) {
        Ok(list) => list,
        Err(fault) => {
            let problem = Problem::unreadable("", fault.within(path.display()));
            let problem = Problem { kind: Kind::ManifestInvalid, ..problem };
            return Checked { problems: vec![problem], notices: Vec::new() };
        }
    };
    let mut wanted = if names_only { Wanted::new() } else { list.wanted() };
    let paths: Vec<String> = list.paths().map(str::to_owned).collect();
    // What lies outside is not looked at, whatever the list says.
    let (there, gone): (Vec<String>, Vec<String>) =
        paths.into_iter().partition(|path| dir.join(path).is_file());
    wanted.retain(|path, _| !gone.contains(path));
    let (files, failed) = hash_files(dir, &there, &wanted);
    let found = Found { files, directories: Vec::new() };
    let mut problems = list.check(&found, names_only);
    problems.extend(failed);
    let message = "held against an MHL of version 1, which says nothing of other files";
    let notice = Fault::new(Code::MetadataAbsent, message)
        .at(path.display().to_string())
        .remedy("Nothing, or seal the directory with `platefarm mhl create`.");
    Checked { problems, notices: vec![notice] }
}
