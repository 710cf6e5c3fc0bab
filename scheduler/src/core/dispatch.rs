//! Which task a worker gets. The order is the design's: limits and
//! eligibility, class, a show below its guarantee, the earliest deadline, the
//! fairest share, locality, age. What waits too long goes first now and then,
//! whatever its place, so that nothing eligible starves.

use super::claims::Claims;
use super::command::{Granted, Reply};
use super::fit::Standing;
use super::job::{Job, Step};
use super::lease::LeaseCell;
use super::policy::Policy;
use super::queue::{Group, Kin, Level, NeedId};
use super::rows::{LeaseRow, Trouble};
use super::worker::Worker;
use super::{Fx, State, unknown_worker};
use platefarm_model::farm::{PriorityClass, WorkerClass};
use platefarm_model::{
    FrameRange, FrameSet, JobId, LeaseToken, Outcome, StepId, Timestamp, WorkerId,
};
use std::cell::OnceCell;
use std::cmp::Reverse;
use std::sync::Arc;

/// A worker may ask ahead, but not hoard.
const LEASES_PER_SLOT: usize = 2;
/// Steps of equal standing among which the nearest is looked for.
const LOOK_AROUND: usize = 8;
/// Steps that are looked at in vain (each has only frames that failed on this
/// very worker) before a group is passed.
const IN_VAIN: usize = 256;
/// Microseconds per millisecond.
const MILLI: i64 = 1000;

/// Place of a group among those of its level: the smallest goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rank {
    /// A show below its guarantee goes first.
    has_guaranteed: bool,
    deadline: Timestamp,
    /// Tasks in parts of the show's weight.
    share: u64,
    /// Age: ids grow with time.
    job: JobId,
}

/// A task that could be leased.
struct Find {
    step: StepId,
    level: Level,
    need: NeedId,
    frames: FrameRange,
}

/// A worker that asks, and how.
#[derive(Clone, Copy)]
struct Asker<'a> {
    worker: &'a Worker,
    /// Whether its slots are full and it asks ahead.
    ahead: bool,
    /// The least class that it may take ahead: of the work that a slot of it is being taken for.
    least: Option<PriorityClass>,
    standing: Standing,
    /// Frames that wait at this level or above, of what it fits.
    left: u64,
    /// Whether the frame has waited long and is taken as it comes.
    aged: bool,
    /// Whether there is nothing further down that it could do instead.
    last_resort: bool,
}

impl State {
    pub(super) fn acquire(&mut self, id: WorkerId, fx: &mut Fx) -> Outcome<Reply> {
        self.hear(id, fx)?;
        self.learn_fits(id);
        let worker = self.workers.get(&id).ok_or_else(|| unknown_worker(id))?;
        let (held, slots) = (worker.leases.len(), worker.row.slots as usize);
        let asker = self.asker(worker);
        let (ahead, standing) = (asker.ahead, asker.standing);
        let room = match standing {
            Standing::Open => LEASES_PER_SLOT * slots,
            Standing::Trial => 1,
            Standing::Draining | Standing::Quarantined => 0,
        };
        if held >= room {
            return Ok(Reply::Acquired(None));
        }
        let aged = self.dealt >= self.policy.aged_every && standing == Standing::Open;
        let overdue = aged.then(|| self.find_overdue(asker)).flatten();
        let late = overdue.is_some();
        let find = overdue.or_else(|| self.find_first(asker));
        if aged {
            self.dealt = 0;
        }
        let Some(find) = find else {
            if !ahead && standing == Standing::Open {
                self.take_back_half(id);
            }
            return Ok(Reply::Acquired(None));
        };
        self.dealt += 1;
        let granted = self.grant(id, &find, late, fx);
        if ahead && !late && self.is_above_what_runs(find.level.class) {
            self.make_way(id, find.level.class);
        }
        Ok(Reply::Acquired(granted))
    }

    /// A worker as it asks now.
    fn asker<'s>(&'s self, worker: &'s Worker) -> Asker<'s> {
        let ahead = !worker.has_room();
        Asker {
            worker,
            ahead,
            least: worker.yields.filter(|_| ahead),
            standing: self.standing(worker),
            left: 0,
            aged: false,
            last_resort: false,
        }
    }

    /// Place of a group among those of its level.
    pub(super) fn rank(&self, kin: Kin, group: &Group) -> Option<Rank> {
        let first = group.jobs.first()?;
        let show = &self.shows[kin.show.0 as usize];
        let weight = u64::from(show.share.weight.max(1));
        Some(Rank {
            has_guaranteed: show.tasks >= u64::from(show.share.guarantee),
            deadline: first.deadline,
            share: show.tasks * 1_000_000 / weight,
            job: first.job,
        })
    }

    fn may_have(&self, asker: Asker<'_>, kin: Kin) -> bool {
        self.fits(kin.need, asker.worker)
            && !self.is_blocked(kin.need, kin.show)
            && !(asker.ahead && self.is_counted(kin.need, kin.show))
    }

    /// The first task in the order of work that a worker may have.
    fn find_first(&self, mut asker: Asker<'_>) -> Option<Find> {
        let lowest = self.queue.levels.keys().next_back();
        let mut claims = Claims::default();
        for (level, groups) in &self.queue.levels {
            if Some(level.0.class) < asker.least {
                break;
            }
            asker.last_resort = lowest == Some(level);
            let mut offers: Vec<(Rank, Kin, bool)> = Vec::new();
            for (kin, group) in groups {
                let may = self.may_have(asker, *kin);
                if may {
                    asker.left += group.frames;
                }
                // What is counted is not taken ahead: then nobody asks what is kept of it.
                let claims = !asker.ahead && !self.queue.needs(kin.need).limits.is_empty();
                if may || claims {
                    offers.extend(self.rank(*kin, group).map(|rank| (rank, *kin, may)));
                }
            }
            offers.sort_unstable();
            for (_, kin, may) in offers {
                let group = &groups[&kin];
                let id = Some(asker.worker.row.id);
                if may && claims.kept(self, id, kin).is_none() {
                    let jobs = group.jobs.iter().map(|key| (key.deadline, key.job));
                    let found = self.find_among(asker, level.0, kin.need, jobs);
                    if found.is_some() {
                        return found;
                    }
                }
                claims.pass(self, kin, group);
            }
        }
        None
    }

    /// What has waited longer than anything should, and longest.
    fn find_overdue(&self, mut asker: Asker<'_>) -> Option<Find> {
        asker.aged = true;
        let mut overdue: Vec<(Timestamp, Level, Kin)> = Vec::new();
        for (level, groups) in &self.queue.levels {
            for (kin, group) in groups {
                let Some((since, _)) = group.waiting.first() else { continue };
                if self.is_overdue(*since) {
                    overdue.push((*since, level.0, *kin));
                }
            }
        }
        overdue.sort_unstable();
        // A limit is kept for the oldest here, too.
        let mut claims = Claims::default();
        for (_, level, kin) in overdue {
            let Some(group) = self.queue.group(level, kin) else { continue };
            let id = Some(asker.worker.row.id);
            if self.may_have(asker, kin) && claims.kept(self, id, kin).is_none() {
                // Deadlines do not matter here: of what waited so long the first few are as good as each other.
                let late = group.waiting.iter().take_while(|(since, _)| self.is_overdue(*since));
                let jobs = late.take(LOOK_AROUND).map(|(_, job)| (Timestamp(0), *job));
                let found = self.find_among(asker, level, kin.need, jobs);
                if found.is_some() {
                    return found;
                }
            }
            claims.pass(self, kin, group);
        }
        None
    }

    /// Whether what waits since then has waited longer than anything should.
    pub(super) fn is_overdue(&self, since: Timestamp) -> bool {
        self.now.millis_since(since) >= self.policy.aging_ms
    }

    /// The nearest of the first few steps of equal deadline that have a frame for the worker.
    fn find_among(
        &self,
        asker: Asker<'_>,
        level: Level,
        need: NeedId,
        jobs: impl Iterator<Item = (Timestamp, JobId)>,
    ) -> Option<Find> {
        let mut best: Option<(usize, Find)> = None;
        let (mut seen, mut vain, mut first) = (0, 0, None);
        for (deadline, id) in jobs {
            if first.is_some_and(|first| first != deadline) {
                break;
            }
            let Some(job) = self.jobs.get(&id) else { continue };
            if asker.ahead && job.row.terms.max_tasks.is_some() {
                continue;
            }
            let Some(list) = job.list(level, need).map(|at| &job.lists[at]) else { continue };
            for index in &list.steps {
                let step = &job.steps[*index as usize];
                let Some(frames) = self.next_frames(asker, job, step, list.since) else {
                    vain += 1;
                    if vain > IN_VAIN {
                        return best.map(|(_, find)| find);
                    }
                    continue;
                };
                first = Some(deadline);
                seen += 1;
                let step_id = StepId { job: id, index: *index };
                let near = nearness(asker.worker, step_id, step);
                if best.as_ref().is_none_or(|(before, _)| near > *before) {
                    best = Some((near, Find { step: step_id, level, need, frames }));
                }
                let knows_a_place = asker.worker.knows_a_place();
                if near == NEAREST || !knows_a_place || seen >= LOOK_AROUND {
                    return best.map(|(_, find)| find);
                }
            }
        }
        best.map(|(_, find)| find)
    }

    /// What a worker would get of a step that is in the queue.
    fn next_frames(
        &self,
        asker: Asker<'_>,
        job: &Job,
        step: &Step,
        since: Timestamp,
    ) -> Option<FrameRange> {
        let worker = asker.worker;
        let frame_us = self.frame_us(job, step, worker.class());
        if asker.last_resort && self.others_are_sooner(asker, job, step, since, frame_us) {
            return None;
        }
        let size = match (asker.standing, asker.aged) {
            (Standing::Open, false) => {
                self.policy.lease_size(frame_us, asker.left, self.alive_slots())
            }
            _ => 1,
        };
        let may_have = |trouble: &Trouble| {
            // On trial it proves itself on frames that failed nowhere, unless
            // those that did wait in vain for anybody else.
            let on_trial = asker.standing != Standing::Open;
            let another = || on_trial || self.has_another(step.need, &trouble.workers);
            let tried = on_trial || trouble.workers.contains(&worker.row.id);
            self.policy.may_retry(trouble, tried, another, self.now)
        };
        let risk = OnceCell::new();
        let may_risk = || *risk.get_or_init(|| !self.holds_a_suspect(worker));
        if step.held.is_empty() {
            return Policy::pick(&step.pending, &step.state, size, may_have, may_risk);
        }
        Policy::pick(&step.open_frames(), &step.state, size, may_have, may_risk)
    }

    /// Whether a worker has a frame in hand with which, alone, a worker went down before.
    fn holds_a_suspect(&self, worker: &Worker) -> bool {
        let suspect = |token| {
            let row = &self.leases.get(token)?.row;
            let (_, loss) = self.at(row.step)?.state.losses.at(row.keep.first()?)?;
            Some(loss.is_suspect())
        };
        worker.leases.iter().any(|token| suspect(token) == Some(true))
    }

    /// Measured or guessed time of a frame on a class of workers, in microseconds.
    pub(super) fn frame_us(&self, job: &Job, step: &Step, class: WorkerClass) -> Option<i64> {
        step.pace.of(class).or_else(|| job.pace.of(class))
    }

    fn frame_us_of_other(&self, job: &Job, step: &Step, class: WorkerClass) -> Option<i64> {
        let other = if class == WorkerClass::Cpu { WorkerClass::Gpu } else { WorkerClass::Cpu };
        self.frame_us(job, step, other)
    }

    /// Whether the last frames of a burst are better left to the faster class:
    /// it would have done all of them before this worker did one. Said where
    /// the worker would else rest, and for no longer than that one frame would take.
    fn others_are_sooner(
        &self,
        asker: Asker<'_>,
        job: &Job,
        step: &Step,
        since: Timestamp,
        mine_us: Option<i64>,
    ) -> bool {
        let class = asker.worker.class();
        let slots = self.slots_of_other(class);
        let Some(mine_us) = mine_us.filter(|_| asker.left < self.alive_slots() && slots > 0) else {
            return false;
        };
        let Some(theirs_us) = self.frame_us_of_other(job, step, class) else { return false };
        let rounds = asker.left.div_ceil(slots) as i64 + 1;
        theirs_us.saturating_mul(rounds) < mine_us && self.now.millis_since(since) < mine_us / MILLI
    }

    /// Whether a worker, were it to ask, would leave the frames of a step to the faster class.
    pub(super) fn leaves_to_others(&self, worker: &Worker, job: &Job, step: &Step) -> bool {
        let level = step.level(&job.row);
        let Some(list) = job.list(level, step.need).map(|at| &job.lists[at]) else { return false };
        let mut asker = self.asker(worker);
        let above = self.queue.levels.range(..=Reverse(level)).flat_map(|(_, groups)| groups);
        asker.left =
            above.filter(|(kin, _)| self.may_have(asker, **kin)).map(|(_, g)| g.frames).sum();
        let is_lowest = self.queue.levels.keys().next_back() == Some(&Reverse(level));
        let mine_us = self.frame_us(job, step, worker.class());
        is_lowest && self.others_are_sooner(asker, job, step, list.since, mine_us)
    }

    fn grant(&mut self, worker: WorkerId, find: &Find, late: bool, fx: &mut Fx) -> Option<Granted> {
        let (id, frames, now) = (find.step, find.frames, self.now);
        let job = self.jobs.get_mut(&id.job)?;
        let token = LeaseToken(self.next_token);
        self.next_token += 1;
        self.counters.leases += 1;
        let row = LeaseRow {
            token,
            step: id,
            worker,
            granted: frames,
            keep: frames.into(),
            done: FrameSet::new(),
        };
        fx.changes.leases.insert(token, row.clone());
        job.tokens.push(token);
        let step = &mut job.steps[id.index as usize];
        step.pending.remove(frames);
        if step.spec.terms.step_limit_s > 0 && step.state.started.is_none() {
            step.state.started = Some(now);
            fx.touched.insert(id);
            let due = now.plus_millis(i64::from(step.spec.terms.step_limit_s) * MILLI);
            self.due_steps.insert((due, id));
        }
        let spec = Arc::clone(&step.spec);
        self.queue.served(job, find.level, find.need, now);
        if let Some(worker) = self.workers.get_mut(&worker) {
            worker.was_near(id, &spec.terms.near);
        }
        let deadline = now.plus_millis(self.policy.lease_ttl_ms);
        self.count_in(LeaseCell { late, ..LeaseCell::new(row, deadline, now) });
        self.refresh(id, fx);
        Some(Granted { token, step: id, frames, spec })
    }
}

/// The nearness of the step that a worker had last.
const NEAREST: usize = usize::MAX;

/// How near a worker is to what a step needs.
fn nearness(worker: &Worker, id: StepId, step: &Step) -> usize {
    if worker.last_step == Some(id) {
        return NEAREST;
    }
    let at_hand = |key: &&String| worker.row.traits.near.contains(*key) || worker.is_warm(key);
    step.spec.terms.near.iter().filter(at_hand).count()
}
