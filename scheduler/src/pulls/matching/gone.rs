//! Clips that the library has and whose files are gone. They make no match; but
//! between one that is gone and one that is there nothing is decided in
//! silence: in a conflict it is shown as gone, and where a later rule leads to
//! another clip, the plate says in whose place.

use super::rules::RULES;
use super::times::inside;
use super::{Found, Hit, Index, Miss, Query, Rule, UMID};
use platefarm_model::pull::Tier;
use platefarm_model::{Code, Fault};

/// What to do about media that went.
const BACK: &str =
    "Bring the media back, add it anew from where it is, or `platefarm library forget` the clip.";

impl Index<'_> {
    /// A clip as messages name it.
    pub(super) fn shown(&self, clip: u32) -> String {
        let key = self.key(clip);
        format!("'{}'{}", key.path, if key.gone { " (gone)" } else { "" })
    }

    /// Nothing holds the event but what is gone.
    pub(super) fn lost(&self, rule: &Rule, hits: &[Hit], query: &Query<'_>) -> Miss {
        let shown: Vec<String> =
            hits.iter().take(super::explain::MOST).map(|hit| self.shown(hit.clip)).collect();
        let message = format!(
            "what holds {} by rule '{}' is gone: {}",
            super::explain::written(query),
            rule.name,
            shown.join(", ")
        );
        let hits = hits.iter().take(super::explain::MOST);
        Miss {
            fault: Fault::new(Code::NoClipForEvent, message).remedy(BACK),
            candidates: hits.map(|hit| self.candidate(rule.name, rule.score, hit.clip)).collect(),
            unnamed: false,
        }
    }

    /// Says that what an earlier rule leads to is gone, so that a later one decided.
    pub(super) fn instead_of(&self, found: &Found, query: &Query<'_>) -> Option<Fault> {
        let matched = &found.matched;
        if !self.some_gone || matched.tier == Tier::Chosen || matched.rule == UMID {
            return None;
        }
        let of_id = query.umid.as_ref().and_then(|id| self.umid.get(id));
        let of_id = of_id.into_iter().flatten().copied();
        let of_id = of_id.filter(|clip| inside(self.key(*clip), query).is_ok());
        let before = RULES.iter().take_while(|rule| rule.name != matched.rule);
        let of_rules = before.flat_map(|rule| {
            self.hits(rule, query).into_iter().map(move |hit| (rule.name, hit.clip))
        });
        let mut all = of_id.map(|clip| (UMID, clip)).chain(of_rules);
        let (rule, clip) = all.find(|(_, clip)| self.key(*clip).gone)?;
        let message = format!(
            "'{}', to which rule '{rule}' leads, is gone; '{}' stands in its place, by rule '{}'",
            self.key(clip).path,
            self.key(found.clip as u32).path,
            matched.rule
        );
        Some(
            Fault::new(Code::AmbiguousEvent, message)
                .at(query.place.clone())
                .remedy("See whether both are the same material; --resolve takes the choice."),
        )
    }
}
