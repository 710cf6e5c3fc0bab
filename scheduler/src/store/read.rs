//! Rows out of tables. What cannot be read is an error with its table and
//! row, never a default.

use super::Jobs;
use super::runs::{self, Run};
use super::sql::failed;
use crate::core::{FrameRow, JobRow, LeaseRow, Marks, Snapshot, WorkerRow};
use platefarm_model::farm::Setting;
use platefarm_model::{
    Code, Fault, FrameRange, JobId, LeaseToken, Outcome, StepId, Timestamp, WorkerId,
};
use serde::de::DeserializeOwned;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A row with the name of its table, for errors.
struct Fields<'r> {
    row: &'r AnyRow,
    table: &'static str,
}

impl Fields<'_> {
    fn bad(&self, column: usize) -> Fault {
        Fault::new(Code::StoreFailed, format!("column {column} of '{}' cannot be read", self.table))
    }

    fn int(&self, column: usize) -> Outcome<i64> {
        self.row.try_get(column).map_err(|e| self.bad(column).because(&e))
    }

    fn id(&self, column: usize) -> Outcome<u64> {
        u64::try_from(self.int(column)?).map_err(|e| self.bad(column).because(&e))
    }

    fn small(&self, column: usize) -> Outcome<u32> {
        u32::try_from(self.int(column)?).map_err(|e| self.bad(column).because(&e))
    }

    fn int_or_null(&self, column: usize) -> Outcome<Option<i64>> {
        self.row.try_get(column).map_err(|e| self.bad(column).because(&e))
    }

    fn text(&self, column: usize) -> Outcome<String> {
        self.row.try_get(column).map_err(|e| self.bad(column).because(&e))
    }

    fn bytes(&self, column: usize) -> Outcome<Vec<u8>> {
        self.row.try_get(column).map_err(|e| self.bad(column).because(&e))
    }

    fn text_or_null(&self, column: usize) -> Outcome<Option<String>> {
        self.row.try_get(column).map_err(|e| self.bad(column).because(&e))
    }

    fn json<T: DeserializeOwned>(&self, column: usize) -> Outcome<T> {
        serde_json::from_str(&self.text(column)?).map_err(|e| self.bad(column).because(&e))
    }

    fn parse<T: std::str::FromStr<Err = Fault>>(&self, column: usize) -> Outcome<T> {
        self.text(column)?.parse().map_err(|e: Fault| self.bad(column).because(&e))
    }

    fn step(&self, job: usize) -> Outcome<StepId> {
        Ok(StepId { job: JobId(self.id(job)?), index: self.small(job + 1)? })
    }
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

/// Everything of these jobs but the results of frames, which the core does
/// not keep; and all workers, settings and marks.
pub(super) async fn snapshot(db: &mut AnyConnection, of: Jobs) -> Outcome<Snapshot> {
    let jobs = "SELECT id, name, production, priority, idempotency_key, submitted, finished, \
                cancelled, terms FROM jobs WHERE id BETWEEN $1 AND $2";
    let jobs = table(db, "jobs", jobs, Some(of), |row| {
        Ok(JobRow {
            id: JobId(row.id(0)?),
            name: row.text(1)?,
            show: row.text(2)?,
            priority: i32::try_from(row.int(3)?).map_err(|e| row.bad(3).because(&e))?,
            idempotency_key: row.text_or_null(4)?,
            submitted: Timestamp(row.int(5)?),
            finished: row.int_or_null(6)?.map(Timestamp),
            cancelled: row.int(7)? != 0,
            terms: row.json(8)?,
        })
    });
    let jobs = jobs.await?.into_iter().map(|row| (row.id, row)).collect();
    let steps = "SELECT job, step, spec, state FROM steps WHERE job BETWEEN $1 AND $2";
    let steps = table(db, "steps", steps, Some(of), |row| {
        Ok((row.step(0)?, (Arc::new(row.json(2)?), row.json(3)?)))
    });
    let steps: BTreeMap<_, _> = steps.await?.into_iter().collect();
    let leases = "SELECT token, job, step, worker, granted, keep, done FROM leases \
                  WHERE job BETWEEN $1 AND $2";
    let leases = table(db, "leases", leases, Some(of), |row| {
        Ok(LeaseRow {
            token: LeaseToken(row.id(0)?),
            step: row.step(1)?,
            worker: WorkerId(row.id(3)?),
            granted: row.parse(4)?,
            keep: row.parse(5)?,
            done: row.parse(6)?,
        })
    });
    let leases = leases.await?.into_iter().map(|row| (row.token, row)).collect();
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
    let workers = workers.await?.into_iter().map(|row| (row.id, row)).collect();
    let settings = "SELECT kind, name, value FROM settings";
    let settings = table(db, "settings", settings, None, |row| {
        let value: Setting = row.json(2)?;
        Ok(((row.parse(0)?, row.text(1)?), value))
    });
    let settings = settings.await?.into_iter().collect();
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
    Ok(Snapshot { jobs, steps, leases, workers, settings, marks })
}

/// How the frames of a job ended.
pub(super) async fn frames(db: &mut AnyConnection, job: JobId) -> Outcome<Vec<FrameRow>> {
    let query = "SELECT job, step, first_frame, last_frame, token, body FROM results \
                 WHERE job = $1 ORDER BY step, first_frame";
    let rows = sqlx::query(query).bind(job.0 as i64).fetch_all(db).await;
    unpacked(&rows.map_err(|e| failed("read the store", &e).at("results"))?)
}

/// How some frames of a step ended.
pub(super) async fn frames_of(
    db: &mut AnyConnection,
    step: StepId,
    of: FrameRange,
) -> Outcome<Vec<FrameRow>> {
    let query = "SELECT job, step, first_frame, last_frame, token, body FROM results \
                 WHERE job = $1 AND step = $2 AND first_frame <= $3 AND last_frame >= $4 \
                 ORDER BY first_frame";
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
        let run = Run {
            step: row.step(0)?,
            first: row.int(2)?,
            last: row.int(3)?,
            token: LeaseToken(row.id(4)?),
            body: row.bytes(5)?,
        };
        frames.append(&mut runs::unpack(&run)?);
    }
    Ok(frames)
}
