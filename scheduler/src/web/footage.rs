//! The library: clips that are looked for, and the cards of their formats.

use super::{Glance, Shared, Site, Who, answer};
use crate::library::{Library, Search};
use crate::trust::Caller;
use axum::extract::{Query, State};
use axum::response::Response;
use axum::routing::get;
use axum::{Extension, Router};
use platefarm_model::{Code, Fault, Outcome};
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;

/// Most clips of an answer.
const MOST: usize = 200;

pub(super) fn data<G: Glance>() -> Router<Arc<Shared<G>>> {
    Router::new().route("/api/library", get(clips)).route("/api/formats", get(formats))
}

async fn open<G: Glance>(shared: &Shared<G>) -> Outcome<Library> {
    let place = shared.pages.library.as_ref().ok_or_else(|| {
        Fault::new(Code::NoMedia, "this scheduler has no library to search").remedy(
            "Add clips with `platefarm library add`, and name the store with --library-store.",
        )
    })?;
    Library::open(place).await
}

/// The show to look in: the one that is named, or the caller's only one.
fn show(caller: &Caller, named: Option<String>) -> Outcome<Option<String>> {
    match (named.filter(|show| !show.is_empty()), caller.shows.as_slice()) {
        (Some(show), _) => caller.check(&show, "the library").map(|()| Some(show)),
        (None, []) => Ok(None),
        (None, [only]) => Ok(Some(only.clone())),
        (None, _) => Err(Fault::new(Code::OutsideShow, "the library is of many shows")
            .remedy(format!("Name one of: {}.", caller.shows.join(", ")))),
    }
}

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
        search.show = show(&caller, wanted.show.or(search.show.take()))?;
        let library = open(&shared).await?;
        let (clips, count) = library.search(&search, wanted.most.clamp(1, MOST)).await?;
        Outcome::Ok(json!({ "clips": clips, "count": count }))
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
        let show = show(&caller, of.show)?;
        let formats = open(&shared).await?.formats(show.as_deref()).await?;
        Outcome::Ok(json!({ "formats": formats }))
    };
    answer(found.await)
}
