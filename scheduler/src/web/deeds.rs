//! What people do from the page. A deed becomes the gRPC question that the
//! command line would ask, and passes the same gate: its rule, its shows, its
//! line in the audit log.

use super::{Glance, Shared, Site, Who, answer};
use crate::core::Command;
use axum::extract::{ConnectInfo, Json, State};
use axum::response::Response;
use axum::routing::post;
use axum::{Extension, Router};
use platefarm_model::farm::{Control, NodeControl, PriorityClass, Target};
use platefarm_model::{FrameSet, WorkerId};
use platefarm_proto::v1;
use prost::Message;
use serde::Deserialize;
use serde_json::json;
use std::net::SocketAddr;
use std::sync::Arc;

pub(super) fn data<G: Glance>() -> Router<Arc<Shared<G>>> {
    Router::new()
        .route("/api/control/job", post(control_job))
        .route("/api/control/worker", post(control_worker))
}

/// Something to do to a job or step.
#[derive(Debug, Deserialize)]
struct JobDeed {
    target: String,
    #[serde(rename = "do")]
    deed: Deed,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Deed {
    Pause,
    Resume,
    Cancel,
    Retry { frames: Option<FrameSet> },
    Priority { class: Option<PriorityClass>, number: Option<i32> },
}

impl From<Deed> for Control {
    fn from(deed: Deed) -> Self {
        match deed {
            Deed::Pause => Self::Pause,
            Deed::Resume => Self::Resume,
            Deed::Cancel => Self::Cancel,
            Deed::Retry { frames } => Self::Retry(frames),
            Deed::Priority { class, number } => Self::Priority { class, priority: number },
        }
    }
}

/// Something to do to a worker's node.
#[derive(Debug, Deserialize)]
struct WorkerDeed {
    worker: String,
    #[serde(rename = "do")]
    deed: NodeDeed,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum NodeDeed {
    Drain,
    Resume,
    Quarantine { reason: String },
    Remove,
}

impl From<NodeDeed> for NodeControl {
    fn from(deed: NodeDeed) -> Self {
        match deed {
            NodeDeed::Drain => Self::Drain,
            NodeDeed::Resume => Self::Resume,
            NodeDeed::Quarantine { reason } => Self::Quarantine { reason },
            NodeDeed::Remove => Self::Remove,
        }
    }
}

async fn control_job<G: Glance>(
    State(shared): Site<G>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    Extension(caller): Who,
    Json(asked): Json<JobDeed>,
) -> Response {
    let done = async {
        let (target, control): (Target, Control) = (asked.target.parse()?, asked.deed.into());
        let question = v1::ControlJobRequest::from((target, &control)).encode_to_vec();
        let gate = &shared.pages.gate;
        let method = "/platefarm.v1.Farm/ControlJob";
        let deed = gate.begin(&caller, method, from, question.into()).await?;
        let outcome = shared.pages.farm.ask(Command::Control(target, control)).await;
        deed.end(&outcome).await;
        shared.recent.stale().await;
        outcome.map(|_| json!({ "target": target.to_string() }))
    };
    answer(done.await)
}

async fn control_worker<G: Glance>(
    State(shared): Site<G>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    Extension(caller): Who,
    Json(asked): Json<WorkerDeed>,
) -> Response {
    let done = async {
        let (worker, control): (WorkerId, NodeControl) = (asked.worker.parse()?, asked.deed.into());
        let action = Some(control.clone().into());
        let question = v1::ControlWorkerRequest { worker: worker.0, action }.encode_to_vec();
        let gate = &shared.pages.gate;
        let method = "/platefarm.v1.Farm/ControlWorker";
        let deed = gate.begin(&caller, method, from, question.into()).await?;
        let outcome = shared.pages.farm.ask(Command::Node(worker, control)).await;
        deed.end(&outcome).await;
        shared.recent.stale().await;
        outcome.map(|_| json!({ "worker": worker }))
    };
    answer(done.await)
}
