//! A history against what is on disk.

use super::hash::{Digest, Format};
use super::history::History;
use super::manifest::TreeDigest;
use super::notice::history_of;
use super::problem::{Kind, Problem};
use super::renames::Names;
use super::tree::directory_hashes;
use super::{DIRECTORY, below, join};
use platefarm_model::{Fault, Outcome, Timestamp};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// The `ascmhl` directory of one history.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HistoryFiles<'a> {
    /// Directory that it seals, relative to the outermost; `""` for that.
    pub root: &'a str,
    /// Content of the chain file, if it is there.
    pub chain: Option<&'a [u8]>,
    /// Names and contents of the manifests that are there.
    pub manifests: Vec<(&'a str, &'a [u8])>,
}

/// What is on disk. What lies in an `ascmhl` directory may be left out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Found {
    /// Files.
    pub files: Vec<FoundFile>,
    /// Directories, those of files may be left out.
    pub directories: Vec<String>,
}

/// A file on disk.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FoundFile {
    /// Path from the outermost root, with `/`.
    pub path: String,
    /// Size in bytes.
    pub size: u64,
    /// When it was last modified.
    pub modified: Option<Timestamp>,
    /// Its hashes, in the formats that [`wanted`] or [`needed`](super::needed) asks for.
    pub digests: Vec<Digest>,
}

/// What holding histories against the disk found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Checked {
    /// Everything that is wrong; empty when all is well.
    pub problems: Vec<Problem>,
    /// What is right and ought to be known: an empty directory that came, a
    /// history that the one above it does not know.
    pub notices: Vec<Fault>,
}

/// A history with the place that it has among the others.
pub(super) struct Placed<'a> {
    pub(super) files: &'a HistoryFiles<'a>,
    pub(super) history: History,
}

/// The formats in which each path should be hashed for [`check`]; faults of
/// the histories are left to it.
#[must_use]
pub fn wanted(histories: &[HistoryFiles<'_>]) -> BTreeMap<String, Vec<Format>> {
    let placed = read(histories, &mut Vec::new());
    let names = Names::new(&placed);
    let mut wanted: BTreeMap<String, Vec<Format>> = BTreeMap::new();
    for placed in &placed {
        for (path, known) in &placed.history.files {
            let formats = wanted.entry(names.by_now(placed.files.root, path)).or_default();
            // A history above one that came later may know the file in other formats.
            for format in known.formats() {
                if !formats.contains(&format) {
                    formats.push(format);
                }
            }
        }
    }
    wanted
}

/// Holds histories against what is on disk. Reports everything that is wrong
/// with a chain or manifest, every file that was modified, is missing or is
/// in no manifest, each with its path.
///
/// A directory inside may have its own history, which then answers for what is
/// in it; give them all. What the one above recorded before that still holds. A file without a common hash format counts as modified.
#[must_use]
pub fn check(histories: &[HistoryFiles<'_>], found: &Found) -> Checked {
    compare(histories, found, true)
}

/// As [`check`], of names only: no hash is looked at.
#[must_use]
pub fn names(histories: &[HistoryFiles<'_>], found: &Found) -> Checked {
    compare(histories, found, false)
}

/// What is wrong with histories as such, whatever they cover: chains, manifests, references.
#[must_use]
pub fn check_histories(histories: &[HistoryFiles<'_>]) -> Vec<Problem> {
    let mut problems = Vec::new();
    let placed = read(histories, &mut problems);
    references(&placed, histories, &mut problems);
    problems
}

fn compare(histories: &[HistoryFiles<'_>], found: &Found, hashes: bool) -> Checked {
    let mut checked = Checked::default();
    if !histories.iter().any(|files| files.root.is_empty()) {
        // Those inside still tell of what is theirs.
        let message = format!("there is no history: no '{DIRECTORY}' directory");
        let mut problem = Problem::new(Kind::NoHistory, "", message);
        problem.fault = problem
            .fault
            .remedy("Seal it (`platefarm mhl create`), or give the directory that holds `ascmhl`.");
        checked.problems.push(problem);
    }
    let problems = &mut checked.problems;
    let placed = read(histories, problems);
    let gone = references(&placed, histories, problems);
    let there = by_home(&placed, histories, found);
    // With one history all of it is that one's.
    let inside = if placed.len() > 1 { found.files.as_slice() } else { &[] };
    let inside: HashMap<&str, &FoundFile> =
        inside.iter().map(|file| (file.path.as_str(), file)).collect();
    let names = Names::new(&placed);
    for (placed, there) in placed.iter().zip(&there) {
        let here = Here { there, inside: &inside, names: &names, gone: &gone, hashes };
        placed.check_files(&here, problems);
        placed.check_directories(there, found, problems);
        checked.notices.extend(placed.came(there, found, histories));
    }
    // Two histories that know one file say the same of it.
    let mut told = HashSet::new();
    let of_files = |p: &Problem| matches!(p.kind, Kind::Modified | Kind::Missing);
    problems.retain(|p| !of_files(p) || told.insert((p.kind, p.subject.clone())));
    for dir in gone {
        let inside = format!("{dir}/");
        if found.files.iter().any(|file| file.path.starts_with(&inside)) {
            let message =
                format!("the history of '{dir}' is gone: what is in it is in no manifest");
            problems.push(Problem::of_file(Kind::New, &format!("{dir}/**"), message));
        }
    }
    checked
}

/// Files by their path in the history that answers for them: the closest. What
/// lies below a history that could not be read is left out; it has said so.
pub(super) fn by_home<'f>(
    placed: &[Placed<'_>],
    histories: &[HistoryFiles<'_>],
    found: &'f Found,
) -> Vec<BTreeMap<&'f str, &'f FoundFile>> {
    let mut there: Vec<BTreeMap<&str, &FoundFile>> = vec![BTreeMap::new(); placed.len()];
    for file in &found.files {
        let home = (0..placed.len())
            .filter(|i| below(placed[*i].files.root, &file.path).is_some())
            .max_by_key(|i| placed[*i].files.root.len());
        let unread = histories.iter().any(|files| {
            below(files.root, &file.path).is_some()
                && home.is_none_or(|i| files.root.len() > placed[i].files.root.len())
        });
        if let (Some(home), false) = (home, unread)
            && let Some(path) = below(placed[home].files.root, &file.path)
        {
            there[home].insert(path, file);
        }
    }
    there
}

/// Holds the directory hashes of the last generation against what is on disk:
/// it finds what hashes of single files cannot (a history that was rewritten
/// as a whole, an empty directory that came). Histories whose last generation
/// has none are left out, and so are formats that not every file was hashed in.
///
/// # Errors
/// [`Code::BadManifest`] when what is on disk is no tree.
pub fn check_directories(histories: &[HistoryFiles<'_>], found: &Found) -> Outcome<Vec<Problem>> {
    let mut problems = Vec::new();
    for placed in read(histories, &mut Vec::new()) {
        let root = placed.files.root;
        let Some((_, manifest)) = placed.history.generations.last() else { continue };
        let ignore = &placed.history.ignore;
        let files: Vec<(&str, &FoundFile)> = found
            .files
            .iter()
            .filter_map(|file| Some((below(root, &file.path)?, file)))
            .filter(|(path, _)| !ignore.covers(path, false))
            .collect();
        let directories = found
            .directories
            .iter()
            .filter_map(|path| below(root, path))
            .filter(|path| !ignore.covers(path, true));
        let directories: Vec<&str> = directories.collect();
        for format in manifest.root.iter().map(|pair| pair.content.format()) {
            let digest = |file: &FoundFile| {
                file.digests.iter().find(|digest| digest.format() == format).cloned()
            };
            let hashed: Option<Vec<(&str, Digest)>> =
                files.iter().map(|(path, file)| Some((*path, digest(file)?))).collect();
            let Some(hashed) = hashed else { continue };
            let actual = directory_hashes(format, hashed, directories.iter().copied(), [])?;
            let recorded = manifest.directories().map(|d| (d.path.as_str(), &d.digests));
            for (path, pairs) in recorded.chain([("", &manifest.root)]) {
                compare_tree(&join(root, path), format, pairs, actual.get(path), &mut problems);
            }
        }
    }
    Ok(problems)
}

fn compare_tree(
    path: &str,
    format: Format,
    recorded: &[TreeDigest],
    actual: Option<&TreeDigest>,
    problems: &mut Vec<Problem>,
) {
    let recorded = recorded.iter().find(|pair| pair.content.format() == format);
    if let (Some(recorded), Some(actual)) = (recorded, actual)
        && recorded != actual
    {
        let what = if recorded.content == actual.content { "names" } else { "contents" };
        let shown = if path.is_empty() { "." } else { path };
        let message = format!("the {what} in directory '{shown}' are not what was sealed");
        problems.push(Problem::of_file(Kind::DirectoryModified, shown, message));
    }
}

pub(super) fn read<'a>(
    histories: &'a [HistoryFiles<'a>],
    problems: &mut Vec<Problem>,
) -> Vec<Placed<'a>> {
    let placed = histories.iter().filter_map(|files| {
        let history = History::read(files.root, files.chain, &files.manifests, problems)?;
        Some(Placed { files, history })
    });
    placed.collect()
}

/// Manifests that a parent names must be there as it saw them; that newer ones
/// exist is allowed. Returns the directories whose history is gone.
fn references(
    placed: &[Placed<'_>],
    histories: &[HistoryFiles<'_>],
    problems: &mut Vec<Problem>,
) -> BTreeSet<String> {
    let mut gone = BTreeSet::new();
    for parent in placed {
        let all = parent.history.generations.iter().flat_map(|(_, manifest)| &manifest.references);
        let mut seen = BTreeSet::new();
        for reference in all.filter(|reference| seen.insert(&reference.path)) {
            let path = join(parent.files.root, &reference.path);
            let Some((dir, name)) = history_of(&path) else {
                let message = format!("'{path}' is no manifest of a history");
                problems.push(Problem::new(Kind::ManifestInvalid, "reference", message).at(&path));
                continue;
            };
            let Some(child) = histories.iter().find(|files| files.root == dir) else {
                if gone.insert(dir.to_owned()) {
                    let message = format!("'{path}' is referred to, and '{dir}' has no history");
                    problems.push(Problem::new(Kind::HistoryMissing, dir, message).at(dir));
                }
                continue;
            };
            let number = super::chain::generation(name).unwrap_or(0);
            let subject = join(dir, &number.to_string());
            match child.manifests.iter().find(|(other, _)| *other == name) {
                None => {
                    let told = problems.iter().any(|problem| {
                        problem.kind == Kind::ManifestMissing && problem.subject == subject
                    });
                    if !told {
                        let message = format!("'{path}' is referred to and not there");
                        let problem = Problem::new(Kind::ManifestMissing, subject, message);
                        problems.push(problem.at(&path));
                    }
                }
                Some((_, bytes)) if Format::C4.of(bytes) != reference.c4 => {
                    let message = format!("'{path}' is not what the history above it refers to");
                    problems
                        .push(Problem::new(Kind::ReferenceMismatch, subject, message).at(&path));
                }
                Some(_) => {}
            }
        }
    }
    gone
}

/// What is on disk, as one history sees it.
struct Here<'a> {
    /// Files that it answers for.
    there: &'a BTreeMap<&'a str, &'a FoundFile>,
    /// Files of all histories, by their whole path.
    inside: &'a HashMap<&'a str, &'a FoundFile>,
    /// Names that histories further in gave to files.
    names: &'a Names<'a>,
    /// Directories whose history is gone.
    gone: &'a BTreeSet<String>,
    /// Whether hashes are looked at.
    hashes: bool,
}

impl Placed<'_> {
    fn check_files(&self, here: &Here<'_>, problems: &mut Vec<Problem>) {
        let Here { there, inside, names, gone, hashes } = *here;
        for (path, known) in &self.history.files {
            let full = names.by_now(self.files.root, path);
            // One that a history further in answers for by now is still there, and may have another name there.
            let own = below(self.files.root, &full).and_then(|path| there.get(path));
            let Some(file) = own.or_else(|| inside.get(full.as_str())) else {
                let message = format!("'{full}' is missing");
                problems.push(Problem::of_file(Kind::Missing, &full, message));
                continue;
            };
            if !hashes {
                continue;
            }
            if known.digests.is_empty() {
                // Where a history above has it, that one says what is wrong with it.
                if known.only_failed() && names.above(self.files.root, path).is_empty() {
                    problems.push(only_failed(&full));
                }
                continue;
            }
            problems.extend(mismatch(&full, &known.digests, &file.digests));
        }
        if !self.history.whole {
            return;
        }
        let known = &self.history.files;
        for path in there.keys() {
            let full = join(self.files.root, path);
            let in_gone = gone.iter().any(|dir| below(dir, &full).is_some());
            if !known.contains_key(*path) && !self.history.ignore.covers(path, false) && !in_gone {
                let message = format!("'{full}' is in no manifest");
                problems.push(Problem::of_file(Kind::New, &full, message));
            }
        }
    }

    /// A directory that should be there and of which not even a missing file tells.
    fn check_directories(
        &self,
        there: &BTreeMap<&str, &FoundFile>,
        found: &Found,
        problems: &mut Vec<Problem>,
    ) {
        let root = self.files.root;
        let present: BTreeSet<&str> = found
            .directories
            .iter()
            .filter_map(|path| below(root, path))
            .chain(found.files.iter().filter_map(|file| below(root, &file.path)))
            .chain(there.keys().copied())
            .collect();
        for path in &self.history.directories {
            let inside = format!("{path}/");
            let begins = |set: &mut dyn Iterator<Item = &str>| {
                set.next().is_some_and(|p| p.starts_with(&inside))
            };
            let present = present.contains(path.as_str())
                || begins(&mut present.range(inside.as_str()..).copied());
            let told =
                begins(&mut self.history.files.range(inside.clone()..).map(|(p, _)| p.as_str()));
            if !present && !told {
                let full = join(root, path);
                let message = format!("directory '{full}' is missing");
                problems.push(Problem::of_file(Kind::Missing, &full, message));
            }
        }
    }
}

/// Nothing says what a file is but that it was wrong.
pub(super) fn only_failed(path: &str) -> Problem {
    let message = format!("'{path}' has only hashes that failed");
    Problem::new(Kind::ManifestSchema, "only failed", message).at(path)
}

/// The first format in which a file is not what it was.
pub(super) fn mismatch(path: &str, known: &[Digest], found: &[Digest]) -> Option<Problem> {
    let mut common = 0;
    for known in known {
        let Some(actual) = found.iter().find(|digest| digest.format() == known.format()) else {
            continue;
        };
        common += 1;
        if actual != known {
            let format = known.format().name();
            let message = format!("'{path}' has {format} {actual}, the manifest says {known}");
            return Some(Problem::of_file(Kind::Modified, path, message));
        }
    }
    (common == 0).then(|| {
        let formats: Vec<&str> = known.iter().map(|digest| digest.format().name()).collect();
        let formats = formats.join(", ");
        let message = format!("'{path}' cannot be compared: the manifest has {formats}");
        Problem::of_file(Kind::Modified, path, message)
    })
}
