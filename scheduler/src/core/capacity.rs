//! How many workers of a kind are wanted: those that work, those that could,
//! and as many more as would get work at once, by a run of the core itself. Work
//! in hand is always counted, so whoever follows the answer takes no worker away
//! that is busy. What several kinds could do is counted for the first of them.
//!
//! The question is taken out of the farm as it is and answered elsewhere: the
//! farm goes on meanwhile.

use super::State;
use super::queue::ShowId;
use super::worker::Worker;
use platefarm_model::explain::WhatIf;
use platefarm_model::farm::{Setting, SettingKind, WorkerClass};
use platefarm_model::{Outcome, WorkerId};
use std::collections::{BTreeMap, BTreeSet};

/// A question about capacity, with all that its answer needs.
#[derive(Debug)]
pub struct Study {
    pub(super) farm: State,
    pub(super) imagined: WhatIf,
    /// Kinds that are scaled too, and take first what they can do.
    before: Vec<WhatIf>,
    /// Of the whole farm.
    pub(super) frames_waiting: u64,
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
    /// That are to be there beside those, though nothing waits for them.
    pub warm: u32,
}

impl Wanted {
    /// How many there should be.
    #[must_use]
    pub fn total(self) -> u32 {
        [self.ready, self.more, self.warm].into_iter().fold(self.busy, u32::saturating_add)
    }
}

impl State {
    /// A question of the farm as it is: how many workers like the imagined ones are wanted, of which
    /// there may be as many as are imagined, or what they would be given; of those `before`,
    /// likewise, each takes first what it can do.
    ///
    /// # Errors
    /// `F0508` for more workers or slots than can be imagined, or slots than a worker may have.
    pub fn study(&self, imagined: WhatIf, before: Vec<WhatIf>) -> Outcome<Study> {
        before.iter().chain([&imagined]).try_for_each(|kind| self.check_imagined(kind))?;
        let farm = self.excerpt_for(before.iter().chain([&imagined]));
        let groups = self.queue.levels.values().flatten();
        let frames_waiting = groups.map(|(_, group)| group.frames).sum();
        Ok(Study { farm, imagined, before, frames_waiting })
    }

    /// The workers that are there and of a kind: of the class, in the same pools by their
    /// own word, with the labels at least.
    fn of_kind(&self, kind: &WhatIf) -> BTreeSet<WorkerId> {
        let is_one = |worker: &&Worker| {
            let (own, asked) = (&worker.row.traits, &kind.traits);
            worker.alive
                && worker.class() == kind.class
                && own.pools == asked.pools
                && own.labels.is_superset(&asked.labels)
        };
        self.workers.values().filter(is_one).map(|worker| worker.row.id).collect()
    }

    /// Those of them that hold work.
    fn at_work(&self, workers: &BTreeSet<WorkerId>) -> impl Iterator<Item = &Worker> {
        let known = workers.iter().filter_map(move |id| self.workers.get(id));
        known.filter(|worker| !worker.leases.is_empty())
    }

    /// How many of a kind there may be beside those that hold work.
    fn room_for(&self, kind: &WhatIf) -> u32 {
        let at_work = self.at_work(&self.of_kind(kind)).count() as u32;
        kind.workers.saturating_sub(at_work)
    }

    /// What is missing of the workers that pools reserve, where so many work.
    fn missing_of_pools(&self, pools: &BTreeSet<String>, at_work: u32) -> u32 {
        let reserve = |name: &String| match self.setting(SettingKind::Pool, name) {
            Some(Setting::Pool(pool)) => pool.reserve,
            _ => 0,
        };
        let reserved = pools.iter().map(reserve).fold(0, u32::saturating_add);
        reserved.saturating_sub(at_work)
    }

    /// What is missing of the workers that each show is to have, beside those of `workers` that
    /// work for it: what others have in hand keeps nothing warm.
    fn missing_of_shows(&self, class: WorkerClass, workers: &BTreeSet<WorkerId>) -> u32 {
        let mut has: BTreeMap<ShowId, u32> = BTreeMap::new();
        for worker in self.at_work(workers) {
            let leases = worker.leases.iter().filter_map(|token| self.leases.get(token));
            let jobs = leases.filter_map(|cell| self.jobs.get(&cell.row.step.job));
            let shows: BTreeSet<ShowId> = jobs.map(|job| job.show).collect();
            shows.into_iter().for_each(|show| *has.entry(show).or_default() += 1);
        }
        let missing = |(_, name, value): (SettingKind, &String, &Setting)| {
            let Setting::Share(share) = value else { return 0 };
            let warm = match class {
                WorkerClass::Cpu => share.warm_cpu,
                WorkerClass::Gpu => share.warm_gpu,
            };
            let show = self.show_ids.number(name).and_then(|show| has.get(&ShowId(show)));
            warm.saturating_sub(show.copied().unwrap_or(0))
        };
        self.all_settings().map(missing).fold(0, u32::saturating_add)
    }
}

impl Study {
    /// The answer.
    #[must_use]
    pub fn answer(self) -> Wanted {
        let Self { mut farm, imagined, before, .. } = self;
        let there = farm.of_kind(&imagined);
        let busy = farm.at_work(&there).count() as u32;
        // Those that are there come first: what they could take is not left for others.
        farm.fill_those_there();
        let ready = farm.at_work(&there).count() as u32 - busy;
        let room = farm.room_for(&imagined);
        let rooms: Vec<u32> = before.iter().map(|kind| farm.room_for(kind)).collect();
        for (kind, room) in before.iter().zip(rooms) {
            farm.fill_imagined(kind, room, |_, _| {});
        }
        let first = WorkerId(farm.next_worker);
        let more = farm.fill_imagined(&imagined, room, |_, _| {});
        let new = farm.workers.range(first..).map(|(id, _)| *id);
        let workers: BTreeSet<WorkerId> = there.into_iter().chain(new).collect();
        let at_work = busy.saturating_add(ready).saturating_add(more);
        let keeps = |kind: &WhatIf| kind.class == imagined.class && kind.traits.pools.is_empty();
        let warm = match &imagined.traits.pools {
            pools if !pools.is_empty() => farm.missing_of_pools(pools, at_work),
            // The first kind of its class has them.
            _ if before.iter().any(keeps) => 0,
            _ => farm.missing_of_shows(imagined.class, &workers),
        };
        let warm = warm.min(imagined.workers.saturating_sub(at_work));
        Wanted { busy, ready, more, warm }
    }
}
