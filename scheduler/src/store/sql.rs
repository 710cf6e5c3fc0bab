//! The store in SQL: SQLite and PostgreSQL through one driver interface and
//! one text of every statement.

use super::place::Place;
use super::reign::{EPOCH, Reign};
use super::view::SqlView;
use super::{LogEnd, Parts, Reader, Store, events, read, schema, table};
use crate::core::{Changes, EventRow, FrameRow};
use platefarm_model::{Code, Fault, FrameRange, JobId, Outcome, StepId};
use sqlx::any::{Any, AnyPoolOptions};
use sqlx::pool::PoolConnection;
use sqlx::{AnyConnection, AnyPool, Connection, Row};
use std::fs::File;
use std::time::Duration;

/// A farm's rows in a SQL database.
#[derive(Debug)]
pub struct SqlStore {
    place: Place,
    /// Where the scheduler is reached whose store this is.
    address: String,
    /// Grows with each scheduler that takes the store; only the last one writes.
    reign: Reign,
    /// The one connection that writes; none after a failure, until the next load.
    writer: Option<AnyConnection>,
    readers: AnyPool,
    /// Held for as long as the store is.
    _lock: Option<File>,
}

/// Reads beside the writer.
#[derive(Clone, Debug)]
pub struct SqlReader {
    pool: AnyPool,
}

/// Connections that read. Lists of results are asked for by few.
pub(super) const READERS: u32 = 4;
/// How long to wait for a connection or a lock of the database.
const PATIENCE: Duration = Duration::from_secs(10);

/// Said on each SQLite connection; see the module's words on durability.
const SQLITE: &[&str] = &[
    "PRAGMA busy_timeout = 10000",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA journal_size_limit = 67108864",
    // The log is folded into the file each 32 MiB: a page that is written often is folded once.
    "PRAGMA wal_autocheckpoint = 8192",
    "PRAGMA cache_size = -65536",
];
/// Said on those that only read: the system keeps what is read again.
const SQLITE_READS: &str = "PRAGMA cache_size = -4096";
/// Said on each PostgreSQL connection.
const POSTGRES: &[&str] = &[
    "SET synchronous_commit = on",
    "SET client_min_messages = warning",
    // A leader whose machine is gone without a word is found out in three seconds, and its lock is free.
    "SET tcp_keepalives_idle = 1",
    "SET tcp_keepalives_interval = 1",
    "SET tcp_keepalives_count = 2",
    "SET tcp_user_timeout = 3000",
];
/// One farm per schema of a database. The number is `pfar` in ASCII.
const ADVISORY_LOCK: &str = "SELECT CASE WHEN \
    pg_try_advisory_lock(1885757810, hashtext(current_schema())) THEN 1 ELSE 0 END";

pub(super) fn failed(what: &str, error: &sqlx::Error) -> Fault {
    Fault::new(Code::StoreFailed, format!("cannot {what}")).because(error)
}

impl SqlStore {
    /// Takes a store for this process, which is reached at `address`, and
    /// makes or upgrades its tables.
    ///
    /// # Errors
    /// `F0502` when it cannot be reached, `F0509` when a later version wrote
    /// it, `F0510` when another scheduler has it.
    pub async fn open(place: Place, address: &str) -> Outcome<Self> {
        let lock = place.lock()?;
        place.make()?;
        let readers = pool(&place)?;
        let address = address.to_owned();
        let mut store =
            Self { place, address, reign: Reign::default(), writer: None, readers, _lock: lock };
        store.connect().await?;
        Ok(store)
    }

    /// Ends in good order; SQLite then folds its log into the file.
    ///
    /// # Errors
    /// `F0502`.
    pub async fn close(mut self) -> Outcome<()> {
        self.readers.close().await;
        match self.writer.take() {
            Some(db) => db.close().await.map_err(|e| failed("close the store", &e)),
            None => Ok(()),
        }
    }

    /// The connection that writes: the one there is, else a new one that has
    /// the store for itself.
    async fn connect(&mut self) -> Outcome<&mut AnyConnection> {
        if self.writer.is_none() {
            let place = self.place.to_string();
            let cannot = |e: sqlx::Error| failed("open the store", &e).at(&place);
            let url = self.place.url()?;
            let mut db = tokio::time::timeout(PATIENCE, AnyConnection::connect(&url))
                .await
                .map_err(|_| Fault::new(Code::StoreFailed, "the store does not answer").at(&place))?
                .map_err(cannot)?;
            let sqlite = matches!(self.place, Place::Sqlite(_));
            prepare(&mut db, sqlite).await.map_err(cannot)?;
            if !sqlite {
                let row = sqlx::query(ADVISORY_LOCK).fetch_one(&mut db).await;
                let got: i32 = row.and_then(|row| row.try_get(0)).map_err(cannot)?;
                if got != 1 {
                    return Err(self.place.in_use());
                }
            }
            schema::migrate(&mut db, sqlite, &place).await?;
            self.reign.began(lead(&mut db, &self.address).await.map_err(cannot)?);
            self.writer = Some(db);
        }
        self.writer.as_mut().ok_or_else(|| Fault::new(Code::StoreFailed, "the store is not open"))
    }

    /// The connection that writes, where nothing failed since it was made.
    fn writer(&mut self) -> Outcome<&mut AnyConnection> {
        let failed = || Fault::new(Code::StoreFailed, "the store must be read again first");
        self.writer.as_mut().ok_or_else(failed)
    }

    /// Whether nobody began another epoch since this scheduler took the store.
    async fn still_leads(&mut self) -> Outcome<()> {
        let row = sqlx::query(EPOCH).fetch_one(self.writer()?).await;
        let epoch = row.and_then(|row| row.try_get(0)).map_err(|e| failed("read who leads", &e))?;
        self.reign.check(epoch)
    }
}

/// Connections that read.
pub(super) fn pool(place: &Place) -> Outcome<AnyPool> {
    sqlx::any::install_default_drivers();
    let sqlite = matches!(place, Place::Sqlite(_));
    AnyPoolOptions::new()
        .max_connections(READERS)
        .acquire_timeout(PATIENCE)
        .after_connect(move |db, _| Box::pin(async move { prepare_to_read(db, sqlite).await }))
        .connect_lazy(&place.url()?)
        .map_err(|e| failed("read the store's address", &e))
}

/// Begins a new epoch: what an earlier scheduler still tries to write is
/// refused from here on. Waits for a write that is under way.
async fn lead(db: &mut AnyConnection, address: &str) -> sqlx::Result<i64> {
    let mut tx = db.begin().await?;
    sqlx::query("UPDATE leadership SET epoch = epoch + 1, address = $1 WHERE id = 1")
        .bind(address)
        .execute(&mut *tx)
        .await?;
    let row = sqlx::query(EPOCH).fetch_one(&mut *tx).await?;
    let epoch = row.try_get(0)?;
    tx.commit().await?;
    Ok(epoch)
}

/// Says how a new connection is to behave.
pub(super) async fn prepare(db: &mut AnyConnection, sqlite: bool) -> sqlx::Result<()> {
    let words = if sqlite { SQLITE } else { POSTGRES };
    for word in words.iter().copied() {
        sqlx::query(word).execute(&mut *db).await?;
    }
    Ok(())
}

/// Says how a new connection is to behave that only reads.
pub(super) async fn prepare_to_read(db: &mut AnyConnection, sqlite: bool) -> sqlx::Result<()> {
    prepare(db, sqlite).await?;
    if sqlite {
        sqlx::query(SQLITE_READS).execute(&mut *db).await?;
    }
    Ok(())
}

impl Store for SqlStore {
    type Reader = SqlReader;
    type View = SqlView;

    async fn read(&mut self, to: Parts) -> Outcome<()> {
        self.connect().await?;
        let read = read::at_once(&self.readers, to).await;
        // Connections that only read see what another writes who took the store meanwhile.
        let read = self.still_leads().await.and(read);
        if read.is_err() {
            self.writer = None;
        }
        read.map_err(|fault| fault.within(&self.place))
    }

    fn view(&self) -> SqlView {
        SqlView::of(self.place.clone())
    }

    async fn hold(&mut self, view: &mut SqlView) -> Outcome<()> {
        view.hold(&self.reign).await
    }

    async fn log_end(&mut self) -> Outcome<LogEnd> {
        events::end(self.writer()?).await
    }

    async fn commit(&mut self, changes: &Changes) -> Outcome<()> {
        // The connection is put back only after a commit that is known to
        // have happened: any failure, and a caller that goes away in the
        // middle, leaves none, and only `load` makes another.
        let Some(mut db) = self.writer.take() else {
            return Err(Fault::new(Code::StoreFailed, "the store must be read again first"));
        };
        let cannot = |e: sqlx::Error| failed("write to the store", &e).at(self.place.to_string());
        let tx = self.reign.begin(&mut db).await;
        let mut tx = tx.map_err(|fault| fault.within(&self.place))?;
        table::write(&mut tx, changes).await?.map_err(cannot)?;
        tx.commit().await.map_err(cannot)?;
        self.writer = Some(db);
        Ok(())
    }

    fn reader(&self) -> SqlReader {
        SqlReader { pool: self.readers.clone() }
    }

    fn reign(&self) -> Reign {
        self.reign.clone()
    }
}

impl SqlReader {
    pub(super) fn of(pool: AnyPool) -> Self {
        Self { pool }
    }

    pub(super) async fn connection(&self) -> Outcome<PoolConnection<Any>> {
        self.pool.acquire().await.map_err(|e| failed("read the store", &e))
    }
}

impl Reader for SqlReader {
    async fn frames(&self, job: JobId) -> Outcome<Vec<FrameRow>> {
        let mut db = self.pool.acquire().await.map_err(|e| failed("read the results", &e))?;
        read::frames(&mut db, job).await
    }

    async fn frames_of(&self, step: StepId, frames: FrameRange) -> Outcome<Vec<FrameRow>> {
        let mut db = self.pool.acquire().await.map_err(|e| failed("read the results", &e))?;
        read::frames_of(&mut db, step, frames).await
    }

    async fn events(&self, after: u64) -> Outcome<Vec<EventRow>> {
        events::after(&mut *self.connection().await?, after).await
    }

    async fn log_ends(&self) -> Outcome<(u64, u64)> {
        let mut db = self.connection().await?;
        let query = "SELECT follows FROM events ORDER BY last LIMIT 1";
        let first = sqlx::query(query).fetch_optional(&mut *db).await;
        let first = first.map_err(|e| failed("read the event log", &e))?;
        let first = first.map_or(Ok(0), |row| row.try_get::<i64, _>(0));
        let first = first.map_err(|e| failed("read the event log", &e))?;
        Ok((first.unsigned_abs(), events::end(&mut db).await?.last))
    }
}
