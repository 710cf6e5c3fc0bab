//! A worker's page: what it holds, what it had for the last hour, and what is
//! said against it.

use super::{Glance, Shared, Site, Who, answer};
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::get;
use axum::{Extension, Router};
use platefarm_model::{Code, Fault, Outcome, WorkerId};
use serde_json::json;
use std::sync::Arc;

pub(super) fn data<G: Glance>() -> Router<Arc<Shared<G>>> {
    Router::new().route("/api/workers/{worker}", get(worker))
}

async fn worker<G: Glance>(
    State(shared): Site<G>,
    Extension(caller): Who,
    Path(worker): Path<String>,
) -> Response {
    let found = async {
        let id: WorkerId = worker.parse()?;
        let moment = shared.recent.get(&shared.pages.farm).await?;
        let unknown = || Fault::new(Code::NoSuchWorker, format!("there is no worker {id}"));
        let workers = moment.workers(&caller);
        let view = workers.iter().find(|worker| worker.id == id).ok_or_else(unknown)?;
        Outcome::Ok(json!({ "worker": view, "history": shared.samples.of_worker(id) }))
    };
    answer(found.await)
}
