//! The edge of the gate: files become values here, in parallel, and nothing
//! is judged.

use super::{FrameFile, Look, MovieRequest, Package, Request, SequenceFiles};
use crate::package::PackageReport;
use platefarm_media::delivered::{self, Delivered, Movie};
use platefarm_media::{hash, mhl, publish, storage};
use platefarm_model::{Code, Fault, Outcome, limits};
use rayon::prelude::*;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

/// Endings of the documents that checks read.
const DOCUMENTS: &[&str] = &["amf", "clf", "fdl", "cc", "cdl"];

/// The request that a package carries; one without is empty.
///
/// # Errors
/// [`Code::BadStructure`] when there is a report that cannot be read.
pub(super) fn own_request(dir: &Path) -> Outcome<Request> {
    let path = dir.join("report.json");
    if !storage::metadata(&path).is_ok_and(|found| found.is_file()) {
        return Ok(Request::default());
    }
    Ok(request(&path)?.unwrap_or_default())
}

/// The request in a report; none where the file is not one of ours.
///
/// # Errors
/// [`Code::BadStructure`] when it cannot be read.
pub(super) fn request(path: &Path) -> Outcome<Option<Request>> {
    let bytes = document(path)?;
    let value: serde_json::Value = serde_json::from_slice(&bytes).map_err(|e| {
        Fault::new(Code::BadStructure, "the report is no JSON").at("report.json").because(&e)
    })?;
    // A file of the same name that is none of ours says nothing about the order.
    if value.get("made_by").and_then(|by| by.as_str()).is_none_or(|by| !by.starts_with("platefarm"))
    {
        return Ok(None);
    }
    let report: PackageReport = serde_json::from_value(value).map_err(|e| {
        Fault::new(Code::BadStructure, "the report cannot be read").at("report.json").because(&e)
    })?;
    Ok(Some(Request::of(&report)))
}

/// A whole package, with its seal; what is compared is what `request` knows of.
pub(super) fn read(dir: &Path, deep: bool, request: &Request) -> Outcome<Package> {
    let mut package = files(dir, &|file| delivered::read(&dir.join(file), deep))?;
    package.movies = movies(dir, &package, request);
    if deep {
        package.look = Look::Pixels;
        let there = |name: &&String| package.files.binary_search(name).is_ok();
        let hash = |name: &String| Ok((name.clone(), hash::xxh128_file(&dir.join(name))?.1));
        let known: Vec<&String> = request.documents.keys().filter(there).collect();
        package.hashes = known.into_par_iter().map(hash).collect::<Outcome<_>>()?;
    }
    let sealed = storage::metadata(dir.join("ascmhl")).is_ok_and(|found| found.is_dir());
    let known = whole(&package);
    package.seal = sealed.then(|| mhl::verify_known(dir, &known));
    Ok(package)
}

/// XXH128 of the files that were read whole: the seal is held against what the other checks saw.
fn whole(package: &Package) -> HashMap<String, String> {
    let frames = package.sequences.iter().flat_map(|sequence| sequence.frames.values());
    let frames = frames
        .filter_map(|frame| Some((frame.file.clone(), frame.read.as_ref().ok()?.xxh128.clone())));
    frames.chain(package.hashes.clone()).filter(|(_, xxh128)| !xxh128.is_empty()).collect()
}

/// A package that is about to be sealed, by what its files were `found` to be when they were read
/// back for their XXH128: headers say what their pixels are. Those of frames that an earlier
/// version rendered do not; they are read. `told` hears of each frame.
pub(crate) fn read_for_release(
    dir: &Path,
    request: &Request,
    found: &HashMap<String, String>,
    told: &(dyn Fn() + Sync),
) -> Outcome<Package> {
    let mut package = files(dir, &|file| {
        let path = dir.join(file);
        let read = match delivered::read(&path, false) {
            Ok(header) if header.claimed.is_none() => delivered::read(&path, true),
            read => read,
        };
        told();
        let xxh128 = found.get(file).cloned().unwrap_or_default();
        Ok(Delivered { xxh128, ..read? })
    })?;
    let known = |name: &String| Some((name.clone(), found.get(name)?.clone()));
    package.hashes = request.documents.keys().filter_map(known).collect();
    package.movies = movies(dir, &package, request);
    package.look = Look::Release;
    Ok(package)
}

/// What the movies are that should be there, as far as they are.
fn movies(
    dir: &Path,
    package: &Package,
    request: &Request,
) -> BTreeMap<String, Result<Movie, Fault>> {
    let there = |movie: &&MovieRequest| package.files.binary_search(&movie.file).is_ok();
    let asked: Vec<&MovieRequest> = request.movies.iter().filter(there).collect();
    let probe =
        |movie: &MovieRequest| (movie.file.clone(), delivered::movie(&dir.join(&movie.file)));
    asked.into_par_iter().map(probe).collect()
}

/// How a frame is read, by its name in the package.
type ReadFrame<'a> = dyn Fn(&str) -> Outcome<Delivered> + Sync + 'a;

/// Number, digits and path of a frame.
type Named = (i64, usize, String);

fn files(dir: &Path, read_frame: &ReadFrame<'_>) -> Outcome<Package> {
    let mut package = Package::default();
    walk(dir, "", &mut package.files)?;
    package.files.sort();
    // A frame of no bytes cannot be read, and is told so.
    let is_empty = |file: &&String| {
        !file.ends_with(".exr") && storage::metadata(dir.join(file)).is_ok_and(|f| f.is_empty())
    };
    package.empty = package.files.par_iter().filter(is_empty).cloned().collect();
    let mut sequences: BTreeMap<(String, String), Vec<Named>> = BTreeMap::new();
    for file in &package.files {
        let ending = file.rsplit_once('.').map_or("", |(_, e)| e).to_ascii_lowercase();
        if DOCUMENTS.contains(&ending.as_str()) {
            package.documents.insert(file.clone(), document(&dir.join(file))?);
        }
        if let Some((directory, stem, number, digits)) = frame_name(file) {
            let frame = (number, digits, file.clone());
            sequences.entry((directory, stem)).or_default().push(frame);
        }
    }
    let read = |(number, digits, file): Named| {
        let read = read_frame(&file);
        (number, FrameFile { file, digits, read })
    };
    for ((directory, stem), frames) in sequences {
        let mut sequence = SequenceFiles { directory, stem, ..SequenceFiles::default() };
        let read: Vec<(i64, FrameFile)> = frames.into_par_iter().map(read).collect();
        for (number, file) in read {
            match sequence.frames.entry(number) {
                std::collections::btree_map::Entry::Vacant(place) => {
                    place.insert(file);
                }
                std::collections::btree_map::Entry::Occupied(_) => {
                    sequence.doubles.push(file.file);
                }
            }
        }
        package.sequences.push(sequence);
    }
    Ok(package)
}

/// Directory, stem, number and digits of `dir/stem.1001.exr`; a still picture has none.
fn frame_name(file: &str) -> Option<(String, String, i64, usize)> {
    let (directory, name) = file.rsplit_once('/').unwrap_or(("", file));
    let (rest, ending) = name.rsplit_once('.')?;
    if !ending.eq_ignore_ascii_case("exr") {
        return None;
    }
    let stem = rest.trim_end_matches(|c: char| c.is_ascii_digit());
    let number = &rest[stem.len()..];
    let parsed = number.parse().ok()?;
    // Without a mark before it the number belongs to the name: `x_v001.exr`. A dash behind a mark is a minus.
    let stem = match stem.strip_suffix('-') {
        Some(stem) => Some(stem).filter(|stem| !stem.ends_with(['.', '_'])),
        None => stem.strip_suffix(['.', '_']),
    }?;
    Some((directory.to_owned(), stem.to_owned(), parsed, number.len()))
}

fn document(path: &Path) -> Outcome<Vec<u8>> {
    let fault = |e: std::io::Error| {
        Fault::new(Code::FileUnreadable, "a document cannot be read")
            .at(path.display().to_string())
            .because(&e)
    };
    let size = storage::metadata(path).map_err(fault)?.len();
    if size > limits::MAX_DOCUMENT_BYTES {
        let message = format!("{size} bytes are too many for a document");
        return Err(Fault::new(Code::TooLarge, message).at(path.display().to_string()));
    }
    storage::read(path).map_err(fault)
}

/// Files below `dir`, without what is hidden, staged, or the seal.
fn walk(dir: &Path, below: &str, files: &mut Vec<String>) -> Outcome<()> {
    let fault = |e: std::io::Error| {
        Fault::new(Code::FileUnreadable, "a directory cannot be read")
            .at(dir.display().to_string())
            .because(&e)
    };
    for entry in storage::read_dir(dir).map_err(fault)? {
        let entry = entry.map_err(fault)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with('.') || name == publish::STAGING || name == "ascmhl" {
            continue;
        }
        let path = if below.is_empty() { name } else { format!("{below}/{name}") };
        if entry.is_dir() {
            walk(&entry.path(), &path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::frame_name;

    #[test]
    fn frames_are_told_by_their_names() {
        let name = |file: &str| frame_name(file).map(|(d, s, n, l)| format!("{d}|{s}|{n}|{l}"));
        assert_eq!(name("a/b/x_v001.1001.exr").unwrap(), "a/b|x_v001|1001|4");
        assert_eq!(name("x_v001.01001.EXR").unwrap(), "|x_v001|1001|5");
        assert_eq!(name("x_v001_1001.exr").unwrap(), "|x_v001|1001|4");
        assert_eq!(name("x_v001-1001.exr").unwrap(), "|x_v001|1001|4");
        assert_eq!(name("x_v001.-5.exr"), None);
        assert_eq!(name("x_v001.exr"), None);
        assert_eq!(name("chart.exr"), None);
        assert_eq!(name("x.1001.png"), None);
    }
}
