//! Rows out of tables: all that the core is rebuilt from, a few jobs for the
//! auditor, and results.

use super::Jobs;
use super::columns::{Columns, Fields};
use super::pages::Paged;
use super::runs::{self, Run};
use super::sql::failed;
use crate::core::{Author, FrameRow, JobRow, LeaseRow, Marks, Snapshot, StepState, WorkerRow};
use platefarm_model::farm::{JobTerms, Setting};
use platefarm_model::job::StepSpec;
use platefarm_model::{
    Code, Fault, FrameRange, JobId, LeaseToken, Outcome, StepId, Timestamp, WorkerId,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::AnyConnection;
use sqlx::any::AnyRow;
use std::sync::{Arc, LazyLock};

const JOBS: Paged = Paged {
    name: "jobs",
    key: &["id"],
    short: &[
        "name",
        "production",
        "priority",
        "COALESCE('=' || idempotency_key, '-')",
        "submitted",
        "COALESCE('=' || finished, '-')",
        "cancelled",
    ],
    long: &["terms"],
    columns: "id, name, production, priority, idempotency_key, submitted, finished, cancelled, terms",
};
const STEPS: Paged = Paged {
    name: "steps",
    key: &["job", "step"],
    short: &[],
    long: &["spec", "state"],
    columns: "job, step, spec, state",
};
const LEASES: Paged = Paged {
    name: "leases",
    key: &["job", "step", "token"],
    short: &["worker", "granted"],
    long: &["keep", "done"],
    columns: "job, step, token, worker, granted, keep, done",
};

fn job(row: &impl Columns) -> Outcome<JobRow> {
    Ok(JobRow {
        id: JobId(row.id(0)?),
        name: row.text(1)?,
        show: row.text(2)?,
        priority: i32::try_from(row.int(3)?).map_err(|e| row.bad(3).because(&e))?,
        idempotency_key: row.str_or_null(4)?.map(str::to_owned),
        submitted: Timestamp(row.int(5)?),
        finished: row.int_or_null(6)?.map(Timestamp),
        cancelled: row.int(7)? != 0,
        terms: as_made::<JobTerms>(row, 8, &PLAIN_TERMS)?,
    })
}

/// A step with what changes of it.
type StepRow = (StepId, (Arc<StepSpec>, StepState));

fn step(row: &impl Columns) -> Outcome<StepRow> {
    Ok((row.step(0)?, (Arc::new(row.json(2)?), as_made::<StepState>(row, 3, &PLAIN_STATE)?)))
}

fn lease(row: &impl Columns) -> Outcome<LeaseRow> {
    Ok(LeaseRow {
        step: row.step(0)?,
        token: LeaseToken(row.id(2)?),
        worker: WorkerId(row.id(3)?),
        granted: row.parse(4)?,
        keep: row.parse(5)?,
        done: row.parse(6)?,
    })
}

static PLAIN_TERMS: LazyLock<String> = LazyLock::new(plain::<JobTerms>);
static PLAIN_STATE: LazyLock<String> = LazyLock::new(plain::<StepState>);

/// What is written of a value of which nothing was said.
fn plain<T: Serialize + Default>() -> String {
    // No row is this text, should it ever fail.
    serde_json::to_string(&T::default()).unwrap_or_default()
}

/// A column that is as it was made on most rows, and then known by its text.
fn as_made<T: DeserializeOwned + Default>(
    row: &impl Columns,
    column: usize,
    plain: &str,
) -> Outcome<T> {
    if row.str(column)? == plain { Ok(T::default()) } else { row.json(column) }
}

async fn table<T>(
    db: &mut AnyConnection,
    table: &'static str,
    query: &'static str,
    jobs: Option<Jobs>,
    read: impl Fn(Fields<'_>) -> Outcome<T>,
) -> Outcome<Vec<T>> {
    let mut query = sqlx::query(query);
    if let Some(Jobs { first, last }) = jobs {
        let bound = |job: JobId| i64::try_from(job.0).unwrap_or(i64::MAX);
        query = query.bind(bound(first)).bind(bound(last));
    }
    let rows = query.fetch_all(db).await;
    let rows = rows.map_err(|e| failed("read the store", &e).at(table))?;
    rows.iter().map(|row| read(Fields { row, table })).collect()
}

/// Everything but the results of frames, which the core does not keep.
pub(super) async fn whole(db: &mut AnyConnection) -> Outcome<Snapshot> {
    let jobs = JOBS.read(db, |line| job(line), |row| job(row)).await?;
    let steps = STEPS.read(db, |line| step(line), |row| step(row)).await?;
    let leases = LEASES.read(db, |line| lease(line), |row| lease(row)).await?;
    of_farm(db, jobs, steps, leases).await
}

/// As above, of these jobs only, row by row.
pub(super) async fn part(db: &mut AnyConnection, of: Jobs) -> Outcome<Snapshot> {
    let jobs = "SELECT id, name, production, priority, idempotency_key, submitted, finished, \
                cancelled, terms FROM jobs WHERE id BETWEEN $1 AND $2";
    let jobs = table(db, "jobs", jobs, Some(of), |row| job(&row)).await?;
    let steps = "SELECT job, step, spec, state FROM steps WHERE job BETWEEN $1 AND $2";
    let steps = table(db, "steps", steps, Some(of), |row| step(&row)).await?;
    let leases = "SELECT job, step, token, worker, granted, keep, done FROM leases \
                  WHERE job BETWEEN $1 AND $2";
    let leases = table(db, "leases", leases, Some(of), |row| lease(&row)).await?;
    of_farm(db, jobs, steps, leases).await
}

/// With all workers, settings and marks.
async fn of_farm(
    db: &mut AnyConnection,
    jobs: Vec<JobRow>,
    steps: Vec<StepRow>,
    leases: Vec<LeaseRow>,
) -> Outcome<Snapshot> {
    let workers = "SELECT id, name, instance, slots, backend, traits FROM workers";
    let workers = table(db, "workers", workers, None, |row| {
        Ok(WorkerRow {
            id: WorkerId(row.id(0)?),
            name: row.text(1)?,
            instance: row.text(2)?,
            slots: row.small(3)?,
            backend: row.text(4)?,
            traits: row.json(5)?,
        })
    });
    let workers = workers.await?;
    let settings = "SELECT kind, name, value FROM settings";
    let settings = table(db, "settings", settings, None, |row| {
        let value: Setting = row.json(2)?;
        Ok(((row.parse(0)?, row.text(1)?), value))
    });
    let settings = settings.await?.into_iter().collect();
    let marks = marks(db).await?;
    Ok(Snapshot {
        jobs: jobs.into_iter().map(|row| (row.id, row)).collect(),
        steps: steps.into_iter().collect(),
        leases: leases.into_iter().map(|row| (row.token, row)).collect(),
        workers: workers.into_iter().map(|row| (row.id, row)).collect(),
        settings,
        marks,
    })
}

async fn marks(db: &mut AnyConnection) -> Outcome<Marks> {
    let mut marks = Marks::default();
    let query = "SELECT name, value FROM marks";
    let rows = table(db, "marks", query, None, |row| Ok((row.text(0)?, row.id(1)?))).await?;
    for (name, highest) in rows {
        match name.as_str() {
            "job" => marks.job = JobId(highest),
            "worker" => marks.worker = WorkerId(highest),
            other => {
                let message =
                    format!("'marks' has a row '{other}', which this version does not know");
                return Err(Fault::new(Code::StoreFailed, message));
            }
        }
    }
    Ok(marks)
}

/// How the frames of a job ended.
pub(super) async fn frames(db: &mut AnyConnection, job: JobId) -> Outcome<Vec<FrameRow>> {
    let query = "SELECT job, step, first_frame, last_frame, token, body, worker, worker_name \
                 FROM results WHERE job = $1 ORDER BY step, first_frame";
    let rows = sqlx::query(query).bind(job.0 as i64).fetch_all(db).await;
    unpacked(&rows.map_err(|e| failed("read the store", &e).at("results"))?)
}

/// How some frames of a step ended.
pub(super) async fn frames_of(
    db: &mut AnyConnection,
    step: StepId,
    of: FrameRange,
) -> Outcome<Vec<FrameRow>> {
    let query = "SELECT job, step, first_frame, last_frame, token, body, worker, worker_name \
                 FROM results WHERE job = $1 AND step = $2 AND first_frame <= $3 \
                 AND last_frame >= $4 ORDER BY first_frame";
    let rows = sqlx::query(query)
        .bind(step.job.0 as i64)
        .bind(i64::from(step.index))
        .bind(of.last())
        .bind(of.first())
        .fetch_all(db)
        .await;
    let mut frames = unpacked(&rows.map_err(|e| failed("read the store", &e).at("results"))?)?;
    frames.retain(|row| of.contains(row.outcome.frame()));
    Ok(frames)
}

fn unpacked(rows: &[AnyRow]) -> Outcome<Vec<FrameRow>> {
    let mut frames = Vec::new();
    for row in rows {
        let row = Fields { row, table: "results" };
        let worker = Some(row.id(6)?).filter(|worker| *worker > 0).map(WorkerId);
        let by = worker.map(|worker| Outcome::Ok(Author { worker, name: row.text(7)? }));
        let run = Run {
            step: row.step(0)?,
            first: row.int(2)?,
            last: row.int(3)?,
            token: LeaseToken(row.id(4)?),
            body: row.bytes(5)?,
            by: by.transpose()?,
        };
        frames.append(&mut runs::unpack(&run)?);
    }
    Ok(frames)
}
