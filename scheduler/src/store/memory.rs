//! The store's contract without a database: what the simulation crashes and
//! restores. The suite holds it to the same behaviour as the real ones.

use super::{LogEnd, Parts, Reader, Reign, Store, View};
use crate::core::{Changes, EventRow, FrameRow, Snapshot, Steps};
use platefarm_model::{Code, Fault, FrameRange, JobId, LeaseToken, Outcome, StepId};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// What is on disk.
#[derive(Clone, Debug, Default)]
pub(crate) struct Disk {
    pub(crate) rows: Snapshot,
    pub(crate) frames: BTreeMap<(StepId, i64), FrameRow>,
    pub(crate) events: Vec<EventRow>,
    /// The last transaction's token high water, to see that tokens only grow.
    pub(crate) last_token: Option<LeaseToken>,
}

impl Disk {
    /// One transaction: all or nothing.
    pub(crate) fn commit(&mut self, changes: &Changes) -> Outcome<()> {
        let refuse = |what: String| Err(Fault::new(Code::StoreFailed, what));
        let mut frames = BTreeMap::new();
        let reopened = |key: &(StepId, i64)| {
            changes.reopened.get(&key.0).is_some_and(|frames| frames.contains(key.1))
        };
        for row in &changes.frames {
            let key = (row.step, row.outcome.frame());
            let ended = self.frames.contains_key(&key) && !reopened(&key);
            if ended || frames.insert(key, row.clone()).is_some() {
                return refuse(format!("frame {} of {} ended twice", key.1, key.0));
            }
        }
        if let Some(id) = changes.new_steps.keys().find(|id| self.rows.steps.contains_key(id)) {
            return refuse(format!("{id} is there"));
        }
        let fresh = changes.leases.keys().filter(|token| !self.rows.leases.contains_key(token));
        if let Some(stale) = fresh.clone().find(|token| self.last_token >= Some(**token)) {
            return refuse(format!("{stale} was given out before"));
        }
        for row in &changes.events {
            if self.events.last().is_some_and(|last| last.last != row.follows) {
                return refuse(format!("events up to {} leave a gap", row.last));
            }
            self.events.push(row.clone());
        }
        self.last_token = self.last_token.max(fresh.max().copied());
        self.frames.retain(|key, _| !reopened(key));
        self.frames.append(&mut frames);
        self.frames.retain(|(step, _), _| !changes.forgotten.contains(&step.job));
        self.rows.apply(changes);
        Ok(())
    }
}

/// A store that forgets with the process.
#[derive(Clone, Debug, Default)]
pub(crate) struct MemoryStore(Arc<Mutex<Disk>>);

/// What was on disk at a moment.
#[derive(Clone, Debug)]
pub(crate) struct MemoryView {
    held: Option<Snapshot>,
}

impl View for MemoryView {
    async fn open(&mut self) -> Outcome<()> {
        Ok(())
    }

    async fn part(&mut self, of: Steps) -> Outcome<Snapshot> {
        let none = || Fault::new(Code::StoreFailed, "no moment is held");
        let mut rows = self.held.take().ok_or_else(none)?;
        let within = |step: &StepId| of.first <= *step && *step <= of.last;
        rows.jobs.retain(|job, _| (of.first.job..=of.last.job).contains(job));
        rows.steps.retain(|step, _| within(step));
        rows.leases.retain(|_, lease| within(&lease.step));
        if !of.are_last() {
            let Snapshot { jobs, steps, leases, .. } = rows;
            rows = Snapshot { jobs, steps, leases, ..Snapshot::default() };
        }
        Ok(rows)
    }
}

impl Store for MemoryStore {
    type Reader = Self;
    type View = MemoryView;

    async fn read(&mut self, to: Parts) -> Outcome<()> {
        let whole = self.0.lock().unwrap().rows.clone();
        // Whoever does not take it has no use for it.
        drop(to.send(whole).await);
        Ok(())
    }

    fn view(&self) -> MemoryView {
        MemoryView { held: None }
    }

    async fn hold(&mut self, view: &mut MemoryView) -> Outcome<()> {
        view.held = Some(self.0.lock().unwrap().rows.clone());
        Ok(())
    }

    async fn log_end(&mut self) -> Outcome<LogEnd> {
        let disk = self.0.lock().unwrap();
        Ok(disk.events.last().map(EventRow::end).unwrap_or_default())
    }

    async fn commit(&mut self, changes: &Changes) -> Outcome<()> {
        self.0.lock().unwrap().commit(changes)
    }

    fn reader(&self) -> Self {
        self.clone()
    }

    fn reign(&self) -> Reign {
        Reign::default()
    }
}

impl Reader for MemoryStore {
    async fn frames(&self, job: JobId) -> Outcome<Vec<FrameRow>> {
        let disk = self.0.lock().unwrap();
        Ok(disk.frames.values().filter(|row| row.step.job == job).cloned().collect())
    }

    async fn frames_of(&self, step: StepId, frames: FrameRange) -> Outcome<Vec<FrameRow>> {
        let disk = self.0.lock().unwrap();
        let of = |row: &&FrameRow| row.step == step && frames.contains(row.outcome.frame());
        Ok(disk.frames.values().filter(of).cloned().collect())
    }

    async fn events(&self, after: u64) -> Outcome<Vec<EventRow>> {
        let disk = self.0.lock().unwrap();
        let rows: Vec<_> = disk.events.iter().filter(|row| row.last > after).cloned().collect();
        super::events::check(after, rows.first()).map(|()| rows)
    }

    async fn log_ends(&self) -> Outcome<(u64, u64)> {
        let disk = self.0.lock().unwrap();
        let first = disk.events.first().map_or(0, |row| row.follows);
        Ok((first, disk.events.last().map_or(0, |row| row.last)))
    }
}
