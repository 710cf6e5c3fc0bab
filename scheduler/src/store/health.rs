//! A look at a store from beside: whether it answers, of which version it is,
//! and what its clock says. Nothing is made, changed or locked.

use super::place::Place;
use super::sql::failed;
use super::{private, schema};
use platefarm_model::{Code, Fault, Outcome};
use sqlx::{AnyConnection, Connection, Row};
use std::time::{Duration, Instant};

/// How long the database may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// What was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// What keeps it: `SQLite 3.50`, `PostgreSQL 15.4`.
    pub server: String,
    /// Version of its tables; none where there are none yet.
    pub version: Option<i64>,
    /// Version that this program writes.
    pub known: i64,
    /// How long the answer to the smallest question took.
    pub answer: Duration,
    /// How far the database's clock is ahead of ours, in microseconds, where it has one of its own.
    pub ahead_us: Option<i64>,
    /// Whether it takes writes from us.
    pub writable: bool,
    /// Whether every user of the machine may open its file.
    pub open: bool,
}

/// Looks at the store at `place`; none where there is no file yet.
///
/// # Errors
/// `F0502` when it cannot be reached.
pub async fn examine(place: &Place) -> Outcome<Option<Health>> {
    if let Place::Sqlite(path) = place
        && !path.exists()
    {
        return Ok(None);
    }
    sqlx::any::install_default_drivers();
    let cannot = |e: sqlx::Error| failed("look at the store", &e).at(place.to_string());
    let silent =
        || Fault::new(Code::StoreFailed, "the store does not answer").at(place.to_string());
    let url = place.url()?;
    let mut db = tokio::time::timeout(PATIENCE, AnyConnection::connect(&url))
        .await
        .map_err(|_| silent())?
        .map_err(cannot)?;
    let look = async {
        let health = match place {
            Place::Sqlite(path) => sqlite(&mut db, path).await,
            Place::Postgres(_) => postgres(&mut db).await,
        };
        let health = health.map_err(cannot)?;
        let version = schema::version(&mut db).await;
        Ok(Some(Health { version, ..health }))
    };
    let health = tokio::time::timeout(PATIENCE, look).await.map_err(|_| silent())?;
    let _ = db.close().await;
    health
}

fn health(server: String, answer: Duration, ahead_us: Option<i64>, writable: bool) -> Health {
    Health {
        server,
        version: None,
        known: schema::MIGRATIONS.len() as i64,
        answer,
        ahead_us,
        writable,
        open: false,
    }
}

async fn sqlite(db: &mut AnyConnection, path: &std::path::Path) -> sqlx::Result<Health> {
    let begun = Instant::now();
    let row = sqlx::query("SELECT sqlite_version()").fetch_one(&mut *db).await?;
    let answer = begun.elapsed();
    let version: String = row.try_get(0)?;
    // Reads the head of the file: what is no database says so here.
    sqlx::query("SELECT COUNT(*) FROM sqlite_master").fetch_one(&mut *db).await?;
    let writable = std::fs::OpenOptions::new().append(true).open(path).is_ok();
    let open = private::is_open(path);
    Ok(Health { open, ..health(format!("SQLite {version}"), answer, None, writable) })
}

async fn postgres(db: &mut AnyConnection) -> sqlx::Result<Health> {
    let row = sqlx::query(
        "SELECT current_setting('server_version'), \
         CASE WHEN pg_is_in_recovery() OR NOT has_schema_privilege(current_schema(), 'CREATE') \
         THEN 0 ELSE 1 END",
    )
    .fetch_one(&mut *db)
    .await?;
    let (server, writable): (String, i32) = (row.try_get(0)?, row.try_get(1)?);
    let begun = Instant::now();
    let row = sqlx::query("SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)")
        .fetch_one(&mut *db)
        .await?;
    let answer = begun.elapsed();
    let theirs: i64 = row.try_get(0)?;
    let since = std::time::UNIX_EPOCH.elapsed().unwrap_or_default();
    // Their answer is of the middle of the way there and back.
    let ours = i64::try_from((since - answer.min(since) / 2).as_micros()).unwrap_or(i64::MAX);
    Ok(health(format!("PostgreSQL {server}"), answer, Some(theirs - ours), writable == 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{SqlStore, Store};

    #[tokio::test]
    async fn a_look_makes_nothing_and_sees_what_there_is() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("farm.db");
        let place = Place::Sqlite(path.clone());
        assert_eq!(examine(&place).await.unwrap(), None);
        assert!(!path.exists(), "nothing was made");

        let mut store = SqlStore::open(place.clone(), "").await.unwrap();
        store.load().await.unwrap();
        let seen = examine(&place).await.unwrap().expect("a store");
        assert_eq!(seen.version, Some(seen.known), "beside a scheduler that has it");
        assert!(seen.writable && seen.server.starts_with("SQLite 3"), "{seen:?}");
        store.close().await.unwrap();

        std::fs::write(&path, "no database at all, but long enough to be read as one").unwrap();
        assert_eq!(examine(&place).await.unwrap_err().code, Code::StoreFailed);
    }

    #[tokio::test]
    async fn postgresql_tells_its_version_and_its_time() {
        let Some(server) = crate::store::postgres::Cluster::start() else { return };
        let place = Place::Postgres(server.database());
        let seen = examine(&place).await.unwrap().expect("a database");
        assert_eq!((seen.version, seen.writable), (None, true), "{seen:?}");
        assert!(seen.server.starts_with("PostgreSQL 1"), "{seen:?}");
        let ahead = seen.ahead_us.expect("its clock");
        assert!(ahead.abs() < 1_000_000, "one machine, one clock: {ahead} us");
    }
}
