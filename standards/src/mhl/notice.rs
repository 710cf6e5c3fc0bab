//! What is right and ought to be known: directories and histories that came,
//! and what is in no seal without anybody having said so.

use super::check::{self, Found, FoundFile, HistoryFiles, Placed};
use super::ignore::Ignore;
use super::{DIRECTORY, IGNORED, below, join};
use platefarm_model::{Code, Fault};
use std::collections::{BTreeMap, BTreeSet};

/// Directory and manifest of `A002R2EC/ascmhl/0001_A002R2EC_....mhl`.
pub(super) fn history_of(path: &str) -> Option<(&str, &str)> {
    let (directory, name) = path.rsplit_once('/')?;
    let root = directory.strip_suffix(DIRECTORY)?.strip_suffix('/')?;
    Some((root, name))
}

/// Those of `paths`, none of them a directory's, that the history closest to
/// each does not leave out, nor `more`, the patterns of a run.
#[must_use]
pub fn not_ignored<'p>(
    histories: &[HistoryFiles<'_>],
    more: &[String],
    paths: &[&'p str],
) -> Vec<&'p str> {
    if paths.is_empty() {
        return Vec::new();
    }
    let placed = check::read(histories, &mut Vec::new());
    let with = |patterns: &[String]| {
        let all = IGNORED.into_iter().chain(patterns.iter().chain(more).map(String::as_str));
        Ignore::new(all)
    };
    let mut ignored: Vec<(&str, Ignore)> = vec![("", with(&[]))];
    ignored.extend(placed.iter().map(|p| (p.files.root, with(&p.history.patterns))));
    let is_told = |path: &&'p str| {
        let homes = ignored.iter().filter_map(|(root, ignore)| Some((ignore, below(root, path)?)));
        // The deepest root leaves the shortest rest, and a history at the top goes before none.
        let home = homes.rev().min_by_key(|(_, rest)| rest.len());
        home.is_none_or(|(ignore, rest)| !ignore.covers(rest, false))
    };
    paths.iter().copied().filter(is_told).collect()
}

impl Placed<'_> {
    /// What came and is no problem: empty directories, histories that this one does not know.
    pub(super) fn came(
        &self,
        there: &BTreeMap<&str, &FoundFile>,
        found: &Found,
        histories: &[HistoryFiles<'_>],
    ) -> Vec<Fault> {
        let mut notices = Vec::new();
        let notice = |message: String, place: &str| {
            Fault::new(Code::ExtraFiles, message).at(place).remedy("Nothing, if it belongs there.")
        };
        let inner: Vec<&str> =
            histories.iter().filter_map(|h| below(self.files.root, h.root)).collect();
        for path in found.directories.iter().filter_map(|path| below(self.files.root, path)) {
            let inside = format!("{path}/");
            let holds =
                there.range(inside.as_str()..).next().is_some_and(|(p, _)| p.starts_with(&inside));
            let own = !path.is_empty()
                && !inner.iter().any(|i| !i.is_empty() && (*i == path || below(i, path).is_some()));
            let parent_of_inner = inner.iter().any(|i| i.starts_with(&inside));
            if own
                && !holds
                && !parent_of_inner
                && self.history.directories_are_known
                && !self.history.directories.contains(path)
                && !self.history.ignore.covers(path, true)
            {
                let full = join(self.files.root, path);
                notices
                    .push(notice(format!("directory '{full}' is empty and in no manifest"), &full));
            }
        }
        let referred: BTreeSet<&str> = self
            .history
            .generations
            .iter()
            .flat_map(|(_, manifest)| &manifest.references)
            .filter_map(|reference| history_of(&reference.path).map(|(dir, _)| dir))
            .collect();
        for root in inner.into_iter().filter(|root| !root.is_empty() && !referred.contains(root)) {
            // One further down belongs to the history between.
            let between = histories.iter().any(|h| {
                below(self.files.root, h.root)
                    .is_some_and(|b| !b.is_empty() && b != root && below(b, root).is_some())
            });
            if !between {
                let full = join(self.files.root, root);
                let message = format!("'{full}' has a history that the one above does not know");
                notices.push(notice(message, &full));
            }
        }
        notices
    }
}
