//! By the id that a camera gave to the material, which no name goes before.

use super::names::plain;
use super::times::{At, inside};
use super::{Found, Index, Miss, Query, UMID};
use platefarm_model::pull::{Matched, Tier};

impl Index<'_> {
    /// By the material's own id. Several clips with one id that hold the range
    /// are a conflict, unless the event's names lead to one of them only. One
    /// that is gone leaves the event to its names.
    pub(super) fn by_id(&self, query: &Query<'_>) -> Option<Result<Found, Box<Miss>>> {
        let clips = self.umid.get(query.umid.as_ref()?)?;
        let holds = |clip: &u32| Some((*clip, inside(self.key(*clip), query).ok()?));
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
        let matched = Matched {
            tier: Tier::Exact,
            rule: UMID.into(),
            score: 1.0,
            by: by.into(),
            runner_up: None,
        };
        Some(Ok(self.made(clip, at, matched, true, query)))
    }
}
