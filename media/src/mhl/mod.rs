//! ASC MHL on disk: the files that [`platefarm_standards::mhl`] makes values
//! of, read, hashed and written. [`seal`] makes a history, [`verify`] holds a
//! directory against the one it has.

mod seal;

pub use seal::{SealMeta, seal};

use crate::{publish, source::read_fault};
use platefarm_model::{Code, Fault, Outcome, limits};
use platefarm_standards::mhl::{
    self, CHAIN_FILE, DIRECTORY, Digest, Format, Found, FoundFile, Hasher, HistoryFiles,
};
use rayon::prelude::*;
use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

/// Holds a directory against its history and those inside it: everything that
/// is wrong, nothing when all is well. Files are hashed in parallel.
///
/// Directory hashes are checked too, which is stricter than the specification
/// asks: a sealed directory to which an empty directory or a card with its own
/// history came is reported.
#[must_use]
pub fn verify(dir: &Path) -> Vec<Fault> {
    let mut faults = Vec::new();
    let tree = Tree::walk(dir, &mut faults);
    let loaded: Vec<History> =
        tree.histories.iter().filter_map(|root| History::load(dir, root, &mut faults)).collect();
    let histories: Vec<HistoryFiles<'_>> = loaded.iter().map(History::as_files).collect();
    let wanted = mhl::wanted(&histories);
    let hashed: Vec<Result<FoundFile, Fault>> = tree
        .files
        .par_iter()
        .map(|relative| {
            let formats = wanted.get(relative).map_or(&[] as &[Format], Vec::as_slice);
            let digests = if formats.is_empty() {
                Vec::new()
            } else {
                digests(&dir.join(relative), formats)?.1
            };
            Ok(FoundFile { path: relative.clone(), digests })
        })
        .collect();
    let mut found = Found { files: Vec::new(), directories: tree.directories };
    for file in hashed {
        match file {
            Ok(file) => found.files.push(file),
            Err(fault) => faults.push(fault),
        }
    }
    faults.extend(mhl::check(&histories, &found));
    // What single files say is reported once; directory hashes speak when those are silent.
    if faults.is_empty() {
        match mhl::check_directories(&histories, &found) {
            Ok(more) => faults.extend(more),
            Err(fault) => faults.push(fault),
        }
    }
    faults
}

/// Size and hashes of a file.
fn digests(path: &Path, formats: &[Format]) -> Outcome<(u64, Vec<Digest>)> {
    let fault = |e| read_fault(path, &e);
    let mut file = File::open(path).map_err(fault)?;
    let mut hasher = Hasher::new(formats);
    let mut buffer = vec![0; 1 << 20];
    let mut size = 0;
    loop {
        let count = file.read(&mut buffer).map_err(fault)?;
        if count == 0 {
            return Ok((size, hasher.finish()));
        }
        hasher.update(&buffer[..count]);
        size += count as u64;
    }
}

/// What lies under a directory, by paths relative to it with `/`, in order.
struct Tree {
    files: Vec<String>,
    directories: Vec<String>,
    /// Directories that have a history; `""` for the outermost.
    histories: Vec<String>,
}

impl Tree {
    fn walk(dir: &Path, faults: &mut Vec<Fault>) -> Self {
        let mut tree = Self { files: Vec::new(), directories: Vec::new(), histories: Vec::new() };
        tree.enter(dir, String::new(), faults);
        tree.files.sort();
        tree.directories.sort();
        tree.histories.sort();
        tree
    }

    /// Links are neither followed nor sealed: what they lead to is not ours to vouch for.
    fn enter(&mut self, dir: &Path, first: String, faults: &mut Vec<Fault>) {
        let mut queue = vec![first];
        while let Some(at) = queue.pop() {
            let directory = dir.join(&at);
            let entries =
                match fs::read_dir(&directory).and_then(Iterator::collect::<Result<Vec<_>, _>>) {
                    Ok(entries) => entries,
                    Err(error) => {
                        faults.push(read_fault(&directory, &error));
                        continue;
                    }
                };
            for entry in entries {
                let name = entry.file_name();
                let Some(name) = name.to_str() else {
                    faults.push(
                        Fault::new(Code::BadManifest, format!("the name {name:?} is not Unicode"))
                            .at(directory.display().to_string()),
                    );
                    continue;
                };
                let relative = if at.is_empty() { name.to_owned() } else { format!("{at}/{name}") };
                let kind = entry.file_type();
                if kind.as_ref().is_ok_and(fs::FileType::is_dir) {
                    if name == DIRECTORY {
                        self.histories.push(at.clone());
                    } else if relative != publish::STAGING {
                        self.directories.push(relative.clone());
                        queue.push(relative);
                    }
                } else if kind.is_ok_and(|k| k.is_file()) {
                    self.files.push(relative);
                }
            }
        }
    }
}

/// The files of one history.
struct History {
    root: String,
    chain: Option<Vec<u8>>,
    manifests: Vec<(String, Vec<u8>)>,
}

impl History {
    fn load(dir: &Path, root: &str, faults: &mut Vec<Fault>) -> Option<Self> {
        let directory = dir.join(root).join(DIRECTORY);
        let mut history = Self { root: root.to_owned(), chain: None, manifests: Vec::new() };
        let entries = match fs::read_dir(&directory) {
            Ok(entries) => entries,
            Err(error) => {
                faults.push(read_fault(&directory, &error));
                return None;
            }
        };
        for path in entries.flatten().map(|entry| entry.path()) {
            let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default().to_owned();
            let is_manifest = path.extension().is_some_and(|e| e == "mhl");
            if name != CHAIN_FILE && !is_manifest {
                continue;
            }
            match document(&path) {
                Ok(bytes) if is_manifest => history.manifests.push((name, bytes)),
                Ok(bytes) => history.chain = Some(bytes),
                Err(fault) => faults.push(fault),
            }
        }
        history.manifests.sort();
        Some(history)
    }

    fn as_files(&self) -> HistoryFiles<'_> {
        HistoryFiles {
            root: &self.root,
            chain: self.chain.as_deref(),
            manifests: self.manifests.iter().map(|(n, b)| (n.as_str(), b.as_slice())).collect(),
        }
    }
}

fn document(path: &Path) -> Outcome<Vec<u8>> {
    let fault = |e| read_fault(path, &e);
    let file = File::open(path).map_err(fault)?;
    let mut bytes = Vec::new();
    file.take(limits::MAX_DOCUMENT_BYTES + 1).read_to_end(&mut bytes).map_err(fault)?;
    if bytes.len() as u64 > limits::MAX_DOCUMENT_BYTES {
        return Err(Fault::new(Code::TooLarge, "a manifest beyond the limit")
            .at(path.display().to_string()));
    }
    Ok(bytes)
}
