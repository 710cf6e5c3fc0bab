//! A store as one sees it who does not lead: who does, and what is committed.

use super::place::Place;
use super::sql::{SqlReader, failed, pool};
use super::{Parts, read};
use crate::core::Snapshot;
use platefarm_model::{JobId, Outcome};
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
        Ok(Self { pool: pool(place)?, begin: place.one_moment() })
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

    /// The show of a job, if there is one.
    ///
    /// # Errors
    /// `F0502` when the store cannot be read.
    pub async fn show_of(&self, job: JobId) -> Outcome<Option<String>> {
        let query = sqlx::query("SELECT production FROM jobs WHERE id = $1").bind(job.0 as i64);
        let row = query.fetch_optional(&self.pool).await;
        let show = row.and_then(|row| row.map(|row| row.try_get(0)).transpose());
        show.map_err(|e| failed("read the store", &e).at("jobs"))
    }

    /// A job and those that it waits for, with workers and settings, as of one moment.
    ///
    /// # Errors
    /// `F0502` when the store cannot be read.
    pub async fn job(&self, id: JobId) -> Outcome<Snapshot> {
        let cannot = |e: sqlx::Error| failed("read the store", &e);
        let mut db = self.pool.acquire().await.map_err(cannot)?;
        let mut tx = db.begin_with(self.begin).await.map_err(cannot)?;
        let mut rows = read::of_farm(&mut tx).await?;
        rows.append(read::of_job(&mut tx, id).await?);
        for other in rows.waits_for() {
            rows.append(read::of_job(&mut tx, other).await?);
        }
        tx.rollback().await.map_err(cannot)?;
        Ok(rows)
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
