//! The audit log as it is written: an entry is durable before its action
//! begins, and its outcome follows. What many people do at once goes into
//! one transaction, so the log costs a flush per batch, as the store does.
//!
//! When the log cannot be written, the action does not begin.

use super::book::{Book, FRESH};
use crate::store::TrustStore;
use platefarm_model::trust::AuditEntry;
use platefarm_model::{Code, Fault, Outcome};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

/// Entries that may wait to be written.
const QUEUE: usize = 4096;
/// Entries of one transaction.
const BATCH: usize = 512;
/// How long an outcome may wait for others to be written with.
const SETTLE: Duration = Duration::from_millis(300);
/// How often it is written down when tokens were last used.
const NOTE: Duration = Duration::from_secs(60);

enum Line {
    Begun(Box<AuditEntry>, oneshot::Sender<Outcome<()>>),
    Ended(String, String),
}

/// Where actions are written down.
#[derive(Clone, Debug)]
pub(super) struct Journal {
    lines: mpsc::Sender<Line>,
}

/// An action that has begun. One that is dropped before it has ended says that
/// it was interrupted.
#[derive(Debug)]
pub(super) struct Ticket {
    /// None: it has ended.
    id: Option<String>,
    lines: mpsc::Sender<Line>,
}

impl Journal {
    /// A journal, and the task that writes it; which also keeps the book fresh.
    pub(super) fn open(book: Arc<Book>) -> (Self, impl Future<Output = ()> + Send) {
        let (lines, inbox) = mpsc::channel(QUEUE);
        (Self { lines }, keep(book, inbox))
    }

    /// Writes that somebody begins to do something; returns when that is durable.
    ///
    /// # Errors
    /// `F0502`; then the action must not begin.
    pub(super) async fn begin(&self, entry: AuditEntry) -> Outcome<Ticket> {
        let gone = || Fault::new(Code::StoreFailed, "the audit log is closed");
        let (told, answer) = oneshot::channel();
        // What was refused has ended with that.
        let id = entry.outcome.is_none().then(|| entry.id.clone());
        self.lines.send(Line::Begun(Box::new(entry), told)).await.map_err(|_| gone())?;
        // Whoever hangs up from here on has an entry, and it gets an end.
        let mut ticket = Ticket { id, lines: self.lines.clone() };
        let written = answer.await.map_err(|_| gone()).and_then(|written| written);
        if written.is_err() {
            ticket.id = None;
        }
        written.map(|()| ticket)
    }
}

impl Ticket {
    /// Writes how it ended. Not waited for: an entry without an end says that it began.
    pub(super) async fn end(mut self, outcome: &str) {
        let Some(id) = self.id.take() else { return };
        if self.lines.send(Line::Ended(id, outcome.to_owned())).await.is_err() {
            tracing::warn!(outcome, "the audit log is closed; an outcome is not written");
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let Some(id) = self.id.take() else { return };
        let line = Line::Ended(id, Code::Interrupted.text().to_owned());
        if self.lines.try_send(line).is_err() {
            tracing::warn!("an action was interrupted, and that is not written down");
        }
    }
}

/// Lines that wait to be written.
#[derive(Default)]
struct Waiting {
    begun: Vec<AuditEntry>,
    told: Vec<oneshot::Sender<Outcome<()>>>,
    ended: Vec<(String, String)>,
}

async fn keep(book: Arc<Book>, mut inbox: mpsc::Receiver<Line>) {
    let (mut batch, mut waiting) = (Vec::new(), Waiting::default());
    let (mut look, mut note) = (Instant::now() + FRESH, Instant::now() + NOTE);
    // When outcomes are written that no beginning takes along.
    let mut settle: Option<Instant> = None;
    loop {
        let mut settled = false;
        tokio::select! {
            count = inbox.recv_many(&mut batch, BATCH) => if count == 0 { break },
            () = tokio::time::sleep_until(settle.unwrap_or(look)), if settle.is_some() => settled = true,
            () = tokio::time::sleep_until(look) => {
                book.refresh().await;
                look = Instant::now() + FRESH;
            }
            () = tokio::time::sleep_until(note) => {
                book.note_used().await;
                note = Instant::now() + NOTE;
            }
        }
        batch.drain(..).for_each(|line| waiting.take(line));
        if settled || !waiting.begun.is_empty() {
            waiting.write(book.store()).await;
            settle = None;
        } else if !waiting.ended.is_empty() {
            settle.get_or_insert_with(|| Instant::now() + SETTLE);
        }
    }
    waiting.write(book.store()).await;
    book.note_used().await;
}

impl Waiting {
    fn take(&mut self, line: Line) {
        match line {
            Line::Begun(entry, answer) => {
                self.begun.push(*entry);
                self.told.push(answer);
            }
            Line::Ended(id, outcome) => self.ended.push((id, outcome)),
        }
    }

    async fn write(&mut self, store: &TrustStore) {
        if self.begun.is_empty() && self.ended.is_empty() {
            return;
        }
        let Self { begun, told, ended } = std::mem::take(self);
        let written = store.record(&begun, &ended).await;
        if let Err(fault) = &written {
            tracing::error!(%fault, "the audit log cannot be written; what people ask is refused");
        }
        for answer in told {
            // Who went away does not act.
            let _ = answer.send(written.clone());
        }
    }
}
