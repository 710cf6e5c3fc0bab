//! Rows out of tables: all that the core is rebuilt from, a few jobs for the
//! auditor, and results.
//!
//! **Parts.** What the core is rebuilt from is cut into parts of about a thousand steps, which
//! several connections read at once and which are handed over in their order: so a database,
//! what takes texts apart and what makes the core are at work at the same time, and nothing
//! of a large farm is in memory twice.

use super::columns::{Columns, Fields};
use super::pages::Paged;
use super::runs::{self, Run};
use super::sql::{READERS, failed};
use super::{Jobs, Parts};
use crate::core::{
    Author, FrameRow, JobRow, LeaseRow, Marks, Snapshot, StepState, Steps, WorkerRow,
};
use platefarm_model::farm::{JobTerms, Setting};
use platefarm_model::job::StepSpec;
use platefarm_model::{
    Code, Fault, FrameRange, JobId, LeaseToken, Outcome, StepId, Timestamp, WorkerId,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AnyPool};
use std::collections::VecDeque;
use std::sync::{Arc, LazyLock};
use tokio::task::JoinHandle;

/// Steps of a part, where its last job has not more: they fit a page.
const PART: i64 = 1_000;
/// Parts that are read at once, by as many connections; another one cuts.
const AT_ONCE: usize = READERS as usize - 1;

static JOBS: Paged<JobRow> = Paged {
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
    of_line: |line| job(line),
    of_row: |row| job(row),
};
static STEPS: Paged<StepRow> = Paged {
    name: "steps",
    key: &["job", "step"],
    short: &[],
    long: &["spec", "state"],
    columns: "job, step, spec, state",
    of_line: |line| step(line),
    of_row: |row| step(row),
};
static LEASES: Paged<LeaseRow> = Paged {
    name: "leases",
    key: &["job", "step", "token"],
    short: &["worker", "granted"],
    long: &["keep", "done"],
    columns: "job, step, token, worker, granted, keep, done",
    of_line: |line| lease(line),
    of_row: |row| lease(row),
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
    bounds: &[i64],
    read: impl Fn(Fields<'_>) -> Outcome<T>,
) -> Outcome<Vec<T>> {
    let mut query = sqlx::query(query);
    for bound in bounds {
        query = query.bind(*bound);
    }
    let rows = query.fetch_all(db).await;
    let rows = rows.map_err(|e| failed("read the store", &e).at(table))?;
    rows.iter().map(|row| read(Fields { row, table })).collect()
}

/// Everything but the results of frames, which the core does not keep. Nobody may write meanwhile.
pub(super) async fn at_once(pool: &AnyPool, to: Parts) -> Outcome<()> {
    let cannot = |e: sqlx::Error| failed("read the store", &e);
    let mut db = pool.acquire().await.map_err(cannot)?;
    let mut part = of_farm(&mut db).await?;
    let mut next = Some(Jobs::ALL.first);
    let mut under_way: VecDeque<JoinHandle<Outcome<Snapshot>>> = VecDeque::new();
    while to.send(part).await.is_ok() {
        while let Some(first) = next.filter(|_| under_way.len() < AT_ONCE) {
            let of = cut(&mut db, first).await?;
            next = of.behind();
            let pool = pool.clone();
            under_way.push_back(tokio::spawn(async move {
                let mut db = pool.acquire().await.map_err(cannot)?;
                of_jobs(&mut db, of).await
            }));
        }
        let Some(front) = under_way.pop_front() else { break };
        let broke = |e| Fault::new(Code::Internal, "a part of the store was not read").because(&e);
        part = front.await.map_err(broke)??;
    }
    Ok(())
}

/// As above, one part after the other: of a transaction, which sees one moment.
pub(super) async fn in_turn(db: &mut AnyConnection, to: Parts) -> Outcome<()> {
    let mut part = of_farm(db).await?;
    let mut next = Some(Jobs::ALL.first);
    while to.send(part).await.is_ok() {
        let Some(first) = next else { break };
        let of = cut(db, first).await?;
        next = of.behind();
        part = of_jobs(db, of).await?;
    }
    Ok(())
}

/// The jobs from `first` on that make a part.
async fn cut(db: &mut AnyConnection, first: JobId) -> Outcome<Jobs> {
    let query = "SELECT job FROM steps WHERE job >= $1 ORDER BY job, step LIMIT 1 OFFSET $2";
    let [from, _] = Jobs { first, ..Jobs::ALL }.bounds();
    let found = sqlx::query(query).bind(from).bind(PART - 1).fetch_optional(db).await;
    let found = found.map_err(|e| failed("read the store", &e).at("steps"))?;
    let last = found.map(|row| Fields { row: &row, table: "steps" }.id(0)).transpose()?;
    Ok(Jobs { first, last: last.map_or(Jobs::ALL.last, JobId) })
}

/// The rows of one job, read in pages.
pub(super) async fn of_job(db: &mut AnyConnection, id: JobId) -> Outcome<Snapshot> {
    of_jobs(db, Jobs { first: id, last: id }).await
}

/// The rows of these jobs, read in pages.
async fn of_jobs(db: &mut AnyConnection, of: Jobs) -> Outcome<Snapshot> {
    let jobs = JOBS.read(db, of).await?;
    let steps = STEPS.read(db, of).await?;
    let leases = LEASES.read(db, of).await?;
    Ok(together(jobs, steps, leases))
}

/// The rows of these steps and of their jobs, row by row; with the last, all workers, settings and marks.
pub(super) async fn part(db: &mut AnyConnection, of: Steps) -> Outcome<Snapshot> {
    let [first, last] = Jobs { first: of.first.job, last: of.last.job }.bounds();
    let bounds = [first, of.first.index.into(), last, of.last.index.into()];
    let jobs = "SELECT id, name, production, priority, idempotency_key, submitted, finished, \
                cancelled, terms FROM jobs WHERE id BETWEEN $1 AND $2";
    let jobs = table(db, "jobs", jobs, &[first, last], |row| job(&row)).await?;
    let steps = "SELECT job, step, spec, state FROM steps \
                 WHERE (job, step) >= ($1, $2) AND (job, step) <= ($3, $4)";
    let steps = table(db, "steps", steps, &bounds, |row| step(&row)).await?;
    let leases = "SELECT job, step, token, worker, granted, keep, done FROM leases \
                  WHERE (job, step) >= ($1, $2) AND (job, step) <= ($3, $4)";
    let leases = table(db, "leases", leases, &bounds, |row| lease(&row)).await?;
    let mut rows = together(jobs, steps, leases);
    if of.are_last() {
        rows.append(of_farm(db).await?);
    }
    Ok(rows)
}

fn together(jobs: Vec<JobRow>, steps: Vec<StepRow>, leases: Vec<LeaseRow>) -> Snapshot {
    Snapshot {
        jobs: jobs.into_iter().map(|row| (row.id, row)).collect(),
        steps: steps.into_iter().collect(),
        leases: leases.into_iter().map(|row| (row.token, row)).collect(),
        ..Snapshot::default()
    }
}

/// All workers, settings and marks.
pub(super) async fn of_farm(db: &mut AnyConnection) -> Outcome<Snapshot> {
    let workers = "SELECT id, name, instance, slots, backend, traits FROM workers";
    let workers = table(db, "workers", workers, &[], |row| {
        Ok(WorkerRow {
            id: WorkerId(row.id(0)?),
            name: row.text(1)?,
            instance: row.text(2)?,
            slots: row.small(3)?,
            backend: row.text(4)?,
            traits: row.json(5)?,
        })
    });
    let workers = workers.await?.into_iter().map(|row| (row.id, row)).collect();
    let settings = "SELECT kind, name, value FROM settings";
    let settings = table(db, "settings", settings, &[], |row| {
        let value: Setting = row.json(2)?;
        Ok(((row.parse(0)?, row.text(1)?), value))
    });
    let settings = settings.await?.into_iter().collect();
    Ok(Snapshot { workers, settings, marks: marks(db).await?, ..Snapshot::default() })
}

async fn marks(db: &mut AnyConnection) -> Outcome<Marks> {
    let mut marks = Marks::default();
    let query = "SELECT name, value FROM marks";
    let rows = table(db, "marks", query, &[], |row| Ok((row.text(0)?, row.id(1)?))).await?;
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
        let by = worker.map(|worker| Outcome::Ok(Author { worker, name: row.str(7)?.into() }));
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
