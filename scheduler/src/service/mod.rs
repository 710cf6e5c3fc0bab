//! The farm on the wire. One task, the [`owner`], has the core; the gRPC
//! services hand it commands through a bounded queue and wait. It takes what
//! has gathered, decides it all, stores it in one transaction, and only then
//! answers: durable before acknowledged, at the price of a flush per batch.

mod clock;
mod control;
mod desk;
mod events;
mod farm;
mod hooks;
mod late;
mod library;
mod owner;
mod pulls;
mod rebuild;
mod results;
mod role;
mod scaler;
mod seats;
mod session;
mod stills;
mod work;

#[cfg(test)]
mod tests;

pub(crate) use control::Change;
pub use hooks::HookSettings;
pub(crate) use results::Page;
pub(crate) use stills::Stills;

use crate::aside::Aside;
use crate::core::{Command, Listed, Policy, Reply};
use crate::library::Shelf;
use crate::store::{Follower, HookStore, Kept, Place, Reader, SqlReader, TrustStore};
use crate::{trust, web};
use desk::Desk;
use platefarm_model::cause::Cause;
use platefarm_model::explain::{WhatIf, WhatIfAnswer};
use platefarm_model::query::JobQuery;
use platefarm_model::{Code, Fault, FrameRange, JobId, Outcome, StepId, limits};
use platefarm_proto::keda::external_scaler_server::ExternalScalerServer;
use platefarm_proto::{
    DESCRIPTORS, EventsServer, FarmServer, LibraryServer, PullsServer, TrustServer, WorkServer,
};
use results::Results;
use role::Govern;
use std::collections::BTreeSet;
use std::future::Future;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;

/// How a scheduler runs.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where its state is.
    pub store: Place,
    /// How often workers are told to say that they live.
    pub heartbeat: Duration,
    /// Numbers of the policy; its time to live should be several heartbeats.
    pub policy: Policy,
    /// Where other machines reach it; none: where it listens.
    pub advertise: Option<String>,
    /// Whether the workers that the store knows are known to be gone, since
    /// they ran in a process that is. Otherwise they have until their leases end.
    pub alone: bool,
    /// Who may enter, and how.
    pub trust: trust::Settings,
    /// Where its pages are: metrics, health and the dashboard. None: nowhere.
    pub http: Option<SocketAddr>,
    /// Where events may be sent.
    pub hooks: HookSettings,
    /// How much of the event log is kept.
    pub events: Kept,
    /// Directories beneath which packages are shown on the dashboard.
    pub pictures: Vec<PathBuf>,
    /// The library that services and the dashboard search, and that pulls take clips of.
    pub library: Option<Place>,
    /// Told once, when the store is claimed and calls are answered.
    pub ready: Arc<Notify>,
}

impl Config {
    /// The usual numbers with state at `store`.
    #[must_use]
    pub fn new(store: Place) -> Self {
        Self {
            store,
            heartbeat: Duration::from_secs(2),
            policy: Policy::default(),
            advertise: None,
            alone: false,
            trust: trust::Settings::default(),
            http: None,
            hooks: HookSettings::default(),
            events: Kept::default(),
            pictures: Vec::new(),
            library: None,
            ready: Arc::default(),
        }
    }
}

/// How long calls in hand may take to end when the scheduler stops.
const FAREWELL: Duration = Duration::from_secs(5);
/// How often old events are dropped.
const SWEEP: Duration = Duration::from_secs(60);
/// Calls that one connection may have open: a worker of a thousand slots waits in each.
const MAX_STREAMS: u32 = 4096;
/// Largest headers of a call.
const MAX_HEADER_BYTES: u32 = 32 * 1024;
/// Silence after which a connection is asked whether it lives.
const KEEPALIVE: Duration = Duration::from_secs(20);

/// Opens a port of this machine's own. Port 0 takes a free one; ask the listener which.
///
/// # Errors
/// As [`bind_as`].
pub async fn bind(address: SocketAddr) -> Outcome<TcpListener> {
    bind_as(address, &trust::Settings::default()).await
}

/// Opens the port of the pages. They speak in the open, whatever the farm's port does.
async fn bind_http(address: SocketAddr, settings: &trust::Settings) -> Outcome<TcpListener> {
    let open = trust::Settings { tls: None, ..settings.clone() };
    bind_as(address, &open).await.map_err(|fault| match fault.code {
        Code::OpenListener => fault.remedy(
            "Listen on 127.0.0.1 with --http, or pass --plaintext where something else encrypts the way.",
        ),
        _ => fault.remedy("Choose another port with --http, or stop what uses this one."),
    })
}

/// Opens the port. Port 0 takes a free one; ask the listener which.
///
/// # Errors
/// `F0009` for an address that strangers reach, where the way is open, `F0006` when it cannot be had.
pub async fn bind_as(address: SocketAddr, trust: &trust::Settings) -> Outcome<TcpListener> {
    trust::check_listener(address, trust)?;
    TcpListener::bind(address).await.map_err(|e| {
        Fault::new(Code::BadConfig, format!("cannot listen on {address}"))
            .because(&e)
            .remedy("Choose another port with --listen, or stop what uses this one.")
    })
}

/// Every service that is served.
fn services() -> BTreeSet<&'static str> {
    let method = |rule: trust::Served| rule.method.split_once('/').map(|(service, _)| service);
    trust::served().into_iter().filter_map(method).collect()
}

/// The protos, as whoever asks is told of them.
fn described() -> tonic_reflection::server::Builder<'static> {
    tonic_reflection::server::Builder::configure().register_encoded_file_descriptor_set(DESCRIPTORS)
}

/// Runs a scheduler on `listener` until `shutdown`, then ends in good order.
/// Killing it instead loses nothing that was acknowledged.
///
/// # Errors
/// `F0009` when strangers reach the listener and the way is open, `F0606` for a
/// certificate, `F0607` when tokens are asked for and there is none, `F0502`, `F0509`, `F0510` as
/// [`Store::load`] says, `F0006` when the port fails.
pub async fn serve(
    listener: TcpListener,
    config: Config,
    shutdown: impl Future<Output = ()> + Send,
) -> Outcome<()> {
    let port = |e: std::io::Error| Fault::new(Code::BadConfig, "the port failed").because(&e);
    let address = listener.local_addr().map_err(port)?;
    trust::check_listener(address, &config.trust)?;
    let certificates = config.trust.tls.as_ref().map(trust::Certificates::read).transpose()?;
    let scheme = if config.trust.tls.is_some() { "https" } else { "http" };
    let reached = config.advertise.clone().unwrap_or_else(|| format!("{scheme}://{address}"));
    let (close, closing) = watch::channel(false);
    let metrics = Arc::new(web::Metrics::new());
    let counted = Arc::clone(&metrics);
    let (govern, owner) =
        Govern::begin(config.clone(), reached.clone(), closing.clone(), counted).await?;
    let desk = Desk::new(govern.roles.clone());
    let reader = Follower::new(&config.store)?.reader();
    let stills = stills::Stills::default();
    let results = Results { desk: desk.clone(), reader: reader.clone(), stills: stills.clone() };
    // A set ends its task when it is dropped, and so does whoever drops this future.
    let mut owners = JoinSet::new();
    owners.spawn(govern.run(owner));
    let (health, health_service) = tonic_health::server::health_reporter();
    for service in services() {
        health.set_service_status(service, tonic_health::ServingStatus::Serving).await;
    }
    let undescribed = |e: tonic_reflection::server::Error| {
        Fault::new(Code::Internal, "the protos cannot be described").because(&e)
    };
    let reflection = described().build_v1().map_err(undescribed)?;
    // Python's own client, and older tools, speak the version before.
    let reflection_alpha = described().build_v1alpha().map_err(undescribed)?;
    metrics.started(clock::Clock::new().now().0 / 1_000_000);
    metrics.certified(certificates.as_ref().and_then(trust::Certificates::until));
    let asked = desk.clone();
    let show_of = move |job| {
        let desk = asked.clone();
        Box::pin(async move { desk.show_of(job).await }) as Pin<Box<_>>
    };
    let now: fn() -> trust::Now = || {
        let clock = clock::Clock::new();
        Box::new(move || clock.now())
    };
    let people = TrustStore::beside(&config.store)?;
    let (door, writing) =
        trust::open(people, address, &config.trust, now, Box::new(show_of), Arc::clone(&metrics))
            .await?;
    let mut scribes = JoinSet::new();
    scribes.spawn(writing);
    let (layer, people, gate) = door.parts(config.http);
    let shelf = Arc::new(Shelf::new(config.library.clone()));
    let mut sites = JoinSet::new();
    if let Some((http, gate)) = config.http.zip(gate) {
        let (farm, closing) = (results.clone(), closing.clone());
        let (pictures, library) = (config.pictures.clone(), Arc::clone(&shelf));
        let metrics = Arc::clone(&metrics);
        let pages = web::Pages { farm, metrics, gate, closing, pictures, library };
        let listener = bind_http(http, &config.trust).await?;
        sites.spawn(async move {
            if let Err(fault) = web::serve(listener, pages).await {
                tracing::error!(%fault, "the pages are gone");
            }
        });
    }
    let (events, mut clerks) = tell(&config, &desk, &reader, &closing, &metrics)?;
    let scaler = scaler::Scaler::new(desk.clone(), closing.clone());
    let farm = farm::FarmService {
        desk: desk.clone(),
        results: results.clone(),
        closing: closing.clone(),
        address: reached,
        metrics: Arc::clone(&metrics),
        aside: Aside::new(farm::ASIDE),
    };
    let pulls = pulls::PullsService {
        desk: desk.clone(),
        shelf: Arc::clone(&shelf),
        plans: Aside::new(pulls::PLANS),
    };
    let work = work::WorkService::new(desk.clone(), &config, stills, reader);
    tracing::info!(store = %config.store, "scheduler is ready");
    config.ready.notify_one();
    let end = async {
        shutdown.await;
        tracing::info!("scheduler is stopping");
        close.send_replace(true);
    };
    let server = Server::builder()
        .max_concurrent_streams(MAX_STREAMS)
        .http2_max_header_list_size(MAX_HEADER_BYTES)
        .layer(layer)
        .http2_keepalive_interval(Some(KEEPALIVE))
        .http2_keepalive_timeout(Some(KEEPALIVE))
        .add_service(TrustServer::new(people))
        .add_service(EventsServer::new(events))
        .add_service(ExternalScalerServer::new(scaler))
        .add_service(health_service)
        .add_service(reflection)
        .add_service(reflection_alpha)
        .add_service(
            LibraryServer::new(library::LibraryService { shelf })
                .max_decoding_message_size(limits::MAX_MESSAGE_BYTES)
                .max_encoding_message_size(limits::MAX_MESSAGE_BYTES),
        )
        .add_service(
            PullsServer::new(pulls)
                .max_decoding_message_size(limits::MAX_MESSAGE_BYTES)
                .max_encoding_message_size(limits::MAX_MESSAGE_BYTES),
        )
        .add_service(
            FarmServer::new(farm)
                .max_decoding_message_size(limits::MAX_MESSAGE_BYTES)
                .max_encoding_message_size(limits::MAX_MESSAGE_BYTES),
        )
        .add_service(
            WorkServer::new(work)
                .max_decoding_message_size(limits::MAX_MESSAGE_BYTES)
                .max_encoding_message_size(limits::MAX_MESSAGE_BYTES),
        );
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    let served = async move {
        let Some(certificates) = certificates else {
            return server.serve_with_incoming_shutdown(incoming, end).await;
        };
        let (incoming, accepting) = trust::encrypted(incoming, certificates.acceptor());
        let mut keepers = JoinSet::new();
        keepers.spawn(accepting);
        keepers.spawn(certificates.keep(metrics));
        server.serve_with_incoming_shutdown(incoming, end).await
    };
    let failed =
        |e: tonic::transport::Error| Fault::new(Code::BadConfig, "the port failed").because(&e);
    let served = tokio::select! {
        served = served => served.map_err(failed),
        // Connections that do not close by themselves are not waited for for ever.
        () = farewell(closing) => Ok(()),
        fault = broken(&mut owners) => Err(fault),
    };
    sites.shutdown().await;
    clerks.shutdown().await;
    desk.close();
    // The log is written to its end, then the owner ends, since nobody is left who could ask.
    let end = async { (scribes.join_next().await, owners.join_next().await) };
    let ended = tokio::time::timeout(FAREWELL, end).await;
    if ended.is_err() {
        tracing::warn!("calls in hand were cut off");
    }
    served
}

/// Why whoever decides is gone, or follows no more. Where it ends in good order, nothing is:
/// a scheduler that is nobody's farm ends, and what watches over it starts it again.
async fn broken(owners: &mut JoinSet<()>) -> Fault {
    match owners.join_next().await {
        Some(Err(e)) => {
            let fault = Fault::new(Code::Internal, "the scheduler's core broke off").because(&e);
            fault.remedy("Start it again: nothing that was acknowledged is lost. Please report it.")
        }
        _ => std::future::pending().await,
    }
}

/// Who tells what happened: the service that is asked, and those who do it unasked.
fn tell(
    config: &Config,
    desk: &Desk,
    reader: &SqlReader,
    closing: &watch::Receiver<bool>,
    metrics: &Arc<web::Metrics>,
) -> Outcome<(events::EventsService<SqlReader>, JoinSet<()>)> {
    let (store, settings) = (HookStore::beside(&config.store)?, config.hooks.clone());
    let hooks = hooks::Hooks::new(store, settings, Arc::clone(metrics));
    let (desk, reader, closing) = (desk.clone(), reader.clone(), closing.clone());
    let mut clerks = JoinSet::new();
    clerks.spawn(hooks::run(hooks.clone(), desk.clone(), reader.clone(), closing.clone()));
    clerks.spawn(sweep(reader.clone(), desk.clone(), config.events));
    Ok((events::EventsService { desk, reader, hooks, closing }, clerks))
}

/// Drops what need not be kept of the event log, for as long as it is polled.
async fn sweep(reader: SqlReader, desk: Desk, kept: Kept) {
    let clock = clock::Clock::new();
    loop {
        tokio::time::sleep(SWEEP).await;
        if let Some(reign) = desk.reign()
            && let Err(fault) = reader.drop_old_events(kept, clock.now(), &reign).await
        {
            tracing::warn!(%fault, "old events are kept for now");
        }
    }
}

async fn farewell(mut closing: watch::Receiver<bool>) {
    if closing.wait_for(|closing| *closing).await.is_ok() {
        tokio::time::sleep(FAREWELL).await;
    }
}

/// What a handler says when the owner is gone.
fn gone(_: impl std::fmt::Debug) -> Fault {
    Fault::new(Code::StoreFailed, "the scheduler is stopping, or its store failed")
}

type Answer<T> = Result<tonic::Response<T>, tonic::Status>;

/// A conversion or an answer as gRPC wants it.
fn answer<T>(outcome: Outcome<T>) -> Answer<T> {
    outcome.map(tonic::Response::new).map_err(|fault| platefarm_proto::convert::to_status(&fault))
}

impl<R: Reader> web::Glance for Results<R> {
    async fn look<T: Send + 'static>(
        &self,
        look: impl FnOnce(&crate::core::State) -> T + Send + 'static,
    ) -> Outcome<T> {
        self.desk.look(look).await
    }

    async fn look_at<T: Send + 'static>(
        &self,
        job: JobId,
        look: impl FnOnce(&crate::core::State) -> T + Send + 'static,
    ) -> Outcome<T> {
        self.desk.look_at(job, look).await
    }

    async fn live<T: Send + 'static>(
        &self,
        look: impl FnOnce(&crate::core::State) -> T + Send + 'static,
    ) -> Outcome<T> {
        self.desk.live(look).await
    }

    async fn jobs(
        &self,
        query: JobQuery,
        sees: impl Fn(&str) -> bool + Clone + Send + 'static,
    ) -> Outcome<Listed> {
        self.desk.jobs(query, sees).await
    }

    async fn ready(&self) -> Outcome<()> {
        self.desk.ready().await
    }

    fn lives(&self) -> bool {
        self.desk.lives()
    }

    async fn what_if(&self, imagined: WhatIf) -> Outcome<WhatIfAnswer> {
        control::what_would(&self.desk, imagined).await
    }

    async fn ask(&self, caller: &trust::Caller, command: Command) -> Outcome<Reply> {
        control::ask(&self.desk, caller, command).await
    }

    async fn results(&self, step: StepId, frames: FrameRange) -> Outcome<Page> {
        self.of_step(step, frames).await
    }

    async fn causes(&self, job: JobId) -> Outcome<Vec<Cause>> {
        Self::causes(self, job).await
    }

    fn stills(&self) -> &stills::Stills {
        &self.stills
    }

    fn audit(&self) -> Option<platefarm_model::status::Audit> {
        self.desk.findings()
    }
}

impl Desk {
    fn unexpected<T>() -> Outcome<T> {
        Err(Fault::new(Code::Internal, "the core answered another question"))
    }
}
