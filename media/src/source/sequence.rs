//! Which files are the frames of one clip: the same directory, the same name
//! up to a number, the same extension. Knows names only, no file contents.

use super::source_by_extension;
use platefarm_model::{FrameRange, FrameSet};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Digits of a frame number beyond which a number is a name (a date, a serial number).
const MAX_DIGITS: usize = 12;

/// The files of one clip, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sequence {
    /// Name of the clip: what stands before the frame number.
    pub name: String,
    /// Number in the name of the first file, where names have one.
    pub first_number: Option<i64>,
    /// Index within the clip and file, ascending; never empty.
    files: Vec<(i64, PathBuf)>,
}

impl Sequence {
    /// A clip of one numbered file.
    #[must_use]
    pub fn single(path: &Path) -> Self {
        let parts = split(path);
        Self {
            name: parts.name,
            first_number: parts.number.map(|(number, _)| number),
            files: vec![(0, path.to_owned())],
        }
    }

    /// A clip that is one file, whose whole name is the clip's.
    #[must_use]
    pub fn whole(path: &Path) -> Self {
        let name = path.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
        Self { name, first_number: None, files: vec![(0, path.to_owned())] }
    }

    /// The files with their indices, ascending.
    #[must_use]
    pub fn files(&self) -> &[(i64, PathBuf)] {
        &self.files
    }

    /// The first file.
    #[must_use]
    pub fn first_file(&self) -> &Path {
        &self.files[0].1
    }

    /// Indices from 0 to the last file.
    #[must_use]
    pub fn frame_count(&self) -> u64 {
        self.files.last().map_or(0, |(index, _)| *index as u64 + 1)
    }

    /// The file of an index.
    #[must_use]
    pub fn file(&self, index: i64) -> Option<&Path> {
        let at = self.files.binary_search_by_key(&index, |(i, _)| *i).ok()?;
        Some(&self.files[at].1)
    }

    /// Indices without a file.
    #[must_use]
    pub fn missing(&self) -> FrameSet {
        let mut missing = FrameSet::new();
        for pair in self.files.windows(2) {
            let (before, after) = (pair[0].0, pair[1].0);
            if after - before > 1 {
                missing.insert(FrameRange::of_len(before + 1, (after - before - 1) as u64));
            }
        }
        missing
    }

    /// Whether a file of that name is one of them.
    #[must_use]
    pub fn contains(&self, path: &Path) -> bool {
        self.files.iter().any(|(_, file)| file.file_name() == path.file_name())
    }
}

struct Parts {
    name: String,
    /// Frame number and its digits.
    number: Option<(i64, usize)>,
}

fn split(path: &Path) -> Parts {
    let stem = path.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
    let head = stem.trim_end_matches(|c: char| c.is_ascii_digit());
    let digits = &stem[head.len()..];
    let name = head.trim_end_matches(['.', '_', '-', ' ']);
    match digits.parse() {
        // A name that is all number is the frame's, and the directory names the clip.
        Ok(number) if digits.len() <= MAX_DIGITS => Parts {
            name: if name.is_empty() {
                directory_name(path).unwrap_or(stem.clone())
            } else {
                name.to_owned()
            },
            number: Some((number, digits.len())),
        },
        _ => Parts { name: stem, number: None },
    }
}

fn directory_name(path: &Path) -> Option<String> {
    Some(path.parent()?.file_name()?.to_string_lossy().into_owned())
}

/// Groups files into clips, ordered by the path of their first file.
#[must_use]
pub(super) fn group(paths: &[PathBuf]) -> Vec<Sequence> {
    type Key = (PathBuf, String, String);
    let mut groups: BTreeMap<Key, Vec<(i64, usize, PathBuf)>> = BTreeMap::new();
    let mut clips = Vec::new();
    for path in paths {
        if source_by_extension(path).is_some_and(|source| source.whole_clip()) {
            clips.push(Sequence::whole(path));
            continue;
        }
        let parts = split(path);
        let Some((number, digits)) = parts.number else {
            clips.push(Sequence::single(path));
            continue;
        };
        let stem = path.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
        let head = stem[..stem.len() - digits].to_owned();
        let extension = path.extension().map(|e| e.to_string_lossy().to_ascii_lowercase());
        let directory = path.parent().map(Path::to_owned).unwrap_or_default();
        let key = (directory, head, extension.unwrap_or_default());
        groups.entry(key).or_default().push((number, digits, path.clone()));
    }
    for mut files in groups.into_values() {
        files.sort();
        // `1.dng` beside `01.dng`: two clips that differ in their digits.
        if files.windows(2).any(|w| w[0].0 == w[1].0) {
            let mut by_digits: BTreeMap<usize, Vec<(i64, usize, PathBuf)>> = BTreeMap::new();
            for file in files {
                by_digits.entry(file.1).or_default().push(file);
            }
            for files in by_digits.into_values() {
                // What is still double (`a.dng`, `a.DNG`) differs in the extension's case alone.
                let (mut first, mut second) = (Vec::new(), Vec::new());
                for file in files {
                    let double =
                        first.last().is_some_and(|l: &(i64, usize, PathBuf)| l.0 == file.0);
                    if double { second.push(file) } else { first.push(file) }
                }
                clips.push(numbered(first));
                clips.extend(second.into_iter().map(|(_, _, path)| Sequence::single(&path)));
            }
        } else {
            clips.push(numbered(files));
        }
    }
    clips.sort_by(|a, b| a.first_file().cmp(b.first_file()));
    clips
}

fn numbered(files: Vec<(i64, usize, PathBuf)>) -> Sequence {
    let first = files[0].0;
    Sequence {
        name: split(&files[0].2).name,
        first_number: Some(first),
        files: files.into_iter().map(|(number, _, path)| (number - first, path)).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grouped(names: &[&str]) -> Vec<(String, Option<i64>, u64, String)> {
        let paths: Vec<PathBuf> = names.iter().map(PathBuf::from).collect();
        group(&paths)
            .into_iter()
            .map(|s| {
                let missing: Vec<String> =
                    s.missing().ranges().iter().map(ToString::to_string).collect();
                (s.name.clone(), s.first_number, s.frame_count(), missing.join(","))
            })
            .collect()
    }

    #[test]
    fn frames_of_one_clip_are_one_sequence() {
        let names = ["c/A001_C001_000002.dng", "c/A001_C001_000000.dng", "c/A001_C001_000005.DNG"];
        assert_eq!(grouped(&names), [("A001_C001".into(), Some(0), 6, "1,3-4".into())]);
    }

    #[test]
    fn names_and_directories_part_clips() {
        let names = ["a/x.0001.dng", "a/x.0002.dng", "a/y.0001.dng", "b/x.0001.dng", "b/chart.dng"];
        let found = grouped(&names);
        let clips: Vec<(&str, u64)> = found.iter().map(|f| (f.0.as_str(), f.2)).collect();
        assert_eq!(clips, [("x", 2), ("y", 1), ("chart", 1), ("x", 1)]);
    }

    #[test]
    fn numbers_without_padding_are_in_order_of_number() {
        let found = grouped(&["c/f9.dng", "c/f10.dng", "c/f11.dng"]);
        assert_eq!(found, [("f".into(), Some(9), 3, String::new())]);
    }

    #[test]
    fn bare_numbers_take_the_name_of_the_directory() {
        assert_eq!(grouped(&["A001_C002/000001.dng", "A001_C002/000002.dng"])[0].0, "A001_C002");
    }

    #[test]
    fn the_same_number_twice_is_not_one_clip() {
        assert_eq!(grouped(&["c/f1.dng", "c/f01.dng", "c/f02.dng"]).len(), 2);
        assert_eq!(grouped(&["c/f1.dng", "c/f1.DNG"]).len(), 2);
    }
}
