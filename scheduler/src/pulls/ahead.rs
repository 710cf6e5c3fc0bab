//! What is asked of matching before there is a plan: which clips have to be
//! known in full, whose files have to be looked for, which choices lead anywhere.

use super::matching::{BAR, Choices, ClipKey, Index, Query};
use super::take::{self, Verdict};
use platefarm_model::{Code, Fault};
use platefarm_standards::editlist::EditList;
use std::collections::{BTreeSet, HashSet};

/// The clips that a plan of this list would take, by their places among
/// `keys`: all that need be known in full before it is planned.
#[must_use]
pub fn wanted(edl: &EditList, keys: &[ClipKey], choices: &Choices, bar: f64) -> BTreeSet<usize> {
    let index = Index::new(edl, keys, choices, bar);
    let takes = take::takes(edl).into_iter();
    let found = takes.filter_map(|verdict| match verdict {
        Verdict::Take(take) => index.find(&Query::of(&take)).ok(),
        _ => None,
    });
    found.map(|found| found.clip).collect()
}

/// The clips whose files decide what becomes of this list, by their places
/// among `keys`: those that a plan would take, and those that it would show
/// where a person has to choose.
#[must_use]
pub fn in_question(
    edl: &EditList,
    keys: &[ClipKey],
    choices: &Choices,
    bar: f64,
) -> BTreeSet<usize> {
    let index = Index::new(edl, keys, choices, bar);
    let (mut places, mut shown) = (BTreeSet::new(), HashSet::new());
    for verdict in take::takes(edl) {
        let Verdict::Take(take) = verdict else { continue };
        match index.find(&Query::of(&take)) {
            Ok(found) => {
                places.insert(found.clip);
            }
            Err(miss) => {
                // A clip that only comes near has no score.
                let candidates = miss.candidates.into_iter().filter(|one| one.score > 0.0);
                shown.extend(candidates.map(|one| one.path));
            }
        }
    }
    let of_shown = keys.iter().enumerate().filter(|(_, key)| shown.contains(&key.path));
    places.extend(of_shown.map(|(place, _)| place));
    places
}

/// The choices that lead an event of this list to its clip, by their places.
#[must_use]
pub fn chosen(edl: &EditList, keys: &[ClipKey], choices: &Choices) -> BTreeSet<usize> {
    // Tables of a whole library are not made for nothing.
    if choices.choices.is_empty() {
        return BTreeSet::new();
    }
    let index = Index::new(edl, keys, choices, BAR);
    let takes = take::takes(edl).into_iter();
    let led = takes.filter_map(|verdict| match verdict {
        Verdict::Take(take) => index.chooses(&Query::of(&take)),
        _ => None,
    });
    led.collect()
}

/// Choices of a pull that names no show are kept for none, and that is told.
#[must_use]
pub fn not_kept(show: Option<&str>, used: &BTreeSet<usize>, place: &str) -> Option<Fault> {
    (show.is_none_or(str::is_empty) && !used.is_empty()).then(|| {
        let message = "no show is named: what is chosen holds for this pull, and is not kept";
        Fault::new(Code::Defaulted, message)
            .at(place)
            .remedy("Name the show of the pull, and its next one asks no more.")
    })
}

/// What people decided about events of this list: their places, and the clips
/// that are meant. Whatever else was chosen for the show decides nothing here.
pub(super) fn decided<'c>(edl: &EditList, choices: &'c Choices) -> Vec<(usize, &'c str)> {
    let takes = take::takes(edl).into_iter().enumerate();
    let decided = takes.filter_map(|(place, verdict)| match verdict {
        Verdict::Take(take) => {
            let (_, choice) = choices.holding(&Query::of(&take))?;
            Some((place, choice.clip.as_str()))
        }
        _ => None,
    });
    decided.collect()
}

/// Choices that led to no clip are not kept, and are told. `place` is where they were said.
#[must_use]
pub fn unused(chosen: &Choices, used: &BTreeSet<usize>, place: &str) -> Vec<Fault> {
    let unused = chosen.choices.iter().enumerate().filter(|(at, _)| !used.contains(at));
    let told = unused.map(|(_, choice)| {
        let message =
            format!("the choice of '{}' leads no event of the list to a clip", choice.clip);
        Fault::new(Code::BadChoice, message)
            .at(place)
            .remedy("Nothing, if it is meant for another list; it is not kept for the show.")
    });
    told.collect()
}
