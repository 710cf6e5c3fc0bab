//! The dashboard: a page without a library or a build, and the data that it
//! asks for. The stream says the overview anew whenever it has changed; lists and
//! single jobs are asked for when somebody looks at them.

use super::{Glance, Shared, Site, Who, glance, refused};
use crate::core::State as Farm;
use crate::trust::Caller;
use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Json, Router};
use platefarm_model::job::{JobView, Phase};
use platefarm_model::{JobId, Outcome};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

/// Between two looks of a stream: what a person can follow.
const PAUSE: Duration = Duration::from_secs(1);
/// Jobs of an overview.
const FRONT: usize = 60;
/// Most jobs of a list.
const MOST: usize = 2000;

/// The files of the page, which anybody may have.
pub(super) fn page<G: Glance>() -> Router<Arc<Shared<G>>> {
    let file = |kind: &'static str, text: &'static str| {
        get(move || async move { ([(header::CONTENT_TYPE, kind)], text) })
    };
    Router::new()
        .route("/", file("text/html; charset=utf-8", include_str!("page/index.html")))
        .route("/app.js", file("text/javascript; charset=utf-8", include_str!("page/app.js")))
        .route("/app.css", file("text/css; charset=utf-8", include_str!("page/app.css")))
        .route("/icon.svg", file("image/svg+xml", include_str!("page/icon.svg")))
}

/// What the page asks for.
pub(super) fn data<G: Glance>() -> Router<Arc<Shared<G>>> {
    Router::new()
        .route("/api/stream", get(stream))
        .route("/api/jobs", get(list))
        .route("/api/jobs/{job}", get(job))
}

fn settled(phase: Phase) -> bool {
    phase.is_settled()
}

/// Those at work first, then the newest.
fn seen(farm: &Farm, caller: &Caller) -> Vec<JobView> {
    let mut jobs = farm.jobs(false);
    jobs.retain(|job| caller.sees(&job.show));
    jobs.sort_by_key(|job| (settled(job.phase), std::cmp::Reverse(job.id)));
    jobs
}

/// The farm in one document.
fn overview(farm: &Farm, caller: &Caller) -> Value {
    let mut jobs = seen(farm, caller);
    let open = jobs.iter().filter(|job| !settled(job.phase));
    let running = open.clone().filter(|job| job.phase == Phase::Running).count();
    let left = |job: &JobView| job.frames_total - job.frames_done - job.frames_failed;
    let counts = json!({
        "jobs": jobs.len(),
        "running": running,
        "waiting": open.clone().count() - running,
        "frames_waiting": open.map(left).sum::<u64>(),
    });
    jobs.truncate(FRONT);
    json!({ "counts": counts, "jobs": jobs, "workers": farm.workers() })
}

async fn stream<G: Glance>(State(shared): Site<G>, Extension(caller): Who) -> Response {
    let permit = match shared.pages.gate.stream(&caller) {
        Ok(permit) => permit,
        Err(fault) => return refused(&fault),
    };
    let (to, events) = mpsc::channel::<Result<Event, std::convert::Infallible>>(1);
    tokio::spawn(async move {
        let _held = permit;
        let mut closing = shared.pages.closing.clone();
        let mut last = Value::Null;
        loop {
            let asker = caller.clone();
            let look = glance(&shared.pages.farm, move |farm| overview(farm, &asker)).await;
            if let Ok(mut document) = look {
                document["samples"] = json!(shared.samples.drawn());
                if document != last {
                    let event = Event::default().data(document.to_string());
                    if to.send(Ok(event)).await.is_err() {
                        return;
                    }
                    last = document;
                }
            }
            tokio::select! {
                () = tokio::time::sleep(PAUSE) => {}
                () = to.closed() => return,
                _ = closing.wait_for(|closing| *closing) => return,
            }
        }
    });
    Sse::new(ReceiverStream::new(events)).keep_alive(KeepAlive::default()).into_response()
}

/// Which jobs are wanted.
#[derive(Debug, Deserialize)]
struct Wanted {
    /// Part of an id, name or show.
    #[serde(default)]
    find: String,
    /// `all`, `active`, `failed`.
    #[serde(default)]
    only: String,
    /// Most of them.
    #[serde(default)]
    most: usize,
}

impl Wanted {
    fn holds(&self, job: &JobView) -> bool {
        let which = match self.only.as_str() {
            "active" => !settled(job.phase),
            "failed" => job.phase == Phase::Failed,
            _ => true,
        };
        let find = self.find.trim().to_lowercase();
        let text = format!("{} {} {}", job.id, job.name, job.show).to_lowercase();
        which && text.contains(&find)
    }
}

async fn list<G: Glance>(
    State(shared): Site<G>,
    Extension(caller): Who,
    Query(wanted): Query<Wanted>,
) -> Response {
    let look = glance(&shared.pages.farm, move |farm| {
        let mut jobs = seen(farm, &caller);
        let all = jobs.len();
        jobs.retain(|job| wanted.holds(job));
        let found = jobs.len();
        jobs.truncate(wanted.most.clamp(1, MOST));
        json!({ "all": all, "found": found, "jobs": jobs })
    });
    answer(look.await)
}

async fn job<G: Glance>(
    State(shared): Site<G>,
    Extension(caller): Who,
    Path(job): Path<String>,
) -> Response {
    let id: JobId = match job.parse() {
        Ok(id) => id,
        Err(fault) => return refused(&fault),
    };
    let look = glance(&shared.pages.farm, move |farm| {
        let show = farm.show_of(id)?;
        caller.check(&show, &id.to_string())?;
        farm.job(id)
    });
    answer(look.await.and_then(|job| job).map(|job| json!(job)))
}

fn answer(outcome: Outcome<Value>) -> Response {
    match outcome {
        Ok(value) => Json(value).into_response(),
        Err(fault) => refused(&fault),
    }
}
