//! A job's page: its steps, a part of them at a time, and its frames with
//! their times. Times are summed up here, so that a step of a hundred thousand
//! frames costs a page no more than one of a hundred.

use super::{Glance, Shared, Site, Who, answer, in_time};
use crate::core::State as Farm;
use crate::service::Page;
use crate::trust::Caller;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use axum::routing::get;
use axum::{Extension, Router};
use platefarm_model::farm::Target;
use platefarm_model::job::{FrameOutcome, FrameResult, JobView, Phase, StepView};
use platefarm_model::making::Making;
use platefarm_model::{Code, Fault, FrameRange, JobId, Outcome, StepId, WorkerId};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Most steps of a page.
const MOST_STEPS: usize = 100;
/// Most small pictures of a page, of those that came last.
const MOST_STILLS: usize = 60;
/// Most cells of a grid.
const MOST_CELLS: u64 = 1000;
/// Most frames that are told in full.
const MOST_FRAMES: usize = 200;

pub(super) fn data<G: Glance>() -> Router<Arc<Shared<G>>> {
    Router::new()
        .route("/api/jobs/{job}", get(job))
        .route("/api/jobs/{job}/explain", get(explain))
        .route("/api/jobs/{job}/steps/{step}/times", get(times))
        .route("/api/jobs/{job}/steps/{step}/frames", get(frames))
}

/// What `look` sees of a job that the caller sees.
pub(super) async fn look_at<G: Glance, T: Send + 'static>(
    shared: &Shared<G>,
    caller: &Caller,
    job: &str,
    look: impl FnOnce(&Farm, JobId) -> Outcome<T> + Send + 'static,
) -> Outcome<T> {
    let id: JobId = job.parse()?;
    let caller = caller.clone();
    let look = shared.pages.farm.look_at(id, move |farm| {
        caller.check(&farm.show_of(id)?, &id.to_string())?;
        look(farm, id)
    });
    in_time(look).await?
}

/// A job that the caller sees, with its steps.
async fn seen<G: Glance>(shared: &Shared<G>, caller: &Caller, job: &str) -> Outcome<JobView> {
    look_at(shared, caller, job, Farm::job).await
}

/// The id of a job that the caller sees.
pub(super) async fn id<G: Glance>(
    shared: &Shared<G>,
    caller: &Caller,
    job: &str,
) -> Outcome<JobId> {
    look_at(shared, caller, job, |_, id| Ok(id)).await
}

/// Which of a job's steps are wanted.
#[derive(Debug, Deserialize)]
#[serde(default)]
struct Steps {
    /// A phase; `open`: not settled; anything else: all.
    only: String,
    skip: usize,
    most: usize,
}

impl Default for Steps {
    fn default() -> Self {
        Self { only: String::new(), skip: 0, most: 25 }
    }
}

async fn job<G: Glance>(
    State(shared): Site<G>,
    Extension(caller): Who,
    Path(job): Path<String>,
    Query(wanted): Query<Steps>,
) -> Response {
    let found = seen(&shared, &caller, &job).await;
    answer(found.map(|mut job| {
        let stills = shared.pages.farm.stills().of_job(job.id).into_iter().take(MOST_STILLS);
        let named = |(step, frame): (u32, i64)| {
            let name = job.steps.get(step as usize).map(|step| &step.name);
            json!({ "step": step, "name": name, "frame": frame })
        };
        let stills: Vec<Value> = stills.map(named).collect();
        let making: Vec<Value> = job.steps.iter().filter_map(making).collect();
        let packs = |step: &StepView| step.is_package() && step.phase == Phase::Running;
        let packs = job.steps.iter().any(packs);
        let mut phases: BTreeMap<&str, u64> = BTreeMap::new();
        for step in &job.steps {
            *phases.entry(step.phase.word()).or_default() += 1;
        }
        let phases = json!(phases);
        let phase = Phase::parse(&wanted.only);
        let holds = |step: &StepView| match wanted.only.as_str() {
            "open" => !step.phase.is_settled(),
            _ => phase.is_none_or(|phase| step.phase == phase),
        };
        job.steps.retain(holds);
        let steps = job.steps.len();
        let skip = wanted.skip.min(steps);
        job.steps.drain(..skip);
        job.steps.truncate(wanted.most.clamp(1, MOST_STEPS));
        let mut document = json!(job);
        // A list also where none is left of it.
        document["steps"] = json!(job.steps);
        document["steps_found"] = json!(steps);
        document["step_phases"] = phases;
        document["stills"] = json!(stills);
        document["making"] = json!(making);
        document["packs"] = json!(packs);
        document
    }))
}

/// How far the package of a step is, where it makes one.
fn making(step: &StepView) -> Option<Value> {
    let Making { stage, done, total, bytes, total_bytes } = step.making?;
    Some(json!({
        "step": step.id.index, "name": step.name, "what": stage.words(),
        "done": done, "total": total, "bytes": bytes, "total_bytes": total_bytes,
    }))
}

async fn explain<G: Glance>(
    State(shared): Site<G>,
    Extension(caller): Who,
    Path(job): Path<String>,
) -> Response {
    let explained = async {
        let id = id(&shared, &caller, &job).await?;
        in_time(shared.pages.farm.live(move |farm| farm.explain(Target::Job(id)))).await?
    };
    answer(explained.await)
}

/// The results of one step, or of a part of it, with all its frames.
async fn of_step<G: Glance>(
    shared: &Shared<G>,
    caller: &Caller,
    job: &str,
    step: u32,
    part: Option<Span>,
) -> Outcome<(FrameRange, Page)> {
    let job = seen(shared, caller, job).await?;
    let id = StepId { job: job.id, index: step };
    let view = job.steps.into_iter().nth(step as usize);
    let unknown = || Fault::new(Code::BadId, format!("there is no step {id}"));
    let all = view.ok_or_else(unknown)?.frames;
    let part = part.map(|span| FrameRange::new(span.first, span.last)).transpose()?;
    Ok((all, shared.pages.farm.results(id, part.unwrap_or(all)).await?))
}

fn millis(result: &FrameResult) -> f64 {
    result.millis.values().sum()
}

fn done(page: &Page) -> impl Iterator<Item = &FrameResult> {
    page.rows.iter().filter_map(|row| match &row.outcome {
        FrameOutcome::Done(result) => Some(result.as_ref()),
        FrameOutcome::Failed { .. } => None,
    })
}

/// Into how many cells the frames of a step go.
#[derive(Debug, Deserialize)]
struct Cells {
    cells: u64,
}

async fn times<G: Glance>(
    State(shared): Site<G>,
    Extension(caller): Who,
    Path((job, step)): Path<(String, u32)>,
    Query(Cells { cells }): Query<Cells>,
) -> Response {
    let found = of_step(&shared, &caller, &job, step, None).await;
    answer(found.map(|(frames, page)| timing(frames, &page, cells.clamp(1, MOST_CELLS))))
}

/// Mean time of the frames of each cell, and what is usual.
fn timing(frames: FrameRange, page: &Page, cells: u64) -> Value {
    let cells = cells.min(frames.len());
    let mut sums = vec![(0.0, 0u32); cells as usize];
    let mut stages: BTreeMap<&str, f64> = BTreeMap::new();
    let mut all: Vec<(f64, i64)> = Vec::new();
    for result in done(page).filter(|it| frames.contains(it.frame)) {
        let place = result.frame.abs_diff(frames.first());
        let cell = u128::from(place) * u128::from(cells) / u128::from(frames.len());
        let (sum, count) = &mut sums[cell as usize];
        *sum += millis(result);
        *count += 1;
        all.push((millis(result), result.frame));
        for (stage, time) in &result.millis {
            *stages.entry(stage).or_default() += time;
        }
    }
    all.sort_by(|a, b| b.0.total_cmp(&a.0));
    for time in stages.values_mut() {
        *time /= all.len().max(1) as f64;
    }
    let means: Vec<Option<f64>> =
        sums.iter().map(|(sum, count)| (*count > 0).then(|| sum / f64::from(*count))).collect();
    let slowest: Vec<Value> =
        all.iter().take(5).map(|(time, frame)| json!({ "frame": frame, "ms": time })).collect();
    json!({
        "cells": means,
        "median_ms": all.get(all.len() / 2).map(|it| it.0),
        "stages": stages,
        "slowest": slowest,
        "workers": workers(page),
    })
}

/// Who did the frames, and how fast.
fn workers(page: &Page) -> Vec<Value> {
    let mut by: BTreeMap<_, (Option<&str>, f64, u64)> = BTreeMap::new();
    let mut doers = page.doers.iter().peekable();
    for result in done(page) {
        while doers.peek().is_some_and(|doer| doer.frames.last() < result.frame) {
            doers.next();
        }
        let Some(doer) = doers.peek().filter(|doer| doer.frames.contains(result.frame)) else {
            continue;
        };
        let entry = by.entry(doer.worker).or_insert((doer.name.as_deref(), 0.0, 0));
        entry.1 += millis(result);
        entry.2 += 1;
    }
    let row = |(id, (name, sum, frames)): (WorkerId, (Option<&str>, f64, u64))| json!({ "worker": id, "name": name, "frames": frames, "mean_ms": sum / frames as f64 });
    by.into_iter().map(row).collect()
}

/// Which frames are to be told.
#[derive(Debug, Deserialize)]
struct Span {
    first: i64,
    last: i64,
}

async fn frames<G: Glance>(
    State(shared): Site<G>,
    Extension(caller): Who,
    Path((job, step)): Path<(String, u32)>,
    Query(span): Query<Span>,
) -> Response {
    let found = of_step(&shared, &caller, &job, step, Some(span)).await;
    answer(found.map(|(_, page)| {
        let told = page.rows.iter().take(MOST_FRAMES).map(|row| {
            let frame = row.outcome.frame();
            let doer = page.doers.iter().find(|doer| doer.frames.contains(frame));
            let worker = doer.map(|doer| json!({ "id": doer.worker, "name": doer.name }));
            match &row.outcome {
                FrameOutcome::Done(result) => {
                    json!({ "frame": frame, "worker": worker, "ms": millis(result), "done": result })
                }
                FrameOutcome::Failed { fault, .. } => json!({
                    "frame": frame, "worker": worker, "fault": fault, "remedy": fault.remedy_text(),
                }),
            }
        });
        json!({ "frames": told.collect::<Vec<_>>() })
    }))
}
