//! The auditor: while the farm runs, a few jobs at a time are read from the
//! store and held against the core, and their books are checked. It reads in
//! the wake of a commit, when both must say the same.

use super::Owner;
use crate::core::Snapshot;
use crate::store::{Jobs, Store};
use platefarm_model::status::Audit;
use platefarm_model::{JobId, Outcome};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// How often it looks.
pub(super) const PERIOD: Duration = Duration::from_secs(5);
/// Jobs that it looks at at a time.
const JOBS: usize = 64;

/// Where the findings are read.
#[derive(Clone, Debug, Default)]
pub(in crate::service) struct Findings(Arc<Mutex<Audit>>);

impl Findings {
    pub(in crate::service) fn read(&self) -> Audit {
        // Whoever panicked while holding it left whole numbers behind.
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note(&self, jobs: u64, broken: Option<String>) {
        let mut audit = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        audit.looks += 1;
        audit.jobs += jobs;
        if let Some(broken) = broken {
            tracing::error!(broken, "the auditor found a disagreement");
            audit.broken += 1;
            audit.first.get_or_insert(broken);
        }
    }
}

/// Rows as the core has them, to be held against the store's.
pub(super) struct Expected {
    of: Jobs,
    rows: Snapshot,
    books: Result<(), String>,
}

impl<S: Store> Owner<S> {
    /// What is to be looked at after the next commit, if it is time.
    pub(super) fn expected(&mut self) -> Option<Expected> {
        if Instant::now() < self.next_audit {
            return None;
        }
        self.next_audit = Instant::now() + self.audit_period;
        let first = self.audited;
        let last = self.state.last_of(first, JOBS);
        // From the beginning again when the end is reached.
        self.audited = last.map_or(JobId(0), |last| JobId(last.0 + 1));
        let of = Jobs { first, last: last? };
        let books = self.state.check_between(of.first, of.last);
        Some(Expected { of, rows: self.state.rows_between(of.first, of.last), books })
    }
}

/// Holds the store against what is expected.
pub(super) async fn look(
    store: &mut impl Store,
    expected: Expected,
    findings: &Findings,
) -> Outcome<()> {
    let Expected { of, rows, books } = expected;
    let stored = store.part(of).await?;
    let broken = books.err().or_else(|| differs(&rows, &stored));
    findings.note(rows.jobs.len() as u64, broken);
    Ok(())
}

fn differs(core: &Snapshot, stored: &Snapshot) -> Option<String> {
    let jobs = core.jobs.keys().chain(stored.jobs.keys());
    if let Some(job) = jobs.into_iter().find(|id| core.jobs.get(id) != stored.jobs.get(id)) {
        return Some(format!("{job} is not stored as it is"));
    }
    let mut steps = core.steps.keys().chain(stored.steps.keys());
    if let Some(step) = steps.find(|id| core.steps.get(id) != stored.steps.get(id)) {
        return Some(format!("step {step} is not stored as it is"));
    }
    let mut leases = core.leases.keys().chain(stored.leases.keys());
    let lease = leases.find(|id| core.leases.get(id) != stored.leases.get(id))?;
    Some(format!("lease {lease} is not stored as it is"))
}
