//! What is said where no clip was taken: the conflict, or the nearest thing
//! to a match, so that a person sees in one line what to do.

use super::times::{Not, inside};
use super::{ClipKey, Given, Hit, Index, Miss, Names, Query, Rule, UMID, normal, plain};
use platefarm_model::{Code, Fault};

/// Clips that are shown.
pub(super) const MOST: usize = 8;
/// What to do about several of which some are gone.
const WHICH_IS_THERE: &str = "Say with --resolve which is meant, or `platefarm library forget` what is gone; nothing is taken only because it is there.";
/// What to do about several.
const WHICH: &str = "Say which is meant with --resolve, remove the double, or narrow --media to the directory that is meant.";

impl Index<'_> {
    /// Several clips pass, and nothing says which is meant.
    pub(super) fn conflict(&self, rule: &Rule, hits: &[Hit], query: &Query<'_>) -> Miss {
        let shown: Vec<String> = hits.iter().take(MOST).map(|hit| self.shown(hit.clip)).collect();
        let more = hits.len().saturating_sub(MOST);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let (given, name) = match query.names.iter().find(|(given, _)| *given == hits[0].given) {
            Some((given, name)) => (given.word(), *name),
            None => ("the event", ""),
        };
        let how =
            if rule.score < 1.0 { format!(" by rule '{}'", rule.name) } else { String::new() };
        let message = format!(
            "{} clips hold {given} '{name}' at this timecode{how}: {}{more}",
            hits.len(),
            shown.join(", ")
        );
        let fault = Fault::new(Code::AmbiguousEvent, message);
        let fault = fault.remedy(self.which(hits.iter().map(|hit| hit.clip)));
        let hits = hits.iter().take(MOST);
        let candidates = hits.map(|hit| self.candidate(rule.name, rule.score, hit.clip)).collect();
        Miss { fault, candidates, unnamed: false }
    }

    fn which(&self, mut clips: impl Iterator<Item = u32>) -> &'static str {
        if clips.any(|clip| self.key(clip).gone) { WHICH_IS_THERE } else { WHICH }
    }

    /// Clips with one id, which is to be unique.
    pub(super) fn one_id(&self, clips: &[u32]) -> Miss {
        let shown: Vec<String> = clips.iter().take(MOST).map(|clip| self.shown(*clip)).collect();
        let message = format!(
            "{} clips have the unique id of the event and hold it: {}",
            clips.len(),
            shown.join(", ")
        );
        let candidates = clips.iter().take(MOST).map(|clip| self.candidate(UMID, 1.0, *clip));
        Miss {
            fault: Fault::new(Code::AmbiguousEvent, message)
                .remedy(self.which(clips.iter().copied())),
            candidates: candidates.collect(),
            unnamed: false,
        }
    }

    /// A rule below the bar leads somewhere: not a match, but worth a look.
    pub(super) fn suggest(&self, rule: &Rule, hits: &[Hit], query: &Query<'_>) -> Miss {
        let mut miss = self.miss(query);
        let there = hits.iter().find(|hit| !self.key(hit.clip).gone);
        miss.fault.message.push_str(&format!(
            "; rule '{}' (score {:.2}, below the bar of {:.2}) leads to {}",
            rule.name,
            rule.score,
            self.bar,
            self.shown(there.unwrap_or(&hits[0]).clip)
        ));
        miss.fault =
            miss.fault.remedy("Look at the named clip; --resolve takes it if it is the right one.");
        let hits = hits.iter().take(MOST);
        miss.candidates = hits.map(|hit| self.candidate(rule.name, rule.score, hit.clip)).collect();
        miss.unnamed = false;
        miss
    }

    /// Says the nearest thing to a match.
    pub(super) fn miss(&self, query: &Query<'_>) -> Miss {
        let range = written(query);
        for names in [Names::Reel, Names::Alias, Names::Normal, Names::Camera, Names::Cut] {
            let mut known: Vec<(Not, u32, Given)> = self
                .named(names, query)
                .into_iter()
                .filter_map(|(given, entry)| {
                    let not = inside(self.key(entry.clip), query).err()?;
                    Some((not, entry.clip, given))
                })
                .collect();
            let Some((_, _, given)) = known.first().copied() else { continue };
            let name = query.given(given).next().map_or("", |(_, name)| name);
            known.sort_by_key(|(not, clip, _)| match not {
                Not::Outside(distance) => (*distance, *clip),
                Not::DropFrame | Not::Rate(_) | Not::Untimed => (i64::MAX, *clip),
            });
            known.dedup_by_key(|(_, clip, _)| *clip);
            let most = 3;
            let near = known.iter().take(most);
            let mut near: Vec<String> =
                near.map(|(not, clip, _)| reason(*not, self.key(*clip), query)).collect();
            if known.len() > most {
                near.push(format!("and {} more", known.len() - most));
            }
            let message = format!(
                "{} '{name}' is known, but not at {range}: {}",
                given.word(),
                near.join("; ")
            );
            let mut fault = Fault::new(Code::NoClipForEvent, message);
            if known.iter().all(|(not, _, _)| matches!(not, Not::Rate(_))) {
                fault = fault.remedy("Read the list at the rate of the media (--rate).");
            }
            let known = known.iter().take(most);
            let candidates = known.map(|(_, clip, _)| self.candidate("name", 0.0, *clip)).collect();
            return Miss { fault, candidates, unnamed: false };
        }
        self.unnamed(query)
    }

    fn unnamed(&self, query: &Query<'_>) -> Miss {
        let asked: Vec<String> =
            query.names.iter().map(|(given, name)| format!("{} '{name}'", given.word())).collect();
        let mut message = match asked.len() {
            0 => "the event names no clip".to_owned(),
            _ => format!("no clip is named {}", asked.join(" or ")),
        };
        let holding: Vec<u32> = self
            .about(query)
            .filter(|clip| inside(self.key(*clip), query).is_ok())
            .take(MOST)
            .collect();
        let begins = |clip: &&u32| {
            let reels = query.given(Given::Reel).map(|(_, reel)| normal(&plain(reel)));
            let mut reels = reels.filter(|reel| reel.len() >= 6);
            reels.any(|reel| {
                self.key(**clip).plain_names().any(|(name, _)| normal(&name).starts_with(&reel))
            })
        };
        let candidates =
            holding.iter().map(|clip| self.candidate("timecode", 0.0, *clip)).collect();
        if let Some(clip) = holding.iter().find(begins) {
            let path = &self.key(*clip).path;
            message.push_str(&format!(
                "; '{path}' holds {} and its name begins so: the reel looks cut",
                written(query)
            ));
            let fault = Fault::new(Code::NoClipForEvent, message)
                .remedy("Export the list as File_32 or File_129.");
            return Miss { fault, candidates, unnamed: true };
        }
        if let Some(clip) = holding.first() {
            let path = &self.key(*clip).path;
            message.push_str(&format!("; '{path}' holds {} under another name", written(query)));
        }
        Miss { fault: Fault::new(Code::NoClipForEvent, message), candidates, unnamed: true }
    }
}

/// Why the clip does not hold the query.
pub(super) fn near(clip: &ClipKey, query: &Query<'_>) -> Option<String> {
    inside(clip, query).err().map(|not| reason(not, clip, query))
}

fn reason(not: Not, clip: &ClipKey, query: &Query<'_>) -> String {
    let path = &clip.path;
    match not {
        Not::Rate(rate) => {
            format!("'{path}' counts at {rate}, the list was read at {}", query.start.rate)
        }
        Not::DropFrame => {
            let [a, b] =
                if query.start.drop_frame { ["non-drop", "drop"] } else { ["drop", "non-drop"] };
            format!("'{path}' counts {a} frame, the list {b} frame")
        }
        Not::Untimed => {
            format!(
                "'{path}' has no timecode, and {} frames if counted from 00:00:00:00",
                clip.frames
            )
        }
        Not::Outside(_) => {
            let start = clip.start.unwrap_or(query.start);
            let count = i64::try_from(clip.frames).unwrap_or(i64::MAX);
            format!("'{path}' holds {start} up to {} ({count} frames)", start.plus(count))
        }
    }
}

pub(super) fn written(query: &Query<'_>) -> String {
    format!("{} up to {} ({})", query.start, query.start.plus(query.written), query.place)
}
