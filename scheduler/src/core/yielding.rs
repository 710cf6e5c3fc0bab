//! Taking back what is leased and not begun: a part of a lease for a worker that
//! has nothing to do, and all that is not begun for work of a higher class.
//!
//! A holder is asked by a shorter `keep`, and what it is asked for stays its
//! own until it has said that it will not do it. So nothing is rendered twice
//! and no frame in hand is thrown away, however late or lost the words are.
//! Which slots a higher class is given stands in `slots`.

use super::State;
use super::claims::Claim;
use super::fit::Standing;
use super::job::Step;
use super::lease::LeaseCell;
use super::queue::{Group, JobKey, Kin, Level};
use super::slots::{Below, Demand, Victim};
use super::worker::Worker;
use platefarm_model::farm::{PriorityClass, WorkerClass};
use platefarm_model::{FrameSet, LeaseToken, StepId, Timestamp, WorkerId};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// Leases that are looked at for one to take from.
const CANDIDATES: usize = 8;
/// Jobs of a group that are looked at to count the tasks it could have.
const COUNTED_JOBS: usize = 64;
/// A frame's time while nothing is known of it, in microseconds.
const UNKNOWN_FRAME_US: i64 = 1_000_000;

/// Steps of a job that are looked at for frames that are set apart.
const COUNTED_STEPS: usize = 256;

impl State {
    /// Lists a lease under the time when it will end, if it can be shortened.
    pub(super) fn list_end(&mut self, token: LeaseToken) {
        let Some(cell) = self.leases.get(&token) else { return };
        let (before, end) = (cell.listed, self.end_of(cell));
        if before == end {
            return;
        }
        if let Some(before) = before {
            self.ends.remove(&(before, token));
        }
        self.ends.extend(end.map(|end| (end, token)));
        if let Some(cell) = self.leases.get_mut(&token) {
            cell.listed = end;
        }
    }

    pub(super) fn unlist_end(&mut self, token: LeaseToken) {
        if let Some(cell) = self.leases.get_mut(&token)
            && let Some(end) = cell.listed.take()
        {
            self.ends.remove(&(end, token));
        }
    }

    /// When a lease will end that could be shortened: one that has more to do than the frame in
    /// hand, or waits for its slot, and is not asked for all of it already. One that waits is taken
    /// to begin when the oldest before it ends, and not the first: it is asked for every lease, and
    /// who takes from one (`part`) looks at all before it.
    fn end_of(&self, cell: &LeaseCell) -> Option<Timestamp> {
        let waits = self.waits(cell);
        let could = cell.to_do() > u64::from(!waits) && cell.yields.is_none() && !cell.late;
        let oldest = || {
            let first = self.workers.get(&cell.row.worker)?.leases.first()?;
            self.leases.get(first).map(|before| self.ends_at(before))
        };
        could.then(|| {
            let begins = waits.then(oldest).flatten().unwrap_or(cell.mark);
            self.ends_from(begins, cell)
        })
    }

    /// When a lease ends that has its slot.
    fn ends_at(&self, cell: &LeaseCell) -> Timestamp {
        self.ends_from(cell.mark, cell)
    }

    /// When a lease ends of which no frame is begun before `begins`.
    fn ends_from(&self, begins: Timestamp, cell: &LeaseCell) -> Timestamp {
        let frame_us = self.frame_us_of_lease(cell.row.step, cell.row.worker);
        let frames = i64::try_from(cell.to_do()).unwrap_or(i64::MAX);
        let lasts_us = frame_us.unwrap_or(UNKNOWN_FRAME_US).saturating_mul(frames);
        Timestamp(begins.0.saturating_add(lasts_us))
    }

    /// When a lease that waits will have a slot: when the first of those before it has ended.
    fn has_slot_at(&self, cell: &LeaseCell) -> Timestamp {
        let worker = self.workers.get(&cell.row.worker);
        let held = worker.into_iter().flat_map(|worker| self.leases_of(worker));
        let running = held.filter(|(_, waits)| !waits);
        running.map(|(before, _)| self.ends_at(before)).min().unwrap_or(cell.mark)
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
        self.ask_back(token, wish);
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
        // The first is in hand, unless it waits for a slot; the rest may be shared.
        let waits = self.waits(cell);
        let begins = if waits { self.has_slot_at(cell) } else { self.now };
        let begun = u64::from(!waits);
        let keep = &cell.row.keep;
        let first = keep.nth(begun)?;
        let rest = i64::try_from(keep.len() - begun).unwrap_or(i64::MAX);
        let rest_us = holders_us
            .saturating_mul(rest)
            .saturating_add(begins.0.saturating_sub(self.now.0).max(0));
        if rest_us < self.policy.least_taken_ms * 1000 || mine_us > rest_us {
            return None;
        }
        let both = holders_us.saturating_add(mine_us).max(1);
        let kept = rest - (rest_us / both).clamp(1, rest);
        match kept.unsigned_abs().checked_sub(1) {
            None => Some(first.saturating_sub(1)),
            Some(last) => keep.nth(begun + last),
        }
    }

    /// Asks the holder of a lease to go no further than `wish`.
    fn ask_back(&mut self, token: LeaseToken, wish: i64) {
        self.counters.asked_back += 1;
        if let Some(cell) = self.leases.get_mut(&token) {
            cell.wish = Some(cell.wish.map_or(wish, |before| before.min(wish)));
        }
        self.list_end(token);
    }

    /// Asks for all of a lease that is not begun: what is in hand the holder knows. With a
    /// class, so that work of it has the slot.
    pub(super) fn ask_for_all(&mut self, token: LeaseToken, above: Option<PriorityClass>) {
        let Some(cell) = self.leases.get_mut(&token) else { return };
        let Some(first) = cell.row.keep.first() else { return };
        cell.yields = cell.yields.max(above);
        if let Some(worker) = self.workers.get_mut(&cell.row.worker) {
            worker.yields = worker.yields.max(above);
        }
        self.counters.yielded += u64::from(above.is_some());
        self.ask_back(token, first.saturating_sub(1));
    }

    /// Work of a higher class gets what it could use of what lower ones have.
    pub(super) fn yield_capacity(&mut self) {
        let held = |tasks: &u64| *tasks > 0;
        let Some(lowest) = self.tasks_by_class.iter().position(held) else { return };
        let highest = self.tasks_by_class.iter().rposition(held).unwrap_or(lowest);
        let waiting = self.queue.levels.keys().next().map(|level| level.0.class as usize);
        if waiting.map_or(highest, |waiting| waiting.max(highest)) <= lowest {
            return;
        }
        let mut demand = Demand::new();
        for class in [PriorityClass::Urgent, PriorityClass::Normal] {
            self.add_demand(class, &mut demand);
            if class as usize <= lowest {
                return;
            }
            let mut asked = self.slots_for(class, &demand);
            asked.extend(self.limits_for(class));
            asked.into_iter().for_each(|token| self.ask_for_all(token, Some(class)));
        }
    }

    /// The groups of a class, the first in the order of work first.
    fn groups_of(&self, class: PriorityClass) -> impl Iterator<Item = (Level, Kin, &Group)> {
        let top = Reverse(Level { class, priority: i32::MAX });
        let end = Reverse(Level { class, priority: i32::MIN });
        let levels = self.queue.levels.range(top..=end);
        levels.flat_map(|(level, groups)| groups.iter().map(|(kin, group)| (level.0, *kin, group)))
    }

    fn add_demand(&self, class: PriorityClass, demand: &mut Demand) {
        for (level, kin, group) in self.groups_of(class) {
            let ready = group.frames.saturating_sub(self.set_apart(level, kin, group));
            let tasks = self.tasks_possible(level, kin, group).min(ready);
            if tasks > 0 {
                *demand.entry(kin.need).or_default() += tasks;
            }
        }
    }

    /// Frames of a group that failed before or are under suspicion. They go to some
    /// workers and not to others, and take their turn without anybody's lease cut
    /// short: it would be cut again and again for a worker that may not have them.
    fn set_apart(&self, level: Level, kin: Kin, group: &Group) -> u64 {
        let of_step = |step: &Step| {
            let mut apart: FrameSet = step.state.troubles.keys().copied().collect();
            let suspects = step.state.losses.iter().filter(|(_, loss)| loss.is_suspect());
            suspects.for_each(|(span, _)| apart.insert(*span));
            apart.ranges().iter().map(|range| step.pending.within(*range).len()).sum::<u64>()
        };
        let of_job = |key: &JobKey| {
            let job = self.jobs.get(&key.job)?;
            let list = &job.lists[job.list(level, kin.need)?];
            let steps = list.steps.iter().take(COUNTED_STEPS);
            Some(steps.map(|index| of_step(&job.steps[*index as usize])).sum::<u64>())
        };
        group.jobs.iter().take(COUNTED_JOBS).filter_map(of_job).sum()
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
        let of_job = |key| self.tasks_of(level, kin, key);
        let some: u64 = group.jobs.iter().take(COUNTED_JOBS).filter_map(of_job).sum();
        let all = if group.jobs.len() > COUNTED_JOBS { group.frames.min(some * 2) } else { some };
        all.min(most)
    }

    /// How many tasks of a group could be a job's.
    pub(super) fn tasks_of(&self, level: Level, kin: Kin, key: &JobKey) -> Option<u64> {
        let job = self.jobs.get(&key.job)?;
        let frames = job.list(level, kin.need).map(|at| job.lists[at].frames)?;
        let cap = job.row.terms.max_tasks.map_or(u64::MAX, |m| m.saturating_sub(job.tasks).into());
        Some(frames.min(cap))
    }

    /// Leases below `class` to be shortened for the named limits that they hold and a
    /// task of the class is short of, with what waits for their slots.
    fn limits_for(&self, class: PriorityClass) -> BTreeSet<LeaseToken> {
        let short = self.short_limits(class);
        let mut asked = BTreeSet::new();
        for (limit, mut lacks) in short {
            let mut victims: Vec<(Victim, u64, &Worker)> = Vec::new();
            for worker in self.workers.values() {
                for (cell, _) in self.leases_of(worker) {
                    let step = self.at(cell.row.step);
                    let held = step.and_then(|step| step.spec.terms.needs.limits.get(limit));
                    let Some(amount) = held.map(|amount| u64::from(*amount)) else { continue };
                    match self.below(cell, class) {
                        Some(Below::Asked(victim)) => victims.push((victim, amount, worker)),
                        Some(Below::Ends) => lacks = lacks.saturating_sub(amount),
                        None => {}
                    }
                }
            }
            victims.sort_unstable_by_key(|(victim, ..)| *victim);
            for ((_, _, token), amount, worker) in victims {
                if lacks == 0 {
                    break;
                }
                lacks = lacks.saturating_sub(amount);
                asked.insert(token);
                asked.extend(self.waits_below(worker, class));
            }
        }
        asked
    }

    /// Of each limit, how much one task of a class lacks that would begin if it had
    /// that. What lacks more than one gets none of them cut loose: the first
    /// that is free would be taken again while it waits for the other.
    fn short_limits(&self, class: PriorityClass) -> BTreeMap<&str, u64> {
        let open =
            |w: &Worker, need| w.alive && self.fits(need, w) && self.standing(w) == Standing::Open;
        let mut short: BTreeMap<&str, u64> = BTreeMap::new();
        for (_, kin, group) in self.groups_of(class) {
            let limits = &self.queue.needs(kin.need).limits;
            if limits.is_empty() || self.is_at_ceiling(kin.show) {
                continue;
            }
            let claim = Claim::of(kin, group);
            for (limit, amount) in limits {
                let free = self.limit_count(limit).saturating_sub(self.limit_used(limit));
                let lacks = u64::from(*amount).saturating_sub(free);
                let helps = lacks > 0
                    && u64::from(*amount) <= self.limit_count(limit)
                    && claim.lacks_only(self, limit)
                    && self.workers.values().any(|worker| open(worker, kin.need));
                if helps {
                    let most = short.entry(limit).or_default();
                    *most = lacks.max(*most);
                }
            }
        }
        short
    }

    /// Slots of the living.
    pub(super) fn alive_slots(&self) -> u64 {
        self.slots_by_class.iter().sum()
    }

    pub(super) fn slots_of_other(&self, class: WorkerClass) -> u64 {
        self.slots_by_class[1 - class as usize]
    }
}
