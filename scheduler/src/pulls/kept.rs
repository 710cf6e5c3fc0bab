//! Which plate of an earlier delivery a plate is. A number that was delivered
//! stays with its clip: whatever else comes into the list, before it or behind
//! it, the plate keeps its shot and number, and only new plates take new ones.
//!
//! A plate is another's next version when it is of the same shot and clip and
//! shows some of the same frames; of several the one that shares the most. The
//! same clip of the same shot without a common frame comes after those: a slip
//! of the whole take. A shot that no marker names is known by its plate alone,
//! since its name came from a place in the list and from the list's title: half
//! of the shorter plate must be common, which two handles that meet are not.
//!
//! A clip is known by its path, or, where media was moved, by its file, its
//! name and its reel together: cards count their files from 1 again.

use super::previous::Previous;
use std::collections::{HashMap, HashSet};

/// A plate that wants a name, as far as that tells which one it is.
pub(super) struct Wanted<'a> {
    /// Name of its shot: the marker's, or what the list's numbers give.
    pub(super) shot: String,
    /// Whether a marker says so.
    pub(super) marked: bool,
    /// Path of its clip.
    pub(super) clip: &'a str,
    /// Name of its clip.
    pub(super) clip_name: &'a str,
    /// Reel of its clip, where the file says one.
    pub(super) reel: Option<&'a str>,
    /// Indices within the clip: the first, and one behind the last.
    pub(super) source: [i64; 2],
}

/// The last versions of what was delivered.
pub(super) struct Delivered<'a> {
    /// Every version.
    all: &'a [Previous],
    plates: Vec<&'a Previous>,
    by_shot: HashMap<String, Vec<usize>>,
    by_file: HashMap<&'a str, Vec<usize>>,
}

/// How good a pair is, the best first: common frames at all, the very path,
/// then the share of frames that are common, in millionths.
type Rank = (bool, bool, i64);

impl<'a> Delivered<'a> {
    pub(super) fn new(previous: &'a [Previous]) -> Self {
        let mut last: HashMap<(String, u32), &Previous> = HashMap::new();
        for plate in previous {
            let known =
                last.entry((plate.shot.to_ascii_lowercase(), plate.number)).or_insert(plate);
            if plate.version >= known.version {
                *known = plate;
            }
        }
        let mut plates: Vec<&Previous> = last.into_values().collect();
        plates.sort_by_cached_key(|plate| (plate.shot.to_ascii_lowercase(), plate.number));
        let mut by_shot: HashMap<String, Vec<usize>> = HashMap::new();
        let mut by_file: HashMap<&str, Vec<usize>> = HashMap::new();
        for (i, plate) in plates.iter().enumerate() {
            by_shot.entry(plate.shot.to_ascii_lowercase()).or_default().push(i);
            by_file.entry(file(&plate.clip)).or_default().push(i);
        }
        Self { all: previous, plates, by_shot, by_file }
    }

    /// The plates of a shot, by their numbers.
    pub(super) fn of_shot(&self, shot: &str) -> impl Iterator<Item = (usize, &'a Previous)> + '_ {
        let places = self.by_shot.get(&shot.to_ascii_lowercase());
        places.into_iter().flatten().map(|place| (*place, self.plates[*place]))
    }

    /// Every version of every plate.
    pub(super) const fn all(&self) -> &'a [Previous] {
        self.all
    }

    /// The plate of a claim.
    pub(super) fn plate(&self, place: usize) -> &'a Previous {
        self.plates[place]
    }

    /// For each plate that wants a name the one that it goes on from, each at most once.
    pub(super) fn claims(&self, wanted: &[Wanted<'_>]) -> Vec<Option<usize>> {
        let marked = wanted.iter().filter(|wanted| wanted.marked);
        let marked: HashSet<String> = marked.map(|w| w.shot.to_ascii_lowercase()).collect();
        let mut pairs: Vec<(Rank, usize, usize)> = Vec::new();
        for (i, wanted) in wanted.iter().enumerate() {
            let same_file = self.by_file.get(file(wanted.clip)).into_iter().flatten();
            let ranked = same_file
                .filter_map(|place| Some((rank(wanted, self.plates[*place], &marked)?, i, *place)));
            pairs.extend(ranked);
        }
        // Equal pairs in the order of the list and of the numbers.
        pairs.sort_by_key(|(rank, i, place)| (std::cmp::Reverse(*rank), *i, *place));
        let mut claims = vec![None; wanted.len()];
        let mut taken = vec![false; self.plates.len()];
        for (_, i, place) in pairs {
            if claims[i].is_none() && !taken[place] {
                (claims[i], taken[place]) = (Some(place), true);
            }
        }
        claims
    }
}

/// How good a pair is, if it is one. `marked` are the shots that markers of this list name.
fn rank(wanted: &Wanted<'_>, plate: &Previous, marked: &HashSet<String>) -> Option<Rank> {
    let exact = plate.clip == wanted.clip;
    if !exact && (plate.clip_name != wanted.clip_name || plate.reel.as_deref() != wanted.reel) {
        return None;
    }
    let frames = plate.frames.map_or(0, |frames| frames.len() as i64);
    let [first, end] = wanted.source;
    let theirs = [plate.source_first, plate.source_first + frames];
    let common = (end.min(theirs[1]) - first.max(theirs[0])).max(0);
    let all = (end - first + frames - common).max(1);
    let is_most = common > 0 && common >= (end - first).min(frames) - common;
    let same_shot = plate.shot.eq_ignore_ascii_case(&wanted.shot);
    let of_none = || !marked.contains(&plate.shot.to_ascii_lowercase());
    let fits = same_shot || (!wanted.marked && is_most && of_none());
    fits.then(|| (common > 0, exact, common.saturating_mul(1_000_000) / all))
}

/// The file of a clip: media that was moved keeps it.
pub(super) fn file(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use platefarm_model::FrameRange;

    fn before(shot: &str, number: u32, version: u32, clip: &str, source: [i64; 2]) -> Previous {
        Previous {
            shot: shot.into(),
            number,
            version,
            clip: clip.into(),
            clip_name: file(clip).into(),
            source_first: source[0],
            frames: Some(FrameRange::of_len(1001, source[1].abs_diff(source[0]))),
            ..Previous::default()
        }
    }

    fn now<'a>(shot: &str, marked: bool, clip: &'a str, source: [i64; 2]) -> Wanted<'a> {
        Wanted { shot: shot.into(), marked, clip, clip_name: file(clip), reel: None, source }
    }

    /// Each row: what was delivered, what is wanted, and the place of the claim.
    #[test]
    fn a_plate_is_known_by_shot_clip_and_frames() {
        let known = [
            before("S_1", 1, 1, "/m/a", [10, 20]),
            before("S_1", 1, 2, "/m/b", [10, 20]),
            before("S_1", 2, 1, "/m/a", [100, 140]),
            before("cut_010", 1, 1, "/m/c", [0, 50]),
        ];
        let delivered = Delivered::new(&known);
        let claim = |wanted: &[Wanted<'_>]| -> Vec<Option<(String, u32, u32)>> {
            let one = |place: Option<usize>| {
                place.map(|p| delivered.plate(p)).map(|p| (p.shot.clone(), p.number, p.version))
            };
            delivered.claims(wanted).into_iter().map(one).collect()
        };
        let is = |shot: &str, number, version| Some((shot.to_owned(), number, version));
        // The last version says whose the number is.
        assert_eq!(claim(&[now("s_1", true, "/m/b", [12, 30])]), [is("S_1", 1, 2)]);
        // No common frame: the take was slipped.
        assert_eq!(claim(&[now("S_1", true, "/m/a", [10, 20])]), [is("S_1", 2, 1)]);
        // The one with more common frames has it, wherever it stands.
        let two = [now("S_1", true, "/m/a", [90, 110]), now("S_1", true, "/m/a", [100, 140])];
        assert_eq!(claim(&two), [None, is("S_1", 2, 1)]);
        // Another shot, another clip.
        assert_eq!(claim(&[now("S_2", true, "/m/a", [100, 140])]), [None]);
        assert_eq!(claim(&[now("S_1", true, "/m/x", [100, 140])]), [None]);
        // The media was moved.
        assert_eq!(claim(&[now("S_1", true, "/n/a", [100, 140])]), [is("S_1", 2, 1)]);
        // A shot without a marker is known by its plate, a marked one only under its name.
        assert_eq!(claim(&[now("cut_030", false, "/m/c", [5, 40])]), [is("cut_010", 1, 1)]);
        assert_eq!(claim(&[now("cut_030", false, "/m/c", [60, 70])]), [None]);
        assert_eq!(claim(&[now("S_9", true, "/m/c", [5, 40])]), [None]);
        // Whatever the list is called, and whoever named the shot, unless a marker still does.
        assert_eq!(claim(&[now("next_030", false, "/m/c", [5, 40])]), [is("cut_010", 1, 1)]);
        assert_eq!(claim(&[now("cut_030", false, "/m/b", [10, 20])]), [is("S_1", 1, 2)]);
        let marked = [now("cut_030", false, "/m/b", [10, 20]), now("S_1", true, "/m/x", [0, 9])];
        assert_eq!(claim(&marked), [None, None]);
        // Half of the shorter one: 25 of 50 frames, and 24 of them, which is what handles share.
        assert_eq!(claim(&[now("cut_030", false, "/m/c", [25, 90])]), [is("cut_010", 1, 1)]);
        assert_eq!(claim(&[now("cut_030", false, "/m/c", [26, 90])]), [None]);
    }

    /// Cards count their files from 1 again: a file's name alone is no clip.
    #[test]
    fn a_clip_is_more_than_the_name_of_its_file() {
        let reel = |reel: &str, plate: Previous| Previous { reel: Some(reel.into()), ..plate };
        let known = [reel("A001", before("S_1", 1, 1, "/cardA/C0001.MP4", [10, 20]))];
        let delivered = Delivered::new(&known);
        let from = |clip: &'static str, name: &'static str, reel: Option<&'static str>| {
            let wanted = now("S_1", true, clip, [10, 20]);
            delivered.claims(&[Wanted { clip_name: name, reel, ..wanted }]) == [Some(0)]
        };
        assert!(from("/cardA/C0001.MP4", "C0001.MP4", Some("A001")));
        assert!(from("/moved/C0001.MP4", "C0001.MP4", Some("A001")));
        assert!(!from("/cardB/C0001.MP4", "C0001.MP4", Some("B001")));
        assert!(!from("/cardB/C0001.MP4", "C0001.MP4", None));
        assert!(!from("/cardB/C0001.MP4", "Other", Some("A001")));
        // The very path is the clip, whatever is known of it by now.
        assert!(from("/cardA/C0001.MP4", "Renamed", None));
    }
}
