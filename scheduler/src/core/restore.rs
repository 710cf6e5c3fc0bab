//! The core from its rows, and its rows from the core: what was stored is all
//! there is, and a test can hold the two against each other at any instant.
//! Of a large farm the rows come in parts, and the core grows while they are read.

use super::lease::LeaseCell;
use super::policy::Policy;
use super::rows::{JobRow, LeaseRow, SettingKey, Snapshot, StepState, WorkerRow};
use super::{Fx, State};
use platefarm_model::farm::{Setting, SettingKind};
use platefarm_model::job::StepSpec;
use platefarm_model::{Code, Fault, JobId, Outcome, StepId, Timestamp, WorkerId};
use std::collections::BTreeMap;
use std::sync::Arc;

/// More leases than can be granted and not yet stored when a scheduler dies.
pub(super) const UNSTORED_TOKENS: u64 = 1 << 20;

type StepRows = Vec<(Arc<StepSpec>, StepState)>;

impl State {
    /// The farm as it was stored. Leases that were live go on under their
    /// tokens, and every worker and lease has its full time from `now`.
    ///
    /// # Errors
    /// [`Code::StoreFailed`] when the rows contradict each other.
    pub fn restore(policy: Policy, stored: Snapshot, now: Timestamp) -> Outcome<Self> {
        let state = Self::rebuild(policy, stored, now)?;
        state.check_invariants().map_err(torn)?;
        Ok(state)
    }

    /// As [`State::restore`], but for the books, which the caller checks before it uses it.
    ///
    /// # Errors
    /// As [`State::restore`].
    pub fn rebuild(policy: Policy, stored: Snapshot, now: Timestamp) -> Outcome<Self> {
        let mut core = Rebuild::begin(policy, now);
        core.take(stored)?;
        Ok(core.end(now))
    }

    fn restore_job(&mut self, row: JobRow, rows: StepRows) {
        let id = row.id;
        self.next_job = self.next_job.max(id.0 + 1);
        if let Some(key) = &row.idempotency_key {
            self.keys.insert(key.clone(), id);
        }
        self.ended_jobs.extend(row.finished.map(|ended| (ended, id)));
        let mut job = self.make_job(row, rows.iter().map(|(spec, _)| Arc::clone(spec)));
        for ((step, (_, state)), step_id) in
            job.steps.iter_mut().zip(rows).zip((0..).map(|index| StepId { job: id, index }))
        {
            step.pending.remove_all(&state.failed);
            step.pending.remove_all(&state.sealed);
            step.done.insert_all(&state.sealed);
            job.frames_failed += state.failed.len();
            job.frames_done += state.sealed.len();
            let limit_s = i64::from(step.spec.terms.step_limit_s);
            if let Some(started) = state.started.filter(|_| limit_s > 0) {
                self.due_steps.insert((started.plus_millis(limit_s * 1000), step_id));
            }
            step.state = state.into();
        }
        self.jobs.insert(id, Box::new(job));
    }

    fn restore_lease(&mut self, row: LeaseRow) -> Outcome<()> {
        let (id, token) = (row.step, row.token);
        // Leases leave the house before they are stored: beyond the last that is there
        // some may be in hand, and where the clock was set back it does not lead past them.
        self.next_token = self.next_token.max(token.0 + 1 + UNSTORED_TOKENS);
        self.next_worker = self.next_worker.max(row.worker.0 + 1);
        let no_step = || torn(format!("lease {token} is of no step"));
        let job = self.jobs.get_mut(&id.job).ok_or_else(no_step)?;
        let step = job.steps.get_mut(id.index as usize).ok_or_else(no_step)?;
        step.pending.remove_all(&row.done);
        step.done.insert_all(&row.done);
        step.pending.remove_all(&row.keep);
        job.frames_done += row.done.len();
        job.tokens.push(token);
        let live = !row.keep.is_empty();
        match self.workers.get_mut(&row.worker) {
            Some(worker) => worker.frames_done += row.done.len(),
            None if live => return Err(torn(format!("lease {token} is held by nobody"))),
            None => {}
        }
        let deadline = self.now.plus_millis(self.policy.lease_ttl_ms);
        let cell = LeaseCell::new(row, deadline, self.now);
        if live {
            self.count_in(cell);
        } else {
            self.leases.insert(token, cell);
        }
        Ok(())
    }

    /// Derives what a job waits for, and its place in the order of work.
    fn arrange(&mut self, id: JobId) {
        self.derive_waits(id);
        let now = self.now;
        let Some(job) = self.jobs.get_mut(&id) else { return };
        for StepId { index, .. } in job.step_ids() {
            let wanted = job.wanted(&job.steps[index as usize], now);
            self.queue.place(job, index, wanted, now);
        }
    }

    /// What the store must hold now.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let step = |(id, i, step): (JobId, u32, &super::job::Step)| {
            (StepId { job: id, index: i }, (Arc::clone(&step.spec), step.state.row()))
        };
        Snapshot {
            jobs: self.jobs.iter().map(|(id, job)| (*id, job.row.clone())).collect(),
            steps: self
                .jobs
                .iter()
                .flat_map(|(id, job)| (0..).zip(&job.steps).map(move |(i, s)| step((*id, i, s))))
                .collect(),
            leases: self.leases.iter().map(|(t, cell)| (*t, cell.row.clone())).collect(),
            workers: self.worker_rows(),
            settings: self.setting_rows(),
            marks: self.marks,
        }
    }

    pub(super) fn worker_rows(&self) -> BTreeMap<WorkerId, WorkerRow> {
        self.workers.iter().map(|(id, worker)| (*id, worker.row.clone())).collect()
    }

    pub(super) fn setting_rows(&self) -> BTreeMap<SettingKey, Setting> {
        self.all_settings().map(|(k, n, v)| ((k, n.clone()), v.clone())).collect()
    }

    /// Everything that people set up.
    pub(super) fn all_settings(&self) -> impl Iterator<Item = (SettingKind, &String, &Setting)> {
        self.settings.iter().flat_map(|(k, of_kind)| of_kind.iter().map(|(n, v)| (*k, n, v)))
    }
}

/// A core that is being made of the parts of a store.
#[derive(Debug)]
pub struct Rebuild {
    state: State,
    /// Jobs that wait for others, which may be of a later part.
    late: Vec<JobId>,
}

impl Rebuild {
    /// Of a farm that is read from `now` on.
    #[must_use]
    pub fn begin(policy: Policy, now: Timestamp) -> Self {
        Self { state: State::new(policy, now), late: Vec::new() }
    }

    /// Takes the next part: jobs later than those that were taken, each with all of its steps
    /// and leases. The workers and settings come no later than the first of them.
    ///
    /// # Errors
    /// [`Code::StoreFailed`] when the rows contradict each other.
    pub fn take(&mut self, part: Snapshot) -> Outcome<()> {
        let state = &mut self.state;
        for ((kind, name), value) in part.settings {
            let of_kind = state.settings.entry(kind).or_default();
            of_kind.insert(name.clone(), value);
            if kind == SettingKind::Share {
                state.take_show(&name);
            }
        }
        for (id, row) in part.workers {
            state.next_worker = state.next_worker.max(id.0 + 1);
            state.admit(row);
        }
        state.marks.raise(part.marks);
        let ids: Vec<JobId> = part.jobs.keys().copied().collect();
        let mut steps = part.steps.into_iter().peekable();
        for (id, row) in part.jobs {
            let mut rows = StepRows::new();
            // Both come in the order of jobs.
            while let Some((step, of_step)) = steps.next_if(|(step, _)| step.job <= id) {
                if step.job == id && step.index as usize != rows.len() {
                    return Err(torn(format!("step {step} is out of order")));
                }
                rows.extend((step.job == id).then_some(of_step));
            }
            if rows.is_empty() {
                return Err(torn(format!("{id} has no steps")));
            }
            state.restore_job(row, rows);
        }
        part.leases.into_values().try_for_each(|row| state.restore_lease(row))?;
        ids.into_iter().for_each(|id| self.settle(id));
        Ok(())
    }

    /// Books which steps of a job are over; its place, unless that follows from other jobs.
    fn settle(&mut self, id: JobId) {
        let Some(job) = self.state.jobs.get_mut(&id) else { return };
        (0..job.steps.len() as u32).for_each(|index| drop(job.settle(index)));
        if job.is_after_others() {
            self.late.push(id);
        } else {
            self.state.arrange(id);
        }
        self.state.count_job(id);
    }

    /// The core, when every part was taken: every worker and lease has its full time from
    /// `now`. The caller checks its books before it uses it.
    #[must_use]
    pub fn end(self, now: Timestamp) -> State {
        let Self { mut state, late } = self;
        late.into_iter().for_each(|id| state.arrange(id));
        state.next_job = state.next_job.max(state.marks.job.0 + 1);
        state.next_worker = state.next_worker.max(state.marks.worker.0 + 1);
        state.now = state.now.max(now);
        state.last_tick = state.now;
        state.grace();
        state.begin_what_is_due(&mut Fx::default());
        state.queue.news = None;
        state
    }
}

/// The error for rows that contradict each other.
pub(crate) fn torn(what: impl std::fmt::Display) -> Fault {
    Fault::new(Code::StoreFailed, format!("the store contradicts itself: {what}"))
        .remedy("Restore the store from a copy, and report the message.")
}
