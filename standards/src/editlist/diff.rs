//! What became of each shot between two versions of a cut.
//!
//! Pure, and of lists only: which frames are to be rendered again is decided
//! by who plans the pull, from the same events.
//!
//! A shot of one list is the same as a shot of the other when both come from
//! one source (the same reel, or where a list has none the same file or clip
//! name) and show some of the same frames, or other frames at the same place
//! of the cut. Of several pairs the one that shares most is taken first. The
//! lines of a transition are folded: its outgoing frames are the tail of the
//! shot before it.

use super::{EditList, Event};
use platefarm_model::{Code, Fault, Outcome};
use std::collections::{BTreeMap, HashSet};

/// What happened to a shot. Frames are whole and positive unless it is said otherwise.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Change {
    /// Only the second list has it.
    New,
    /// Only the first list has it.
    Gone,
    /// Source frames came at an end.
    Extended {
        /// Where.
        side: Side,
        /// How many.
        frames: i64,
    },
    /// Source frames went at an end.
    Shortened {
        /// Where.
        side: Side,
        /// How many.
        frames: i64,
    },
    /// Other source frames, the same length at the same speed.
    Slipped {
        /// Later in the source when positive.
        frames: i64,
    },
    /// It stands elsewhere in the cut.
    Moved {
        /// Later in the cut when positive.
        frames: i64,
        /// Only because shots before it changed: its place behind the shot before it is the same.
        rippled: bool,
    },
    /// Another speed.
    Retimed {
        /// Source frames per record frame before; 0 holds a frame, below 0 runs backwards.
        from: f64,
        /// And after.
        to: f64,
    },
    /// Another colour decision; one that came or went is another too.
    Regraded,
}

/// An end of a shot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Its first frames.
    Head,
    /// Its last frames.
    Tail,
}

impl Change {
    /// `new`, `gone`, `extended`, `shortened`, `slipped`, `moved`, `retimed`, `regraded`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Gone => "gone",
            Self::Extended { .. } => "extended",
            Self::Shortened { .. } => "shortened",
            Self::Slipped { .. } => "slipped",
            Self::Moved { .. } => "moved",
            Self::Retimed { .. } => "retimed",
            Self::Regraded => "regraded",
        }
    }
}

/// A shot that differs.
#[derive(Clone, Debug, PartialEq)]
pub struct Changed<'a> {
    /// In the first list.
    pub before: Option<&'a Event>,
    /// In the second list.
    pub after: Option<&'a Event>,
    /// Everything that happened, at least one.
    pub changes: Vec<Change>,
}

/// What two lists differ in.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Diff<'a> {
    /// Shots that differ: in the order of the second list, then those that are gone.
    pub changed: Vec<Changed<'a>>,
    /// Shots that do not.
    pub same: usize,
}

/// What became of every picture shot of `before` in `after`.
///
/// # Errors
/// [`Code::BadConfig`] when the lists count at different rates.
pub fn diff<'a>(before: &'a EditList, after: &'a EditList) -> Outcome<Diff<'a>> {
    if before.rate != after.rate {
        let message = format!("the lists count at {} and at {}", before.rate, after.rate);
        return Err(Fault::new(Code::BadConfig, message)
            .remedy("Compare lists of one rate; read each at its own."));
    }
    let (old, new) = (shots(before), shots(after));
    let pairs = pairs(&old, &new);
    let mut diff = Diff::default();
    let partner: BTreeMap<usize, usize> = pairs.iter().map(|(o, n)| (*n, *o)).collect();
    for (n, shot) in new.iter().enumerate() {
        let Some(o) = partner.get(&n) else {
            diff.changed.push(Changed {
                before: None,
                after: Some(shot.event),
                changes: vec![Change::New],
            });
            continue;
        };
        let was = &old[*o];
        let rippled = follows(*o, n, &partner, &old, &new);
        let changes = changes(was, shot, rippled);
        if changes.is_empty() {
            diff.same += 1;
        } else {
            let (before, after) = (Some(was.event), Some(shot.event));
            diff.changed.push(Changed { before, after, changes });
        }
    }
    let kept: HashSet<usize> = partner.into_values().collect();
    let gone = old.iter().enumerate().filter(|(o, _)| !kept.contains(o));
    diff.changed.extend(gone.map(|(_, shot)| Changed {
        before: Some(shot.event),
        after: None,
        changes: vec![Change::Gone],
    }));
    Ok(diff)
}

/// An event with the frames that a transition adds to it.
struct Shot<'a> {
    event: &'a Event,
    source: [i64; 2],
    record: [i64; 2],
    speed: f64,
}

impl Shot<'_> {
    fn shared(&self, other: &Self) -> i64 {
        (self.source[1].min(other.source[1]) - self.source[0].max(other.source[0])).max(0)
    }

    fn length(&self) -> i64 {
        self.record[1] - self.record[0]
    }
}

/// The shots that are seen, in the order of the list.
fn shots(list: &EditList) -> Vec<Shot<'_>> {
    let mut shots: Vec<Shot<'_>> = Vec::new();
    for (i, event) in list.events.iter().enumerate() {
        if !event.is_picture() || event.is_black() || !event.enabled {
            continue;
        }
        let (source, record) = (event.source.frames().max(0), event.record.frames().max(0));
        if record == 0 && source == 0 {
            // The outgoing line of a transition: more of the shot before it.
            let next = list.events.get(i + 1).filter(|next| next.transition.mixes());
            let more = next.map_or(0, |next| i64::from(next.transition.frames()));
            let last = shots.iter_mut().rev().find(|shot| shot.event.track == event.track);
            if let Some(last) = last.filter(|shot| {
                same_source(shot.event, event) && shot.source[1] == event.source.start.frames
            }) {
                last.source[1] += (more as f64 * last.speed.abs()).ceil() as i64;
                last.record[1] += more;
            }
            continue;
        }
        let [from, at] = [event.source.start.frames, event.record.start.frames];
        let speed = speed(event);
        shots.push(Shot {
            event,
            source: [from, from + source.max(1)],
            record: [at, at + record],
            speed,
        });
    }
    shots
}

/// Source frames per record frame: as the list says, else as its lengths say.
fn speed(event: &Event) -> f64 {
    let told = event.motion.last().map(|m| m.speed(event.source.start.rate));
    let told = if event.freeze { Some(0.0) } else { told };
    told.unwrap_or_else(|| {
        let (source, record) = (event.source.frames(), event.record.frames());
        // Lists made across rates are off by one.
        if source <= 0 || record <= 0 || (source - record).abs() <= 1 {
            1.0
        } else {
            source as f64 / record as f64
        }
    })
}

/// Pairs of shots, each in one pair at most: those that share most first.
fn pairs(old: &[Shot<'_>], new: &[Shot<'_>]) -> Vec<(usize, usize)> {
    let mut by_name: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (n, shot) in new.iter().enumerate() {
        for name in names(shot.event) {
            by_name.entry(name).or_default().push(n);
        }
    }
    let mut candidates = Vec::new();
    for (o, was) in old.iter().enumerate() {
        let mut near: Vec<usize> = names(was.event)
            .iter()
            .filter_map(|name| by_name.get(name))
            .flatten()
            .copied()
            .collect();
        near.sort_unstable();
        near.dedup();
        for n in near.into_iter().filter(|n| same_source(was.event, new[*n].event)) {
            let is = &new[n];
            let shared = was.shared(is);
            let slipped = was.record[0] == is.record[0] || was.event.number == is.event.number;
            if shared == 0 && !(slipped && was.length() == is.length()) {
                continue;
            }
            let same = was.source == is.source;
            let away = (was.record[0] - is.record[0]).abs();
            candidates.push(((!same, -shared, away), o, n));
        }
    }
    candidates.sort_unstable();
    let (mut taken_old, mut taken_new) = (HashSet::new(), HashSet::new());
    let mut pairs = Vec::new();
    for (_, o, n) in candidates {
        if !taken_old.contains(&o) && !taken_new.contains(&n) {
            taken_old.insert(o);
            taken_new.insert(n);
            pairs.push((o, n));
        }
    }
    pairs
}

/// Whether a shot stands behind the same shot as before, with the same gap: it was only pushed.
fn follows(
    o: usize,
    n: usize,
    partner: &BTreeMap<usize, usize>,
    old: &[Shot<'_>],
    new: &[Shot<'_>],
) -> bool {
    let (Some(before), Some(now)) = (o.checked_sub(1), n.checked_sub(1)) else { return false };
    // A shot that came or went between them pushes too.
    let (was_gap, is_gap) =
        (old[o].record[0] - old[before].record[1], new[n].record[0] - new[now].record[1]);
    let known = partner.get(&now).is_none_or(|partner| *partner <= before);
    known && was_gap == is_gap
}

fn changes(was: &Shot<'_>, is: &Shot<'_>, rippled: bool) -> Vec<Change> {
    let mut changes = Vec::new();
    if (was.speed - is.speed).abs() > 1e-4 {
        changes.push(Change::Retimed { from: was.speed, to: is.speed });
    }
    let head = was.source[0] - is.source[0];
    let tail = is.source[1] - was.source[1];
    if head != 0 && head == -tail {
        changes.push(Change::Slipped { frames: tail });
    } else {
        for (side, frames) in [(Side::Head, head), (Side::Tail, tail)] {
            match frames {
                1.. => changes.push(Change::Extended { side, frames }),
                0 => {}
                _ => changes.push(Change::Shortened { side, frames: -frames }),
            }
        }
    }
    let frames = is.record[0] - was.record[0];
    if frames != 0 {
        changes.push(Change::Moved { frames, rippled });
    }
    if was.event.cdl != is.event.cdl {
        changes.push(Change::Regraded);
    }
    changes
}

fn same_source(a: &Event, b: &Event) -> bool {
    match (reel(a), reel(b)) {
        (Some(a), Some(b)) => a == b,
        _ => {
            let others = names(b);
            names(a).iter().any(|name| others.contains(name))
        }
    }
}

fn reel(event: &Event) -> Option<String> {
    let reel = event.long_reel.as_deref().unwrap_or(&event.reel);
    (!event.is_auxiliary()).then(|| plain(reel)).filter(|reel| !reel.is_empty())
}

/// Every name by which the source of an event goes.
fn names(event: &Event) -> Vec<String> {
    let file = event.source_file.as_deref().map(|path| {
        let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
        plain(name.rsplit_once('.').map_or(name, |(stem, _)| stem))
    });
    let clip = event.clip_name.as_deref().map(plain);
    let mut names: Vec<String> =
        reel(event).into_iter().chain(file).chain(clip).filter(|name| !name.is_empty()).collect();
    if names.is_empty() {
        // What has no name is the same as what has none.
        names.push(String::new());
    }
    names
}

fn plain(name: &str) -> String {
    name.trim().to_uppercase()
}
