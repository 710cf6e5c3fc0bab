//! Named limits in the order of work: what is free of a limit goes to the first
//! in that order whom some worker could serve, and is kept for it while it is not
//! yet enough. Without this a task that takes two of a limit would wait for ever
//! behind tasks that take one, whatever its class.

use super::State;
use super::fit::Standing;
use super::queue::{Group, Kin, Level};
use super::worker::Worker;
use platefarm_model::{Timestamp, WorkerId};
use std::cell::OnceCell;

/// A group that waits for named limits, further up in the order of work.
pub(super) struct Claim {
    kin: Kin,
    /// Since when its first waits.
    since: Option<Timestamp>,
    /// Whether some worker could do it, found out when it matters.
    stands: OnceCell<bool>,
}

/// What was passed on the way down the order of work.
#[derive(Default)]
pub(super) struct Claims(Vec<Claim>);

impl Claims {
    /// A group is passed: what it waits for is not for those below.
    pub(super) fn pass(&mut self, state: &State, kin: Kin, group: &Group) {
        if !state.queue.needs(kin.need).limits.is_empty() && !state.is_at_ceiling(kin.show) {
            self.0.push(Claim::of(kin, group));
        }
    }

    /// Of a task of `kin`, the first limit of which it would take what those above it
    /// wait for, and how much they wait for; none: it leaves them what they need.
    pub(super) fn kept<'s>(
        &self,
        state: &'s State,
        asker: Option<WorkerId>,
        kin: Kin,
    ) -> Option<(&'s str, u64)> {
        let limits = &state.queue.needs(kin.need).limits;
        limits.iter().find_map(|(limit, amount)| {
            let kept = |claim: &Claim| {
                let theirs = *state.queue.needs(claim.kin.need).limits.get(limit)?;
                let stands = claim.lacks_only(state, limit) && claim.stands(state, asker);
                stands.then_some(u64::from(theirs))
            };
            // Those of the same needs stand in one line already.
            let others = self.0.iter().filter(|claim| claim.kin.need != kin.need);
            let most = others.filter_map(kept).max()?;
            let taken = state.limit_used(limit) + u64::from(*amount);
            (taken + most > state.limit_count(limit)).then_some((limit.as_str(), most))
        })
    }
}

impl State {
    /// As [`Claims::kept`], for a group in its place, whoever asks.
    pub(super) fn kept_limit(&self, level: Level, kin: Kin) -> Option<(&str, u64)> {
        if self.queue.needs(kin.need).limits.is_empty() {
            return None;
        }
        let mut claims = Claims::default();
        for (above, groups) in self.queue.levels.iter().take_while(|(above, _)| above.0 >= level) {
            let mut order: Vec<_> = groups.iter().map(|(k, g)| (self.rank(*k, g), *k, g)).collect();
            order.sort_unstable_by_key(|(rank, kin, _)| (*rank, *kin));
            for (_, its, group) in order {
                if (above.0, its) == (level, kin) {
                    return claims.kept(self, None, kin);
                }
                claims.pass(self, its, group);
            }
        }
        None
    }
}

impl Claim {
    pub(super) fn of(kin: Kin, group: &Group) -> Self {
        let since = group.waiting.first().map(|(since, _)| *since);
        Self { kin, since, stands: OnceCell::new() }
    }

    fn is_overdue(&self, state: &State) -> bool {
        self.since.is_some_and(|since| state.is_overdue(since))
    }

    /// Whether nothing but this limit is missing: what is kept for one who waits
    /// for something else, too, would lie idle. Who has waited too long is kept all of it.
    pub(super) fn lacks_only(&self, state: &State, limit: &str) -> bool {
        let enough = |(other, amount): (&String, &u32)| {
            other == limit
                || state.limit_used(other) + u64::from(*amount) <= state.limit_count(other)
        };
        self.is_overdue(state) || state.queue.needs(self.kin.need).limits.iter().all(enough)
    }

    /// Whether it is worth keeping anything for: it could ever have so much,
    /// and a worker could do it as soon as it has. What has waited too long
    /// is kept for whoever could do it, idle or not.
    fn stands(&self, state: &State, asker: Option<WorkerId>) -> bool {
        *self.stands.get_or_init(|| {
            let limits = &state.queue.needs(self.kin.need).limits;
            let overdue = self.is_overdue(state);
            let open = |worker: &Worker| {
                worker.alive
                    && state.fits(self.kin.need, worker)
                    && state.standing(worker) == Standing::Open
            };
            let asker = asker.and_then(|id| state.workers.get(&id));
            let mut workers = state.workers.values();
            limits.iter().all(|(limit, amount)| u64::from(*amount) <= state.limit_count(limit))
                && (asker.is_some_and(open)
                    || workers.any(|worker| (overdue || worker.has_room()) && open(worker)))
        })
    }
}
