//! What is told while the farm runs: events gather as the core decides, and
//! become one row of the log when their turn is handed to the store. The row
//! is in the transaction of what it tells of.
//!
//! Cursors begin at the microsecond of the start, as tokens do: one that was
//! given out by a store that is lost, or from behind the copy that it was
//! restored from, never stands for another event.

use super::ear;
use crate::core::{EventRow, News};
use crate::store::LogEnd;
use platefarm_model::Timestamp;
use platefarm_model::event::{Event, EventKind};
use tokio::sync::watch;

/// The log as its one writer has it.
pub(super) struct Log {
    pub(super) news: News,
    /// With what is on its way into the store.
    end: LogEnd,
    /// Cursors are larger than this.
    base: u64,
    /// Where the log ends that is stored.
    stored: watch::Sender<u64>,
}

impl Log {
    /// A log that goes on behind `end`.
    pub(super) fn open(end: LogEnd, now: Timestamp) -> Self {
        let base = now.0.unsigned_abs();
        let mut news = News::default();
        news.push(Event::new(EventKind::FarmLed));
        Self { news, end, base, stored: watch::channel(end.last).0 }
    }

    /// The store was read again; what was not written is not told.
    pub(super) fn reopen(&mut self, end: LogEnd, now: Timestamp) {
        self.end = end;
        self.base = now.0.unsigned_abs();
        drop(self.news.take());
        self.stored(end.last);
    }

    /// Of what has gathered, that which operators look for in a log.
    pub(super) fn lines(&self) -> Vec<Event> {
        self.news.gathered().iter().filter(|event| ear::is_told(event.kind)).cloned().collect()
    }

    /// What has gathered, as a row.
    pub(super) fn row(&mut self, now: Timestamp) -> Option<EventRow> {
        let events = self.news.take();
        if events.is_empty() {
            return None;
        }
        match EventRow::of(&events, self.end, self.base, now) {
            Ok(row) => {
                self.end = row.end();
                Some(row)
            }
            Err(fault) => {
                tracing::error!(%fault, "events are not told");
                None
            }
        }
    }

    /// The log is stored up to this cursor.
    pub(super) fn stored(&self, last: u64) {
        self.stored.send_replace(last);
    }

    pub(super) fn watch(&self) -> watch::Receiver<u64> {
        self.stored.subscribe()
    }
}
