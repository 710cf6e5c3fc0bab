//! What is on disk: the store's contract, as a log of rows with a mark after
//! each transaction. A crash may tear the log anywhere; what has no mark behind
//! it is not there when it is read again. Each writer has an epoch, and one whose
//! epoch is over writes nothing.

use super::bugs::Bug;
use platefarm_model::{JobId, LeaseToken, StepId};
use platefarm_scheduler::core::{Changes, FrameRow, Snapshot};
use std::collections::{BTreeMap, BTreeSet};

/// An entry of the log.
#[derive(Clone, Debug)]
enum Entry {
    /// One row, written or struck out.
    Row(Box<Changes>),
    /// The transaction is whole.
    Mark,
}

/// What was committed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Disk {
    pub(crate) rows: Snapshot,
    pub(crate) frames: BTreeMap<(StepId, i64), FrameRow>,
    /// What is written behind `rows` and not yet folded into them.
    log: Vec<Entry>,
    last_token: Option<LeaseToken>,
    epoch: u64,
    /// Jobs of which nothing is kept any more, and the tokens of their leases.
    pub(crate) forgotten: BTreeSet<JobId>,
    pub(crate) struck: BTreeMap<LeaseToken, StepId>,
    bug: Option<Bug>,
}

impl Disk {
    /// An empty disk, right or with a bug.
    pub(crate) fn new(bug: Option<Bug>) -> Self {
        Self { bug, ..Self::default() }
    }

    /// A scheduler takes the store; none before it writes from here on. What
    /// was torn is cut off.
    pub(crate) fn lead(&mut self, bug: Option<Bug>) -> Result<u64, String> {
        self.recover(bug)?;
        self.epoch += 1;
        Ok(self.epoch)
    }

    /// Whether a scheduler of this epoch may write.
    pub(crate) fn is_led_in(&self, epoch: u64) -> bool {
        self.epoch == epoch
    }

    /// Rows of a transaction.
    pub(crate) fn rows_of(changes: &Changes) -> usize {
        rows(changes).len()
    }

    /// One transaction, and it is whole.
    pub(crate) fn commit(&mut self, changes: &Changes) -> Result<(), String> {
        self.write(changes);
        self.recover(None)
    }

    /// One transaction on its way into the rows.
    pub(crate) fn write(&mut self, changes: &Changes) {
        let rows = rows(changes).into_iter().map(|row| Entry::Row(Box::new(row)));
        self.log.extend(rows.chain([Entry::Mark]));
    }

    /// One transaction of which only `kept` rows reach the disk before the power goes,
    /// the first ones or the last: a disk writes in the order that it likes.
    pub(crate) fn tear(&mut self, changes: &Changes, kept: usize, last: bool) {
        let rows = rows(changes);
        let skipped = if last { rows.len().saturating_sub(kept) } else { 0 };
        let rows = rows.into_iter().skip(skipped).take(kept);
        self.log.extend(rows.map(|row| Entry::Row(Box::new(row))));
    }

    /// Takes what has its mark; with the planted bug, whatever is there.
    fn recover(&mut self, bug: Option<Bug>) -> Result<(), String> {
        let whole = match bug {
            Some(Bug::TornCommit) => self.log.len(),
            _ => self
                .log
                .iter()
                .rposition(|entry| matches!(entry, Entry::Mark))
                .map_or(0, |at| at + 1),
        };
        self.log.truncate(whole);
        let mut changes = Changes::default();
        for entry in std::mem::take(&mut self.log) {
            match entry {
                Entry::Row(row) => changes.merge(*row),
                Entry::Mark => self.fold(&std::mem::take(&mut changes))?,
            }
        }
        self.fold(&changes)
    }

    /// A transaction becomes part of what is there.
    fn fold(&mut self, changes: &Changes) -> Result<(), String> {
        for (step, frames) in &changes.reopened {
            self.frames.retain(|(of, frame), _| of != step || !frames.contains(*frame));
        }
        for row in &changes.frames {
            let key = (row.step, row.outcome.frame());
            if self.frames.insert(key, row.clone()).is_some() {
                return Err(format!("frame {} of {} ended twice: a torn write", key.1, key.0));
            }
        }
        let known = &self.rows.leases;
        let fresh = changes.leases.keys().filter(|token| !known.contains_key(token)).max();
        if let Some(stale) = fresh.filter(|token| self.last_token >= Some(**token)) {
            return Err(format!("{stale} was given out before"));
        }
        self.last_token = self.last_token.max(fresh.copied());
        if let Some(id) = changes.new_steps.keys().find(|id| self.forgotten.contains(&id.job)) {
            return Err(format!("{} was forgotten, and is given out again", id.job));
        }
        changes.forgotten.iter().for_each(|job| self.note_forgotten(*job));
        self.rows.apply(changes);
        match self.bug {
            Some(Bug::MarksForgotten) => self.rows.marks = Default::default(),
            Some(Bug::ForgetsOthers) => self.forget_up_to(changes.forgotten.last()),
            _ => {}
        }
        Ok(())
    }

    /// A job goes: its results with it, and its leases, which are known here still.
    fn note_forgotten(&mut self, job: JobId) {
        self.forgotten.insert(job);
        self.frames.retain(|(step, _), _| step.job != job);
        let leases = self.rows.leases.values().filter(|lease| lease.step.job == job);
        self.struck.extend(leases.map(|lease| (lease.token, lease.step)));
    }

    fn forget_up_to(&mut self, last: Option<&JobId>) {
        let stays = |job: JobId| last.is_none_or(|last| job > *last);
        self.rows.jobs.retain(|job, _| stays(*job));
        self.rows.steps.retain(|step, _| stays(step.job));
        self.rows.leases.retain(|_, lease| stays(lease.step.job));
        self.frames.retain(|(step, _), _| stays(step.job));
    }
}

/// A transaction a row at a time, in the order in which the real store writes
/// it: what is struck out, then jobs, steps, workers, settings, leases, results.
fn rows(changes: &Changes) -> Vec<Changes> {
    let new = Changes::default;
    let mut rows = Vec::new();
    let mut add = |row: Changes| rows.push(row);
    for (step, frames) in &changes.reopened {
        add(Changes { reopened: [(*step, frames.clone())].into(), ..new() });
    }
    changes.compacted.iter().for_each(|job| add(Changes { compacted: [*job].into(), ..new() }));
    changes.forgotten.iter().for_each(|job| add(Changes { forgotten: [*job].into(), ..new() }));
    for (id, name) in &changes.departed {
        add(Changes { departed: [(*id, name.clone())].into(), ..new() });
    }
    for (id, job) in &changes.jobs {
        add(Changes { jobs: [(*id, job.clone())].into(), ..new() });
    }
    for (id, spec) in &changes.new_steps {
        add(Changes { new_steps: [(*id, spec.clone())].into(), ..new() });
    }
    for (id, state) in &changes.steps {
        add(Changes { steps: [(*id, state.clone())].into(), ..new() });
    }
    for (id, worker) in &changes.workers {
        add(Changes { workers: [(*id, worker.clone())].into(), ..new() });
    }
    for (key, value) in &changes.settings {
        add(Changes { settings: [(key.clone(), value.clone())].into(), ..new() });
    }
    for (token, lease) in &changes.leases {
        add(Changes { leases: [(*token, lease.clone())].into(), ..new() });
    }
    for frame in &changes.frames {
        add(Changes { frames: vec![frame.clone()], ..new() });
    }
    rows
}
