//! Taking back what is leased and not begun: half of a lease for a worker that
//! has nothing to do, and all but the frame in hand for work of a higher class.
//!
//! A holder is asked by a shorter `keep`, and what it is asked for stays its
//! own until it has said that it will not do it. So nothing is rendered twice
//! and no frame in hand is thrown away, however late or lost the words are.

use super::State;
use super::fit::Standing;
use super::queue::{Group, Kin, Level, NeedId};
use super::worker::Worker;
use platefarm_model::farm::{PriorityClass, WorkerClass};
use platefarm_model::{LeaseToken, StepId, Timestamp, WorkerId};
use std::cmp::Reverse;
use std::collections::BTreeSet;

/// Leases that are looked at for one to take from.
const CANDIDATES: usize = 8;
/// Jobs of a group that are looked at to count the tasks it could have.
const COUNTED_JOBS: usize = 64;
/// A frame's time while nothing is known of it, in microseconds.
const UNKNOWN_FRAME_US: i64 = 1_000_000;

/// What a class could have now: tasks, and the needs of them.
#[derive(Default)]
struct Demand {
    tasks: u64,
    needs: BTreeSet<NeedId>,
}

impl State {
    /// Lists a lease under the time when it will end, if it can be shortened.
    pub(super) fn list_end(&mut self, token: LeaseToken) {
        self.unlist_end(token);
        let Some(cell) = self.leases.get(&token) else { return };
        let Some(hull) = cell.hull().filter(|hull| hull.len() > 1 && !cell.yields) else { return };
        let frame_us = self.frame_us_of_lease(cell.row.step, cell.row.worker);
        let frames = i64::try_from(hull.len()).unwrap_or(i64::MAX);
        let left_us = frame_us.unwrap_or(UNKNOWN_FRAME_US).saturating_mul(frames);
        let end = Timestamp(cell.mark.0.saturating_add(left_us));
        self.ends.insert((end, token));
        if let Some(cell) = self.leases.get_mut(&token) {
            cell.listed = Some(end);
        }
    }

    pub(super) fn unlist_end(&mut self, token: LeaseToken) {
        if let Some(cell) = self.leases.get_mut(&token)
            && let Some(end) = cell.listed.take()
        {
            self.ends.remove(&(end, token));
        }
    }

    fn frame_us_of_lease(&self, step: StepId, worker: WorkerId) -> Option<i64> {
        let class = self.workers.get(&worker)?.class();
        let job = self.jobs.get(&step.job)?;
        self.frame_us(job, job.steps.get(step.index as usize)?, class)
    }

    /// A worker has nothing to do: the lease that would end last gives it the
    /// part of its unbegun frames that lets both end together. The worker
    /// hears of it when the holder has agreed.
    pub(super) fn take_back_half(&mut self, thief: WorkerId) {
        let Some(worker) = self.workers.get(&thief) else { return };
        let asked = worker.asked_back.and_then(|token| self.leases.get(&token));
        if asked.is_some_and(|cell| cell.wish.is_some() && cell.is_live()) {
            return;
        }
        let last = self.ends.iter().rev().take(CANDIDATES);
        let Some((token, wish)) =
            last.clone().find_map(|(_, t)| Some((*t, self.part(*t, worker)?)))
        else {
            return;
        };
        self.ask_back(token, wish, false);
        if let Some(worker) = self.workers.get_mut(&thief) {
            worker.asked_back = Some(token);
        }
    }

    /// The last frame that a lease should keep, for a worker to take the rest.
    fn part(&self, token: LeaseToken, thief: &Worker) -> Option<i64> {
        let cell = self.leases.get(&token).filter(|cell| cell.wish.is_none())?;
        let id = cell.row.step;
        let job = self.jobs.get(&id.job)?;
        let step = job.steps.get(id.index as usize)?;
        let may = cell.row.worker != thief.row.id
            && self.fits(step.need, thief)
            && !self.is_blocked(step.need, job.show)
            && !job.is_capped()
            && job.holds_only_leased(step, self.now);
        if !may {
            return None;
        }
        let holders_us = self.frame_us_of_lease(id, cell.row.worker)?;
        let mine_us = self.frame_us(job, step, thief.class()).unwrap_or(holders_us);
        // The first is in hand; the rest may be shared.
        let rest: Vec<i64> = cell.row.keep.iter().skip(1).collect();
        let rest_us = holders_us.saturating_mul(rest.len() as i64);
        if rest_us < self.policy.least_taken_ms * 1000 || mine_us > rest_us {
            return None;
        }
        let both = holders_us.saturating_add(mine_us).max(1);
        let take = (rest_us / both).clamp(1, rest.len() as i64) as usize;
        let kept = rest.len() - take;
        if kept == 0 { cell.row.keep.first() } else { rest.get(kept - 1).copied() }
    }

    /// Asks the holder of a lease to go no further than `wish`.
    pub(super) fn ask_back(&mut self, token: LeaseToken, wish: i64, yields: bool) {
        self.counters.asked_back += 1;
        if let Some(cell) = self.leases.get_mut(&token) {
            cell.wish = Some(cell.wish.map_or(wish, |before| before.min(wish)));
            cell.yields |= yields;
        }
        self.list_end(token);
    }

    /// Asks for all of a lease but the frame in hand.
    pub(super) fn ask_for_all(&mut self, token: LeaseToken) {
        let first = self.leases.get(&token).and_then(|cell| cell.row.keep.first());
        if let Some(first) = first {
            self.ask_back(token, first, true);
        }
    }

    /// Work of a higher class gets what it could use of what lower ones have.
    pub(super) fn yield_capacity(&mut self) {
        let lowest_held = self.tasks_by_class.iter().position(|tasks| *tasks > 0);
        let highest = self.queue.levels.keys().next().map(|level| level.0.class);
        let (Some(lowest), Some(highest)) = (lowest_held, highest) else { return };
        if highest as usize <= lowest {
            return;
        }
        let mut demand = Demand::default();
        for class in [PriorityClass::Urgent, PriorityClass::Normal] {
            self.add_demand(class, &mut demand);
            if demand.tasks > 0 && class as usize > lowest {
                self.yield_to(class, &demand);
            }
        }
    }

    fn add_demand(&self, class: PriorityClass, demand: &mut Demand) {
        let top = Reverse(Level { class, priority: i32::MAX });
        let end = Reverse(Level { class, priority: i32::MIN });
        for (level, groups) in self.queue.levels.range(top..=end) {
            for (kin, group) in groups {
                let tasks = self.tasks_possible(level.0, *kin, group);
                if tasks > 0 {
                    demand.tasks += tasks;
                    demand.needs.insert(kin.need);
                }
            }
        }
    }

    /// How many tasks a group could have at once, were there workers enough.
    pub(super) fn tasks_possible(&self, level: Level, kin: Kin, group: &Group) -> u64 {
        let show = &self.shows[kin.show.0 as usize];
        let ceiling = show.share.ceiling.map_or(u64::MAX, u64::from);
        let mut most = ceiling.saturating_sub(show.tasks);
        for (limit, amount) in &self.queue.needs(kin.need).limits {
            let left = self.limit_count(limit).saturating_sub(self.limit_used(limit));
            most = most.min(left / u64::from(*amount).max(1));
        }
        let of_job = |id: &super::queue::JobKey| {
            let job = self.jobs.get(&id.job)?;
            let frames = job.list(level, kin.need).map(|at| job.lists[at].frames)?;
            let cap = job.row.terms.max_tasks.map_or(u64::MAX, |m| (m - job.tasks).into());
            Some(frames.min(cap))
        };
        let some: u64 = group.jobs.iter().take(COUNTED_JOBS).filter_map(of_job).sum();
        let all = if group.jobs.len() > COUNTED_JOBS { group.frames.min(some * 2) } else { some };
        all.min(most)
    }

    /// Shortens leases below `class` until as many slots come free as are wanted.
    fn yield_to(&mut self, class: PriorityClass, demand: &Demand) {
        let mut coming = 0;
        let mut victims: Vec<(PriorityClass, Reverse<Timestamp>, LeaseToken)> = Vec::new();
        for worker in self.workers.values().filter(|w| w.alive) {
            let takes = self.standing(worker) == Standing::Open
                && demand.needs.iter().any(|need| self.fits(*need, worker));
            if !takes {
                continue;
            }
            coming += u64::from(worker.row.slots).saturating_sub(worker.leases.len() as u64);
            for token in &worker.leases {
                let Some(held) = self.class_of(*token).filter(|held| *held < class) else {
                    continue;
                };
                match self.leases.get(token).and_then(|cell| cell.listed) {
                    Some(end) => victims.push((held, Reverse(end), *token)),
                    // The frame in hand is its last: it ends by itself.
                    None => coming += 1,
                }
            }
            if coming >= demand.tasks {
                return;
            }
        }
        victims.sort_unstable();
        for (_, _, token) in victims.into_iter().take((demand.tasks - coming) as usize) {
            self.counters.yielded += 1;
            self.ask_for_all(token);
            self.ask_for_what_waits(token, class);
        }
    }

    /// Where a worker took leases ahead, they would begin in the slot that is wanted.
    fn ask_for_what_waits(&mut self, token: LeaseToken, class: PriorityClass) {
        let worker = self.leases.get(&token).and_then(|c| self.workers.get(&c.row.worker));
        let Some(worker) = worker else { return };
        let ahead = worker.leases.len().saturating_sub(worker.row.slots as usize);
        let lower = |t: &&LeaseToken| self.class_of(**t).is_some_and(|held| held < class);
        let latest: Vec<LeaseToken> =
            worker.leases.iter().rev().take(ahead).filter(lower).copied().collect();
        latest.into_iter().for_each(|token| self.ask_for_all(token));
    }

    fn class_of(&self, token: LeaseToken) -> Option<PriorityClass> {
        let id = self.leases.get(&token)?.row.step;
        let job = self.jobs.get(&id.job)?;
        Some(job.steps.get(id.index as usize)?.level(&job.row).class)
    }

    /// Slots of the living.
    pub(super) fn alive_slots(&self) -> u64 {
        self.slots_by_class.iter().sum()
    }

    pub(super) fn slots_of_other(&self, class: WorkerClass) -> u64 {
        self.slots_by_class[1 - class as usize]
    }
}
