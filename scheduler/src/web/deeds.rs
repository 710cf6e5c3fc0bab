//! What people do from the page. A deed becomes the gRPC question that the
//! command line would ask, and passes the same gate: its rule, its shows, its
//! line in the audit log; of many at once, each by itself. What was begun is
//! carried out to its end and that is written down, though the page is closed
//! meanwhile.

use super::connections::Peer;
use super::{Glance, Shared, Site, Who, answer, glance};
use crate::core::{Command, State as Farm};
use crate::trust::{Caller, carried};
use axum::extract::{ConnectInfo, Json, State};
use axum::response::Response;
use axum::routing::post;
use axum::{Extension, Router};
use platefarm_model::farm::{Control, NodeControl, PriorityClass, Target};
use platefarm_model::{Code, Fault, FrameSet, Outcome, WorkerId};
use platefarm_proto::v1;
use prost::Message;
use serde::Deserialize;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::task::JoinSet;

/// Most jobs and steps of one question.
const MOST: usize = 500;
/// How many of them are under way at a time, so that they share flushes.
const AT_ONCE: usize = 32;

pub(super) fn data<G: Glance>() -> Router<Arc<Shared<G>>> {
    Router::new()
        .route("/api/control/job", post(control_job))
        .route("/api/control/jobs", post(control_jobs))
        .route("/api/control/worker", post(control_worker))
}

/// Something to do to a job or step.
#[derive(Debug, Deserialize)]
struct JobDeed {
    target: String,
    #[serde(rename = "do")]
    deed: Deed,
}

/// Something to do to many.
#[derive(Debug, Deserialize)]
struct JobDeeds {
    targets: Vec<String>,
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

/// Who does it, and where it is done.
struct Hand<G> {
    shared: Arc<Shared<G>>,
    caller: Caller,
    from: SocketAddr,
}

impl<G> Clone for Hand<G> {
    fn clone(&self) -> Self {
        let (shared, caller) = (Arc::clone(&self.shared), self.caller.clone());
        Self { shared, caller, from: self.from }
    }
}

impl<G: Glance> Hand<G> {
    /// Asks `question` of `method`, and does `command` where that is let.
    async fn act(&self, method: &str, question: Vec<u8>, command: Command) -> Outcome<()> {
        let pages = &self.shared.pages;
        let deed = pages.gate.begin(&self.caller, method, self.from, question.into()).await?;
        let outcome = match self.may_rank(&command).await {
            Ok(()) => pages.farm.ask(command).await,
            Err(fault) => Err(fault),
        };
        deed.end(&outcome).await;
        outcome.map(drop)
    }

    /// Whether the class that a command asks for is one that they may ask for.
    async fn may_rank(&self, command: &Command) -> Outcome<()> {
        let Command::Control(target, Control::Priority { class: Some(class), .. }) = command else {
            return Ok(());
        };
        let (caller, id, class) = (self.caller.clone(), target.job(), *class);
        let look = move |farm: &Farm| caller.may_rank(farm, class, &farm.show_of(id)?);
        glance(&self.shared.pages.farm, look).await?
    }

    async fn steer(&self, target: &str, control: &Control) -> Outcome<()> {
        let target: Target = target.parse()?;
        let question = v1::ControlJobRequest::from((target, control)).encode_to_vec();
        let command = Command::Control(target, control.clone());
        self.act("/platefarm.v1.Farm/ControlJob", question, command).await
    }
}

async fn control_job<G: Glance>(
    State(shared): Site<G>,
    ConnectInfo(Peer(from)): ConnectInfo<Peer>,
    Extension(caller): Who,
    Json(asked): Json<JobDeed>,
) -> Response {
    let hand = Hand { shared, caller, from };
    let done = carried(async move {
        let done = hand.steer(&asked.target, &asked.deed.into()).await;
        hand.shared.recent.stale().await;
        done.map(|()| json!({ "target": asked.target }))
    });
    answer(done.await.and_then(|done| done))
}

/// One that refuses keeps no other from it: the answer says which did, and why.
async fn control_jobs<G: Glance>(
    State(shared): Site<G>,
    ConnectInfo(Peer(from)): ConnectInfo<Peer>,
    Extension(caller): Who,
    Json(asked): Json<JobDeeds>,
) -> Response {
    if asked.targets.len() > MOST {
        let message = format!("{} jobs at once; up to {MOST} are steered", asked.targets.len());
        return answer(Outcome::<()>::Err(Fault::new(Code::TooMuch, message)));
    }
    let hand = Hand { shared, caller, from };
    answer(carried(each(hand, asked)).await)
}

async fn each<G: Glance>(hand: Hand<G>, asked: JobDeeds) -> Value {
    let control: Control = asked.deed.into();
    let (mut done, mut refused): (Vec<String>, Vec<Value>) = Default::default();
    let mut left = asked.targets.into_iter();
    let mut under_way = JoinSet::new();
    loop {
        for target in left.by_ref().take(AT_ONCE - under_way.len()) {
            let (hand, control) = (hand.clone(), control.clone());
            under_way.spawn(async move {
                let steered = hand.steer(&target, &control).await;
                (target, steered)
            });
        }
        match under_way.join_next().await {
            None => break,
            Some(Ok((target, Ok(())))) => done.push(target),
            Some(Ok((target, Err(fault)))) => refused.push(json!({
                "target": target, "message": fault.to_string(), "remedy": fault.remedy_text(),
            })),
            Some(Err(error)) => refused.push(json!({ "message": error.to_string() })),
        }
    }
    hand.shared.recent.stale().await;
    json!({ "done": done, "refused": refused })
}

async fn control_worker<G: Glance>(
    State(shared): Site<G>,
    ConnectInfo(Peer(from)): ConnectInfo<Peer>,
    Extension(caller): Who,
    Json(asked): Json<WorkerDeed>,
) -> Response {
    let hand = Hand { shared, caller, from };
    let done = carried(async move {
        let (worker, control): (WorkerId, NodeControl) = (asked.worker.parse()?, asked.deed.into());
        let action = Some(control.clone().into());
        let question = v1::ControlWorkerRequest { worker: worker.0, action }.encode_to_vec();
        let command = Command::Node(worker, control);
        let done = hand.act("/platefarm.v1.Farm/ControlWorker", question, command).await;
        hand.shared.recent.stale().await;
        done.map(|()| json!({ "worker": worker }))
    });
    answer(done.await.and_then(|done| done))
}
