//! A history against what is on disk.

use super::hash::{Digest, Format};
use super::history::History;
use super::manifest::TreeDigest;
use super::tree::directory_hashes;
use super::{DIRECTORY, damaged};
use platefarm_model::{Code, Fault, Outcome};
use std::collections::{BTreeMap, BTreeSet};

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
#[derive(Clone, Debug, PartialEq)]
pub struct FoundFile {
    /// Path from the outermost root, with `/`.
    pub path: String,
    /// Its hashes, in the formats that [`wanted`] asks for.
    pub digests: Vec<Digest>,
}

/// A history with the place that it has among the others.
struct Placed<'a> {
    files: &'a HistoryFiles<'a>,
    history: History,
}

/// The formats in which each path should be hashed for [`check`]; faults of
/// the histories are left to it.
#[must_use]
pub fn wanted(histories: &[HistoryFiles<'_>]) -> BTreeMap<String, Vec<Format>> {
    let placed = read(histories, &mut Vec::new());
    let known = placed.iter().flat_map(|p| {
        p.history
            .files
            .iter()
            .map(|(path, known)| (join(p.files.root, path), known.formats().collect()))
    });
    known.collect()
}

/// Holds histories against what is on disk. Reports every
/// [`Code::BadManifest`] (a chain or manifest that is missing, changed or
/// malformed), [`Code::HashMismatch`], [`Code::MissingFiles`] and
/// [`Code::ExtraFiles`], with the path as its place; empty when all is well.
///
/// A directory inside may have its own history, which then answers for what is
/// in it; give them all. A file without a common hash format counts as a mismatch.
#[must_use]
pub fn check(histories: &[HistoryFiles<'_>], found: &Found) -> Vec<Fault> {
    if histories.is_empty() {
        return vec![damaged(format!("there is no history: no '{DIRECTORY}' directory"))];
    }
    let mut faults = Vec::new();
    let placed = read(histories, &mut faults);
    references(&placed, histories, &mut faults);
    let mut there: Vec<BTreeMap<&str, &FoundFile>> = vec![BTreeMap::new(); placed.len()];
    for file in &found.files {
        let home = (0..placed.len())
            .filter(|i| below(placed[*i].files.root, &file.path).is_some())
            .max_by_key(|i| placed[*i].files.root.len());
        // A history that could not be read has said so; nothing is known of what is below it.
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
    for (placed, there) in placed.iter().zip(&there) {
        placed.check_files(there, &mut faults);
        placed.check_directories(there, found, &mut faults);
    }
    faults
}

/// Holds the directory hashes of the last generation against what is on disk:
/// it finds what hashes of single files cannot (a history that was rewritten
/// as a whole, an empty directory that came). Histories whose last generation
/// has none are left out, and so are formats that not every file was hashed in.
///
/// # Errors
/// [`Code::BadManifest`] when what is on disk is no tree.
pub fn check_directories(histories: &[HistoryFiles<'_>], found: &Found) -> Outcome<Vec<Fault>> {
    let mut faults = Vec::new();
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
            let actual = directory_hashes(format, hashed, directories.iter().copied())?;
            let recorded = manifest.directories().map(|d| (d.path.as_str(), &d.digests));
            for (path, pairs) in recorded.chain([("", &manifest.root)]) {
                compare(&join(root, path), format, pairs, actual.get(path), &mut faults);
            }
        }
    }
    Ok(faults)
}

fn compare(
    path: &str,
    format: Format,
    recorded: &[TreeDigest],
    actual: Option<&TreeDigest>,
    faults: &mut Vec<Fault>,
) {
    let recorded = recorded.iter().find(|pair| pair.content.format() == format);
    if let (Some(recorded), Some(actual)) = (recorded, actual)
        && recorded != actual
    {
        let what = if recorded.content == actual.content { "names" } else { "contents" };
        let shown = if path.is_empty() { "." } else { path };
        let message = format!("the {what} in directory '{shown}' are not what was sealed");
        faults.push(Fault::new(Code::HashMismatch, message).at(shown));
    }
}

fn read<'a>(histories: &'a [HistoryFiles<'a>], faults: &mut Vec<Fault>) -> Vec<Placed<'a>> {
    let placed = histories.iter().filter_map(|files| {
        let mut own = Vec::new();
        let history = History::read(files.chain, &files.manifests, &mut own);
        let place = join(files.root, DIRECTORY);
        faults.extend(own.into_iter().map(|fault| fault.within(&place)));
        Some(Placed { files, history: history? })
    });
    placed.collect()
}

/// Manifests that a parent names must be there as it saw them; that newer ones exist is allowed.
fn references(placed: &[Placed<'_>], histories: &[HistoryFiles<'_>], faults: &mut Vec<Fault>) {
    for parent in placed {
        let all = parent.history.generations.iter().flat_map(|(_, manifest)| &manifest.references);
        let mut seen = BTreeSet::new();
        for reference in all.filter(|reference| seen.insert(&reference.path)) {
            let path = join(parent.files.root, &reference.path);
            let child = histories.iter().find_map(|files| {
                let name = below(files.root, &path)?.strip_prefix(DIRECTORY)?.strip_prefix('/')?;
                (!name.contains('/')).then_some((files, name))
            });
            let bytes = child.and_then(|(files, name)| {
                files.manifests.iter().find(|(other, _)| *other == name).map(|(_, bytes)| *bytes)
            });
            match bytes {
                None => {
                    faults.push(damaged(format!("'{path}' is referred to and not there")).at(&path))
                }
                Some(bytes) if Format::C4.of(bytes) != reference.c4 => {
                    let message = format!("'{path}' is not what the history above it refers to");
                    faults.push(damaged(message).at(&path));
                }
                Some(_) => {}
            }
        }
    }
}

impl Placed<'_> {
    fn check_files(&self, there: &BTreeMap<&str, &FoundFile>, faults: &mut Vec<Fault>) {
        for (path, known) in &self.history.files {
            let full = join(self.files.root, path);
            let Some(file) = there.get(path.as_str()) else {
                faults
                    .push(Fault::new(Code::MissingFiles, format!("'{full}' is missing")).at(full));
                continue;
            };
            if known.digests.is_empty() {
                if known.failed {
                    let message = format!("'{full}' has only hashes that failed");
                    faults.push(damaged(message).at(full));
                }
                continue;
            }
            faults.extend(mismatch(&full, &known.digests, &file.digests));
        }
        if !self.history.whole {
            return;
        }
        let known = &self.history.files;
        let extra = there
            .keys()
            .filter(|path| !known.contains_key(**path) && !self.history.ignore.covers(path, false));
        faults.extend(extra.map(|path| {
            let full = join(self.files.root, path);
            Fault::new(Code::ExtraFiles, format!("'{full}' is in no manifest")).at(full)
        }));
    }

    /// A directory that should be there and of which not even a missing file tells.
    fn check_directories(
        &self,
        there: &BTreeMap<&str, &FoundFile>,
        found: &Found,
        faults: &mut Vec<Fault>,
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
                faults.push(Fault::new(Code::MissingFiles, message).at(full));
            }
        }
    }
}

/// The first format in which a file is not what it was.
fn mismatch(path: &str, known: &[Digest], found: &[Digest]) -> Option<Fault> {
    let mut common = 0;
    for known in known {
        let Some(actual) = found.iter().find(|digest| digest.format() == known.format()) else {
            continue;
        };
        common += 1;
        if actual != known {
            let format = known.format().name();
            let message = format!("'{path}' has {format} {actual}, the manifest says {known}");
            return Some(Fault::new(Code::HashMismatch, message).at(path));
        }
    }
    (common == 0).then(|| {
        let formats: Vec<&str> = known.iter().map(|digest| digest.format().name()).collect();
        let formats = formats.join(", ");
        let message = format!("'{path}' cannot be compared: the manifest has {formats}");
        Fault::new(Code::HashMismatch, message).at(path)
    })
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
