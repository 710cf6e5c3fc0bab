//! Which plate of an earlier delivery a plate is. A number that was delivered
//! stays with its clip: whatever else comes into the list, before it or behind
//! it, the plate keeps its shot and number, and only new plates take new ones.
//!
//! A plate is another's next version when it is of the same shot and clip and
//! shows some of the same frames; of several the one that shares the most. The
//! same clip of the same shot without a common frame comes after those: a slip
//! of the whole take. A shot that no marker names is known by its plate alone,
//! since its name came from a place in the list.

use super::previous::Previous;
use std::collections::HashMap;

/// A plate that wants a name, as far as that tells which one it is.
pub(super) struct Wanted<'a> {
    /// Name of its shot: the marker's, or what the list's numbers give.
    pub(super) shot: String,
    /// Whether a marker says so.
    pub(super) marked: bool,
    /// What names of unmarked shots begin with.
    pub(super) prefix: &'a str,
    /// Path of its clip.
    pub(super) clip: &'a str,
    /// Indices within the clip: the first, and one behind the last.
    pub(super) source: [i64; 2],
}

/// The last versions of what was delivered.
pub(super) struct Delivered<'a> {
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
        Self { plates, by_shot, by_file }
    }

    /// The plates of a shot, by their numbers.
    pub(super) fn of_shot(&self, shot: &str) -> impl Iterator<Item = (usize, &'a Previous)> + '_ {
        let places = self.by_shot.get(&shot.to_ascii_lowercase());
        places.into_iter().flatten().map(|place| (*place, self.plates[*place]))
    }

    /// The last version of every plate.
    pub(super) fn all(&self) -> impl Iterator<Item = &'a Previous> + '_ {
        self.plates.iter().copied()
    }

    /// The plate of a claim.
    pub(super) fn plate(&self, place: usize) -> &'a Previous {
        self.plates[place]
    }

    /// For each plate that wants a name the one that it goes on from, each at most once.
    pub(super) fn claims(&self, wanted: &[Wanted<'_>]) -> Vec<Option<usize>> {
        let mut pairs: Vec<(Rank, usize, usize)> = Vec::new();
        for (i, wanted) in wanted.iter().enumerate() {
            let same_file = self.by_file.get(file(wanted.clip)).into_iter().flatten();
            let ranked =
                same_file.filter_map(|place| Some((rank(wanted, self.plates[*place])?, i, *place)));
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

fn rank(wanted: &Wanted<'_>, plate: &Previous) -> Option<Rank> {
    let frames = plate.frames.map_or(0, |frames| frames.len() as i64);
    let [first, end] = wanted.source;
    let theirs = [plate.source_first, plate.source_first + frames];
    let common = (end.min(theirs[1]) - first.max(theirs[0])).max(0);
    let all = (end - first + frames - common).max(1);
    let same_shot = plate.shot.eq_ignore_ascii_case(&wanted.shot);
    let fits = match (wanted.marked, common > 0) {
        (true, _) | (false, false) => same_shot,
        (false, true) => same_shot || is_numbered(&plate.shot, wanted.prefix),
    };
    let exact = plate.clip == wanted.clip;
    fits.then(|| (common > 0, exact, common.saturating_mul(1_000_000) / all))
}

/// Whether a shot's name came from a number of this list: `<prefix>_010`.
fn is_numbered(shot: &str, prefix: &str) -> bool {
    let rest = shot.get(..prefix.len()).filter(|begin| begin.eq_ignore_ascii_case(prefix));
    let digits = rest.and_then(|_| shot[prefix.len()..].strip_prefix('_'));
    digits.is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()))
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
            source_first: source[0],
            frames: Some(FrameRange::of_len(1001, source[1].abs_diff(source[0]))),
            ..Previous::default()
        }
    }

    fn now<'a>(shot: &str, marked: bool, clip: &'a str, source: [i64; 2]) -> Wanted<'a> {
        Wanted { shot: shot.into(), marked, prefix: "cut", clip, source }
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
    }
}
