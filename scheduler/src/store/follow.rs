//! A store as one sees it who does not lead: who does, and what is committed.

use super::place::Place;
use super::sql::{SqlReader, failed, pool};
use super::{Parts, read};
use platefarm_model::Outcome;
use sqlx::{AnyPool, Connection, Row};

/// Reads a farm that another scheduler leads.
#[derive(Clone, Debug)]
pub struct Follower {
    pool: AnyPool,
    /// What a transaction begins with that sees one moment.
    begin: &'static str,
}

impl Follower {
    /// The store at `place`; nothing is taken, and nothing is connected to yet.
    ///
    /// # Errors
    /// `F0006` for an address that is none.
    pub fn new(place: &Place) -> Outcome<Self> {
        let begin = match place {
            Place::Sqlite(_) => "BEGIN",
            Place::Postgres(_) => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        };
        Ok(Self { pool: pool(place)?, begin })
    }

    /// Reads results.
    #[must_use]
    pub fn reader(&self) -> SqlReader {
        SqlReader::of(self.pool.clone())
    }

    /// Where the scheduler is reached that led last, if one ever did.
    ///
    /// # Errors
    /// `F0502` when the store cannot be read.
    pub async fn leader(&self) -> Outcome<Option<String>> {
        let query = "SELECT address FROM leadership WHERE id = 1";
        let row = sqlx::query(query).fetch_optional(&self.pool).await;
        let row = row.map_err(|e| failed("read who leads", &e))?;
        let address: Option<String> = row.and_then(|row| row.try_get(0).ok());
        Ok(address.filter(|address| !address.is_empty()))
    }

    /// Hands over everything that is committed, as of one moment, as [`super::Store::read`] does.
    ///
    /// # Errors
    /// `F0502` when the store cannot be read.
    pub async fn read(&self, to: Parts) -> Outcome<()> {
        let cannot = |e: sqlx::Error| failed("read the store", &e);
        let mut db = self.pool.acquire().await.map_err(cannot)?;
        let mut tx = db.begin_with(self.begin).await.map_err(cannot)?;
        read::in_turn(&mut tx, to).await?;
        tx.rollback().await.map_err(cannot)
    }
}
