//! The tables, as numbered migrations. One text for SQLite and PostgreSQL, in
//! the types that both have under `Any`: ids and times are BIGINT, sets and
//! values are TEXT. A migration that was released is never edited; the next
//! one follows it.

use super::sql::failed;
use platefarm_model::{Code, Fault, Outcome};
use sqlx::{AnyConnection, Connection, Row};

/// Each entry brings the schema to the version that is its position, from 1.
pub(super) const MIGRATIONS: &[&[&str]] = &[FIRST, CONTROL];

const FIRST: &[&str] = &[
    "CREATE TABLE jobs (
        id BIGINT PRIMARY KEY, name TEXT NOT NULL, production TEXT NOT NULL,
        priority BIGINT NOT NULL, idempotency_key TEXT UNIQUE,
        submitted BIGINT NOT NULL, finished BIGINT, cancelled BIGINT NOT NULL)",
    "CREATE TABLE steps (
        job BIGINT NOT NULL, step BIGINT NOT NULL, spec TEXT NOT NULL, state TEXT NOT NULL,
        PRIMARY KEY (job, step))",
    "CREATE TABLE leases (
        token BIGINT PRIMARY KEY, job BIGINT NOT NULL, step BIGINT NOT NULL,
        worker BIGINT NOT NULL, granted TEXT NOT NULL, keep TEXT NOT NULL, done TEXT NOT NULL)",
    "CREATE TABLE workers (
        id BIGINT PRIMARY KEY, name TEXT NOT NULL, instance TEXT NOT NULL,
        slots BIGINT NOT NULL, backend TEXT NOT NULL, gone BIGINT NOT NULL)",
    "CREATE TABLE frames (
        job BIGINT NOT NULL, step BIGINT NOT NULL, frame BIGINT NOT NULL,
        token BIGINT NOT NULL, outcome TEXT NOT NULL,
        PRIMARY KEY (job, step, frame))",
];

/// What people change about jobs, what workers say of themselves, and what is set up by name.
const CONTROL: &[&str] = &[
    "ALTER TABLE jobs ADD COLUMN terms TEXT NOT NULL DEFAULT '{}'",
    "ALTER TABLE workers ADD COLUMN traits TEXT NOT NULL DEFAULT '{}'",
    "CREATE TABLE settings (
        kind TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL,
        PRIMARY KEY (kind, name))",
    "CREATE INDEX leases_of_job ON leases (job)",
];

/// Brings an empty or older store to this version; leaves a newer one alone.
pub(super) async fn migrate(db: &mut AnyConnection, place: &str) -> Outcome<()> {
    let cannot = |e: sqlx::Error| failed("prepare the tables", &e).at(place);
    let mut tx = db.begin().await.map_err(cannot)?;
    sqlx::query("CREATE TABLE IF NOT EXISTS schema_version (version BIGINT NOT NULL)")
        .execute(&mut *tx)
        .await
        .map_err(cannot)?;
    let row = sqlx::query("SELECT version FROM schema_version")
        .fetch_optional(&mut *tx)
        .await
        .map_err(cannot)?;
    let found: i64 = match &row {
        Some(row) => row.try_get(0).map_err(cannot)?,
        None => 0,
    };
    let known = MIGRATIONS.len() as i64;
    if !(0..=known).contains(&found) {
        let message = format!("the store has schema version {found}, and this is version {known}");
        return Err(Fault::new(Code::StoreVersion, message).at(place));
    }
    let missing: Vec<&'static str> = MIGRATIONS[found as usize..].concat();
    for statement in missing {
        sqlx::query(statement).execute(&mut *tx).await.map_err(cannot)?;
    }
    if found < known {
        sqlx::query("DELETE FROM schema_version").execute(&mut *tx).await.map_err(cannot)?;
        sqlx::query("INSERT INTO schema_version (version) VALUES ($1)")
            .bind(known)
            .execute(&mut *tx)
            .await
            .map_err(cannot)?;
    }
    tx.commit().await.map_err(cannot)
}
