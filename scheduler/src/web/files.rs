//! The files of the page, which anybody may have: markup, style and scripts
//! without a library or a build.

use super::{Glance, Shared};
use axum::Router;
use axum::http::header;
use axum::routing::get;
use std::sync::Arc;

/// Name, kind and text of each.
macro_rules! files {
    ($($name:literal $kind:literal),+ $(,)?) => {
        &[$(($name, $kind, include_str!(concat!("page/", $name)))),+]
    };
}

const SCRIPT: &str = "text/javascript; charset=utf-8";

const FILES: &[(&str, &str, &str)] = files![
    "app.css" "text/css; charset=utf-8",
    "icon.svg" "image/svg+xml",
    "app.js" "script",
    "deeds.js" "script",
    "draw.js" "script",
    "farm.js" "script",
    "job.js" "script",
    "jobs.js" "script",
    "library.js" "script",
    "link.js" "script",
    "setup.js" "script",
    "workers.js" "script",
];

pub(super) fn page<G: Glance>() -> Router<Arc<Shared<G>>> {
    let file = |kind: &'static str, text: &'static str| {
        get(move || async move { ([(header::CONTENT_TYPE, kind)], text) })
    };
    let index = file("text/html; charset=utf-8", include_str!("page/index.html"));
    FILES.iter().fold(Router::new().route("/", index), |router, (name, kind, text)| {
        let kind = if *kind == "script" { SCRIPT } else { kind };
        router.route(&format!("/{name}"), file(kind, text))
    })
}
