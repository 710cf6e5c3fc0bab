//! The next generation of a history and of every history below it.
//!
//! Each file is told by the history closest to it. A parent holds the hashes of
//! a child's root directory and a reference to the manifest of the same run.
//! What was known of a file is verified in a format that its history has; a
//! new format is only believed when an old one was right in the same reading
//! (specification 5.6.4).

use super::chain::ChainEntry;
use super::check::{self, Checked, Found, FoundFile, HistoryFiles, Placed, by_home, mismatch};
use super::hash::{Digest, Format};
use super::history::{History, Known};
use super::ignore::Ignore;
use super::manifest::{
    Action, Creator, DirectoryRecord, FileRecord, Manifest, ManifestReference, Process, Record,
    RecordedDigest, TreeDigest,
};
use super::problem::{Kind, Problem};
use super::tree::{directory_hashes, parent};
use super::{DIRECTORY, below, damaged, is_relative, join};
use crate::xml::is_xml_char;
use platefarm_model::utc::Utc;
use platefarm_model::{Fault, Outcome, Timestamp};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// How a generation is made.
#[derive(Clone, Debug, PartialEq)]
pub struct Run<'a> {
    /// Name of the outermost directory.
    pub folder: &'a str,
    /// When; one time for all manifests of the run.
    pub created: Timestamp,
    /// Who.
    pub creator: Creator,
    /// What the run did.
    pub process: Process,
    /// Formats to record, at least one.
    pub formats: &'a [Format],
    /// Patterns of what is left out from now on, beyond those of the history.
    pub ignore: &'a [String],
    /// Whether directories get hashes.
    pub directories: bool,
    /// Whether a file that came with the hash of one that went is that file under a new name.
    pub renames: bool,
    /// Record these files only, without directory hashes; empty for all.
    pub only: &'a [String],
}

/// The generations of a run, the deepest history first, and what the run found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Appended {
    /// One for each history; empty when a history is damaged: then nothing is added to it.
    pub generations: Vec<NewGeneration>,
    /// Everything that is wrong, as [`check()`](super::check) reports it. Files
    /// that only came are none: they are recorded now.
    pub problems: Vec<Problem>,
    /// What is right and ought to be known.
    pub notices: Vec<Fault>,
    /// Files recorded for the first time.
    pub new: usize,
    /// Files that are what they were.
    pub verified: usize,
    /// New path and old path of files that were renamed.
    pub renamed: Vec<(String, String)>,
}

/// A manifest and the chain that lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewGeneration {
    /// Directory whose history it is; `""` for the outermost.
    pub root: String,
    /// Its number.
    pub number: u64,
    /// Name of the manifest.
    pub name: String,
    /// Its text.
    pub manifest: String,
    /// Text of the chain file.
    pub chain: String,
}

/// The formats in which each file has to be hashed for [`append`], by its
/// path; a file that is left out needs none.
#[must_use]
pub fn needed(
    histories: &[HistoryFiles<'_>],
    found: &Found,
    run: &Run<'_>,
) -> BTreeMap<String, Vec<Format>> {
    let placed = with_outermost(histories);
    let there = by_home(&placed, histories, found);
    let on_disk = on_disk(found);
    let mut needed = BTreeMap::new();
    for (home, there) in placed.iter().zip(&there) {
        let known = &home.history.files;
        let ignore = ignored(&home.history, run);
        // A file that came may be one that went, in the formats of those.
        let gone: BTreeSet<Format> = known
            .iter()
            .filter(|(path, _)| run.renames && home.is_gone(path, there, &on_disk))
            .flat_map(|(_, known)| known.formats())
            .collect();
        for path in there.keys().filter(|path| !ignore.0.covers(path, false)) {
            let full = join(home.files.root, path);
            if !run.only.is_empty() && !run.only.contains(&full) {
                continue;
            }
            let mut formats: Vec<Format> = run.formats.to_vec();
            match known.get(*path) {
                Some(known) => formats.extend(proof(known, run.formats)),
                None => {
                    formats.extend(&gone);
                    let above = above(&placed, home.files.root, &full);
                    formats.extend(above.filter_map(|known| proof(known, run.formats)));
                }
            }
            formats.sort_unstable();
            formats.dedup();
            needed.insert(full, formats);
        }
    }
    needed
}

/// The paths of all files.
fn on_disk(found: &Found) -> HashSet<&str> {
    found.files.iter().map(|file| file.path.as_str()).collect()
}

/// What histories above `root` recorded of a file before its own was begun.
fn above<'p>(
    placed: &'p [Placed<'_>],
    root: &'p str,
    full: &'p str,
) -> impl Iterator<Item = &'p Known> {
    let outer = placed.iter().filter(move |other| other.files.root.len() < root.len());
    outer.filter_map(|other| other.history.files.get(below(other.files.root, full)?))
}

impl Placed<'_> {
    /// Whether a file that this history knows is no more: one that a history
    /// further in answers for by now is there.
    fn is_gone(
        &self,
        path: &str,
        there: &BTreeMap<&str, &FoundFile>,
        on_disk: &HashSet<&str>,
    ) -> bool {
        !there.contains_key(path) && !on_disk.contains(join(self.files.root, path).as_str())
    }
}

/// The format that proves a file when none of those that are asked for can.
fn proof(known: &Known, asked: &[Format]) -> Option<Format> {
    let can = known.formats().any(|format| asked.contains(&format));
    if can { None } else { known.formats().next() }
}

/// The histories as read, with an empty one at the root where there is none.
fn with_outermost<'a>(histories: &'a [HistoryFiles<'a>]) -> Vec<Placed<'a>> {
    static NONE: HistoryFiles<'static> =
        HistoryFiles { root: "", chain: None, manifests: Vec::new() };
    let mut placed = check::read(histories, &mut Vec::new());
    if !histories.iter().any(|files| files.root.is_empty()) {
        placed.push(Placed { files: &NONE, history: History::empty() });
    }
    placed
}

/// What a history leaves out in this run: the patterns as recorded, and read.
fn ignored(history: &History, run: &Run<'_>) -> (Ignore, Vec<String>) {
    let mut patterns = history.patterns.clone();
    for pattern in run.ignore {
        if !patterns.contains(pattern) {
            patterns.push(pattern.clone());
        }
    }
    (Ignore::new(patterns.iter().map(String::as_str)), patterns)
}

/// Makes the next generation of every history, from files that were hashed as
/// [`needed`] asks. A damaged history gets none, and its problems are returned.
///
/// # Errors
/// [`platefarm_model::Code::BadManifest`] when a path cannot stand in a manifest (a
/// character that XML cannot hold), is a file and a directory, was not hashed in the
/// formats that are needed, or when the folder's name is not a name.
pub fn append(histories: &[HistoryFiles<'_>], found: &Found, run: &Run<'_>) -> Outcome<Appended> {
    if !is_relative(run.folder) || run.folder.contains('/') || !legal(run.folder) {
        return Err(damaged(format!("'{}' is not the name of a directory", run.folder)));
    }
    // In the order of the schema, whatever order they were asked for in.
    let mut formats = run.formats.to_vec();
    formats.sort_unstable();
    formats.dedup();
    let run = &Run { formats: &formats, ..run.clone() };
    let mut appended = Appended::default();
    let Checked { problems, notices } = check::names(histories, found);
    appended.notices = notices;
    // Files that came are recorded, a history that is not there is begun; whatever else is wrong
    // with a history stops the run.
    let told = |p: &Problem| !matches!(p.kind, Kind::New | Kind::NoHistory);
    appended.problems = problems.into_iter().filter(told).collect();
    let stops = |p: &Problem| !matches!(p.kind, Kind::Missing | Kind::Unclear);
    if appended.problems.iter().any(stops) {
        return Ok(appended);
    }
    let placed = with_outermost(histories);
    let there = by_home(&placed, histories, found);
    let on_disk = on_disk(found);
    let mut order: Vec<usize> = (0..placed.len()).collect();
    order.sort_by_key(|i| std::cmp::Reverse(depth(placed[*i].files.root)));
    let mut below_it: Vec<Below> = Vec::new();
    for i in order {
        let home = Home {
            placed: &placed[i],
            all: &placed,
            there: &there[i],
            on_disk: &on_disk,
            found,
            run,
        };
        let done = home.generation(&below_it, &mut appended)?;
        // What lies inside is now told by this one.
        let inside = |b: &Below| below(placed[i].files.root, &b.root).is_some();
        below_it.retain(|b| !inside(b));
        below_it.push(done);
    }
    if !run.only.is_empty() {
        // What else is missing is not what was asked.
        appended.problems.retain(|problem| problem.kind != Kind::Missing);
    }
    Ok(appended)
}

fn depth(root: &str) -> usize {
    if root.is_empty() { 0 } else { 1 + root.matches('/').count() }
}

/// A history that was done, for the one above it.
struct Below {
    root: String,
    /// Hashes of its root directory.
    trees: Vec<TreeDigest>,
    reference: ManifestReference,
}

/// One history of a run.
struct Home<'a> {
    placed: &'a Placed<'a>,
    /// All histories.
    all: &'a [Placed<'a>],
    there: &'a BTreeMap<&'a str, &'a FoundFile>,
    on_disk: &'a HashSet<&'a str>,
    found: &'a Found,
    run: &'a Run<'a>,
}

impl Home<'_> {
    fn root(&self) -> &str {
        self.placed.files.root
    }

    fn generation(&self, inner: &[Below], appended: &mut Appended) -> Outcome<Below> {
        let run = self.run;
        let (ignore, patterns) = ignored(&self.placed.history, run);
        let before = if run.renames { self.renamed(&ignore) } else { HashMap::new() };
        let mut records = Vec::new();
        let mut hashed: Vec<(&str, &FoundFile)> = Vec::new();
        for (path, file) in self.there {
            if ignore.covers(path, false) || !self.is_wanted(path) {
                continue;
            }
            sound(path)?;
            hashed.push((path, file));
            records.push(Record::File(self.file(path, file, before.get(path), appended)?));
        }
        let inner: Vec<(&str, &Below)> = inner
            .iter()
            .filter_map(|b| Some((below(self.root(), &b.root)?, b)))
            .filter(|(path, _)| !path.is_empty())
            .collect();
        let mut trees = BTreeMap::new();
        if run.directories && run.only.is_empty() {
            trees = self.trees(&hashed, &ignore, &inner)?;
        }
        let root = trees.remove("").unwrap_or_default();
        records.extend(trees.into_iter().map(|(path, digests)| {
            Record::Directory(DirectoryRecord { path, digests, previous_path: None })
        }));
        in_order(&mut records);
        let references = inner.iter().map(|(path, b)| {
            let name = b.reference.path.rsplit('/').next().unwrap_or_default();
            ManifestReference {
                path: format!("{path}/{DIRECTORY}/{name}"),
                c4: b.reference.c4.clone(),
            }
        });
        let manifest = Manifest {
            creator: run.creator.clone().at(run.created),
            process: run.process,
            root: root.clone(),
            ignore: patterns,
            records,
            references: references.collect(),
        };
        let made = self.next(&manifest);
        let reference = ManifestReference {
            path: join(self.root(), &format!("{DIRECTORY}/{}", made.name)),
            c4: Format::C4.of(made.manifest.as_bytes()),
        };
        appended.generations.push(made);
        Ok(Below { root: self.root().to_owned(), trees: root, reference })
    }

    fn is_wanted(&self, path: &str) -> bool {
        self.run.only.is_empty() || self.run.only.contains(&join(self.root(), path))
    }

    /// The record of a file; what came of it goes to `appended`.
    fn file(
        &self,
        path: &str,
        file: &FoundFile,
        before: Option<&String>,
        appended: &mut Appended,
    ) -> Outcome<FileRecord> {
        let full = || join(self.root(), path);
        let of = |format: Format| file.digests.iter().find(|digest| digest.format() == format);
        let known = self.placed.history.files.get(before.map_or(path, String::as_str));
        let known = known.filter(|known| !known.digests.is_empty());
        let mut formats: Vec<Format> = self.run.formats.to_vec();
        formats.extend(known.and_then(|known| proof(known, self.run.formats)));
        formats.sort_unstable();
        formats.dedup();
        let mut digests = Vec::new();
        let mut failed = false;
        for format in formats {
            let actual = of(format).ok_or_else(|| {
                damaged(format!("'{}' was not hashed in {}", full(), format.name())).at(full())
            })?;
            let old = known.and_then(|k| k.digests.iter().find(|d| d.format() == format));
            let action = match (known, old) {
                // Under its new name a file is seen for the first time; what it was named leads to the rest.
                _ if before.is_some() => Action::Original,
                (None, _) => Action::Original,
                (_, Some(old)) if old != actual => {
                    failed = true;
                    let message = format!(
                        "'{}' has {} {actual}, the manifest says {old}",
                        full(),
                        format.name()
                    );
                    appended.problems.push(Problem::of_file(Kind::Modified, &full(), message));
                    Action::Failed
                }
                _ => Action::Verified,
            };
            digests.push((
                RecordedDigest { digest: actual.clone(), action: Some(action) },
                old.is_some(),
            ));
        }
        // A new format is only believed beside an old one that was right.
        digests.retain(|(_, was_known)| !failed || *was_known);
        match (known, before) {
            (_, Some(before)) => {
                appended.renamed.push((full(), join(self.root(), before)));
                let gone = join(self.root(), before);
                appended.problems.retain(|p| p.kind != Kind::Missing || p.subject != gone);
            }
            (None, _) => {
                appended.new += 1;
                let full = full();
                let known = above(self.all, self.root(), &full);
                let known = known.filter(|known| !known.digests.is_empty());
                let wrong = known.filter_map(|k| mismatch(&full, &k.digests, &file.digests));
                appended.problems.extend(wrong.take(1));
            }
            (Some(_), _) => appended.verified += usize::from(!failed),
        }
        Ok(FileRecord {
            path: path.to_owned(),
            size: Some(file.size),
            modified: file.modified.map(|moment| Utc::from(moment).date_time()),
            digests: digests.into_iter().map(|(digest, _)| digest).collect(),
            previous_path: before.cloned(),
        })
    }

    /// Files that came and are files that went, by their path.
    fn renamed(&self, ignore: &Ignore) -> HashMap<&str, String> {
        let known = &self.placed.history.files;
        let mut gone: HashMap<&Digest, Vec<&String>> = HashMap::new();
        for (path, known) in
            known.iter().filter(|(path, _)| self.placed.is_gone(path, self.there, self.on_disk))
        {
            for digest in &known.digests {
                gone.entry(digest).or_default().push(path);
            }
        }
        let mut taken = BTreeSet::new();
        let came = self.there.iter().filter(|(path, _)| {
            !known.contains_key(**path) && !ignore.covers(path, false) && self.is_wanted(path)
        });
        came.filter_map(|(path, file)| {
            let before = file
                .digests
                .iter()
                .filter_map(|digest| gone.get(digest))
                .flatten()
                .find(|before| !taken.contains(**before))?;
            taken.insert(*before);
            Some((*path, (*before).clone()))
        })
        .collect()
    }

    /// Hashes of every directory of this history, and of the roots of those inside it.
    fn trees(
        &self,
        hashed: &[(&str, &FoundFile)],
        ignore: &Ignore,
        inner: &[(&str, &Below)],
    ) -> Outcome<BTreeMap<String, Vec<TreeDigest>>> {
        let in_inner =
            |path: &str| inner.iter().any(|(root, _)| *root != path && below(root, path).is_some());
        let directories: Vec<&str> = self
            .found
            .directories
            .iter()
            .filter_map(|path| below(self.root(), path))
            .filter(|path| !path.is_empty() && !ignore.covers(path, true) && !in_inner(path))
            .filter(|path| !inner.iter().any(|(root, _)| root == path))
            .collect();
        directories.iter().try_for_each(|path| sound(path))?;
        let mut all: BTreeMap<String, Vec<TreeDigest>> = BTreeMap::new();
        for format in self.run.formats {
            let files = hashed.iter().map(|(path, file)| {
                let digest = file.digests.iter().find(|digest| digest.format() == *format);
                digest.map(|digest| (*path, digest.clone())).ok_or_else(|| {
                    damaged(format!("'{path}' was not hashed in {}", format.name())).at(*path)
                })
            });
            let files = files.collect::<Outcome<Vec<_>>>()?;
            let roots = inner.iter().filter_map(|(path, b)| {
                let pair = b.trees.iter().find(|pair| pair.content.format() == *format)?;
                Some((*path, pair.clone()))
            });
            let trees = directory_hashes(*format, files, directories.iter().copied(), roots)?;
            for (path, pair) in trees {
                all.entry(path).or_default().push(pair);
            }
        }
        Ok(all)
    }

    fn next(&self, manifest: &Manifest) -> NewGeneration {
        let run = self.run;
        let folder = self.root().rsplit('/').next().filter(|name| !name.is_empty());
        let number = self.placed.history.chain.entries.last().map_or(1, |last| last.sequence + 1);
        let stamp = Utc::from(run.created).file_stamp();
        let name = format!("{number:04}_{}_{stamp}.mhl", folder.unwrap_or(run.folder));
        let text = manifest.to_xml();
        let mut chain = self.placed.history.chain.clone();
        let c4 = Format::C4.of(text.as_bytes());
        chain.entries.push(ChainEntry { sequence: number, path: name.clone(), c4 });
        let root = self.root().to_owned();
        NewGeneration { root, number, name, manifest: text, chain: chain.to_xml() }
    }
}

/// By directory, each directory's own entry after what is in it, as readers list it.
fn in_order(records: &mut [Record]) {
    records.sort_by_cached_key(|record| match record {
        Record::File(file) => (parent(&file.path).0.to_owned(), false, file.path.clone()),
        Record::Directory(directory) => (directory.path.clone(), true, String::new()),
    });
}

fn legal(path: &str) -> bool {
    path.chars().all(is_xml_char)
}

fn sound(path: &str) -> Outcome<()> {
    if is_relative(path) && legal(path) {
        return Ok(());
    }
    Err(damaged(format!("path {path:?} cannot stand in a manifest")).at(path))
}
