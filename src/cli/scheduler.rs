//! `platefarm scheduler`: the scheduler alone.

use crate::cli::{asked_to_stop, runtime};
use crate::embedded::state_dir;
use crate::output::Output;
use platefarm_model::Outcome;
use platefarm_scheduler::service;
use platefarm_scheduler::store::Place;
use std::net::SocketAddr;
use std::time::Duration;

#[derive(clap::Args)]
pub(super) struct Args {
    /// Where it listens; loopback only.
    #[arg(long, default_value = "127.0.0.1:7878", value_name = "ADDRESS")]
    listen: SocketAddr,
    /// Its store: sqlite:///path/farm.db or postgres://... [default: SQLite in the user's state directory]
    #[arg(long, env = "PLATEFARM_STORE", value_name = "URL")]
    store: Option<Place>,
    /// Where workers, clients and other schedulers of the same database reach it [default: where it listens]
    #[arg(long, value_name = "URL")]
    advertise: Option<String>,
    /// A lease ends so long after its last renewal.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(i64).range(500..), value_name = "MILLISECONDS")]
    lease_ttl_ms: i64,
}

pub(super) fn run(args: Args, out: &dyn Output) -> Outcome<()> {
    let store = args.store.unwrap_or_else(|| Place::Sqlite(state_dir().join("farm.db")));
    runtime()?.block_on(async {
        let listener = service::bind(args.listen).await?;
        out.note(&format!("scheduler at http://{}, state in {store}; Ctrl-C ends it", args.listen));
        let mut config = service::Config::new(store);
        config.advertise = args.advertise;
        config.policy.lease_ttl_ms = args.lease_ttl_ms;
        config.heartbeat = Duration::from_millis(args.lease_ttl_ms.unsigned_abs() / 5);
        service::serve(listener, config, asked_to_stop()).await
    })
}
