//! What is set up: shares of shows, pools, limits, and what people said of
//! nodes; and what more workers would be given.

use super::deeds::Said;
use super::{Glance, Shared, Site, answer};
use axum::Router;
use axum::extract::{Query, State};
use axum::response::Response;
use axum::routing::get;
use platefarm_model::Outcome;
use platefarm_model::explain::{SettingsView, ShareView, WhatIf};
use platefarm_model::farm::{Share, WorkerClass, WorkerTraits};
use serde::Serialize;
use serde_json::{Value, json};
use std::sync::Arc;

pub(super) fn data<G: Glance>() -> Router<Arc<Shared<G>>> {
    Router::new().route("/api/settings", get(settings)).route("/api/whatif", get(what_if))
}

async fn settings<G: Glance>(State(shared): Site<G>) -> Response {
    let moment = shared.recent.get(&shared.pages.farm).await;
    answer(moment.map(|moment| shown(&moment.settings)))
}

/// A show's share, and whether somebody gave it one of its own.
#[derive(Serialize)]
struct OfShow<'v> {
    #[serde(flatten)]
    view: &'v ShareView,
    own: bool,
}

fn shown(set: &SettingsView) -> Value {
    let shares = set.shares.iter();
    let shares = shares.map(|view| OfShow { view, own: view.share != Share::default() });
    let shares: Vec<OfShow<'_>> = shares.collect();
    json!({ "pools": set.pools, "limits": set.limits, "shares": shares, "nodes": set.nodes })
}

/// The workers that a form imagines.
fn imagined(said: &Said) -> Outcome<WhatIf> {
    let traits = WorkerTraits {
        labels: said.words("labels"),
        pools: said.words("pools"),
        memory_mib: said.number("memory")?.unwrap_or_default(),
        ..WorkerTraits::default()
    };
    Ok(WhatIf {
        workers: said.number("workers")?.unwrap_or(1),
        class: said.read("class")?.unwrap_or(WorkerClass::Cpu),
        slots: said.number("slots")?.unwrap_or(1),
        traits,
    })
}

async fn what_if<G: Glance>(State(shared): Site<G>, Query(said): Query<Said>) -> Response {
    answer(match imagined(&said) {
        Ok(imagined) => shared.pages.farm.what_if(imagined).await,
        Err(fault) => Err(fault),
    })
}
