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
use super::renames::Names;
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
    let names = Names::new(&placed);
    let disk = Disk { paths: on_disk(found), names: &names };
    let mut needed = BTreeMap::new();
    for (home, there) in placed.iter().zip(&there) {
        let known = &home.history.files;
        let root = home.files.root;
        let ignore = ignored(&home.history, run);
        let above = |path: &str| {
            let known = names.above(root, path).into_iter();
            known.filter_map(|known| proof(known, run.formats)).collect::<Vec<Format>>()
        };
        // A file that came may be one that went, in the formats of those.
        let gone: BTreeSet<Format> = known
            .iter()
            .filter(|(path, _)| run.renames && home.is_gone(path, there, &disk))
            .flat_map(|(path, known)| known.formats().chain(above(path)))
            .collect();
        for path in there.keys().filter(|path| !ignore.0.covers(path, false)) {
            let full = join(root, path);
            if !run.only.is_empty() && !run.only.contains(&full) {
                continue;
            }
            let mut formats: Vec<Format> = run.formats.to_vec();
            match known.get(*path) {
                Some(known) => formats.extend(proof(known, run.formats)),
                None => formats.extend(&gone),
            }
            formats.extend(above(path));
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

/// What is there, and what it was called.
struct Disk<'a> {
    /// The paths of all files.
    paths: HashSet<&'a str>,
    names: &'a Names<'a>,
}

impl Placed<'_> {
    /// Whether a file that this history knows is no more: one that a history
    /// further in answers for by now is there, under whatever name.
    fn is_gone(&self, path: &str, there: &BTreeMap<&str, &FoundFile>, disk: &Disk<'_>) -> bool {
        let by_now = || disk.names.by_now(self.files.root, path);
        !there.contains_key(path) && !disk.paths.contains(by_now().as_str())
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
    let names = Names::new(&placed);
    let disk = Disk { paths: on_disk(found), names: &names };
    let mut order: Vec<usize> = (0..placed.len()).collect();
    order.sort_by_key(|i| std::cmp::Reverse(depth(placed[*i].files.root)));
    let mut below_it: Vec<Below> = Vec::new();
    for i in order {
        let home = Home { placed: &placed[i], there: &there[i], disk: &disk, found, run };
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
    there: &'a BTreeMap<&'a str, &'a FoundFile>,
    disk: &'a Disk<'a>,
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
        let full = join(self.root(), path);
        let was = before.map_or(path, String::as_str);
        let told = self.placed.history.files.get(was);
        let known = told.filter(|known| !known.digests.is_empty());
        // What a history further out has of it holds in every run, whatever was recorded here since.
        let above = self.disk.names.above(self.root(), was);
        let not_above = above.iter().find_map(|k| mismatch(&full, &k.digests, &file.digests));
        // Where all that is known of it is that it was wrong, nothing says that it is right by now.
        let is_doubtful = above.is_empty() && told.is_some_and(Known::only_failed);
        // Under its new name a file is seen for the first time; what it was named leads to the rest.
        // One that is not what was sealed further out must not pass for an original here.
        let first = match (known, before) {
            (None, None) if is_doubtful || not_above.is_some() => Some(Action::Failed),
            (None, _) | (_, Some(_)) => Some(Action::Original),
            _ => None,
        };
        let (digests, own) = self.digests(&full, file, known, first)?;
        appended.problems.extend(is_doubtful.then(|| check::only_failed(&full)));
        match (known, before) {
            (_, Some(before)) => {
                let gone = join(self.root(), before);
                appended.problems.retain(|p| p.kind != Kind::Missing || p.subject != gone);
                appended.renamed.push((full, gone));
            }
            _ if told.is_none() => appended.new += 1,
            _ => {
                let is_right = own.is_empty() && not_above.is_none() && !is_doubtful;
                appended.verified += usize::from(is_right);
            }
        }
        // Two histories that know one file are told once.
        appended.problems.extend(not_above.filter(|_| own.is_empty()));
        appended.problems.extend(own);
        Ok(FileRecord {
            path: path.to_owned(),
            size: Some(file.size),
            modified: file.modified.map(|moment| Utc::from(moment).date_time()),
            digests,
            previous_path: before.cloned(),
        })
    }

    /// The hashes of a file for its record, and what is wrong with it. `first`
    /// is what they are where nothing that is known here is held against them.
    fn digests(
        &self,
        full: &str,
        file: &FoundFile,
        known: Option<&Known>,
        first: Option<Action>,
    ) -> Outcome<(Vec<RecordedDigest>, Vec<Problem>)> {
        let of = |format: Format| file.digests.iter().find(|digest| digest.format() == format);
        let mut formats: Vec<Format> = self.run.formats.to_vec();
        formats.extend(known.and_then(|known| proof(known, self.run.formats)));
        formats.sort_unstable();
        formats.dedup();
        let (mut digests, mut wrong) = (Vec::new(), Vec::new());
        for format in formats {
            let actual = of(format).ok_or_else(|| {
                damaged(format!("'{full}' was not hashed in {}", format.name())).at(full)
            })?;
            let old = known.and_then(|k| k.digests.iter().find(|d| d.format() == format));
            let action = match (first, old) {
                (Some(first), _) => first,
                (None, Some(old)) if old != actual => {
                    let format = format.name();
                    let message =
                        format!("'{full}' has {format} {actual}, the manifest says {old}");
                    wrong.push(Problem::of_file(Kind::Modified, full, message));
                    Action::Failed
                }
                _ => Action::Verified,
            };
            let recorded = RecordedDigest { digest: actual.clone(), action: Some(action) };
            digests.push((recorded, old.is_some()));
        }
        // A new format is only believed beside an old one that was right.
        digests.retain(|(_, was_known)| wrong.is_empty() || *was_known);
        Ok((digests.into_iter().map(|(digest, _)| digest).collect(), wrong))
    }

    /// Files that came and are files that went, by their path.
    fn renamed(&self, ignore: &Ignore) -> HashMap<&str, String> {
        let known = &self.placed.history.files;
        let mut gone: HashMap<&Digest, Vec<&String>> = HashMap::new();
        for (path, known) in
            known.iter().filter(|(path, _)| self.placed.is_gone(path, self.there, self.disk))
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
