//! The rows of a farm at one moment, on a connection of its own: a transaction
//! that begins between two of the writer's, and is read while that one goes on.

use super::place::Place;
use super::reign::{EPOCH, Reign};
use super::sql::{failed, prepare_to_read};
use super::{View, read};
use crate::core::{Snapshot, Steps};
use platefarm_model::{Code, Fault, Outcome};
use sqlx::{AnyConnection, Connection, Row};

/// A moment of a farm in a SQL database.
#[derive(Debug)]
pub struct SqlView {
    place: Place,
    /// None until it is opened, and after a failure or a caller that went away.
    db: Option<AnyConnection>,
    /// Whether it is in a transaction.
    held: bool,
}

impl SqlView {
    pub(super) fn of(place: Place) -> Self {
        Self { place, db: None, held: false }
    }

    fn cannot(&self, e: &sqlx::Error) -> Fault {
        failed("look at the store", e).at(self.place.to_string())
    }

    fn taken(&mut self) -> Outcome<AnyConnection> {
        let closed = || Fault::new(Code::StoreFailed, "a view of the store is not open");
        self.db.take().ok_or_else(closed)
    }

    /// Begins to see what the writer of `reign` has written.
    pub(super) async fn hold(&mut self, reign: &Reign) -> Outcome<()> {
        let mut db = self.taken()?;
        let begun = sqlx::query(self.place.one_moment()).execute(&mut db).await;
        begun.map_err(|e| self.cannot(&e))?;
        // The moment is that of the first look.
        let row = sqlx::query(EPOCH).fetch_one(&mut db).await;
        reign.check(row.and_then(|row| row.try_get(0)).map_err(|e| self.cannot(&e))?)?;
        (self.db, self.held) = (Some(db), true);
        Ok(())
    }
}

impl View for SqlView {
    async fn open(&mut self) -> Outcome<()> {
        if self.db.is_none() {
            let url = self.place.url()?;
            let mut db = AnyConnection::connect(&url).await.map_err(|e| self.cannot(&e))?;
            let sqlite = matches!(self.place, Place::Sqlite(_));
            prepare_to_read(&mut db, sqlite).await.map_err(|e| self.cannot(&e))?;
            (self.db, self.held) = (Some(db), false);
        }
        Ok(())
    }

    async fn part(&mut self, of: Steps) -> Outcome<Snapshot> {
        if !std::mem::take(&mut self.held) {
            return Err(Fault::new(Code::StoreFailed, "no moment of the store is held"));
        }
        let mut db = self.taken()?;
        let rows = read::part(&mut db, of).await.map_err(|fault| fault.within(&self.place))?;
        let ended = sqlx::query("ROLLBACK").execute(&mut db).await;
        ended.map_err(|e| self.cannot(&e))?;
        self.db = Some(db);
        Ok(rows)
    }
}
