//! `platefarm scheduler`: the scheduler alone.

use crate::cli::{asked_to_stop, runtime};
use crate::embedded::{state_dir, store_url};
use crate::output::Output;
use platefarm_model::Outcome;
use platefarm_scheduler::service;
use std::net::SocketAddr;

#[derive(clap::Args)]
pub(super) struct Args {
    /// Where it listens; loopback only.
    #[arg(long, default_value = "127.0.0.1:7878", value_name = "ADDRESS")]
    listen: SocketAddr,
    /// Its store: sqlite:///path/farm.db or postgres://... [default: SQLite in the user's state directory]
    #[arg(long, env = "PLATEFARM_STORE", value_name = "URL")]
    store: Option<String>,
    /// A lease ends so long after its last renewal.
    #[arg(long, default_value_t = 15_000, value_name = "MILLISECONDS")]
    lease_ttl_ms: u64,
}

pub(super) fn run(args: Args, out: &dyn Output) -> Outcome<()> {
    let store = match args.store {
        Some(url) => url,
        None => store_url(&state_dir().join("farm.db"))?,
    };
    runtime()?.block_on(async {
        let listener = service::bind(args.listen).await?;
        let mut config = service::Config::new(store);
        config.lease_ttl_ms = args.lease_ttl_ms;
        let service = service::Service::start(listener, config).await?;
        out.note(&format!("scheduler at http://{}", args.listen));
        service.run(asked_to_stop()).await
    })
}
