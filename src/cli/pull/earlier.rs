//! Earlier deliveries of a pull's shots: their plates, from which versions and
//! frames go on, and their edit lists, so that whoever opens the package sees
//! what became of each shot since.

use super::request::{absolute, file_name};
use crate::cli::render::read_document;
use platefarm_media::source::{self, Sequence};
use platefarm_media::storage;
use platefarm_model::pull::Document;
use platefarm_model::{Code, Fault, FrameRange, FrameRate, Outcome, limits};
use platefarm_scheduler::pulls;
use platefarm_standards::editlist::{self, Change, Diff, EditList};
use platefarm_worker::package::{PackageReport, PlateReport};
use serde_json::json;
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// What earlier packages hold.
#[derive(Default)]
pub(super) struct Earlier {
    pub(super) plates: Vec<pulls::Previous>,
    lists: Vec<List>,
}

/// The edit list of an earlier package, and its rate.
struct List {
    package: PathBuf,
    file: PathBuf,
    rate: FrameRate,
}

/// What is said of the cut since.
#[derive(Default)]
pub(super) struct Since {
    pub(super) documents: Vec<Document>,
    pub(super) notes: Vec<Fault>,
}

impl Earlier {
    /// Frames whose media is younger than they are count as changed.
    pub(super) fn read(dirs: &[PathBuf]) -> Outcome<Self> {
        let (mut earlier, mut media) = (Self::default(), Media::default());
        for dir in dirs {
            let dir = absolute(dir)?;
            let bytes = read_document(&dir.join("report.json"))?;
            let report: PackageReport = serde_json::from_slice(&bytes).map_err(|e| {
                Fault::new(Code::BadStructure, "the report of the earlier delivery cannot be read")
                    .at(dir.join("report.json").display().to_string())
                    .because(&e)
            })?;
            for plate in &report.plates {
                bounded([plate.source.indices, plate.frames]).map_err(|fault| {
                    let file = dir.join("report.json");
                    fault.within(format!("{}: plate '{}'", file.display(), plate.name))
                })?;
            }
            // The list as it was handed in stands before what was made of it.
            let list = report.sidecars.iter().find(|name| name.starts_with("edit/"));
            let list = list.map(|name| (dir.join(name), report.rate));
            earlier.lists.extend(list.map(|(file, rate)| List {
                package: dir.clone(),
                file,
                rate,
            }));
            let plates = report.plates.into_iter().map(|plate| previous(plate, &dir, &mut media));
            earlier.plates.extend(plates);
        }
        Ok(earlier)
    }

    /// What became of the shots of each earlier list in `list`. One that cannot be compared is told.
    pub(super) fn since(&self, list: &EditList) -> Since {
        let mut since = Since::default();
        for before in &self.lists {
            let name = before.document_name(&since.documents);
            match before.compared(list, name) {
                Ok((document, note)) => {
                    since.documents.push(document);
                    since.notes.push(note);
                }
                Err(fault) => since.notes.push(before.not_compared(&fault)),
            }
        }
        since
    }
}

/// A plate of the earlier package in `dir`.
fn previous(plate: PlateReport, dir: &Path, media: &mut Media) -> pulls::Previous {
    let (source, frames) = (plate.source.indices, plate.frames);
    let files = plate.files.into_iter().filter_map(|file| {
        let path = dir.join(&file.file);
        let index = index_in(source, frames, file.frame)?;
        // A recipe does not name the bytes of the media, so their date must do.
        let unchanged = media.written(&plate.source.path, index)? <= written(&path)?;
        unchanged.then(|| pulls::PreviousFile {
            frame: file.frame,
            file: path.display().to_string(),
            xxh128: file.xxh128,
        })
    });
    pulls::Previous {
        files: files.collect(),
        shot: plate.shot,
        number: plate.number,
        version: plate.version,
        clip: plate.source.path,
        clip_name: plate.source.clip,
        reel: plate.source.reel,
        recipe: plate.recipe,
        source_first: source.first(),
        frames: Some(frames),
    }
}

/// Refuses numbers of frames that no delivery has: plans reckon with them.
fn bounded(ranges: [FrameRange; 2]) -> Outcome<()> {
    let most = limits::MAX_FRAME_NUMBER;
    let Some(beyond) = ranges.into_iter().find(|it| it.first() < -most || it.last() > most) else {
        return Ok(());
    };
    let message = format!("frames {beyond} are beyond {most}, which none of ours are");
    Err(Fault::new(Code::BadStructure, message).remedy("Name the package as it was delivered."))
}

/// Where a delivered frame lies in its clip; nowhere, if its number is one that no frame has.
fn index_in(source: FrameRange, frames: FrameRange, frame: i64) -> Option<i64> {
    frame.checked_sub(frames.first())?.checked_add(source.first())
}

/// The files of clips, by their first.
#[derive(Default)]
struct Media(HashMap<String, Sequence>);

impl Media {
    /// When the media of a frame was written: its own file, or that of all of them, where files of
    /// the clip are not numbered. What is not known is no date: neither whether a numbered file that
    /// is not found was another, nor which it was where the directory cannot be listed.
    fn written(&mut self, clip: &str, index: i64) -> Option<SystemTime> {
        let first = Path::new(clip);
        let files = self.0.entry(clip.to_owned()).or_insert_with(|| source::files(first));
        let of_all = files.first_number.is_none().then_some(first);
        written(files.file(index).or(of_all)?)
    }
}

impl List {
    /// What the comparison is called: packages in two places may have one name.
    fn document_name(&self, taken: &[Document]) -> String {
        let package = legal(&file_name(&self.package));
        let mut names = (1..).map(|i: usize| match i {
            1 => format!("changes_since_{package}.json"),
            _ => format!("changes_since_{package}_{i}.json"),
        });
        let free = |name: &String| !taken.iter().any(|known| known.name.eq_ignore_ascii_case(name));
        names.find(free).unwrap_or_default()
    }

    fn compared(&self, list: &EditList, name: String) -> Outcome<(Document, Fault)> {
        let bytes = read_document(&self.file)?;
        let before = platefarm_media::editlist::read(&self.file, &bytes, Some(self.rate))?;
        let diff = editlist::diff(&before, list)?;
        let package = file_name(&self.package);
        let mut value = editlist::diff_to_json(&diff);
        value["since"] = json!({ "package": package, "list": file_name(&self.file) });
        let text = serde_json::to_string_pretty(&value)
            .map_err(|e| Fault::new(Code::Internal, "a difference is not JSON").because(&e))?;
        let message = format!("since '{package}': {}; edit/{name} says of each", counted(&diff));
        let note = Fault::new(Code::CutChanged, message).at(self.file.display().to_string());
        Ok((Document { name, text: (text + "\n").into() }, note))
    }

    fn not_compared(&self, fault: &Fault) -> Fault {
        let message = "what became of the shots since the earlier delivery cannot be said";
        Fault::new(Code::NotChecked, message).at(self.file.display().to_string()).because(fault)
    }
}

/// `1 gone, 2 new, 12 the same`.
fn counted(diff: &Diff<'_>) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for change in diff.changed.iter().flat_map(|changed| &changed.changes) {
        let word = match change {
            Change::Moved { rippled: true, .. } => "only pushed along",
            other => other.word(),
        };
        *counts.entry(word).or_default() += 1;
    }
    if counts.is_empty() {
        return format!("all {} shots are the same", diff.same);
    }
    let said: Vec<String> = counts.iter().map(|(word, count)| format!("{count} {word}")).collect();
    format!("{}, {} the same", said.join(", "), diff.same)
}

/// A name that may stand in the name of a file.
fn legal(name: &str) -> String {
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    name.chars().map(|c| if legal(c) { c } else { '_' }).collect()
}

fn written(path: &Path) -> Option<SystemTime> {
    storage::metadata(path).and_then(|meta| meta.modified()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use platefarm_standards::edl;
    use std::time::Duration;

    fn list(text: &str) -> EditList {
        edl::parse(text.as_bytes(), FrameRate::FPS_24).unwrap()
    }

    const BEFORE: &str = "001  A001 V C 01:00:01:00 01:00:02:00 01:00:00:00 01:00:01:00\n\
        002  B001 V C 02:00:00:00 02:00:01:00 01:00:01:00 01:00:02:00\n";

    /// One file of a card is copied anew, and no other: its frame is not what it was. One that is not
    /// there may have been any, as all but the first where there is no list of them.
    #[test]
    fn each_frame_is_as_old_as_its_own_file() {
        let dir = tempfile::tempdir().unwrap();
        let file = |name: &str, seconds| {
            let path = dir.path().join(name);
            let at = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
            std::fs::File::create(&path).unwrap().set_modified(at).unwrap();
            path.display().to_string()
        };
        let first = file("A001_C001.000005.dng", 1000);
        file("A001_C001.000006.dng", 3000);
        file("A001_C001.000008.dng", 1000);
        let alone = file("A003_C001.000001.dng", 1000);
        let movie = file("A002_C001.mov", 2000);
        let mut media = Media::default();
        let mut age = |clip: &str, index| {
            let at = media.written(clip, index)?;
            Some(at.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs())
        };
        assert_eq!([0, 1, 3].map(|i| age(&first, i)), [1000, 3000, 1000].map(Some));
        assert_eq!(age(&first, 2), None);
        assert_eq!([0, 4].map(|i| age(&alone, i)), [Some(1000), None]);
        assert_eq!([0, 7].map(|i| age(&movie, i)), [Some(2000); 2]);
        assert_eq!(age("/nowhere/A003.dng", 0), None);
    }

    #[test]
    fn a_report_with_numbers_that_no_frame_has_does_not_break_the_pull_off() {
        let of = |source, first, frame| {
            index_in(FrameRange::single(source), FrameRange::single(first), frame)
        };
        assert_eq!(of(24, 1001, 1004), Some(27));
        assert_eq!(of(i64::MAX, 1001, 1004), None);
        assert_eq!(of(0, -2, i64::MAX), None);
        let [clip, plate] = [0, 1001].map(|first| FrameRange::of_len(first, 48));
        assert_eq!(bounded([clip, plate]), Ok(()));
        for odd in [FrameRange::single(i64::MIN), FrameRange::of_len(1001, 1 << 60)] {
            for ranges in [[odd, plate], [clip, odd]] {
                assert_eq!(bounded(ranges).unwrap_err().code, Code::BadStructure);
            }
        }
    }

    #[test]
    fn what_became_of_the_shots_is_said_and_kept() {
        let dir = tempfile::tempdir().unwrap();
        let package = dir.path().join("turn over_01");
        let file = package.join("edit/cut.edl");
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, BEFORE).unwrap();
        let of = |rate| List { package: package.clone(), file: file.clone(), rate };
        let earlier = |rate| Earlier { plates: Vec::new(), lists: vec![of(rate)] };
        let since = earlier(FrameRate::FPS_24).since(&list(BEFORE));
        assert!(since.notes[0].message.contains("all 2 shots are the same"), "{}", since.notes[0]);
        // The first has six frames more, which push the second along; the third is new.
        let after = BEFORE
            .replace("01:00:02:00 01:00:00:00 01:00:01:00", "01:00:02:06 01:00:00:00 01:00:01:06")
            .replace("01:00:01:00 01:00:02:00\n", "01:00:01:06 01:00:02:06\n")
            + "003  C001 V C 03:00:00:00 03:00:01:00 01:00:02:06 01:00:03:06\n";
        let since = earlier(FrameRate::FPS_24).since(&list(&after));
        let [document] = since.documents.as_slice() else { panic!("one document") };
        assert_eq!(document.name, "changes_since_turn_over_01.json");
        let value: serde_json::Value = serde_json::from_slice(document.text.as_bytes()).unwrap();
        assert_eq!(value["changed"].as_array().map(Vec::len), Some(3), "{value:#}");
        assert_eq!(value["since"]["list"], "cut.edl");
        let note = &since.notes[0];
        assert_eq!(note.code, Code::CutChanged);
        assert!(note.message.contains("1 extended, 1 new, 1 only pushed along"), "{note}");
        // Packages of one name in two places: both are told, each in its own document.
        let twice = vec![of(FrameRate::FPS_24), of(FrameRate::FPS_24)];
        let since = Earlier { plates: Vec::new(), lists: twice }.since(&list(&after));
        let names: Vec<&str> = since.documents.iter().map(|d| d.name.as_str()).collect();
        assert_eq!(names, ["changes_since_turn_over_01.json", "changes_since_turn_over_01_2.json"]);
        assert!(since.notes[1].message.contains(names[1]), "{}", since.notes[1]);
        // Another rate, or a list that went: told, and no reason to fail.
        let since = earlier(FrameRate::new(25, 1).unwrap()).since(&list(&after));
        assert_eq!((since.documents.len(), since.notes[0].code), (0, Code::NotChecked));
        std::fs::remove_file(&file).unwrap();
        let since = earlier(FrameRate::FPS_24).since(&list(&after));
        assert_eq!((since.documents.len(), since.notes[0].code), (0, Code::NotChecked));
    }
}
