//! What must hold at every instant, checked against the sums and indices
//! that the core keeps. Tests and the simulation run all of it after each
//! command; a restored store must pass it before it is used; and a service
//! that runs goes over it a part at a time.

use super::State;
use super::job::{Job, Step};
use super::part::Steps;
use super::queue::{Group, JobKey, Kin, Level, QueueAt};
use platefarm_model::farm::{Setting, SettingKind};
use platefarm_model::{FrameSet, JobId, LeaseToken, StepId};
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::ops::Bound;

/// Something of which no more than a count may be taken at a time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cap {
    /// A limit, by name.
    Limit(String),
    /// The ceiling of a show, by name.
    Show(String),
    /// A job's most tasks.
    Job(JobId),
}

/// A cap of which more is taken than there is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Over {
    /// Which.
    pub cap: Cap,
    /// How much is taken.
    pub used: u64,
    /// How much there is.
    pub most: u64,
}

impl std::fmt::Display for Over {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.cap {
            Cap::Limit(name) => write!(f, "limit '{name}'")?,
            Cap::Show(name) => write!(f, "show '{name}'")?,
            Cap::Job(id) => write!(f, "{id}")?,
        }
        write!(f, ": {} of {} are taken", self.used, self.most)
    }
}

/// Nothing, or what is broken.
pub(super) type Audit = Result<(), String>;

fn hold(holds: bool, broken: impl FnOnce() -> String) -> Audit {
    if holds { Ok(()) } else { Err(broken()) }
}

impl State {
    /// Checks everything.
    ///
    /// # Errors
    /// The first invariant that does not hold, in words.
    pub fn check_invariants(&self) -> Result<(), String> {
        self.check_jobs(JobId(0), JobId(u64::MAX))?;
        self.check_farm()
    }

    /// Checks what is kept and counted over the whole farm.
    ///
    /// # Errors
    /// The first invariant that does not hold, in words.
    pub fn check_farm(&self) -> Result<(), String> {
        self.check_queue()?;
        self.check_ends()?;
        self.check_counts()?;
        self.check_tally()?;
        self.check_workers()?;
        self.check_numbers()?;
        let kept: usize = self.jobs.values().map(|job| job.tokens.len()).sum();
        hold(kept == self.leases.len(), || format!("{} leases are of no job", self.leases.len()))
    }

    /// Checks the books of some steps, of the jobs that end among them, and with the last of all
    /// what is counted over the whole farm, but for the queue: a live auditor goes over everything
    /// a part at a time, so that the owner is never kept for long. What leases that have ended come to
    /// it holds against the store, and not here.
    ///
    /// # Errors
    /// The first invariant that does not hold, in words.
    pub fn check_part(&self, of: Steps) -> Result<(), String> {
        for (id, job) in self.jobs.range(of.first.job..=of.last.job) {
            let from = if *id == of.first.job { of.first.index } else { 0 };
            for (step_id, step) in job.step_ids().zip(&job.steps).skip(from as usize) {
                if step_id > of.last {
                    break;
                }
                self.check_step(step_id)?;
                step.live.iter().try_for_each(|token| self.check_lease(*token))?;
            }
            if of.end(*id) {
                self.check_sums(*id, job)?;
            }
        }
        if !of.are_last() {
            return Ok(());
        }
        self.check_ends()?;
        self.check_counts()?;
        self.check_workers()
    }

    /// Checks the books of the jobs from `first` to `last`.
    ///
    /// # Errors
    /// The first invariant that does not hold, in words.
    pub fn check_jobs(&self, first: JobId, last: JobId) -> Result<(), String> {
        for (id, job) in self.jobs.range(first..=last) {
            job.step_ids().try_for_each(|id| self.check_step(id))?;
            self.check_sums(*id, job)?;
            self.check_leases(*id, job)?;
        }
        Ok(())
    }

    /// Pending, leased, done and failed partition the step exactly, and one
    /// live lease at most has each frame.
    pub(super) fn check_step(&self, id: StepId) -> Audit {
        let Some(job) = self.jobs.get(&id.job) else { return Ok(()) };
        let Some(step) = job.steps.get(id.index as usize) else {
            return Err(format!("there is no step {id}"));
        };
        let mut union = FrameSet::new();
        let mut count = 0;
        let mut add = |set: &FrameSet| {
            count += set.len();
            union.insert_all(set);
        };
        add(&step.pending);
        add(&step.done);
        add(&step.state.failed);
        for token in &step.live {
            let cell = self.leases.get(token).ok_or_else(|| format!("{token} is not kept"))?;
            hold(cell.is_live() && cell.row.step == id, || {
                format!("{token} is not a live lease of {id}")
            })?;
            add(&cell.row.keep);
        }
        hold(union == FrameSet::from(step.spec.frames) && count == step.spec.frames.len(), || {
            format!("the frames of {id} are not partitioned: {step:?}")
        })?;
        self.check_place(id, job, step)
    }

    /// A step is queued exactly when nothing holds it, and counted as what it has.
    fn check_place(&self, id: StepId, job: &Job, step: &Step) -> Audit {
        let wanted = job.wanted(step, self.now);
        hold(step.queued == wanted, || {
            format!("{id} is queued as {:?} and should be as {wanted:?}", step.queued)
        })?;
        hold(step.settled == step.is_over(), || format!("{id} settled: {}", step.settled))?;
        let held = self.held(id, step);
        hold(step.held == held, || format!("{id} holds {} and should hold {held}", step.held))?;
        if let Some((level, _)) = wanted {
            let list = job.list(level, step.need).map(|at| &job.lists[at]);
            let listed = list.is_some_and(|list| list.steps.contains(&id.index));
            let kin = Kin { need: step.need, show: job.show };
            let group = self.queue.group(level, kin);
            let grouped = group.is_some_and(|group| group.jobs.contains(&JobKey::of(job)));
            hold(listed && grouped != job.is_capped(), || {
                format!("{id} is not where it is queued")
            })?;
        }
        let open = |frame: &i64| {
            !step.done.contains(*frame)
                && !step.state.failed.contains(*frame)
                && step.spec.frames.contains(*frame)
        };
        hold(step.state.troubles.keys().all(open), || format!("{id} has trouble with what ended"))
    }

    /// What a job says of its steps is what they come to.
    fn check_sums(&self, id: JobId, job: &Job) -> Audit {
        hold(id.0 < self.next_job, || format!("{id} was not given out"))?;
        let sum = |of: fn(&Step) -> u64| job.steps.iter().map(of).sum::<u64>();
        let sums = (
            sum(|s| s.done.len()),
            sum(|s| s.state.failed.len()),
            sum(|s| s.spec.frames.len()),
            job.steps.iter().filter(|s| !s.settled).count() as u32,
            sum(|s| s.live.len() as u64),
        );
        let kept = (
            job.frames_done,
            job.frames_failed,
            job.frames_total,
            job.unsettled,
            u64::from(job.tasks),
        );
        hold(sums == kept, || format!("{id} keeps {kept:?} and has {sums:?}"))?;
        let ended = job.row.cancelled || job.unsettled == 0;
        hold(ended == job.row.finished.is_some(), || format!("{id} finished: {ended}"))?;
        hold(!ended || job.tasks == 0, || format!("{id} has ended and has {} tasks", job.tasks))?;
        for list in &job.lists {
            let frames = |index: &u32| job.steps[*index as usize].queued.map_or(0, |q| q.1);
            let sum: u64 = list.steps.iter().map(frames).sum();
            hold(!list.steps.is_empty() && sum == list.frames, || {
                format!("{id} lists {} frames and has {sum}", list.frames)
            })?;
        }
        for (i, step) in job.steps.iter().enumerate() {
            let mut after = step.spec.after.clone();
            after.sort_unstable();
            after.dedup();
            let open = |step: &&u32| job.steps.get(**step as usize).is_none_or(|it| !it.settled);
            let waits = after.iter().filter(open).count() as u32;
            hold(after.last().is_none_or(|last| (*last as usize) < job.steps.len()), || {
                format!("{id}.{i} waits for a step that is not there")
            })?;
            hold(waits == step.waiting_on, || format!("{id}.{i} waits for {waits}"))?;
        }
        Ok(())
    }

    /// What is done of each step is what its leases did, and what is sealed.
    fn check_leases(&self, id: JobId, job: &Job) -> Audit {
        let mut done = vec![FrameSet::new(); job.steps.len()];
        for token in &job.tokens {
            self.check_lease(*token)?;
            let cell = self.leases.get(token).ok_or_else(|| format!("{token} is not kept"))?;
            let of_step = done.get_mut(cell.row.step.index as usize);
            of_step.ok_or_else(|| format!("{token} is of no step"))?.insert_all(&cell.row.done);
        }
        for (step, mut done) in job.steps.iter().zip(done) {
            done.insert_all(&step.state.sealed);
            hold(done == step.done, || {
                format!("a step of {id} has {} done, its leases {done}", step.done)
            })?;
        }
        Ok(())
    }

    /// The groups hold what the jobs' lists say, and nothing else.
    fn check_queue(&self) -> Audit {
        self.check_queue_from(None, usize::MAX)?;
        let hollow = self.queue.levels.iter().find(|(_, groups)| groups.is_empty());
        hold(hollow.is_none(), || format!("{hollow:?} is empty"))?;
        let groups = || self.queue.levels.values().flat_map(BTreeMap::values);
        let jobs: usize = groups().map(|group| group.jobs.len()).sum();
        let frames: u64 = groups().map(|group| group.frames).sum();
        let uncapped = || self.jobs.values().filter(|job| !job.is_capped());
        let lists: usize = uncapped().map(|job| job.lists.len()).sum();
        let listed: u64 = uncapped().flat_map(|job| &job.lists).map(|list| list.frames).sum();
        hold(jobs == lists && frames == listed, || {
            format!("{jobs} jobs with {frames} frames are queued; {lists} with {listed} should be")
        })
    }

    /// Checks `most` places of the queue from `at` on; where to go on, until the end. The sum of
    /// a group is checked with all of its jobs at once, so not where it has more than that.
    ///
    /// # Errors
    /// The first invariant that does not hold, in words.
    pub fn check_queue_from(
        &self,
        at: Option<QueueAt>,
        most: usize,
    ) -> Result<Option<QueueAt>, String> {
        let mut room = most;
        let levels = self.queue.levels.iter();
        let groups = levels.flat_map(|(level, of)| of.iter().map(move |(k, g)| (*level, *k, g)));
        let before = |(level, kin, _): &(Reverse<Level>, Kin, &Group)| {
            at.is_some_and(|at| (*level, *kin) < (at.level, at.kin))
        };
        for (level, kin, group) in groups.skip_while(before) {
            let mut seen = at.filter(|at| (at.level, at.kin) == (level, kin)).and_then(|at| at.job);
            let whole = seen.is_none();
            let mut sum = 0;
            let from = seen.map_or(Bound::Unbounded, Bound::Excluded);
            for key in group.jobs.range((from, Bound::Unbounded)) {
                if room == 0 {
                    return Ok(Some(QueueAt { level, kin, job: seen }));
                }
                sum += self.check_waiting(level.0, kin, group, *key)?;
                (room, seen) = (room - 1, Some(*key));
            }
            hold(!whole || sum == group.frames, || {
                format!("{kin:?}: {} frames, {sum}", group.frames)
            })?;
            hold(group.jobs.len() == group.waiting.len() && !group.jobs.is_empty(), || {
                format!("{kin:?} has {} jobs, {} wait", group.jobs.len(), group.waiting.len())
            })?;
        }
        Ok(None)
    }

    /// A job of a group is on its list, and waits since it says; the frames that it has there.
    fn check_waiting(
        &self,
        level: Level,
        kin: Kin,
        group: &Group,
        key: JobKey,
    ) -> Result<u64, String> {
        let job = self.jobs.get(&key.job);
        let list = job.and_then(|job| Some(&job.lists[job.list(level, kin.need)?]));
        let list = list.ok_or_else(|| format!("{} is not on its list", key.job))?;
        hold(group.waiting.contains(&(list.since, key.job)), || {
            format!("{} does not wait since {:?}", key.job, list.since)
        })?;
        Ok(list.frames)
    }

    fn check_lease(&self, token: LeaseToken) -> Audit {
        let cell = self.leases.get(&token).ok_or_else(|| format!("{token} is not kept"))?;
        let row = &cell.row;
        hold(token == row.token && token.0 < self.next_token, || {
            format!("{token} was not given out")
        })?;
        let granted = FrameSet::from(row.granted);
        let within = |set: &FrameSet| set.ranges().iter().all(|r| granted.contains_range(*r));
        hold(within(&row.keep) && within(&row.done), || format!("{token} outgrew its grant"))?;
        let live = cell.is_live();
        let at_worker = self.workers.get(&row.worker).is_some_and(|w| w.leases.contains(&token));
        let at_step = self.at(row.step).is_some_and(|step| step.live.contains(&token));
        hold(at_worker == live && at_step == live, || {
            format!("{token} is live: {live}, at its worker: {at_worker}, at its step: {at_step}")
        })?;
        let listed = cell.listed.is_some_and(|end| self.ends.contains(&(end, token)));
        hold(listed == cell.listed.is_some() && (live || !listed), || {
            format!("{token} ends as {:?}", cell.listed)
        })
    }

    /// What could be shortened is live, and listed as its lease says.
    fn check_ends(&self) -> Audit {
        let listed = |(end, token): &(_, LeaseToken)| {
            self.leases.get(token).is_some_and(|cell| cell.listed == Some(*end))
        };
        hold(self.ends.iter().all(listed), || "ends are listed of leases that are not".into())
    }

    /// What is counted over the whole farm: live leases by show, limit and class.
    fn check_counts(&self) -> Audit {
        let mut shows = vec![0; self.shows.len()];
        let mut limits: BTreeMap<&str, u64> = BTreeMap::new();
        let mut classes = [0; 3];
        for token in self.workers.values().flat_map(|worker| &worker.leases) {
            let id = self.leases.get(token).map(|cell| cell.row.step);
            let (job, step) = id.and_then(|id| self.step_of(id)).ok_or("a lease is of no step")?;
            shows[job.show.0 as usize] += 1;
            classes[step.level(&job.row).class as usize] += 1;
            for (limit, amount) in &step.spec.terms.needs.limits {
                *limits.entry(limit).or_default() += u64::from(*amount);
            }
        }
        for (id, show) in self.known_shows() {
            let sum = shows[id];
            hold(show.tasks == sum, || {
                format!("show '{}' keeps {} tasks and has {sum}", show.name, show.tasks)
            })?;
            let set = match self.setting(SettingKind::Share, &show.name) {
                Some(Setting::Share(share)) => *share,
                _ => Default::default(),
            };
            hold(show.share == set, || format!("show '{}' has another share", show.name))?;
        }
        let kept = self.limits_used.iter().map(|(name, used)| (name.as_str(), *used));
        hold(limits == kept.collect(), || {
            format!("limits keep {:?} and have {limits:?}", self.limits_used)
        })?;
        hold(classes == self.tasks_by_class, || {
            format!("classes keep {:?} and have {classes:?}", self.tasks_by_class)
        })
    }

    /// Numbers of needs and shows are known of as many as have them.
    fn check_numbers(&self) -> Audit {
        let mut needs = vec![0; self.queue.need_count()];
        let mut shows = vec![0; self.shows.len()];
        for job in self.jobs.values() {
            shows[job.show.0 as usize] += 1;
            job.steps.iter().for_each(|step| needs[step.need.0 as usize] += 1);
        }
        for name in self.settings.get(&SettingKind::Share).into_iter().flat_map(BTreeMap::keys) {
            let number = self.show_ids.number(name).ok_or_else(|| format!("{name} is no show"))?;
            shows[number as usize] += 1;
        }
        for (need, sum) in (0..).map(super::queue::NeedId).zip(needs) {
            let kept = self.queue.steps_with(need);
            hold(kept == sum, || format!("{need:?} is kept for {kept} steps and had by {sum}"))?;
        }
        for (number, sum) in (0..).zip(shows) {
            let kept = self.show_ids.users(number);
            hold(kept == sum, || format!("show {number} is kept for {kept} and had by {sum}"))?;
        }
        Ok(())
    }

    fn check_workers(&self) -> Audit {
        let mut slots = [0; 2];
        let alive = self.workers.values().filter(|w| w.alive);
        alive.clone().for_each(|w| slots[w.class() as usize] += u64::from(w.row.slots));
        let count = alive.count() as u64;
        hold((count, slots) == (self.alive, self.slots_by_class), || {
            format!("{count} workers are alive with {slots:?} slots")
        })?;
        self.check_open()?;
        hold(self.instances.len() == self.workers.len(), || "instances and workers differ".into())?;
        for (id, worker) in &self.workers {
            hold(id.0 < self.next_worker, || format!("{id} was not given out"))?;
            hold(worker.alive || worker.leases.is_empty(), || format!("{id} is lost and holds"))?;
            for token in &worker.leases {
                let held = self.leases.get(token).is_some_and(|cell| cell.row.worker == *id);
                hold(held, || format!("{id} does not hold {token}"))?;
            }
            let yields = self.yields_of(worker);
            hold(worker.yields == yields, || {
                format!("{id} yields to {:?}, and its leases to {yields:?}", worker.yields)
            })?;
            for (need, fits) in worker.fits.iter().enumerate() {
                let needs = self.queue.needs(super::queue::NeedId(need as u32));
                hold(*fits == self.misfit(needs, worker).is_none(), || {
                    format!("{id} remembers wrongly that it fits {needs:?}: {fits}")
                })?;
            }
        }
        Ok(())
    }

    /// The limits, ceilings of shows, and caps of the jobs from `first` to `last` of
    /// which more is leased than there is. A cap that a person lowered below what
    /// was leased is over until that ends, so the caller says what may be.
    #[must_use]
    pub fn over_caps(&self, first: JobId, last: JobId) -> Vec<Over> {
        let limits = self.limits_used.keys().map(|name| Cap::Limit(name.clone()));
        let shows = self.known_shows().map(|(_, show)| Cap::Show(show.name.clone()));
        let jobs = self.jobs.range(first..=last);
        let jobs = jobs.filter(|(_, job)| job.row.terms.max_tasks.is_some());
        let jobs = jobs.map(|(id, _)| Cap::Job(*id));
        limits.chain(shows).chain(jobs).filter_map(|cap| self.over(cap)).collect()
    }

    /// How far a cap is over; none where it holds.
    #[must_use]
    pub fn over(&self, cap: Cap) -> Option<Over> {
        let (used, most) = match &cap {
            Cap::Limit(name) => (self.limit_used(name), self.limit_count(name)),
            Cap::Show(name) => {
                let show = &self.shows[self.show_ids.number(name)? as usize];
                (show.tasks, show.share.ceiling?.into())
            }
            Cap::Job(id) => {
                let job = self.jobs.get(id)?;
                (job.tasks.into(), job.row.terms.max_tasks?.into())
            }
        };
        (used > most).then_some(Over { cap, used, most })
    }
}
