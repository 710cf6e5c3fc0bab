//! Sums over all jobs, by show. They are kept as jobs change, so that what
//! metrics, samples and the status of the farm ask costs what has changed and
//! what runs, and not what there is. A job that changed is noted; it is counted
//! again with the next tick, and for whoever looks before.

use super::State;
use super::audit::Audit;
use super::job::Job;
use super::rows::Changes;
use platefarm_model::JobId;
use platefarm_model::job::Phase;
use std::collections::{BTreeMap, BTreeSet};

/// What is counted of a show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    /// Jobs that are kept, by [`Phase::ALL`].
    jobs: [u64; Phase::ALL.len()],
    /// Frames that are done, of every job that is kept.
    pub done: u64,
    /// Frames of jobs that are not settled.
    pub open: OpenFrames,
}

/// Frames of jobs that are not settled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OpenFrames {
    /// All of them.
    pub total: u64,
    /// Done.
    pub done: u64,
    /// Given up.
    pub failed: u64,
    /// In the hands of workers.
    pub leased: u64,
    /// Of steps that nothing holds. Those of a job that has as many tasks as it may are
    /// among them: they wait for its own.
    pub waiting: u64,
}

impl OpenFrames {
    /// Neither done nor given up.
    #[must_use]
    pub fn left(&self) -> u64 {
        self.total.saturating_sub(self.done + self.failed)
    }

    /// Left, and neither leased nor waiting: what a person, a time or other work holds.
    #[must_use]
    pub fn held(&self) -> u64 {
        self.left().saturating_sub(self.leased + self.waiting)
    }
}

impl Sums {
    /// How many jobs are in a phase.
    #[must_use]
    pub fn jobs_in(&self, phase: Phase) -> u64 {
        self.jobs[phase as usize]
    }

    /// How many jobs are kept.
    #[must_use]
    pub fn all_jobs(&self) -> u64 {
        self.jobs.iter().sum()
    }

    /// How many are not settled, and have begun nothing.
    #[must_use]
    pub fn jobs_waiting(&self) -> u64 {
        self.jobs_in(Phase::Blocked) + self.jobs_in(Phase::Pending)
    }

    /// Adds those of another show.
    pub fn add(&mut self, other: &Self) {
        self.jobs.iter_mut().zip(other.jobs).for_each(|(sum, count)| *sum += count);
        self.done += other.done;
        let (open, more) = (&mut self.open, &other.open);
        open.total += more.total;
        open.done += more.done;
        open.failed += more.failed;
        open.leased += more.leased;
        open.waiting += more.waiting;
    }

    /// Counts a job in or out.
    fn change(&mut self, total: u64, job: Counted, by: fn(u64, u64) -> u64) {
        let Some(phase) = job.phase else { return };
        let count = &mut self.jobs[phase as usize];
        *count = by(*count, 1);
        self.done = by(self.done, job.done);
        if !phase.is_settled() {
            let open = &mut self.open;
            open.total = by(open.total, total);
            open.done = by(open.done, job.done);
            open.failed = by(open.failed, job.failed);
        }
    }
}

/// A job as it was counted; at first it was not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counted {
    phase: Option<Phase>,
    done: u64,
    failed: u64,
}

impl Counted {
    fn of(job: &Job) -> Self {
        Self { phase: Some(job.phase()), done: job.frames_done, failed: job.frames_failed }
    }
}

/// The sums, and what they do not know yet.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    /// By the shows' numbers.
    shows: Vec<Sums>,
    /// Jobs that changed since they were counted; some more than once.
    changed: Vec<JobId>,
}

impl Tally {
    /// Jobs may look different from here on.
    pub(super) fn note(&mut self, changes: &Changes) {
        let steps = changes.steps.keys().map(|step| step.job);
        let leases = changes.leases.values().map(|lease| lease.step.job);
        let jobs = changes.jobs.keys().copied();
        jobs.chain(steps).chain(leases).for_each(|job| self.note_job(job));
    }

    fn note_job(&mut self, job: JobId) {
        if self.changed.last() != Some(&job) {
            self.changed.push(job);
        }
    }

    fn take_changed(&mut self) -> BTreeSet<JobId> {
        std::mem::take(&mut self.changed).into_iter().collect()
    }

    /// A job is kept no more.
    pub(super) fn forget(&mut self, job: &Job) {
        self.recount(job, Counted::default());
    }

    fn recount(&mut self, job: &Job, now: Counted) {
        let show = job.show.0 as usize;
        if self.shows.len() <= show {
            self.shows.resize(show + 1, Sums::default());
        }
        let sums = &mut self.shows[show];
        sums.change(job.frames_total, job.counted, u64::wrapping_sub);
        sums.change(job.frames_total, now, u64::wrapping_add);
    }
}

impl State {
    /// Counts what has changed.
    pub(super) fn sum_up(&mut self) {
        self.tally.take_changed().into_iter().for_each(|id| self.count_job(id));
    }

    /// Counts a job as it is.
    pub(super) fn count_job(&mut self, id: JobId) {
        let Some(job) = self.jobs.get_mut(&id) else { return };
        let now = Counted::of(job);
        self.tally.recount(job, now);
        job.counted = now;
    }

    /// The sums over jobs as they are, by the shows' numbers.
    fn of_shows(&self) -> Vec<Sums> {
        let mut tally = self.tally.clone();
        for job in tally.take_changed().iter().filter_map(|id| self.jobs.get(id)) {
            tally.recount(job, Counted::of(job));
        }
        tally.shows.resize(self.shows.len(), Sums::default());
        tally.shows
    }

    /// What is counted of each show of which a job is kept.
    #[must_use]
    pub fn tally(&self) -> BTreeMap<String, Sums> {
        let mut sums = self.of_shows();
        let mut capped = BTreeSet::new();
        let held = self.workers.values().flat_map(|worker| &worker.leases);
        for row in held.filter_map(|token| self.leases.get(token)).map(|cell| &cell.row) {
            let Some(job) = self.jobs.get(&row.step.job) else { continue };
            let open = &mut sums[job.show.0 as usize].open;
            open.leased += row.keep.len();
            // It stands in no group until a task of it ends.
            if job.is_capped() && capped.insert(job.row.id) {
                open.waiting += job.lists.iter().map(|list| list.frames).sum::<u64>();
            }
        }
        for (kin, group) in self.queue.levels.values().flatten() {
            sums[kin.show.0 as usize].open.waiting += group.frames;
        }
        let named = self.shows.iter().map(|show| show.name.clone()).zip(sums);
        named.filter(|(_, sums)| sums.all_jobs() > 0).collect()
    }

    /// The sums are those of the jobs.
    pub(super) fn check_tally(&self) -> Audit {
        let mut sums = vec![Sums::default(); self.shows.len()];
        for job in self.jobs.values() {
            let of_show = &mut sums[job.show.0 as usize];
            of_show.change(job.frames_total, Counted::of(job), u64::wrapping_add);
        }
        let kept = self.of_shows();
        if kept == sums { Ok(()) } else { Err(format!("shows keep {kept:?} and have {sums:?}")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::tests::one_step;
    use crate::core::{Command, Policy, Reply};
    use platefarm_model::farm::{Control, JobTerms, Target};
    use platefarm_model::job::JobSpec;
    use platefarm_model::{Timestamp, WorkerId};

    fn job(show: &str, frames: u64, max_tasks: Option<u32>) -> Command {
        let terms = JobTerms { max_tasks, ..JobTerms::default() };
        Command::Submit(Box::new(JobSpec { terms, ..one_step(show, frames) }))
    }

    fn worker() -> Command {
        Command::Register {
            name: "w".into(),
            instance: "w".into(),
            slots: 1,
            backend: "cpu".into(),
            traits: Default::default(),
        }
    }

    fn ask(state: &mut State, command: Command) -> Reply {
        let reply = state.step(command, state.now.plus_millis(1)).reply.expect("an answer");
        state.check_invariants().expect("books that agree");
        reply
    }

    /// A look costs what has changed since the last tick, and is right before it, too.
    #[test]
    fn what_did_not_change_is_not_counted_again() {
        let mut state = State::new(Policy::default(), Timestamp(1));
        (0..40).for_each(|_| drop(ask(&mut state, job("atlas", 10, None))));
        ask(&mut state, worker());
        ask(&mut state, Command::Tick);
        assert_eq!(state.tally.changed, []);
        ask(&mut state, Command::Acquire { worker: WorkerId(1) });
        assert_eq!(state.tally.changed, [JobId(1)]);
        let sums = state.tally()["atlas"];
        assert_eq!((sums.jobs_in(Phase::Running), sums.jobs_waiting()), (1, 39));
        let OpenFrames { leased, waiting, .. } = sums.open;
        assert_eq!((leased, waiting, sums.open.left()), (1, 399, 400));
        ask(&mut state, Command::Control(Target::Job(JobId(1)), Control::Cancel));
        ask(&mut state, Command::Forget(JobId(1)));
        let sums = state.tally()["atlas"];
        assert_eq!((sums.all_jobs(), sums.open.left()), (39, 390));
    }

    /// What a job may not have yet waits for its own tasks, and is held by nobody.
    #[test]
    fn frames_of_a_job_with_all_its_tasks_wait() {
        let mut state = State::new(Policy::default(), Timestamp(1));
        ask(&mut state, job("atlas", 10, Some(1)));
        ask(&mut state, worker());
        ask(&mut state, Command::Acquire { worker: WorkerId(1) });
        ask(&mut state, job("zeus", 3, None));
        let tally = state.tally();
        let seen = |show: &str| (tally[show].open.leased, tally[show].open.waiting);
        assert_eq!((seen("atlas"), seen("zeus")), ((1, 9), (0, 3)));
        assert_eq!(tally["atlas"].open.held(), 0);
    }
}
