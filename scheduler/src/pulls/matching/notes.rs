//! What a match rests on beside its rule, said with the plate: what was
//! assumed about the clip, how a fuzzy rule read names and timecode, and that
//! another name of the event leads elsewhere.

use super::key::date_in;
use super::names::plain;
use super::times::{At, Reading};
use super::{ClipKey, Query};
use platefarm_model::pull::{Matched, Tier};
use platefarm_model::{Code, Fault};

/// Everything that is to be said about a match.
pub(super) fn of(clip: &ClipKey, matched: &Matched, at: At, query: &Query<'_>) -> Vec<Fault> {
    let mut notes = assumed(clip, query);
    notes.extend(fuzzy(clip, matched, at, query));
    notes.extend(contradicted(matched, query));
    notes
}

fn assumed(clip: &ClipKey, query: &Query<'_>) -> Vec<Fault> {
    let mut notes = Vec::new();
    if clip.start.is_none() {
        let message = "the clip has no timecode; its first frame is taken as 00:00:00:00";
        notes.push(
            Fault::new(Code::MetadataAbsent, message)
                .at(clip.path.clone())
                .remedy("Check the plate against the edit."),
        );
    }
    if clip.start.is_none() && clip.rate.is_none() {
        let message =
            format!("the clip has no rate; the edit list's {} is taken", query.start.rate);
        notes.push(Fault::new(Code::MetadataAbsent, message).at(clip.path.clone()));
    }
    notes
}

/// A match that is not exact is said aloud, with what it rests on.
fn fuzzy(clip: &ClipKey, matched: &Matched, at: At, query: &Query<'_>) -> Option<Fault> {
    if matched.tier != Tier::Fuzzy {
        return None;
    }
    let start = clip.start.unwrap_or(query.start);
    let time = match at.read_as {
        Reading::Plain => String::new(),
        Reading::OneFrame => "; the list counts one frame beyond the clip".into(),
        Reading::Sibling => {
            let mode = if start.drop_frame { "drop frame" } else { "non-drop" };
            format!("; {} is read at {} {mode}", query.start, start.rate)
        }
        Reading::Shifted(hours) => format!("; {} is read {hours:+} h", query.start),
        Reading::Untimed => "; nothing says which of its frames are meant".into(),
    };
    let date = other_date(clip, query).map_or_else(String::new, |[theirs, ours]| {
        format!("; the event's name is of {theirs}, the clip's of {ours} (YYMMDD)")
    });
    let message = format!(
        "'{}' was matched by rule '{}', score {:.2}: {}{time}{date}",
        clip.clip_name, matched.rule, matched.score, matched.by
    );
    let fault = Fault::new(Code::FuzzyMatch, message).at(query.place.clone());
    Some(match matched.rule.as_str() {
        "cut-reel" => fault.remedy(
            "Look at the plate beside the edit; export the list as File_32 or File_129, which keep whole reels.",
        ),
        _ => fault,
    })
}

/// The dates in a name of the event and in that of the clip, where both have one and no two agree:
/// rolls are counted anew, and time of day recurs.
fn other_date(clip: &ClipKey, query: &Query<'_>) -> Option<[String; 2]> {
    let ours = date_in(&plain(&clip.clip_name))?;
    let theirs: Vec<String> =
        query.names.iter().filter_map(|(_, name)| date_in(&plain(name))).collect();
    let first = theirs.first().filter(|_| !theirs.contains(&ours))?;
    Some([first.clone(), ours])
}

/// An exact match by one name while another name of the event leads elsewhere.
fn contradicted(matched: &Matched, query: &Query<'_>) -> Option<Fault> {
    let other = matched.runner_up.as_ref().filter(|_| matched.tier == Tier::Exact)?;
    let message = format!(
        "another name of the event leads to '{}'{} (rule '{}', score {:.2})",
        other.path,
        if other.gone { ", which is gone" } else { "" },
        other.rule,
        other.score
    );
    Some(
        Fault::new(Code::AmbiguousEvent, message)
            .at(query.place.clone())
            .remedy("See which of the two is meant; --resolve takes the choice."),
    )
}
