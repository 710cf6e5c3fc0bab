//! The farm on the wire. One task, the [`owner`], has the core; the gRPC
//! services hand it commands through a bounded queue and wait. It takes what
//! has gathered, decides it all, stores it in one transaction, and only then
//! answers: durable before acknowledged, at the price of a flush per batch.

mod clock;
mod desk;
mod farm;
mod owner;
mod role;
mod seats;
mod session;
mod work;

#[cfg(test)]
mod tests;

use crate::core::Policy;
use crate::store::{Follower, Place, SqlReader};
use desk::Desk;
use platefarm_model::{Code, Fault, Outcome, limits};
use platefarm_proto::{DESCRIPTORS, FarmServer, WorkServer};
use role::Govern;
use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;
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
        }
    }
}

/// How long calls in hand may take to end when the scheduler stops.
const FAREWELL: Duration = Duration::from_secs(5);
/// Silence after which a connection is asked whether it lives.
const KEEPALIVE: Duration = Duration::from_secs(20);

/// Opens the port. Port 0 takes a free one; ask the listener which.
///
/// # Errors
/// `F0009` for an address off the loopback, `F0006` when it cannot be had.
pub async fn bind(address: SocketAddr) -> Outcome<TcpListener> {
    check_loopback(address)?;
    TcpListener::bind(address).await.map_err(|e| {
        Fault::new(Code::BadConfig, format!("cannot listen on {address}"))
            .because(&e)
            .remedy("Choose another port with --listen, or stop what uses this one.")
    })
}

fn check_loopback(address: SocketAddr) -> Outcome<()> {
    if address.ip().is_loopback() {
        return Ok(());
    }
    let message =
        format!("{address} is reached from other machines, and callers are not authenticated");
    Err(Fault::new(Code::OpenListener, message))
}

/// Runs a scheduler on `listener` until `shutdown`, then ends in good order.
/// Killing it instead loses nothing that was acknowledged.
///
/// # Errors
/// `F0009` when the listener is off the loopback, `F0502`, `F0509`, `F0510` as
/// [`Store::load`] says, `F0006` when the port fails.
pub async fn serve(
    listener: TcpListener,
    config: Config,
    shutdown: impl Future<Output = ()> + Send,
) -> Outcome<()> {
    let port = |e: std::io::Error| Fault::new(Code::BadConfig, "the port failed").because(&e);
    check_loopback(listener.local_addr().map_err(port)?)?;
    let address = listener.local_addr().map_err(port)?;
    let reached = config.advertise.clone().unwrap_or_else(|| format!("http://{address}"));
    let (close, closing) = watch::channel(false);
    let (govern, owner) = Govern::begin(config.clone(), reached.clone(), closing.clone()).await?;
    let desk = Desk::new(govern.roles.clone());
    let reader = Follower::new(&config.store)?.reader();
    // A set ends its task when it is dropped, and so does whoever drops this future.
    let mut owners = JoinSet::new();
    owners.spawn(govern.run(owner));
    tracing::info!(store = %config.store, "scheduler is ready");

    let (health, health_service) = tonic_health::server::health_reporter();
    health.set_serving::<FarmServer<farm::FarmService<SqlReader>>>().await;
    health.set_serving::<WorkServer<work::WorkService>>().await;
    let reflection = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(DESCRIPTORS)
        .build_v1()
        .map_err(|e| Fault::new(Code::Internal, "the protos cannot be described").because(&e))?;
    let farm = farm::FarmService {
        desk: desk.clone(),
        reader,
        closing: closing.clone(),
        address: reached,
    };
    let work = work::WorkService::new(desk.clone(), &config);
    let end = async {
        shutdown.await;
        tracing::info!("scheduler is stopping");
        close.send_replace(true);
    };
    let server = Server::builder()
        .http2_keepalive_interval(Some(KEEPALIVE))
        .http2_keepalive_timeout(Some(KEEPALIVE))
        .add_service(health_service)
        .add_service(reflection)
        .add_service(
            FarmServer::new(farm)
                .max_decoding_message_size(limits::MAX_MESSAGE_BYTES)
                .max_encoding_message_size(limits::MAX_MESSAGE_BYTES),
        )
        .add_service(
            WorkServer::new(work)
                .max_decoding_message_size(limits::MAX_MESSAGE_BYTES)
                .max_encoding_message_size(limits::MAX_MESSAGE_BYTES),
        )
        .serve_with_incoming_shutdown(TcpIncoming::from(listener).with_nodelay(Some(true)), end);
    let served = tokio::select! {
        served = server => served,
        // Connections that do not close by themselves are not waited for for ever.
        () = farewell(closing) => Ok(()),
    };
    desk.close();
    let ended = tokio::time::timeout(FAREWELL, owners.join_next()).await;
    if ended.is_err() {
        tracing::warn!("calls in hand were cut off");
    }
    served.map_err(|e| Fault::new(Code::BadConfig, "the port failed").because(&e))
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

impl Desk {
    fn unexpected<T>() -> Outcome<T> {
        Err(Fault::new(Code::Internal, "the core answered another question"))
    }
}
