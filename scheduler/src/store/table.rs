//! Rows into tables, many to a statement: what makes a grouped commit cheap.

use super::marks::Marks;
use super::runs::{self, Run};
use crate::core::{Changes, EventRow};
use platefarm_model::{Code, Fault, JobId, Outcome};
use serde::Serialize;
use sqlx::any::AnyArguments;
use sqlx::{AnyConnection, Arguments, AssertSqlSafe};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// A value of a column.
enum Cell {
    Int(i64),
    IntOrNull(Option<i64>),
    Bytes(Vec<u8>),
    Text(String),
    TextOrNull(Option<String>),
}

/// A table as it is written to: what to do with a row that is there.
struct Table {
    name: &'static str,
    columns: &'static [&'static str],
    /// Columns of the primary key.
    key: &'static str,
    /// Columns that a row that is there takes over. None: such a row is an
    /// error. A frame ends once; the store refuses a second end.
    update: &'static [&'static str],
}

const JOBS: Table = Table {
    name: "jobs",
    columns: &[
        "id",
        "name",
        "production",
        "priority",
        "idempotency_key",
        "submitted",
        "finished",
        "cancelled",
        "terms",
    ],
    key: "id",
    update: &["priority", "idempotency_key", "finished", "cancelled", "terms"],
};
const STEPS: Table = Table {
    name: "steps",
    columns: &["job", "step", "spec", "state"],
    key: "job, step",
    update: &[],
};
const LEASES: Table = Table {
    name: "leases",
    columns: &["job", "step", "token", "worker", "granted", "keep", "done"],
    key: "job, step, token",
    update: &["keep", "done"],
};
const WORKERS: Table = Table {
    name: "workers",
    columns: &["id", "name", "instance", "slots", "backend", "traits"],
    key: "id",
    update: &[],
};
const RESULTS: Table = Table {
    name: "results",
    columns: &[
        "job",
        "step",
        "first_frame",
        "last_frame",
        "token",
        "body",
        "worker",
        "worker_name",
    ],
    key: "job, step, first_frame",
    update: &[],
};
/// As the version had it that gathered results into runs.
const GATHERED: Table =
    Table { columns: &["job", "step", "first_frame", "last_frame", "token", "body"], ..RESULTS };

const SETTINGS: Table = Table {
    name: "settings",
    columns: &["kind", "name", "value"],
    key: "kind, name",
    update: &["value"],
};

const EVENTS: Table = Table {
    name: "events",
    columns: &["last", "follows", "at", "total", "body"],
    key: "last",
    update: &[],
};

/// Rows to a statement. Few sizes, so that each statement is prepared once.
const GROUPS: [usize; 4] = [256, 32, 4, 1];

impl Table {
    fn insert(&self, marks: Marks, rows: usize) -> String {
        let (columns, marks) = (self.columns.join(", "), marks.rows(rows, self.columns.len()));
        let mut sql = format!("INSERT INTO {} ({columns}) VALUES {marks}", self.name);
        if !self.update.is_empty() {
            let set: Vec<String> =
                self.update.iter().map(|column| format!("{column} = excluded.{column}")).collect();
            sql.push_str(&format!(" ON CONFLICT ({}) DO UPDATE SET {}", self.key, set.join(", ")));
        }
        sql
    }

    /// The statement for so many rows; made once.
    fn statement(&self, marks: Marks, rows: usize) -> Arc<str> {
        type Made = BTreeMap<(Marks, &'static str, usize, usize), Arc<str>>;
        static MADE: Mutex<Made> = Mutex::new(BTreeMap::new());
        // Whoever panicked while holding it left whole texts behind.
        let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (marks, self.name, self.columns.len(), rows);
        Arc::clone(made.entry(key).or_insert_with(|| self.insert(marks, rows).into()))
    }

    async fn write(&self, db: &mut AnyConnection, rows: Vec<Vec<Cell>>) -> sqlx::Result<()> {
        let marks = Marks::of(db);
        let mut rows = rows.into_iter().peekable();
        let mut left = rows.len();
        while rows.peek().is_some() {
            let group = GROUPS.into_iter().find(|group| *group <= left).unwrap_or(1);
            left -= group;
            let mut arguments = AnyArguments::default();
            for cell in rows.by_ref().take(group).flatten() {
                match cell {
                    Cell::Int(value) => arguments.add(value),
                    Cell::IntOrNull(value) => arguments.add(value),
                    Cell::Bytes(value) => arguments.add(value),
                    Cell::Text(value) => arguments.add(value),
                    Cell::TextOrNull(value) => arguments.add(value),
                }
                .map_err(sqlx::Error::Encode)?;
            }
            // The text holds names of this file and numbers of places only.
            let sql = AssertSqlSafe(self.statement(marks, group));
            sqlx::query_with(sql, arguments).execute(&mut *db).await?;
        }
        Ok(())
    }
}

fn id(value: u64) -> Cell {
    // Ids count from 1 in this process; 2^63 of them are out of reach.
    Cell::Int(value as i64)
}

fn json(value: &impl Serialize) -> Outcome<Cell> {
    serde_json::to_string(value)
        .map(Cell::Text)
        .map_err(|e| Fault::new(Code::Internal, "a row cannot be written as JSON").because(&e))
}

/// A table and rows for it.
type Filled = (&'static Table, Vec<Vec<Cell>>);

/// Every change as rows of tables, in an order that any foreign key would allow.
fn rows(changes: &Changes) -> Outcome<Vec<Filled>> {
    let jobs = changes.jobs.values().map(|job| {
        Ok(vec![
            id(job.id.0),
            Cell::Text(job.name.clone()),
            Cell::Text(job.show.clone()),
            Cell::Int(job.priority.into()),
            Cell::TextOrNull(job.idempotency_key.clone()),
            Cell::Int(job.submitted.0),
            Cell::IntOrNull(job.finished.map(|t| t.0)),
            Cell::Int(job.cancelled.into()),
            json(&job.terms)?,
        ])
    });
    let steps = changes.new_steps.iter().map(|(step, spec)| {
        let state = changes.steps.get(step).cloned().unwrap_or_default();
        Ok(vec![id(step.job.0), Cell::Int(step.index.into()), json(spec.as_ref())?, json(&state)?])
    });
    let workers = changes.workers.values().map(|worker| {
        Ok(vec![
            id(worker.id.0),
            Cell::Text(worker.name.clone()),
            Cell::Text(worker.instance.clone()),
            Cell::Int(worker.slots.into()),
            Cell::Text(worker.backend.clone()),
            json(&worker.traits)?,
        ])
    });
    let leases = changes.leases.values().map(|lease| {
        vec![
            id(lease.step.job.0),
            Cell::Int(lease.step.index.into()),
            id(lease.token.0),
            id(lease.worker.0),
            Cell::Text(lease.granted.to_string()),
            Cell::Text(lease.keep.to_string()),
            Cell::Text(lease.done.to_string()),
        ]
    });
    let settings = changes.settings.iter().filter_map(|((kind, name), value)| {
        let value = value.as_ref()?;
        let row = |value| vec![Cell::Text(kind.word().into()), Cell::Text(name.clone()), value];
        Some(json(value).map(row))
    });
    let events = changes.events.iter().map(|row| {
        let EventRow { last, follows, at, total, body } = row;
        vec![id(*last), id(*follows), Cell::Int(at.0), id(*total), Cell::Text(body.clone())]
    });
    Ok(vec![
        (&JOBS, jobs.collect::<Outcome<_>>()?),
        (&STEPS, steps.collect::<Outcome<_>>()?),
        (&WORKERS, workers.collect::<Outcome<_>>()?),
        (&SETTINGS, settings.collect::<Outcome<_>>()?),
        (&LEASES, leases.collect()),
        (&RESULTS, runs::pack(&changes.frames).into_iter().map(run_row).collect()),
        (&EVENTS, events.collect()),
    ])
}

/// Takes out what is no longer kept.
async fn strike(db: &mut AnyConnection, changes: &Changes) -> sqlx::Result<()> {
    let of_job = |job: &JobId| job.0 as i64;
    for (step, frames) in &changes.reopened {
        for range in frames.ranges() {
            // What was given up has a row of its own.
            let sql = "DELETE FROM results WHERE job = $1 AND step = $2 \
                       AND first_frame BETWEEN $3 AND $4";
            sqlx::query(sql)
                .bind(of_job(&step.job))
                .bind(i64::from(step.index))
                .bind(range.first())
                .bind(range.last())
                .execute(&mut *db)
                .await?;
        }
    }
    for job in changes.compacted.union(&changes.forgotten) {
        let sql = "DELETE FROM leases WHERE job = $1";
        sqlx::query(sql).bind(of_job(job)).execute(&mut *db).await?;
    }
    for job in &changes.forgotten {
        for sql in [
            "DELETE FROM results WHERE job = $1",
            "DELETE FROM steps WHERE job = $1",
            "DELETE FROM jobs WHERE id = $1",
        ] {
            sqlx::query(sql).bind(of_job(job)).execute(&mut *db).await?;
        }
    }
    for worker in changes.departed.keys() {
        let sql = "DELETE FROM workers WHERE id = $1";
        sqlx::query(sql).bind(worker.0 as i64).execute(&mut *db).await?;
    }
    let marks = changes.marks();
    for (name, highest) in [("job", marks.job.0), ("worker", marks.worker.0)] {
        if highest > 0 {
            sqlx::query("UPDATE marks SET value = $1 WHERE name = $2 AND value < $3")
                .bind(highest as i64)
                .bind(name)
                .bind(highest as i64)
                .execute(&mut *db)
                .await?;
        }
    }
    for ((kind, name), _) in changes.settings.iter().filter(|(_, value)| value.is_none()) {
        sqlx::query("DELETE FROM settings WHERE kind = $1 AND name = $2")
            .bind(kind.word())
            .bind(name.as_str())
            .execute(&mut *db)
            .await?;
    }
    Ok(())
}

fn run_row(run: Run) -> Vec<Cell> {
    let (worker, name) = run.by.map_or((0, String::new()), |by| (by.worker.0, by.name.to_string()));
    vec![
        id(run.step.job.0),
        Cell::Int(run.step.index.into()),
        Cell::Int(run.first),
        Cell::Int(run.last),
        id(run.token.0),
        Cell::Bytes(run.body),
        id(worker),
        Cell::Text(name),
    ]
}

/// Writes the runs of an earlier version's results; the caller holds the transaction.
pub(super) async fn write_gathered(db: &mut AnyConnection, runs: Vec<Run>) -> sqlx::Result<()> {
    let mut rows: Vec<Vec<Cell>> = runs.into_iter().map(run_row).collect();
    rows.iter_mut().for_each(|row| row.truncate(GATHERED.columns.len()));
    GATHERED.write(db, rows).await
}

/// Writes every change; the caller holds the transaction.
pub(super) async fn write(db: &mut AnyConnection, changes: &Changes) -> Outcome<sqlx::Result<()>> {
    let tables = rows(changes)?;
    let old = changes.steps.iter().filter(|(id, _)| !changes.new_steps.contains_key(*id));
    let mut states = Vec::new();
    for (step, state) in old {
        states.push((
            *step,
            serde_json::to_string(state).map_err(|e| {
                Fault::new(Code::Internal, "a row cannot be written as JSON").because(&e)
            })?,
        ));
    }
    let all = async {
        strike(db, changes).await?;
        for (table, rows) in tables {
            table.write(db, rows).await?;
        }
        for (step, state) in states {
            sqlx::query("UPDATE steps SET state = $1 WHERE job = $2 AND step = $3")
                .bind(state)
                .bind(step.job.0 as i64)
                .bind(i64::from(step.index))
                .execute(&mut *db)
                .await?;
        }
        Ok(())
    };
    Ok(all.await)
}
