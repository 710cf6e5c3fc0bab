//! What lies under a directory, and the histories in it.

use crate::publish;
use crate::source::read_fault;
use crate::storage::{self, File};
use platefarm_model::{Code, Fault, Outcome, limits};
use platefarm_standards::mhl::{self, CHAIN_FILE, DIRECTORY, HistoryFiles, Problem};
use std::collections::HashSet;
use std::io::Read;
use std::path::Path;

/// What lies under a directory, by paths relative to it with `/`, in order.
#[derive(Default)]
pub(super) struct Tree {
    pub(super) files: Vec<String>,
    pub(super) directories: Vec<String>,
    /// Directories that have a history; `""` for the outermost.
    pub(super) histories: Vec<String>,
    /// What is neither file nor directory: links, pipes, devices, and what they are.
    others: Vec<(String, &'static str)>,
}

impl Tree {
    /// Links are neither followed nor sealed: what they lead to is not ours to vouch for.
    pub(super) fn walk(dir: &Path, problems: &mut Vec<Problem>) -> Self {
        let mut tree = Self::default();
        let mut queue = vec![String::new()];
        while let Some(at) = queue.pop() {
            if let Err(fault) = tree.enter(dir, &at, &mut queue, problems) {
                problems.push(Problem::unreadable(&at, fault));
            }
        }
        tree.files.sort();
        tree.directories.sort();
        tree.histories.sort();
        tree.others.sort();
        tree
    }

    /// Says what is there and in no seal, and is not left out by a pattern of
    /// the histories or by `ignore`, those of a run.
    pub(super) fn notices(&self, histories: &[HistoryFiles<'_>], ignore: &[String]) -> Vec<Fault> {
        let paths: Vec<&str> = self.others.iter().map(|(path, _)| path.as_str()).collect();
        let told: HashSet<&str> = mhl::not_ignored(histories, ignore, &paths).into_iter().collect();
        let told = self.others.iter().filter(|(path, _)| told.contains(path.as_str()));
        told.map(|(path, what)| {
            Fault::new(Code::NotSealed, format!("'{path}' is {what}, and in no seal"))
                .at(path.clone())
        })
        .collect()
    }

    fn enter(
        &mut self,
        dir: &Path,
        at: &str,
        queue: &mut Vec<String>,
        problems: &mut Vec<Problem>,
    ) -> Outcome<()> {
        let directory = dir.join(at);
        let fault = |e| read_fault(&directory, &e);
        for entry in storage::read_dir(&directory).map_err(fault)? {
            let entry = entry.map_err(fault)?;
            let name = entry.file_name();
            let Some(name) = name.to_str() else {
                let fault =
                    Fault::new(Code::BadManifest, format!("the name {name:?} is not Unicode"))
                        .at(directory.display().to_string());
                problems.push(Problem::unreadable(&name.to_string_lossy(), fault));
                continue;
            };
            let relative = if at.is_empty() { name.to_owned() } else { format!("{at}/{name}") };
            if entry.is_dir() && name == DIRECTORY {
                self.histories.push(at.to_owned());
            } else if entry.is_dir() && relative != publish::STAGING {
                self.directories.push(relative.clone());
                queue.push(relative);
            } else if entry.is_file() {
                self.files.push(relative);
            } else if !entry.is_dir() {
                let linked = entry.path().symlink_metadata().is_ok_and(|m| m.is_symlink());
                self.others.push((relative, if linked { "a link" } else { "a pipe or device" }));
            }
        }
        Ok(())
    }
}

/// The files of one history.
pub(super) struct Loaded {
    root: String,
    chain: Option<Vec<u8>>,
    manifests: Vec<(String, Vec<u8>)>,
}

impl Loaded {
    pub(super) fn read(dir: &Path, root: &str, problems: &mut Vec<Problem>) -> Option<Self> {
        let directory = dir.join(root).join(DIRECTORY);
        let mut history = Self { root: root.to_owned(), chain: None, manifests: Vec::new() };
        let entries = match storage::read_dir(&directory) {
            Ok(entries) => entries,
            Err(error) => {
                problems.push(Problem::unreadable(root, read_fault(&directory, &error)));
                return None;
            }
        };
        for path in entries.into_iter().flatten().map(|entry| entry.path()) {
            let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default().to_owned();
            let is_manifest = path.extension().is_some_and(|e| e == "mhl");
            if name != CHAIN_FILE && !is_manifest {
                continue;
            }
            match document(&path) {
                Ok(bytes) if is_manifest => history.manifests.push((name, bytes)),
                Ok(bytes) => history.chain = Some(bytes),
                Err(fault) => problems.push(Problem::unreadable(&name, fault)),
            }
        }
        // By number: beyond 9999 the order of the names is another.
        history.manifests.sort_by_cached_key(|(name, _)| {
            let number = name.split('_').next().and_then(|n| n.parse::<u64>().ok());
            (number.unwrap_or(u64::MAX), name.clone())
        });
        Some(history)
    }

    pub(super) fn as_files(&self) -> HistoryFiles<'_> {
        HistoryFiles {
            root: &self.root,
            chain: self.chain.as_deref(),
            manifests: self.manifests.iter().map(|(n, b)| (n.as_str(), b.as_slice())).collect(),
        }
    }
}

/// A manifest or chain, whole.
pub(super) fn document(path: &Path) -> Outcome<Vec<u8>> {
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
