//! By the id that a camera gave to the material, which no name goes before.

use super::names::plain;
use super::rules::NO_TIMECODE;
use super::times::{At, Reading, inside, untimed};
use super::{Found, Index, Miss, Query, UMID};
use platefarm_model::pull::{Matched, Tier};

impl Index<'_> {
    /// By the material's own id. Several clips with one id that hold the range
    /// are a conflict, unless the event's names lead to one of them only. One
    /// that is gone leaves the event to its names. Which frames of a clip without
    /// timecode are meant no id says.
    pub(super) fn by_id(&self, query: &Query<'_>) -> Option<Result<Found, Box<Miss>>> {
        let clips = self.umid.get(query.umid.as_ref()?)?;
        let counted = |key| untimed(key, query).filter(|_| NO_TIMECODE.score >= self.bar);
        let holds = |clip: &u32| {
            let key = self.key(*clip);
            Some((*clip, inside(key, query).ok().or_else(|| counted(key))?))
        };
        let holding: Vec<(u32, At)> = clips.iter().filter_map(holds).collect();
        let named = |(clip, _): &&(u32, At)| {
            let mut names = query.names.iter();
            names.any(|(_, name)| self.plainly(&plain(name)).iter().any(|e| e.clip == *clip))
        };
        let (clip, at, by) = match holding.as_slice() {
            [] => return None,
            [(clip, _)] if self.key(*clip).gone => return None,
            [(clip, at)] => (*clip, *at, "unique id of the material"),
            several => {
                let mut left = several.iter().filter(named);
                match (left.next(), left.next()) {
                    (Some((clip, at)), None) if !self.key(*clip).gone => {
                        (*clip, *at, "unique id of the material, and name")
                    }
                    _ => {
                        let clips: Vec<u32> = several.iter().map(|(clip, _)| *clip).collect();
                        return Some(Err(Box::new(self.one_id(&clips))));
                    }
                }
            }
        };
        let (tier, rule, score) = match at.read_as {
            Reading::Untimed => (Tier::Fuzzy, NO_TIMECODE.name, NO_TIMECODE.score),
            _ => (Tier::Exact, UMID, 1.0),
        };
        let matched = Matched { tier, rule: rule.into(), score, by: by.into(), runner_up: None };
        Some(Ok(self.made(clip, at, matched, true, query)))
    }
}
