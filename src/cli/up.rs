//! `platefarm up`: a whole farm in this process.

use crate::cli::worker;
use crate::cli::{Global, asked_to_stop, runtime};
use crate::embedded::{Embedded, state_dir};
use crate::output::Output;
use crate::provider::{Kind, Provider, Scale};
use platefarm_model::farm::WorkerTraits;
use platefarm_model::{Code, Fault, Outcome};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::time::Duration;
use tokio::sync::watch;

#[derive(clap::Args)]
pub(super) struct Args {
    /// Where the scheduler listens; loopback only.
    #[arg(long, default_value = "127.0.0.1:7878", value_name = "ADDRESS")]
    listen: SocketAddr,
    /// Workers to run in this process; 0 leaves the work to others.
    #[arg(long, default_value_t = 2)]
    workers: u32,
    /// Instead of workers in this process: as many processes as the work wants, between so many.
    #[arg(long, value_name = "LEAST..MOST", conflicts_with = "workers")]
    scale: Option<Scale>,
    /// With --scale: how long a worker is kept that is not wanted.
    #[arg(long, default_value_t = 30, value_name = "SECONDS", requires = "scale")]
    keep: u64,
    /// What they render with.
    #[command(flatten)]
    backend: super::render::BackendArg,
    /// Where its dashboard is; another port is taken where this one is not free [default: 127.0.0.1:7880]
    #[arg(long, value_name = "ADDRESS")]
    http: Option<SocketAddr>,
    /// Directory of the farm's state [default: the user's state directory]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

pub(super) fn run(args: Args, global: &Global, out: &dyn Output) -> Outcome<()> {
    let backend = args.backend.value()?;
    let store = args.data.unwrap_or_else(state_dir).join("farm.db");
    let kind = args.scale.map(|_| worker::kind(backend, &WorkerTraits::default(), (1, 0)));
    let capacity = args.scale.zip(kind.transpose()?);
    let workers = match args.scale {
        Some(Scale { least, most }) => format!("{least} to {most} workers, as the work wants"),
        None if args.workers == 1 => "1 worker".into(),
        None => format!("{} workers", args.workers),
    };
    let http = args.http.map_or_else(free_http, Ok)?;
    runtime()?.block_on(async {
        let farm = Embedded {
            listen: args.listen,
            store: store.clone(),
            workers: if args.scale.is_some() { 0 } else { args.workers },
            backend,
            program: global.slot_program()?,
            alone: false,
            http: Some(http),
        };
        let mut running = farm.start().await?;
        let url = running.url.clone();
        let store = store.display();
        out.note(&format!(
            "farm at {url} with {workers}; dashboard at http://{http}; state in {store}; Ctrl-C ends it"
        ));
        let (stop, mut stopped) = watch::channel(false);
        let providing = async {
            let Some((scale, kind)) = capacity else { return Ok(()) };
            let keep = Duration::from_secs(args.keep);
            let provider = provider(&url, scale, keep, kind, &args.backend, global)?;
            let stopped = async { drop(stopped.wait_for(|stop| *stop).await) };
            provider.run(|news| worker::say(&news, out), stopped).await
        };
        let ending = async {
            let ended = tokio::select! {
                () = asked_to_stop() => None,
                fault = running.failed() => Some(fault),
            };
            stop.send_replace(true);
            ended
        };
        let (ended, provided) = tokio::join!(ending, providing);
        let stopped = running.stop().await.and(provided);
        ended.map_or(stopped, Err)
    })
}

/// Who starts workers of this program for the farm at `url`.
fn provider(
    url: &str,
    scale: Scale,
    keep: Duration,
    kind: Kind,
    backend: &super::render::BackendArg,
    global: &Global,
) -> Outcome<Provider> {
    let program = global.slot_program()?;
    // As a slot is called, with the same log and bridges.
    let shared = program.args.into_iter().skip(1);
    let own = ["worker", "--farm", url, "--backend", backend.name(), "--quiet"].map(Into::into);
    let args = own.into_iter().chain(shared).collect();
    let name = "local".to_owned();
    Ok(Provider { way: url.into(), scale, keep, program: program.path, args, name, kind })
}

/// The usual port of the dashboard, or any that is free.
fn free_http() -> Outcome<SocketAddr> {
    let cannot =
        |e: std::io::Error| Fault::new(Code::BadConfig, "no port for the dashboard").because(&e);
    let usual = TcpListener::bind((Ipv4Addr::LOCALHOST, 7880));
    let listener =
        usual.or_else(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0))).map_err(cannot)?;
    listener.local_addr().map_err(cannot)
}
