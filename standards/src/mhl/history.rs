//! What a history knows after all of its generations: for each path that
//! should be there, the hashes that may be used to verify it.

use super::chain::{Chain, generation};
use super::hash::{Digest, Format};
use super::ignore::Ignore;
use super::manifest::{Action, Manifest};
use super::problem::{Kind, Problem};
use super::renames::Renames;
use std::collections::{BTreeMap, BTreeSet};

/// A history, read.
pub(super) struct History {
    /// Its chain.
    pub(super) chain: Chain,
    /// Its manifests, with their names, the first generation first.
    pub(super) generations: Vec<(String, Manifest)>,
    /// Files by path.
    pub(super) files: BTreeMap<String, Known>,
    /// How they came to their names.
    pub(super) renames: Renames,
    /// Directories that the last generation with directory hashes lists.
    pub(super) directories: BTreeSet<String>,
    /// Whether there is such a generation.
    pub(super) directories_are_known: bool,
    /// What all generations leave out.
    pub(super) ignore: Ignore,
    /// Its patterns as written, each once, in order.
    pub(super) patterns: Vec<String>,
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
    /// Size that the last generation recorded.
    pub(super) size: Option<u64>,
}

impl History {
    /// One that is not begun.
    pub(super) fn empty() -> Self {
        Self::of(Vec::new(), true)
    }

    /// Reads a history and holds its manifests against its chain. `root` is
    /// where it lies below the outermost.
    pub(super) fn read(
        root: &str,
        chain: Option<&[u8]>,
        manifests: &[(&str, &[u8])],
        problems: &mut Vec<Problem>,
    ) -> Option<Self> {
        let mut own = Vec::new();
        let history = Self::read_own(chain, manifests, &mut own);
        let place = super::join(root, super::DIRECTORY);
        problems.extend(own.into_iter().map(|mut problem| {
            problem.subject = super::join(root, &problem.subject);
            Problem { fault: problem.fault.within(&place), ..problem }
        }));
        history
    }

    fn read_own(
        chain: Option<&[u8]>,
        manifests: &[(&str, &[u8])],
        problems: &mut Vec<Problem>,
    ) -> Option<Self> {
        let Some(chain) = chain else {
            let message = format!("{} is missing", super::CHAIN_FILE);
            problems.push(Problem::new(Kind::ChainMissing, "", message).at(super::CHAIN_FILE));
            return None;
        };
        let chain = match Chain::read(chain) {
            Ok(chain) => chain,
            Err(problem) => {
                let Problem { kind, subject, fault } = *problem;
                let fault = fault.within(super::CHAIN_FILE);
                problems.push(Problem { kind, subject, fault });
                return None;
            }
        };
        problems.extend(chain.check(manifests));
        let mut generations = Vec::new();
        for entry in &chain.entries {
            let Some((name, bytes)) = manifests.iter().find(|(name, _)| *name == entry.path) else {
                continue;
            };
            let (manifest, wrong) = Manifest::read(bytes);
            problems.extend(wrong.into_iter().map(|mut problem| {
                if problem.subject.is_empty() {
                    problem.subject = entry.sequence.to_string();
                }
                Problem { fault: problem.fault.within(name), ..problem }
            }));
            generations.extend(manifest.map(|manifest| ((*name).to_owned(), manifest)));
        }
        let unlisted = manifests.iter().any(|(name, _)| {
            generation(name).is_none() || !chain.entries.iter().any(|entry| entry.path == *name)
        });
        let whole = generations.len() == chain.entries.len() && !unlisted;
        Some(Self { chain, ..Self::of(generations, whole) })
    }

    fn of(generations: Vec<(String, Manifest)>, whole: bool) -> Self {
        let mut files: BTreeMap<String, Known> = BTreeMap::new();
        let mut renames = Renames::default();
        let mut directories = BTreeSet::new();
        let directories_are_known =
            generations.iter().any(|(_, m)| m.directories().next().is_some() || !m.root.is_empty());
        for (_, manifest) in &generations {
            for file in manifest.files() {
                let before = file.previous_path.as_ref().filter(|previous| **previous != file.path);
                if let Some(previous) = before {
                    renames.add(previous, &file.path);
                }
                let before = before.and_then(|previous| files.remove(previous));
                let known = files.entry(file.path.clone()).or_default();
                for digest in before.into_iter().flat_map(|before| before.digests) {
                    known.add(digest);
                }
                known.size = file.size.or(known.size);
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
        let patterns = patterns_of(&generations);
        let ignore = Ignore::new(patterns.iter().map(String::as_str));
        files.retain(|path, _| !ignore.covers(path, false));
        directories.retain(|path| !ignore.covers(path, true));
        Self {
            chain: Chain::default(),
            generations,
            files,
            renames,
            directories,
            directories_are_known,
            ignore,
            patterns,
            whole,
        }
    }
}

/// What is left out, by us and by each generation; patterns only come.
fn patterns_of(generations: &[(String, Manifest)]) -> Vec<String> {
    let mut patterns: Vec<String> = Vec::new();
    let written = generations.iter().flat_map(|(_, m)| &m.ignore).map(String::as_str);
    for pattern in super::IGNORED.into_iter().chain(written) {
        if !patterns.iter().any(|known| known == pattern) {
            patterns.push(pattern.to_owned());
        }
    }
    patterns
}

impl Known {
    fn add(&mut self, digest: Digest) {
        if !self.digests.iter().any(|known| known.format() == digest.format()) {
            self.digests.push(digest);
        }
    }

    /// Whether every value that could say what it is failed.
    pub(super) fn only_failed(&self) -> bool {
        self.failed && self.digests.is_empty()
    }

    /// The formats that it can be verified in.
    pub(super) fn formats(&self) -> impl Iterator<Item = Format> {
        self.digests.iter().map(Digest::format)
    }
}
