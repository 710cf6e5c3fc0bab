//! ASC MHL, the media hash list: a history of manifests beside the files that
//! says what each one was when it was sealed.
//!
//! No file is opened here. [`append`] makes the next generation of a history,
//! and of those below it, from hashes that were taken of what is there;
//! [`seal`] makes the first one of a package whose hashes are known. [`check`]
//! holds histories against what was found on disk and reports everything that
//! is wrong, not the first thing.
//!
//! Sources: ASC MHL Specification 1.0 (15 March 2022) with the schemas of
//! version 2.0, and its Implementation Guidelines 1.0. Where the reference
//! tool and the text differ, the text is followed.

mod append;
mod chain;
mod check;
mod hash;
mod history;
mod ignore;
pub mod legacy;
mod manifest;
mod notice;
mod problem;
mod read;
mod renames;
mod seal;
mod tree;

pub use append::{Appended, NewGeneration, Run, append, needed};
pub use chain::{Chain, ChainEntry};
pub use check::{
    Checked, Found, FoundFile, HistoryFiles, check, check_directories, check_histories, names,
    wanted,
};
pub use hash::{Digest, Format, Hasher};
pub use manifest::{
    Action, Author, Creator, DirectoryRecord, FileRecord, Manifest, ManifestReference, Process,
    Record, RecordedDigest, TreeDigest,
};
pub use notice::not_ignored;
pub use problem::{Kind, Problem, exit_code, words};
pub use seal::{Entry, Seal, Sealed, seal};

/// Directory of a history, at the root of what it seals.
pub const DIRECTORY: &str = "ascmhl";
/// File in it that lists the manifests.
pub const CHAIN_FILE: &str = "ascmhl_chain.xml";
/// What no history covers.
pub const IGNORED: [&str; 3] = [".DS_Store", "ascmhl", "ascmhl/"];

use platefarm_model::{Code, Fault};

fn damaged(message: impl Into<String>) -> Fault {
    Fault::new(Code::BadManifest, message)
}

/// Whether a path is what a manifest may hold: relative, `/` between its
/// parts, none of them empty, `.` or `..` (specification 6.4.8).
fn is_relative(path: &str) -> bool {
    path.split('/').all(|part| !matches!(part, "" | "." | ".."))
}

/// The rest of a path below a root.
fn below<'a>(root: &str, path: &'a str) -> Option<&'a str> {
    if root.is_empty() { Some(path) } else { path.strip_prefix(root)?.strip_prefix('/') }
}

fn join(root: &str, path: &str) -> String {
    match (root, path) {
        ("", path) => path.to_owned(),
        (root, "") => root.to_owned(),
        (root, path) => format!("{root}/{path}"),
    }
}
