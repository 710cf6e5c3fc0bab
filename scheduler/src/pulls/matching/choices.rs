//! What people decided where several clips would do, or none by its name.
//!
//! A choice says which events it speaks of, by what they say of themselves,
//! and which clip is meant. It is made once and holds for the show: a later
//! cut of the same shot finds the same clip, as long as that clip holds the
//! frames it asks for.

use super::{CHOSEN, Found, Index, Miss, Query, plain};
use super::{explain, times};
use platefarm_model::pull::{Matched, Tier};
use platefarm_model::{Code, Fault, Outcome};
use serde::{Deserialize, Serialize};

/// Which clip is meant for which events.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    /// Reel of the event, as the list writes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reel: Option<String>,
    /// Clip name of the event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clip_name: Option<String>,
    /// Source file of the event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_file: Option<String>,
    /// Source in of the event, where only that one is meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_in: Option<String>,
    /// The clip: its path, a directory above it, or its name.
    #[serde(rename = "use")]
    pub clip: String,
}

/// The choices of a show.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Choices {
    /// In order; where two speak of an event, the later holds.
    #[serde(default, rename = "choice", skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<Choice>,
}

/// How choices are written.
const HOW: &str = "Write [[choice]] with reel, clip_name, source_file or source_in, and use = the clip's path or name.";

impl Choices {
    /// Reads them as people write them, in TOML. `name` is said with their mistakes.
    ///
    /// # Errors
    /// [`Code::BadChoice`].
    pub fn read(name: &str, text: &str) -> Outcome<Self> {
        let choices: Self = toml::from_str(text).map_err(|e| {
            let line = e.message().lines().next().unwrap_or_default().to_owned();
            Fault::new(Code::BadChoice, line).at(name).remedy(HOW)
        })?;
        choices.choices.iter().try_for_each(|choice| choice.check().map_err(|f| f.within(name)))?;
        Ok(choices)
    }

    /// Takes over `newer`, which replace what speaks of the same events.
    pub fn learn(&mut self, newer: Self) {
        let events = |c: &Choice| {
            (c.reel.clone(), c.clip_name.clone(), c.source_file.clone(), c.source_in.clone())
        };
        for choice in newer.choices {
            self.choices.retain(|old| events(old) != events(&choice));
            self.choices.push(choice);
        }
    }

    /// The choice that holds for the query, with its place: the last that speaks of it.
    pub(in crate::pulls) fn holding(&self, query: &Query<'_>) -> Option<(usize, &Choice)> {
        self.choices.iter().enumerate().rev().find(|(_, choice)| choice.speaks_of(query))
    }
}

impl Choice {
    fn speaks_of(&self, query: &Query<'_>) -> bool {
        use super::Given::{ClipName, Reel, SourceFile};
        let says = |given, wanted: &Option<String>| {
            wanted.as_ref().is_none_or(|wanted| {
                query.given(given).any(|(_, name)| plain(name) == plain(wanted))
            })
        };
        let at = |wanted: &String| {
            let marks = |text: &str| text.trim().replace([';', '.'], ":");
            marks(wanted) == marks(&query.start.to_string())
        };
        let any = [&self.reel, &self.clip_name, &self.source_file, &self.source_in];
        any.iter().any(|field| field.is_some())
            && says(Reel, &self.reel)
            && says(ClipName, &self.clip_name)
            && says(SourceFile, &self.source_file)
            && self.source_in.as_ref().is_none_or(at)
    }
}

impl Choice {
    /// # Errors
    /// [`Code::BadChoice`] for one that can lead no event to a clip.
    pub fn check(&self) -> Outcome<()> {
        let says = |field: &Option<String>| field.as_ref().is_some_and(|f| !f.trim().is_empty());
        let events = [&self.reel, &self.clip_name, &self.source_file, &self.source_in];
        let message = if self.clip.trim().is_empty() {
            "a choice names no clip".to_owned()
        } else if !events.iter().any(|field| says(field)) {
            format!("the choice of '{}' speaks of no event", self.clip)
        } else {
            return Ok(());
        };
        Err(Fault::new(Code::BadChoice, message).remedy(HOW))
    }
}

impl Index<'_> {
    /// The place of the choice that leads the query to its clip, where one does.
    pub(in crate::pulls) fn chooses(&self, query: &Query<'_>) -> Option<usize> {
        let (place, _) = self.choices.holding(query)?;
        self.chosen(query)?.is_ok().then_some(place)
    }

    /// The clip that a person chose for the query, where one did.
    pub(super) fn chosen(&self, query: &Query<'_>) -> Option<Result<Found, Box<Miss>>> {
        let (_, choice) = self.choices.holding(query)?;
        let named = |clip: &u32| {
            let key = self.key(*clip);
            key.path == choice.clip
                || key.clip_name == choice.clip
                || key
                    .path
                    .strip_prefix(choice.clip.trim_end_matches('/'))
                    .is_some_and(|rest| rest.starts_with('/'))
        };
        let clips: Vec<u32> = (0..self.keys.len() as u32).filter(named).collect();
        let holds = |clip: &u32| {
            let key = self.key(*clip);
            let at = times::inside(key, query).ok();
            let at = at.or_else(|| times::one_frame(key, query));
            let at = at.or_else(|| times::sibling(key, query));
            let at = at.or_else(|| times::shifted(key, query));
            Some((*clip, at.or_else(|| times::untimed(key, query))?))
        };
        let mut holding = clips.iter().filter_map(holds);
        Some(match (holding.next(), holding.next()) {
            (Some((clip, at)), None) if !self.key(clip).gone => {
                let matched = Matched {
                    tier: Tier::Chosen,
                    rule: CHOSEN.into(),
                    score: 1.0,
                    by: format!("'{}' by a person", choice.clip),
                    runner_up: None,
                };
                Ok(self.made(clip, at, matched, true, query))
            }
            (first, second) => {
                let why = match (clips.is_empty(), first) {
                    (true, _) => "which is no clip of the media".to_owned(),
                    (false, None) => {
                        let near = clips.iter().take(3);
                        let near = near.filter_map(|clip| explain::near(self.key(*clip), query));
                        format!("which does not hold it: {}", near.collect::<Vec<_>>().join("; "))
                    }
                    (false, Some((clip, _))) if second.is_none() => {
                        format!("which is gone: {}", self.shown(clip))
                    }
                    (false, Some(_)) => "of which several clips hold it".to_owned(),
                };
                let message = format!("'{}' was chosen for the event, {why}", choice.clip);
                Err(Box::new(Miss {
                    fault: Fault::new(Code::BadChoice, message),
                    candidates: clips
                        .iter()
                        .take(explain::MOST)
                        .map(|clip| self.candidate(CHOSEN, 1.0, *clip))
                        .collect(),
                    unnamed: false,
                }))
            }
        })
    }
}
