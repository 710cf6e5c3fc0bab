//! Where decisions are made to last: the rows of the core, behind one trait.
//!
//! **Durability.** What was acknowledged must survive `kill -9` of the
//! scheduler, and, since commits are grouped and a flush is paid per batch
//! and not per frame, power loss too. SQLite therefore runs in WAL mode with
//! `synchronous = FULL`: the log is flushed at each commit, and after a crash
//! it is replayed up to the last whole transaction (NORMAL would survive the
//! kill, but could forget the last commits with the power). PostgreSQL
//! sessions say `synchronous_commit = on`, whatever the server's default is.
//!
//! **One writer.** A store has one scheduler at a time. On SQLite a lock on a
//! file beside the database says so, and ends with the process; on PostgreSQL
//! a session advisory lock, held by the very connection that commits: when it
//! is lost, so is the way to write, and only [`Store::load`] opens another.
//! So what is committed always follows from what was last loaded. Whoever takes
//! the store begins a new epoch, and every transaction that only a leader may
//! make reads the epoch and holds it ([`Reign`]): one that was deposed writes
//! nothing of the core's, drops no event and moves no webhook on, whatever
//! connection it has. Tokens, the audit log, webhooks that people set up and the
//! library are anybody's to write (see `trust`, `hooks`, `library`): a row
//! of theirs follows from no other that a leader decides.

pub mod backup;
mod beside;
mod columns;
mod events;
mod follow;
mod gather;
pub mod health;
mod hooks;
pub mod library;
mod marks;
mod pages;
mod place;
mod private;
mod read;
mod reign;
mod runs;
mod schema;
mod sql;
mod table;
mod trust;
mod view;

#[cfg(test)]
pub(crate) mod memory;
#[cfg(test)]
pub(crate) mod postgres;
#[cfg(test)]
mod suite;

pub(crate) use beside::library_pool;
pub use events::{Kept, LogEnd};
pub use follow::Follower;
pub use hooks::{HookRow, HookStore};
pub use place::Place;
pub use reign::Reign;
pub use sql::{SqlReader, SqlStore};
pub use trust::{AuditPage, TOKEN_ID_DIGITS, TokenRow, TrustStore};
pub use view::SqlView;

use crate::core::{Changes, EventRow, FrameRow, Snapshot, Steps};
use platefarm_model::{FrameRange, JobId, Outcome, StepId};
use std::future::Future;
use tokio::sync::mpsc;

/// Jobs from one id to another, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Jobs {
    first: JobId,
    last: JobId,
}

impl Jobs {
    /// Every job.
    const ALL: Self = Self { first: JobId(0), last: JobId(u64::MAX) };

    /// The first and the last as a BIGINT has them; no id comes near its end.
    fn bounds(self) -> [i64; 2] {
        [self.first, self.last].map(|job| i64::try_from(job.0).unwrap_or(i64::MAX))
    }

    /// The first job behind them; none behind the last that there may be.
    fn behind(self) -> Option<JobId> {
        self.last.0.checked_add(1).map(JobId)
    }
}

/// Where the parts of a farm are handed over, in the order in which a core takes them.
pub type Parts = mpsc::Sender<Snapshot>;

/// Parts that may wait to be taken. Above it, whoever reads waits.
const AHEAD: usize = 4;

/// A way for the parts of a farm from who reads them to who takes them.
#[must_use]
pub fn parts() -> (Parts, mpsc::Receiver<Snapshot>) {
    mpsc::channel(AHEAD)
}

/// The rows of one farm, for its one writer.
pub trait Store: Send + 'static {
    /// Reads results beside the writer.
    type Reader: Reader;

    /// Reads what the writer has just written, while it writes on.
    type View: View;

    /// Hands over everything that the core is rebuilt from, in parts: the workers and settings
    /// first, then the jobs in their order, each with its steps and leases. After a failed
    /// commit, what this hands over is what holds. It ends early where nobody takes any more.
    ///
    /// # Errors
    /// `F0502` when the store cannot be read, `F0509` when another version
    /// wrote it, `F0510` when another scheduler has it, `F0514` when another took it meanwhile.
    fn read(&mut self, to: Parts) -> impl Future<Output = Outcome<()>> + Send;

    /// As [`Store::read`], in one piece.
    ///
    /// # Errors
    /// As [`Store::read`].
    fn load(&mut self) -> impl Future<Output = Outcome<Snapshot>> + Send {
        async move {
            let (to, mut taken) = parts();
            let gather = async {
                let mut whole = Snapshot::default();
                while let Some(part) = taken.recv().await {
                    whole.append(part);
                }
                whole
            };
            let (read, whole) = tokio::join!(self.read(to), gather);
            read.map(|()| whole)
        }
    }

    /// A way to see these rows as they are at one moment. Nothing is connected to yet.
    fn view(&self) -> Self::View;

    /// Has an open view see the rows as this writer wrote them last.
    ///
    /// # Errors
    /// `F0502` when the store cannot be read, or the view is not open; `F0514` when another has
    /// begun to lead, and may have written since.
    fn hold(&mut self, view: &mut Self::View) -> impl Future<Output = Outcome<()>> + Send;

    /// Where the event log ends.
    ///
    /// # Errors
    /// `F0502` when the store cannot be read.
    fn log_end(&mut self) -> impl Future<Output = Outcome<LogEnd>> + Send;

    /// Writes all changes or none, and returns when they are durable.
    ///
    /// # Errors
    /// `F0502`; then whether they were written is not known until [`Store::load`].
    fn commit(&mut self, changes: &Changes) -> impl Future<Output = Outcome<()>> + Send;

    /// A way to read results while the writer writes.
    fn reader(&self) -> Self::Reader;

    /// The epoch in which this writer leads, for what it writes beside these rows.
    fn reign(&self) -> Reign;
}

/// The rows of one farm at one moment, for an auditor: read beside the writer.
pub trait View: Send + 'static {
    /// Makes ready to be held, which then takes no time to speak of.
    ///
    /// # Errors
    /// `F0502` when the store cannot be reached.
    fn open(&mut self) -> impl Future<Output = Outcome<()>> + Send;

    /// The rows of these steps with all their leases, and of their jobs; with the last, those of
    /// workers, settings and marks. They are read row by row, as of the moment that is
    /// held, and that is let go.
    ///
    /// # Errors
    /// `F0502` when the store cannot be read, or no moment is held.
    fn part(&mut self, of: Steps) -> impl Future<Output = Outcome<Snapshot>> + Send;
}

/// Reads what is committed.
pub trait Reader: Clone + Send + Sync + 'static {
    /// How the frames of a job ended, in order of step and frame.
    ///
    /// # Errors
    /// `F0502` when the store cannot be read.
    fn frames(&self, job: JobId) -> impl Future<Output = Outcome<Vec<FrameRow>>> + Send;

    /// How those of `frames` of a step ended that have, in order.
    ///
    /// # Errors
    /// `F0502` when the store cannot be read.
    fn frames_of(
        &self,
        step: StepId,
        frames: FrameRange,
    ) -> impl Future<Output = Outcome<Vec<FrameRow>>> + Send;

    /// A page of the event log behind a cursor, in order; none: there is no more yet.
    ///
    /// # Errors
    /// `F0515` when the log does not reach back to the cursor, `F0502` when it cannot be read.
    fn events(&self, after: u64) -> impl Future<Output = Outcome<Vec<EventRow>>> + Send;

    /// The cursors before the oldest event that is kept, and of the newest.
    ///
    /// # Errors
    /// `F0502` when the store cannot be read.
    fn log_ends(&self) -> impl Future<Output = Outcome<(u64, u64)>> + Send;
}
