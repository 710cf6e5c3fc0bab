//! The tables, as numbered migrations. One text for SQLite and PostgreSQL, in
//! the types that both have under `Any`: ids and times are BIGINT, sets and
//! values are TEXT. A migration that was released is never edited; the next
//! one follows it.

use super::gather;
use super::sql::failed;
use platefarm_model::{Code, Fault, Outcome};
use sqlx::{AnyConnection, AssertSqlSafe, Connection, Row};

/// One step of a migration.
#[derive(Clone, Copy)]
pub(super) enum Change {
    /// A statement for every database.
    Sql(&'static str),
    /// A table of its own key: SQLite keeps its rows in the order of the key,
    /// and not beside an index of it.
    Clustered(&'static str),
    /// The results of frames move from a row each to rows of runs.
    GatherResults,
}

use Change::{Clustered, GatherResults, Sql};

/// Each entry brings the schema to the version that is its position, from 1.
pub(super) const MIGRATIONS: &[&[Change]] =
    &[FIRST, CONTROL, RUNS, TRUST, LIBRARY, EVENTS, MARKS, AUTHORS];

const FIRST: &[Change] = &[
    Sql("CREATE TABLE jobs (
        id BIGINT PRIMARY KEY, name TEXT NOT NULL, production TEXT NOT NULL,
        priority BIGINT NOT NULL, idempotency_key TEXT UNIQUE,
        submitted BIGINT NOT NULL, finished BIGINT, cancelled BIGINT NOT NULL)"),
    Sql("CREATE TABLE steps (
        job BIGINT NOT NULL, step BIGINT NOT NULL, spec TEXT NOT NULL, state TEXT NOT NULL,
        PRIMARY KEY (job, step))"),
    Sql("CREATE TABLE leases (
        token BIGINT PRIMARY KEY, job BIGINT NOT NULL, step BIGINT NOT NULL,
        worker BIGINT NOT NULL, granted TEXT NOT NULL, keep TEXT NOT NULL, done TEXT NOT NULL)"),
    Sql("CREATE TABLE workers (
        id BIGINT PRIMARY KEY, name TEXT NOT NULL, instance TEXT NOT NULL,
        slots BIGINT NOT NULL, backend TEXT NOT NULL, gone BIGINT NOT NULL)"),
    Sql("CREATE TABLE frames (
        job BIGINT NOT NULL, step BIGINT NOT NULL, frame BIGINT NOT NULL,
        token BIGINT NOT NULL, outcome TEXT NOT NULL,
        PRIMARY KEY (job, step, frame))"),
];

/// What people change about jobs, what workers say of themselves, and what is set up by name.
const CONTROL: &[Change] = &[
    Sql("ALTER TABLE jobs ADD COLUMN terms TEXT NOT NULL DEFAULT '{}'"),
    Sql("ALTER TABLE workers ADD COLUMN traits TEXT NOT NULL DEFAULT '{}'"),
    Sql("CREATE TABLE settings (
        kind TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL,
        PRIMARY KEY (kind, name))"),
];

/// Results as runs, leases in the order of their jobs, and who leads.
const RUNS: &[Change] = &[
    Clustered(
        "CREATE TABLE results (
        job BIGINT NOT NULL, step BIGINT NOT NULL, first_frame BIGINT NOT NULL,
        last_frame BIGINT NOT NULL, token BIGINT NOT NULL, body BYTEA NOT NULL,
        PRIMARY KEY (job, step, first_frame))",
    ),
    GatherResults,
    Sql("DROP TABLE frames"),
    Clustered(
        "CREATE TABLE leases_of_jobs (
        job BIGINT NOT NULL, step BIGINT NOT NULL, token BIGINT NOT NULL,
        worker BIGINT NOT NULL, granted TEXT NOT NULL, keep TEXT NOT NULL, done TEXT NOT NULL,
        PRIMARY KEY (job, step, token))",
    ),
    Sql("INSERT INTO leases_of_jobs (job, step, token, worker, granted, keep, done)
        SELECT job, step, token, worker, granted, keep, done FROM leases"),
    Sql("DROP TABLE leases"),
    Sql("ALTER TABLE leases_of_jobs RENAME TO leases"),
    // The epoch only grows; the address is where its scheduler is reached.
    Sql("CREATE TABLE leadership (
        id BIGINT PRIMARY KEY, epoch BIGINT NOT NULL, address TEXT NOT NULL)"),
    Sql("INSERT INTO leadership (id, epoch, address) VALUES (1, 0, '')"),
];

/// Clips that were inspected, what people set for camera formats, and what shows deliver.
const LIBRARY: &[Change] = &[
    Sql("CREATE TABLE clips (
        id BIGINT PRIMARY KEY, production TEXT NOT NULL, path TEXT NOT NULL, name TEXT NOT NULL,
        clip_key TEXT NOT NULL, words TEXT NOT NULL, day TEXT NOT NULL, format TEXT NOT NULL)"),
    Sql("CREATE INDEX clips_by_name ON clips (name)"),
    Sql("CREATE INDEX clips_by_path ON clips (path)"),
    Sql("CREATE TABLE clip_info (id BIGINT PRIMARY KEY, info TEXT NOT NULL)"),
    Sql("CREATE TABLE format_overrides (format TEXT PRIMARY KEY, settings TEXT NOT NULL)"),
    Sql("CREATE TABLE show_delivery (
        name TEXT PRIMARY KEY, defaults TEXT NOT NULL, choices TEXT NOT NULL)"),
];

/// Who may enter, and what people did. Beside the core's rows; see the store's `trust`.
const TRUST: &[Change] = &[
    Sql("CREATE TABLE tokens (
        hash TEXT PRIMARY KEY, name TEXT NOT NULL, kind TEXT NOT NULL, role TEXT NOT NULL,
        shows TEXT NOT NULL, created BIGINT NOT NULL, created_by TEXT NOT NULL,
        expires BIGINT, revoked BIGINT, used BIGINT)"),
    Sql("CREATE TABLE audit (
        id TEXT PRIMARY KEY, at BIGINT NOT NULL, who TEXT NOT NULL, token TEXT NOT NULL,
        role TEXT NOT NULL, peer TEXT NOT NULL, action TEXT NOT NULL, subject TEXT NOT NULL,
        detail TEXT NOT NULL, outcome TEXT)"),
];

/// What happened, and where it is sent to. A row of `events` holds those of one transaction.
const EVENTS: &[Change] = &[
    Clustered(
        "CREATE TABLE events (
        last BIGINT NOT NULL, follows BIGINT NOT NULL, at BIGINT NOT NULL,
        total BIGINT NOT NULL, body TEXT NOT NULL,
        PRIMARY KEY (last))",
    ),
    Sql("CREATE TABLE webhooks (
        id TEXT PRIMARY KEY, url TEXT NOT NULL, secret TEXT NOT NULL, filter TEXT NOT NULL,
        created BIGINT NOT NULL, created_by TEXT NOT NULL, cursor_at BIGINT NOT NULL,
        failures BIGINT NOT NULL, trouble TEXT NOT NULL, next_try BIGINT NOT NULL)"),
];

/// The highest ids of jobs and workers of which nothing else is kept. Workers that
/// left were kept for their ids until now.
const MARKS: &[Change] = &[
    Sql("CREATE TABLE marks (name TEXT PRIMARY KEY, value BIGINT NOT NULL)"),
    Sql("INSERT INTO marks (name, value) VALUES ('job', 0)"),
    Sql("INSERT INTO marks (name, value)
        SELECT 'worker', COALESCE(MAX(id), 0) FROM workers WHERE gone <> 0"),
    Sql("DELETE FROM workers WHERE gone <> 0"),
    Sql("ALTER TABLE workers DROP COLUMN gone"),
];

/// Who ended frames stands with their results. Of those that are there it is known while their leases are.
const AUTHORS: &[Change] = &[
    Sql("ALTER TABLE results ADD COLUMN worker BIGINT NOT NULL DEFAULT 0"),
    Sql("ALTER TABLE results ADD COLUMN worker_name TEXT NOT NULL DEFAULT ''"),
    Sql("UPDATE results SET
        worker = COALESCE((SELECT leases.worker FROM leases
            WHERE leases.job = results.job AND leases.step = results.step
            AND leases.token = results.token), 0),
        worker_name = COALESCE((SELECT workers.name FROM leases
            JOIN workers ON workers.id = leases.worker
            WHERE leases.job = results.job AND leases.step = results.step
            AND leases.token = results.token), '')
        WHERE job IN (SELECT job FROM leases)"),
];

/// Version of the tables; none where there are none.
pub(super) async fn version(db: &mut AnyConnection) -> Option<i64> {
    let row = sqlx::query("SELECT version FROM schema_version").fetch_one(db).await;
    row.and_then(|row| row.try_get::<i64, _>(0)).ok()
}

/// Whether the tables are those of this version.
pub(super) async fn is_current(db: &mut AnyConnection) -> bool {
    version(db).await == Some(MIGRATIONS.len() as i64)
}

/// Brings an empty or older store to this version; leaves a newer one alone.
pub(super) async fn migrate(db: &mut AnyConnection, sqlite: bool, place: &str) -> Outcome<()> {
    migrate_to(MIGRATIONS.len(), db, sqlite, place).await
}

/// As above, to an earlier version, which only a test of the way from there wants.
pub(super) async fn migrate_to(
    version: usize,
    db: &mut AnyConnection,
    sqlite: bool,
    place: &str,
) -> Outcome<()> {
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
    let known = version as i64;
    if !(0..=known).contains(&found) {
        let message = format!("the store has schema version {found}, and this is version {known}");
        return Err(Fault::new(Code::StoreVersion, message).at(place));
    }
    let missing: Vec<Change> = MIGRATIONS[found as usize..version].concat();
    for change in missing {
        match change {
            Sql(statement) => {
                sqlx::query(statement).execute(&mut *tx).await.map_err(cannot)?;
            }
            Clustered(statement) => {
                let order = if sqlite { " WITHOUT ROWID" } else { "" };
                let statement = AssertSqlSafe(format!("{statement}{order}"));
                sqlx::query(statement).execute(&mut *tx).await.map_err(cannot)?;
            }
            GatherResults => gather::frames_into_results(&mut tx).await?.map_err(cannot)?,
        }
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
