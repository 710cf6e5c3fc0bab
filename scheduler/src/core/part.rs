//! A part of the farm at one moment, for an auditor that goes over it some rows
//! at a time: what the store must hold of some steps. However large a job is,
//! the next part goes on within it. Whether sums agree stands in `audit`. And what
//! may be heard of before it is stored.

use super::State;
use super::command::Granted;
use super::restore::UNSTORED_TOKENS;
use super::rows::{Changes, LeaseRow, Snapshot};
use platefarm_model::{FrameSet, JobId, LeaseToken, StepId};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Steps from one to another, both included, with all that lies between.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Steps {
    /// The first.
    pub first: StepId,
    /// The last.
    pub last: StepId,
}

impl Steps {
    /// Every step that there may be.
    pub const ALL: Self = Self {
        first: StepId { job: JobId(0), index: 0 },
        last: StepId { job: JobId(u64::MAX), index: u32::MAX },
    };

    /// Those of one job.
    #[must_use]
    pub const fn of_job(job: JobId) -> Self {
        Self { first: StepId { job, index: 0 }, last: StepId { job, index: u32::MAX } }
    }

    /// Whether nothing can lie behind them.
    #[must_use]
    pub fn are_last(self) -> bool {
        self.last == Self::ALL.last
    }

    /// Where what lies behind them begins; at the beginning, where nothing can.
    #[must_use]
    pub const fn behind(self) -> StepId {
        let StepId { job, index } = self.last;
        match (index.checked_add(1), job.0.checked_add(1)) {
            (Some(index), _) => StepId { job, index },
            (None, Some(job)) => StepId { job: JobId(job), index: 0 },
            (None, None) => Self::ALL.first,
        }
    }

    /// Whether a job ends among them.
    pub(super) fn end(self, job: JobId) -> bool {
        self.last >= StepId { job, index: u32::MAX }
    }
}

/// Some steps as the core has them.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// Which.
    pub of: Steps,
    /// Their rows, those of their jobs, and of their live leases; with the last, those of workers, settings and marks.
    pub rows: Snapshot,
    /// Frames of each that are done: under leases live and ended, and under those that are kept no more.
    pub done: BTreeMap<StepId, FrameSet>,
}

impl State {
    /// The last of at most `count` jobs from `first` on; none: there is no job from there on.
    #[must_use]
    pub fn last_of(&self, first: JobId, count: usize) -> Option<JobId> {
        self.jobs.range(first..).take(count).last().map(|(id, _)| *id)
    }

    /// The steps from `first` on, of about `most` rows: more only where a step alone has more.
    #[must_use]
    pub fn steps_from(&self, first: StepId, most: usize) -> Part {
        let of = Steps { first, ..Steps::ALL };
        let mut part = Part { of, rows: Snapshot::default(), done: BTreeMap::new() };
        let mut room = most.max(1);
        for (id, job) in self.jobs.range(first.job..) {
            if room == 0 {
                part.of.last = Steps::of_job(JobId(id.0 - 1)).last;
                return part;
            }
            part.rows.jobs.insert(*id, job.row.clone());
            let from = if *id == first.job { first.index } else { 0 };
            for (step_id, step) in job.step_ids().zip(&job.steps).skip(from as usize) {
                if room == 0 {
                    part.of.last = StepId { index: step_id.index - 1, ..step_id };
                    return part;
                }
                let cells = step.live.iter().filter_map(|token| self.leases.get(token));
                part.rows.leases.extend(cells.map(|cell| (cell.row.token, cell.row.clone())));
                let row = (Arc::clone(&step.spec), step.state.row());
                part.rows.steps.insert(step_id, row);
                part.done.insert(step_id, step.done.clone());
                room = room.saturating_sub(1 + step.live.len());
            }
            room = room.saturating_sub(1);
        }
        part.rows.workers = self.worker_rows();
        part.rows.settings = self.setting_rows();
        part.rows.marks = self.marks;
        part
    }

    /// These changes are stored.
    pub fn stored(&mut self, changes: &Changes) {
        let last = changes.leases.last_key_value().map(|(token, _)| *token);
        self.stored_token = self.stored_token.max(last);
    }

    /// Whether a lease may be heard of before it is stored: not when its job is not (`unstored`
    /// says of which that is so), not when it waited for something that may not be, and not when its
    /// token could be given out again if it is lost with this core. The next core begins beyond
    /// all that lie so near behind the last lease that is stored.
    #[must_use]
    pub fn may_go(&self, granted: &Granted, unstored: impl Fn(JobId) -> bool) -> bool {
        let near = |stored: LeaseToken| granted.token.0 <= stored.0 + UNSTORED_TOKENS;
        self.stored_token.is_some_and(near)
            && !self.is_dependent(granted.step)
            && !unstored(granted.step.job)
    }

    /// Whether a step waits, or waited, for anything: other steps, other jobs, single frames.
    #[must_use]
    pub fn is_dependent(&self, id: StepId) -> bool {
        let Some(job) = self.jobs.get(&id.job) else { return true };
        let Some(step) = job.steps.get(id.index as usize) else { return true };
        !(job.row.terms.after.is_empty()
            && step.spec.after.is_empty()
            && step.spec.terms.after_same_frames.is_empty()
            && step.state.control.after.is_empty())
    }
}

impl Part {
    /// What the store says otherwise, of what it holds of these steps with all their leases.
    #[must_use]
    pub fn differs(&self, stored: &Snapshot) -> Option<String> {
        let live = stored.leases.iter().filter(|(_, row)| !row.keep.is_empty());
        let live: BTreeMap<LeaseToken, LeaseRow> = live.map(|(t, row)| (*t, row.clone())).collect();
        let of_jobs = first_other(&self.rows.jobs, &stored.jobs)
            .map(|id| id.to_string())
            .or_else(|| first_other(&self.rows.steps, &stored.steps).map(|id| format!("step {id}")))
            .or_else(|| first_other(&self.rows.leases, &live).map(|id| format!("lease {id}")))
            .or_else(|| {
                let theirs = stored.done();
                first_other(&self.done, &theirs).map(|id| format!("what is done of {id}"))
            });
        let of_farm = || {
            let (ours, theirs) = (&self.rows, stored);
            let worker =
                first_other(&ours.workers, &theirs.workers).map(|id| format!("worker {id}"));
            let setting = || {
                let setting = first_other(&ours.settings, &theirs.settings);
                setting.map(|(kind, name)| format!("{kind} '{name}'"))
            };
            let marks = || (ours.marks != theirs.marks).then(|| "the highest id".to_owned());
            worker.or_else(setting).or_else(marks)
        };
        let what = of_jobs.or_else(|| self.of.are_last().then(of_farm).flatten())?;
        Some(format!("{what} is not stored as it is"))
    }
}

impl Snapshot {
    /// Frames of each step that are done, by its leases and by what is sealed.
    fn done(&self) -> BTreeMap<StepId, FrameSet> {
        let sealed = self.steps.iter().map(|(id, (_, state))| (*id, state.sealed.clone()));
        let mut done: BTreeMap<StepId, FrameSet> = sealed.collect();
        for lease in self.leases.values() {
            done.entry(lease.step).or_default().insert_all(&lease.done);
        }
        done
    }
}

/// The first key of which the two have not the same.
fn first_other<'a, K: Ord, V: PartialEq>(
    ours: &'a BTreeMap<K, V>,
    theirs: &'a BTreeMap<K, V>,
) -> Option<&'a K> {
    ours.keys().chain(theirs.keys()).find(|key| ours.get(key) != theirs.get(key))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::tests::noop;
    use crate::core::{Command, Policy, Reply};
    use platefarm_model::job::{FrameOutcome, JobSpec};
    use platefarm_model::{Code, Fault, Timestamp, WorkerId};

    /// Jobs of one, many and three steps, ids that are not given, live and ended leases.
    fn farm() -> State {
        let mut state = State::new(Policy::default(), Timestamp(1));
        let wide = |key: &str, steps: usize| {
            let mut job: JobSpec = noop(key, 6);
            job.steps.truncate(1);
            job.steps = vec![job.steps[0].clone(); steps];
            Command::Submit(Box::new(job))
        };
        let mut ask = |command| {
            state.step(command, Timestamp(2)).reply.expect("an answer");
        };
        [wide("a", 1), wide("b", 40), wide("c", 1), wide("d", 3)].into_iter().for_each(&mut ask);
        for name in ["v", "w"] {
            ask(Command::Register {
                name: name.into(),
                instance: name.into(),
                slots: 8,
                backend: "cpu".into(),
                traits: Default::default(),
            });
        }
        ask(Command::Control(
            platefarm_model::farm::Target::Job(JobId(3)),
            platefarm_model::farm::Control::Cancel,
        ));
        ask(Command::Forget(JobId(3)));
        for number in 0..12 {
            let worker = WorkerId(1 + number % 2);
            let acquired = state.step(Command::Acquire { worker }, Timestamp(3)).reply;
            let Ok(Reply::Acquired(Some(lease))) = acquired else { panic!("{acquired:?}") };
            if number % 3 == 0 {
                let (frame, fault) = (lease.frames.first(), Fault::new(Code::DiskFull, "full"));
                let outcomes = vec![FrameOutcome::Failed { frame, fault }];
                let report = Command::Report { worker, token: lease.token, outcomes, last: None };
                state.step(report, Timestamp(4)).reply.expect("an answer");
            }
        }
        state
    }

    /// Of any size, parts hold everything once, no part many rows, and the store agrees with each.
    #[test]
    fn parts_are_the_whole_however_they_are_cut() {
        let state = farm();
        let whole = state.snapshot();
        for most in [1, 2, 3, 7, 20, 1_000] {
            let (mut next, mut parts, mut steps) = (Steps::ALL.first, 0, 0);
            loop {
                let part = state.steps_from(next, most);
                assert_eq!(part.of.first, next);
                let rows = part.rows.steps.len() + part.rows.leases.len();
                assert!(rows <= most + 8, "{rows} rows in a part of {most}");
                let mut stored = whole.clone();
                let within = |id: &StepId| part.of.first <= *id && *id <= part.of.last;
                stored.jobs.retain(|id, _| (part.of.first.job..=part.of.last.job).contains(id));
                stored.steps.retain(|id, _| within(id));
                stored.leases.retain(|_, lease| within(&lease.step));
                assert_eq!(part.differs(&stored), None, "{:?}", part.of);
                assert_eq!(state.check_part(part.of), Ok(()));
                (next, parts, steps) = (part.of.behind(), parts + 1, steps + part.rows.steps.len());
                if part.of.are_last() {
                    break;
                }
            }
            assert_eq!((next, steps), (Steps::ALL.first, 44));
            assert!(most > 1 || parts >= 44, "{parts} parts of one row");
        }
    }

    /// A row that the core does not have is found wherever it lies, and so is a frame that is done only here.
    #[test]
    fn what_only_one_of_the_two_has_is_found() {
        let state = farm();
        let part = state.steps_from(Steps::ALL.first, 1_000);
        let differs = |change: fn(&mut Snapshot)| {
            let mut stored = state.snapshot();
            change(&mut stored);
            part.differs(&stored).unwrap_or_default()
        };
        assert_eq!(differs(|_| {}), "");
        let found = differs(|stored| {
            let row = stored.jobs[&JobId(1)].clone();
            stored.jobs.insert(JobId(3), row);
        });
        assert!(found.starts_with("j3 is not"), "{found}");
        let found = differs(|stored| {
            let lease = stored.leases.values_mut().find(|lease| lease.keep.is_empty()).unwrap();
            lease.done = "1001".parse().unwrap();
        });
        assert!(found.starts_with("what is done of j1.0"), "{found}");
    }
}
