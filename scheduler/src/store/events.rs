//! The event log in the store: a row to a transaction, with the events of all
//! that it changed. Rows are written with the changes and read beside the
//! writer. Each row says which cursor it follows, so that whoever reads on from
//! a cursor sees whether something between was dropped meanwhile.

use super::reign::Reign;
use super::sql::{SqlReader, failed};
use crate::core::EventRow;
use platefarm_model::event::Event;
use platefarm_model::{Code, Fault, Outcome, Timestamp};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};
use std::time::Duration;

/// How long, and how much of the log is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kept {
    /// No event is dropped earlier, unless there is too much.
    pub time: Duration,
    /// Bytes above which the oldest are dropped.
    pub bytes: u64,
}

impl Default for Kept {
    fn default() -> Self {
        Self { time: Duration::from_secs(7 * 86_400), bytes: 1 << 30 }
    }
}

/// Where the log ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogEnd {
    /// Cursor of the last event; 0: there never was one.
    pub last: u64,
    /// Bytes of all rows that ever were.
    pub total: u64,
}

/// Rows of one page.
const PAGE: i64 = 32;
/// Rows that are dropped at a time; so many at least are kept.
const DROPPED: i64 = 1000;

impl EventRow {
    /// A row of `events` behind `end`, whose cursors begin after `base` at the earliest.
    ///
    /// # Errors
    /// [`Code::Internal`] for what JSON cannot say.
    pub fn of(events: &[Event], end: LogEnd, base: u64, at: Timestamp) -> Outcome<Self> {
        let body = serde_json::to_string(events)
            .map_err(|e| Fault::new(Code::Internal, "events cannot be written").because(&e))?;
        let last = end.last.max(base) + events.len() as u64;
        Ok(Self { last, follows: end.last, at, total: end.total + body.len() as u64, body })
    }

    /// The log ends with this row.
    #[must_use]
    pub const fn end(&self) -> LogEnd {
        LogEnd { last: self.last, total: self.total }
    }

    /// Its events, with cursors and times.
    ///
    /// # Errors
    /// `F0502` when the row cannot be read.
    pub fn events(&self) -> Outcome<Vec<Event>> {
        let mut events: Vec<Event> = serde_json::from_str(&self.body).map_err(|e| {
            let message = format!("the events up to cursor {} cannot be read", self.last);
            Fault::new(Code::StoreFailed, message).because(&e)
        })?;
        for (back, event) in events.iter_mut().rev().enumerate() {
            (event.cursor, event.at) = (self.last - back as u64, self.at);
        }
        Ok(events)
    }
}

fn cannot(e: &sqlx::Error) -> Fault {
    failed("read the event log", e)
}

fn row(row: &AnyRow) -> sqlx::Result<EventRow> {
    let number = |index| row.try_get::<i64, _>(index).map(i64::unsigned_abs);
    Ok(EventRow {
        last: number(0)?,
        follows: number(1)?,
        at: Timestamp(row.try_get(2)?),
        total: number(3)?,
        body: row.try_get(4)?,
    })
}

/// Where the log ends.
pub(super) async fn end(db: &mut AnyConnection) -> Outcome<LogEnd> {
    let query = "SELECT last, total FROM events ORDER BY last DESC LIMIT 1";
    let found = sqlx::query(query).fetch_optional(db).await.map_err(|e| cannot(&e))?;
    let Some(found) = found else { return Ok(LogEnd::default()) };
    let number = |index| found.try_get::<i64, _>(index).map(i64::unsigned_abs);
    let read = || Ok(LogEnd { last: number(0)?, total: number(1)? });
    read().map_err(|e| cannot(&e))
}

/// A page of the rows behind a cursor, as of one moment.
pub(super) async fn after(db: &mut AnyConnection, cursor: u64) -> Outcome<Vec<EventRow>> {
    // No cursor of ours is larger than a BIGINT; one of a stranger may be.
    let from = i64::try_from(cursor).unwrap_or(i64::MAX);
    let query = "SELECT last, follows, at, total, body FROM events WHERE last > $1 \
                 ORDER BY last LIMIT $2";
    let rows = sqlx::query(query).bind(from).bind(PAGE).fetch_all(&mut *db).await;
    let rows = rows.map_err(|e| cannot(&e))?;
    let rows: Vec<EventRow> =
        rows.iter().map(row).collect::<sqlx::Result<_>>().map_err(|e| cannot(&e))?;
    check(cursor, rows.first())?;
    if rows.is_empty() {
        let end = end(db).await?;
        if cursor > end.last {
            let message =
                format!("cursor {cursor} is ahead of this farm's log, which ends at {}", end.last);
            return Err(Fault::new(Code::CursorTooOld, message));
        }
    }
    Ok(rows)
}

/// Refuses to go on where events between were dropped.
pub(super) fn check(cursor: u64, next: Option<&EventRow>) -> Outcome<()> {
    match next.filter(|row| row.follows > cursor) {
        None => Ok(()),
        Some(row) => Err(Fault::new(
            Code::CursorTooOld,
            format!(
                "what followed cursor {cursor} is not kept any more; the log begins after {}",
                row.follows
            ),
        )),
    }
}

#[cfg(test)]
mod tests;

impl SqlReader {
    /// Drops what is older than is to be kept at `now`. What was in the log
    /// last stays, so that cursors go on growing.
    ///
    /// # Errors
    /// `F0502`; `F0514` where another has begun to lead.
    pub async fn drop_old_events(&self, kept: Kept, now: Timestamp, reign: &Reign) -> Outcome<u64> {
        let cannot = |e: sqlx::Error| failed("drop old events", &e);
        let before = now.0.saturating_sub(i64::try_from(kept.time.as_micros()).unwrap_or(i64::MAX));
        let mut dropped = 0;
        loop {
            let mut db = self.connection().await?;
            let end = end(&mut db).await?;
            let query = "SELECT last, at, total FROM events ORDER BY last LIMIT 1 OFFSET $1";
            let found = sqlx::query(query).bind(DROPPED - 1).fetch_optional(&mut *db).await;
            let Some(found) = found.map_err(cannot)? else { return Ok(dropped) };
            let number = |index| found.try_get::<i64, _>(index).map_err(cannot);
            let (last, at, total) = (number(0)?, number(1)?, number(2)?.unsigned_abs());
            let too_much = end.total - total.min(end.total) > kept.bytes;
            if (at >= before && !too_much) || last.unsigned_abs() >= end.last {
                return Ok(dropped);
            }
            let mut tx = reign.begin(&mut db).await?;
            let gone = sqlx::query("DELETE FROM events WHERE last <= $1").bind(last);
            dropped += gone.execute(&mut *tx).await.map_err(cannot)?.rows_affected();
            tx.commit().await.map_err(cannot)?;
        }
    }
}
