//! The scheduler's HTTP side: health for probes, metrics for Prometheus, and
//! the dashboard.
//!
//! It listens on an address of its own, in the open, for what cannot speak
//! gRPC. Off loopback everybody shows a token there too, and something else
//! has to encrypt the way (`--plaintext` says that it does). The page holds
//! nothing that is worth a token; what it shows it asks for with one.
//!
//! Where nobody has to say who they are, a page of somebody else's in the same
//! browser must not act in their place: a question has to name this machine by
//! its address and not by a name that others may point here, and a deed has to
//! come as JSON, which browsers send across sites only when they are let.

mod connections;
mod deeds;
mod errors;
mod files;
mod footage;
mod jobs;
mod metrics;
mod overview;
mod pictures;
mod recent;
mod samples;
mod settings;
mod stages;
mod workers;

#[cfg(test)]
mod tests;

pub use deeds::{Offered, offered};
pub(crate) use metrics::Metrics;

use crate::core::{Command, Listed, Reply, State as Farm};
use crate::library::Shelf;
use crate::service::{Page, Stills};
use crate::trust::{Caller, HttpGate};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use connections::{Bounded, Peer};
use metrics::Seen;
use platefarm_model::cause::Cause;
use platefarm_model::code::Owner;
use platefarm_model::explain::{WhatIf, WhatIfAnswer};
use platefarm_model::job::WorkerView;
use platefarm_model::query::JobQuery;
use platefarm_model::status::Audit;
use platefarm_model::{Code, Fault, FrameRange, JobId, Outcome, StepId};
use recent::Recent;
use samples::Samples;
use serde::Serialize;
use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// How long the farm may take to be looked at, before it counts as not ready.
const LOOK: Duration = Duration::from_secs(5);

/// The farm, as the pages have it.
pub(crate) trait Glance: Clone + Send + Sync + 'static {
    /// What `look` sees of it, as it is stored.
    fn look<T: Send + 'static>(
        &self,
        look: impl FnOnce(&Farm) -> T + Send + 'static,
    ) -> impl Future<Output = Outcome<T>> + Send;

    /// The jobs that a question holds of, of the shows that are seen, newest first.
    fn jobs(
        &self,
        query: JobQuery,
        sees: impl Fn(&str) -> bool + Clone + Send + 'static,
    ) -> impl Future<Output = Outcome<Listed>> + Send;

    /// Returns when a question would be answered.
    fn ready(&self) -> impl Future<Output = Outcome<()>> + Send;

    /// Whether somebody is there who answers questions, now or when the store is back.
    fn lives(&self) -> bool;

    /// As [`Glance::look`], at one job: where another scheduler leads no more than that is read.
    fn look_at<T: Send + 'static>(
        &self,
        job: JobId,
        look: impl FnOnce(&Farm) -> T + Send + 'static,
    ) -> impl Future<Output = Outcome<T>> + Send;

    /// What `look` sees of the farm as it is; refused where another scheduler leads, who
    /// alone knows which workers are alive.
    fn live<T: Send + 'static>(
        &self,
        look: impl FnOnce(&Farm) -> T + Send + 'static,
    ) -> impl Future<Output = Outcome<T>> + Send;

    /// What the live auditor found; none where another scheduler leads.
    fn audit(&self) -> Option<Audit>;

    /// Whether this scheduler leads.
    fn leads(&self) -> bool {
        self.audit().is_some()
    }

    /// What imagined workers would be given.
    fn what_if(&self, imagined: WhatIf) -> impl Future<Output = Outcome<WhatIfAnswer>> + Send;

    /// Has a command of `caller`'s carried out, if its class is theirs to ask for; the answer is durable.
    fn ask(&self, caller: &Caller, command: Command)
    -> impl Future<Output = Outcome<Reply>> + Send;

    /// How those of `frames` of a step ended that have, in order.
    fn results(
        &self,
        step: StepId,
        frames: FrameRange,
    ) -> impl Future<Output = Outcome<Page>> + Send;

    /// Small pictures of what comes out.
    fn stills(&self) -> &Stills;

    /// Frames of a job that failed, by what went wrong.
    fn causes(&self, job: JobId) -> impl Future<Output = Outcome<Vec<Cause>>> + Send;
}

/// What the pages are made of.
pub(crate) struct Pages<G> {
    pub(crate) farm: G,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) gate: HttpGate,
    pub(crate) closing: watch::Receiver<bool>,
    /// Where packages may be shown from; none: nowhere.
    pub(crate) pictures: Vec<PathBuf>,
    /// The library, if there is one.
    pub(crate) library: Arc<Shelf>,
}

/// The pages as handlers have them.
struct Shared<G> {
    pages: Pages<G>,
    samples: Samples,
    recent: Recent,
}

type Site<G> = State<Arc<Shared<G>>>;

/// Serves until `closing`.
///
/// # Errors
/// `F0006` when the port fails.
pub(crate) async fn serve<G: Glance>(listener: TcpListener, pages: Pages<G>) -> Outcome<()> {
    let mut closing = pages.closing.clone();
    let shared = Arc::new(Shared { pages, samples: Samples::default(), recent: Recent::default() });
    let guarded = Router::new()
        .route("/metrics", get(metrics))
        .merge(overview::data())
        .merge(jobs::data())
        .merge(errors::data())
        .merge(pictures::data())
        .merge(workers::data())
        .merge(settings::data())
        .merge(footage::data())
        .merge(deeds::data())
        .route_layer(middleware::from_fn_with_state(Arc::clone(&shared), admit));
    let router = Router::new()
        .route("/healthz", get(healthy))
        .route("/readyz", get(ready))
        .merge(files::page())
        .merge(guarded)
        .layer(middleware::map_response(sealed))
        .with_state(Arc::clone(&shared));
    let service = router.into_make_service_with_connect_info::<Peer>();
    let mut sampling = tokio::task::JoinSet::new();
    sampling.spawn(async move { samples::keep(&shared).await });
    axum::serve(Bounded::new(listener), service)
        .with_graceful_shutdown(async move { drop(closing.wait_for(|closing| *closing).await) })
        .await
        .map_err(|e| Fault::new(Code::BadConfig, "the HTTP port failed").because(&e))
}

/// Only whom the table lets, with who they are.
async fn admit<G: Glance>(
    State(shared): Site<G>,
    ConnectInfo(Peer(from)): ConnectInfo<Peer>,
    mut request: Request,
    next: Next,
) -> Response {
    let authorization = request.headers().get(header::AUTHORIZATION);
    let authorization = authorization.map(|value| value.to_str().unwrap_or("?").to_owned());
    match shared.pages.gate.admit(request.uri().path(), authorization, from).await {
        Ok(caller) if caller.token.is_empty() && !names_an_address(&request) => refused(
            &Fault::new(
                Code::NotAllowed,
                "the question names this machine by a name that others may point here",
            )
            .remedy("Open the page by the machine's address, or as localhost."),
        ),
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(fault) => refused(&fault),
    }
}

/// Whether a question is put to an address or to `localhost`, and not to a
/// name that somebody may have let point here.
fn names_an_address(request: &Request) -> bool {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let Some(host) = host.or_else(|| request.uri().authority().map(|it| it.as_str())) else {
        return false;
    };
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|c| c.is_ascii_digit()) => name,
        _ => host,
    };
    let address = name.trim_start_matches('[').trim_end_matches(']');
    name == "localhost" || address.parse::<std::net::IpAddr>().is_ok()
}

/// A fault as HTTP says it.
fn refused(fault: &Fault) -> Response {
    let status = match fault.code {
        Code::NotAuthenticated | Code::BadToken => StatusCode::UNAUTHORIZED,
        Code::NotAllowed | Code::OutsideShow => StatusCode::FORBIDDEN,
        Code::UnknownJob | Code::NoSuchWorker | Code::BadId | Code::NoMedia => {
            StatusCode::NOT_FOUND
        }
        Code::TooMuch => StatusCode::TOO_MANY_REQUESTS,
        code if code.info().owner == Owner::Request => StatusCode::BAD_REQUEST,
        _ => StatusCode::SERVICE_UNAVAILABLE,
    };
    let mut response = (status, format!("{fault}\n{}\n", fault.remedy_text())).into_response();
    if status == StatusCode::UNAUTHORIZED {
        let bearer = HeaderValue::from_static("Bearer realm=\"platefarm\"");
        response.headers_mut().insert(header::WWW_AUTHENTICATE, bearer);
    }
    response
}

/// What no page needs, no page gets: frames, sniffing, foreign scripts, caches.
async fn sealed(mut response: Response) -> Response {
    let headers = response.headers_mut();
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'self'; img-src 'self' data: blob:; frame-ancestors 'none'; base-uri 'none'; \
             form-action 'self'",
        ),
    ] {
        // What a handler said is stricter.
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

/// What does not take for ever.
async fn in_time<T>(look: impl Future<Output = Outcome<T>>) -> Outcome<T> {
    let late = |_| Fault::new(Code::Timeout, "the scheduler cannot look at the farm");
    tokio::time::timeout(LOOK, look).await.map_err(late)?
}

/// A look that does not take for ever.
async fn glance<G: Glance, T: Send + 'static>(
    farm: &G,
    look: impl FnOnce(&Farm) -> T + Send + 'static,
) -> Outcome<T> {
    in_time(farm.look(look)).await
}

/// Workers as they are known: whether one is alive only the scheduler knows that leads.
fn known(mut workers: Vec<WorkerView>, leads: bool) -> Vec<WorkerView> {
    for worker in workers.iter_mut().filter(|worker| !leads && worker.state == "alive") {
        worker.state = "unknown".into();
    }
    workers
}

/// Whether it is more than a process. A store that is away is waited for, and is no reason to be killed.
async fn healthy<G: Glance>(State(shared): Site<G>) -> Response {
    if shared.pages.farm.lives() {
        return "ok\n".into_response();
    }
    refused(&Fault::new(Code::Internal, "nobody is left who decides, or follows who does"))
}

/// Whether it can serve: it has the farm before it, or follows, and its store answers.
async fn ready<G: Glance>(State(shared): Site<G>) -> Response {
    match in_time(shared.pages.farm.ready()).await {
        Ok(()) => "ready\n".into_response(),
        Err(fault) => refused(&fault),
    }
}

async fn metrics<G: Glance>(State(shared): Site<G>) -> Response {
    shared.pages.metrics.audited(shared.pages.farm.audit().as_ref());
    // The farm is counted once, by who leads: sums over schedulers are right, and one that
    // follows need not read the whole store for it.
    if !shared.pages.farm.leads() {
        shared.pages.metrics.look(&Seen::default());
    } else {
        // A farm that cannot be looked at is one more thing to see: what was counted is served.
        match glance(&shared.pages.farm, Seen::of).await {
            Ok(seen) => shared.pages.metrics.look(&seen),
            Err(fault) => tracing::warn!(%fault, "metrics without a look at the farm"),
        }
    }
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], shared.pages.metrics.text()).into_response()
}

/// A value, or why there is none.
fn answer(outcome: Outcome<impl Serialize>) -> Response {
    match outcome {
        Ok(value) => Json(value).into_response(),
        Err(fault) => refused(&fault),
    }
}

/// The caller that [`admit`] found.
type Who = axum::Extension<Caller>;
