//! What went wrong with a job's frames, by cause.

use super::{Glance, Shared, Site, Who, answer, jobs};
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::get;
use axum::{Extension, Router};
use platefarm_model::Outcome;
use serde_json::json;
use std::sync::Arc;

pub(super) fn data<G: Glance>() -> Router<Arc<Shared<G>>> {
    Router::new().route("/api/jobs/{job}/errors", get(errors))
}

async fn errors<G: Glance>(
    State(shared): Site<G>,
    Extension(caller): Who,
    Path(job): Path<String>,
) -> Response {
    let found = async {
        let id = jobs::id(&shared, &caller, &job).await?;
        Outcome::Ok(json!({ "causes": shared.pages.farm.causes(id).await? }))
    };
    answer(found.await)
}
