//! What people do from the page. A deed of the [`table`] becomes the gRPC
//! question that the command line would ask, and passes the same gate: its
//! rule, its shows, its line in the audit log; of many at once, each by itself.
//! What was begun is carried out to its end and that is written down, though
//! the page is closed meanwhile.

mod deed;
mod said;
mod table;

use super::connections::Peer;
use super::{Glance, Shared, Site, Who, answer, refused};
use crate::trust::{Caller, HttpGate, carried};
use axum::extract::{ConnectInfo, Json, State};
use axum::response::Response;
use axum::routing::post;
use axum::{Extension, Router};
use deed::{Deed, Order, Task};
use platefarm_model::{Code, Fault, Outcome};
pub(super) use said::Said;
use serde::Deserialize;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::Arc;
use table::DEEDS;
use tokio::task::JoinSet;

/// Most jobs, steps and other things of one question.
const MOST: usize = 500;
/// How many of them are under way at a time, so that they share flushes.
const AT_ONCE: usize = 32;

pub(super) fn data<G: Glance>() -> Router<Arc<Shared<G>>> {
    Router::new().route("/api/deeds", post(act))
}

/// The deeds that `caller` may do, as the page draws them.
pub(super) fn open_to(gate: &HttpGate, caller: &Caller) -> Vec<Value> {
    DEEDS.iter().filter(|deed| gate.may(caller, deed.method())).map(Deed::shown).collect()
}

/// A deed of the page, as the command line has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offered {
    /// The verb: `jobs pause`.
    pub verb: &'static str,
    /// The arguments and options that its form has, besides what it is done to.
    pub fields: Vec<&'static str>,
}

/// Every deed of the page.
#[must_use]
pub fn offered() -> Vec<Offered> {
    DEEDS.iter().map(|deed| Offered { verb: deed.verb, fields: deed.fields().collect() }).collect()
}

/// Something to do, and to what.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    deed: String,
    on: Vec<String>,
    #[serde(default, rename = "with")]
    said: Said,
}

impl Asked {
    fn deed(&self) -> Outcome<&'static Deed> {
        if self.on.len() > MOST {
            let message = format!("{} at once; up to {MOST} are steered", self.on.len());
            return Err(Fault::new(Code::TooMuch, message));
        }
        if self.on.is_empty() {
            let message = "it is not said what it is done to";
            return Err(Fault::new(Code::UnknownOption, message)
                .at("on")
                .remedy("Name a job or step, a worker or what is set up: j12, j12.3, w4."));
        }
        let deed = DEEDS.iter().find(|deed| deed.verb == self.deed).ok_or_else(|| {
            let verbs: Vec<&str> = DEEDS.iter().map(|deed| deed.verb).collect();
            Fault::new(Code::UnknownOption, format!("'{}' is nothing that is done here", self.deed))
                .remedy(format!("Choose one of: {}.", verbs.join(", ")))
        })?;
        self.said.only(deed.fields())?;
        Ok(deed)
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
    /// Does it to one.
    async fn act(&self, deed: &Deed, target: &str, said: &Said) -> Outcome<()> {
        let Order { question, task } = deed.order(target, said)?;
        let (gate, method) = (&self.shared.pages.gate, deed.method());
        let begun = gate.begin(&self.caller, method, self.from, question.into()).await?;
        let outcome = self.carry_out(task).await;
        begun.end(&outcome).await;
        outcome
    }

    async fn carry_out(&self, task: Task) -> Outcome<()> {
        let pages = &self.shared.pages;
        match task {
            Task::Farm(command) => pages.farm.ask(&self.caller, command).await.map(drop),
            Task::Library(show, change) => {
                pages.library.library().await?.set_show(&show, change).await.map(drop)
            }
        }
    }
}

/// What came of it: one that refuses keeps no other from it.
#[derive(Debug, Default)]
struct Came {
    done: Vec<String>,
    refused: Vec<(String, Fault)>,
}

impl Came {
    /// What is answered: which did and which did not, and why; of one alone its refusal.
    fn told(mut self, alone: bool) -> Outcome<Value> {
        if alone && let Some((_, fault)) = self.refused.pop() {
            return Err(fault);
        }
        let refused = self.refused.iter().map(|(target, fault)| {
            let (message, remedy) = (fault.to_string(), fault.remedy_text());
            json!({ "target": target, "message": message, "remedy": remedy })
        });
        Ok(json!({ "done": self.done, "refused": refused.collect::<Vec<_>>() }))
    }
}

async fn act<G: Glance>(
    State(shared): Site<G>,
    ConnectInfo(Peer(from)): ConnectInfo<Peer>,
    Extension(caller): Who,
    Json(asked): Json<Asked>,
) -> Response {
    let deed = match asked.deed() {
        Ok(deed) => deed,
        Err(fault) => return refused(&fault),
    };
    let (hand, alone) = (Hand { shared, caller, from }, asked.on.len() == 1);
    let came = carried(each(hand, deed, asked)).await;
    answer(came.and_then(|came| came.told(alone)))
}

async fn each<G: Glance>(hand: Hand<G>, deed: &'static Deed, asked: Asked) -> Came {
    let said = Arc::new(asked.said);
    let (mut came, mut left) = (Came::default(), asked.on.into_iter());
    let mut under_way = JoinSet::new();
    loop {
        for target in left.by_ref().take(AT_ONCE - under_way.len()) {
            let (hand, said) = (hand.clone(), Arc::clone(&said));
            under_way.spawn(async move {
                let done = hand.act(deed, &target, &said).await;
                (target, done)
            });
        }
        match under_way.join_next().await {
            None => break,
            Some(Ok((target, Ok(())))) => came.done.push(target),
            Some(Ok((target, Err(fault)))) => came.refused.push((target, fault)),
            Some(Err(error)) => {
                let broke = Fault::new(Code::Internal, "what was asked broke off");
                came.refused.push((String::new(), broke.because(&error)));
            }
        }
    }
    if !came.done.is_empty() {
        hand.shared.recent.stale().await;
    }
    came
}
