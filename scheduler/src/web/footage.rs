//! The library: clips that are looked for, the cards of their formats, and
//! what holds for the pulls of shows.

use super::{Glance, Shared, Site, Who, answer};
use crate::library::Search;
use axum::extract::{Query, State};
use axum::response::Response;
use axum::routing::get;
use axum::{Extension, Router};
use platefarm_model::{Code, Outcome};
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;

/// Most clips of an answer.
const MOST: usize = 200;

pub(super) fn data<G: Glance>() -> Router<Arc<Shared<G>>> {
    Router::new()
        .route("/api/library", get(clips))
        .route("/api/formats", get(formats))
        .route("/api/shows", get(shows))
}

/// What callers are told that they may not see.
const WHAT: &str = "the library";

#[derive(Debug, Deserialize)]
#[serde(default)]
struct Wanted {
    find: String,
    show: Option<String>,
    most: usize,
}

impl Default for Wanted {
    fn default() -> Self {
        Self { find: String::new(), show: None, most: 50 }
    }
}

async fn clips<G: Glance>(
    State(shared): Site<G>,
    Extension(caller): Who,
    Query(wanted): Query<Wanted>,
) -> Response {
    let found = async {
        let words: Vec<&str> = wanted.find.split_whitespace().collect();
        let mut search = Search::parse(&words)?;
        search.show = caller.one_show(wanted.show.or(search.show.take()), WHAT)?;
        let (shelf, most) = (Arc::clone(&shared.pages.library), wanted.most.clamp(1, MOST));
        let look = async move {
            let (clips, count) = shelf.library().await?.search(&search, most).await?;
            Outcome::Ok(json!({ "clips": clips, "count": count }))
        };
        shared.pages.library.look(look).await
    };
    answer(found.await)
}

#[derive(Debug, Deserialize)]
struct OfShow {
    show: Option<String>,
}

async fn formats<G: Glance>(
    State(shared): Site<G>,
    Extension(caller): Who,
    Query(of): Query<OfShow>,
) -> Response {
    let found = async {
        let show = caller.one_show(of.show, WHAT)?;
        let shelf = Arc::clone(&shared.pages.library);
        let look = async move {
            let formats = shelf.library().await?.formats(show.as_deref()).await?;
            Outcome::Ok(json!({ "formats": formats }))
        };
        shared.pages.library.look(look).await
    };
    answer(found.await)
}

/// What holds for the pulls of shows; none where there is no library that could say.
async fn shows<G: Glance>(State(shared): Site<G>, Extension(caller): Who) -> Response {
    let found = async {
        let shelf = Arc::clone(&shared.pages.library);
        let look = async move { shelf.library().await?.shows().await };
        let shows = match shared.pages.library.look(look).await {
            Ok(shows) => shows,
            Err(fault) if fault.code == Code::NoMedia => return Ok(json!({ "shows": null })),
            Err(fault) => return Err(fault),
        };
        let mine = shows.iter().filter(|show| caller.sees(&show.defaults.show));
        let told = mine.map(|show| {
            let (defaults, choices) = (&show.defaults, show.choices.choices.len());
            json!({ "show": defaults.show, "defaults": defaults, "choices": choices })
        });
        Outcome::Ok(json!({ "shows": told.collect::<Vec<_>>() }))
    };
    answer(found.await)
}
