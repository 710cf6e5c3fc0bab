//! What is on disk: the store's contract, as a log of rows with a mark after
//! each transaction. A crash may tear the log anywhere; what has no mark is
//! not there when it is read again.

use platefarm_model::{LeaseToken, StepId};
use platefarm_scheduler::core::{Changes, FrameRow, Snapshot};
use std::collections::BTreeMap;

/// What was committed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Disk {
    pub(crate) rows: Snapshot,
    pub(crate) frames: BTreeMap<(StepId, i64), FrameRow>,
    last_token: Option<LeaseToken>,
}

impl Disk {
    /// One transaction: all or nothing.
    pub(crate) fn commit(&mut self, changes: &Changes) -> Result<(), String> {
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
        self.rows.apply(changes);
        Ok(())
    }

    /// The planted bug: a transaction of which only the results were written.
    pub(crate) fn tear(&mut self, changes: &Changes) -> Result<(), String> {
        self.commit(&Changes { frames: changes.frames.clone(), ..Changes::default() })
    }

    /// What the core is rebuilt from; workers that are gone are not known there.
    pub(crate) fn stored(&self) -> Snapshot {
        let mut rows = self.rows.clone();
        rows.workers.retain(|_, worker| !worker.gone);
        rows
    }
}
