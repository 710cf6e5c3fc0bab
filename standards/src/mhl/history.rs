//! What a history knows after all of its generations: for each path that
//! should be there, the hashes that may be used to verify it.

use super::chain::{Chain, generation};
use super::damaged;
use super::hash::{Digest, Format};
use super::ignore::Ignore;
use super::manifest::{Action, Manifest};
use platefarm_model::Fault;
use std::collections::{BTreeMap, BTreeSet};

/// A history, read.
pub(super) struct History {
    /// Its manifests, with their names, the first generation first.
    pub(super) generations: Vec<(String, Manifest)>,
    /// Files by path.
    pub(super) files: BTreeMap<String, Known>,
    /// Directories that the last generation with directory hashes lists.
    pub(super) directories: BTreeSet<String>,
    /// What all generations leave out.
    pub(super) ignore: Ignore,
    /// Whether every generation could be read: if not, files that it added are unknown.
    pub(super) whole: bool,
}

/// What is known of a file.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// For each format the first value that is original or verified.
    pub(super) digests: Vec<Digest>,
    /// Whether a value was set aside because it is failed.
    pub(super) failed: bool,
}

impl History {
    /// Reads a history and holds its manifests against its chain.
    pub(super) fn read(
        chain: Option<&[u8]>,
        manifests: &[(&str, &[u8])],
        faults: &mut Vec<Fault>,
    ) -> Option<Self> {
        let Some(chain) = chain else {
            let message = format!("{} is missing", super::CHAIN_FILE);
            faults.push(damaged(message).at(super::CHAIN_FILE));
            return None;
        };
        let chain = match Chain::parse(chain) {
            Ok(chain) => chain,
            Err(fault) => {
                faults.push(fault.within(super::CHAIN_FILE));
                return None;
            }
        };
        faults.extend(chain.check(manifests));
        let mut generations = Vec::new();
        for entry in &chain.entries {
            let Some((name, bytes)) = manifests.iter().find(|(name, _)| *name == entry.path) else {
                continue;
            };
            let (manifest, wrong) = Manifest::parse(bytes);
            faults.extend(wrong.into_iter().map(|fault| fault.within(name)));
            generations.extend(manifest.map(|manifest| ((*name).to_owned(), manifest)));
        }
        let unlisted = manifests.iter().any(|(name, _)| {
            generation(name).is_none() || !chain.entries.iter().any(|entry| entry.path == *name)
        });
        let whole = generations.len() == chain.entries.len() && !unlisted;
        Some(Self::of(generations, whole))
    }

    fn of(generations: Vec<(String, Manifest)>, whole: bool) -> Self {
        let mut files: BTreeMap<String, Known> = BTreeMap::new();
        let mut directories = BTreeSet::new();
        for (_, manifest) in &generations {
            for file in manifest.files() {
                let before = file.previous_path.as_ref().filter(|previous| **previous != file.path);
                let before = before.and_then(|previous| files.remove(previous));
                let known = files.entry(file.path.clone()).or_default();
                for digest in before.into_iter().flat_map(|before| before.digests) {
                    known.add(digest);
                }
                for recorded in &file.digests {
                    match recorded.action {
                        Some(Action::Original | Action::Verified) => {
                            known.add(recorded.digest.clone());
                        }
                        Some(Action::Failed) => known.failed = true,
                        None => {}
                    }
                }
            }
            if manifest.directories().next().is_some() {
                directories = manifest.directories().map(|d| d.path.clone()).collect();
            }
        }
        let patterns = generations.iter().flat_map(|(_, m)| &m.ignore).map(String::as_str);
        let ignore = Ignore::new(super::IGNORED.into_iter().chain(patterns));
        files.retain(|path, _| !ignore.covers(path, false));
        directories.retain(|path| !ignore.covers(path, true));
        Self { generations, files, directories, ignore, whole }
    }
}

impl Known {
    fn add(&mut self, digest: Digest) {
        if !self.digests.iter().any(|known| known.format() == digest.format()) {
            self.digests.push(digest);
        }
    }

    /// The formats that it can be verified in.
    pub(super) fn formats(&self) -> impl Iterator<Item = Format> {
        self.digests.iter().map(Digest::format)
    }
}
