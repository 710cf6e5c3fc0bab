//! How many workers of a kind are wanted: those that work, those that could,
//! and as many more as would get work at once, by a run of the core itself. Work
//! in hand is always counted, so whoever follows the answer takes no worker away
//! that is busy.
//!
//! The question is taken out of the farm as it is and answered elsewhere: the
//! farm goes on meanwhile.

use super::State;
use super::worker::Worker;
use platefarm_model::explain::WhatIf;
use platefarm_model::farm::{Setting, SettingKind, WorkerClass};
use platefarm_model::{Outcome, WorkerId};
use std::collections::BTreeSet;

/// A question about capacity, with all that its answer needs.
#[derive(Debug)]
pub struct Study {
    pub(super) farm: State,
    pub(super) imagined: WhatIf,
    /// Of the whole farm.
    pub(super) frames_waiting: u64,
    warm: u32,
}

/// Workers of a kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// That hold work, drained ones too.
    pub busy: u32,
    /// That are there and would get work.
    pub ready: u32,
    /// That are not there and would get work.
    pub more: u32,
    /// That are to be there though nothing waits.
    pub warm: u32,
}

impl Wanted {
    /// How many there should be.
    #[must_use]
    pub fn total(self) -> u32 {
        self.busy.saturating_add(self.ready).saturating_add(self.more).max(self.warm)
    }
}

impl State {
    /// A question of the farm as it is: how many workers like the imagined ones are wanted, of which
    /// there may be as many as are imagined, or what they would be given.
    ///
    /// # Errors
    /// `F0508` for more workers or slots than can be imagined, or slots than a worker may have.
    pub fn study(&self, imagined: WhatIf) -> Outcome<Study> {
        self.check_imagined(&imagined)?;
        let farm = self.excerpt_for(&imagined);
        let warm = self.warm(&imagined);
        let groups = self.queue.levels.values().flatten();
        let frames_waiting = groups.map(|(_, group)| group.frames).sum();
        Ok(Study { farm, imagined, frames_waiting, warm })
    }

    /// Kept though nothing waits: what pools reserve, and what shows ask for
    /// where the kind is in no pool.
    fn warm(&self, imagined: &WhatIf) -> u32 {
        if imagined.traits.pools.is_empty() {
            let shares = self.all_settings().filter_map(|(_, _, value)| match value {
                Setting::Share(share) => Some(match imagined.class {
                    WorkerClass::Cpu => share.warm_cpu,
                    WorkerClass::Gpu => share.warm_gpu,
                }),
                _ => None,
            });
            return shares.fold(0, u32::saturating_add);
        }
        let pools = imagined.traits.pools.iter();
        let reserve = |name: &String| match self.setting(SettingKind::Pool, name) {
            Some(Setting::Pool(pool)) => pool.reserve,
            _ => 0,
        };
        pools.map(reserve).fold(0, u32::saturating_add)
    }
}

impl Study {
    /// Whether a worker is one of those that are asked about: of the class, in
    /// the same pools by its own word, with the labels at least.
    fn is_of_kind(&self, worker: &Worker) -> bool {
        let (own, asked) = (&worker.row.traits, &self.imagined.traits);
        worker.class() == self.imagined.class
            && own.pools == asked.pools
            && own.labels.is_superset(&asked.labels)
    }

    /// The answer.
    #[must_use]
    pub fn answer(mut self) -> Wanted {
        let alive = self.farm.workers.values().filter(|w| w.alive);
        let of_kind: BTreeSet<WorkerId> =
            alive.filter(|w| self.is_of_kind(w)).map(|w| w.row.id).collect();
        let holds = |farm: &State, id: &WorkerId| {
            farm.workers.get(id).is_some_and(|worker| !worker.leases.is_empty())
        };
        let busy = of_kind.iter().filter(|id| holds(&self.farm, id)).count() as u32;
        // Those that are there come first: what they could take is not left for others.
        self.farm.fill_those_there();
        let working = of_kind.iter().filter(|id| holds(&self.farm, id)).count() as u32;
        let room = self.imagined.workers.saturating_sub(working);
        let more = self.farm.fill_imagined(&self.imagined, room, |_, _| {});
        Wanted { busy, ready: working - busy, more, warm: self.warm.min(self.imagined.workers) }
    }
}
