//! `platefarm scheduler`: the scheduler alone.

use crate::cli::{Global, asked_to_stop, runtime};
use crate::embedded::state_dir;
use crate::output::Output;
use platefarm_model::Outcome;
use platefarm_scheduler::service;
use platefarm_scheduler::store::Place;
use platefarm_scheduler::trust::{Settings, Tls};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

#[derive(clap::Args)]
pub(super) struct Args {
    /// Where it listens. Off loopback it asks for --tls-cert and --tls-key, and everybody for a token.
    #[arg(long, default_value = "127.0.0.1:7878", value_name = "ADDRESS")]
    listen: SocketAddr,
    /// Its store: sqlite:///path/farm.db or postgres://... [default: SQLite in the user's state directory]
    #[arg(long, env = "PLATEFARM_STORE", hide_env_values = true, value_name = "URL")]
    store: Option<Place>,
    /// Where workers, clients and other schedulers of the same database reach it [default: where it listens]
    #[arg(long, value_name = "URL")]
    advertise: Option<String>,
    /// A lease ends so long after its last renewal.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(i64).range(500..), value_name = "MILLISECONDS")]
    lease_ttl_ms: i64,
    /// Its certificate chain, as PEM.
    #[arg(long, env = "PLATEFARM_TLS_CERT", value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// Its private key, as PEM.
    #[arg(long, env = "PLATEFARM_TLS_KEY", value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Ask clients for certificates that this one signed, as PEM.
    #[arg(long, env = "PLATEFARM_CLIENT_CA", value_name = "FILE", requires = "tls_cert")]
    client_ca: Option<PathBuf>,
    /// A client may come without a certificate, and show a token instead.
    #[arg(long, requires = "client_ca")]
    client_cert_optional: bool,
    /// Where its pages are, for browsers and Prometheus: the dashboard, /metrics, /healthz.
    #[arg(long, env = "PLATEFARM_HTTP", value_name = "ADDRESS")]
    http: Option<SocketAddr>,
    /// Host that webhooks may be sent to: host, host:port or *.domain; may be given several times [default: none]
    #[arg(long = "webhook-allow", value_name = "HOST")]
    webhook_allow: Vec<String>,
    /// How long events are kept, so that who was away can go on.
    #[arg(long, default_value_t = 7, value_name = "DAYS", value_parser = clap::value_parser!(u64).range(1..=3650))]
    events_days: u64,
    /// Jobs that ended so long ago are forgotten: nothing is kept of them but their files [default: jobs are kept]
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(i64).range(1..=36_500))]
    keep_finished_days: Option<i64>,
    /// Directory beneath which finished packages are shown on the dashboard; may be given several times [default: none]
    #[arg(long, value_name = "DIR")]
    pictures: Vec<PathBuf>,
    /// Library that the dashboard searches: a file, sqlite:FILE or postgres://... [default: the store, where that is PostgreSQL]
    #[arg(long, env = "PLATEFARM_LIBRARY", hide_env_values = true, value_name = "PLACE")]
    library_store: Option<Place>,
    /// Ask for tokens on loopback addresses, too.
    #[arg(long)]
    require_tokens: bool,
}

impl Args {
    fn trust(&self, global: &Global) -> Settings {
        let tls = self.tls_cert.clone().zip(self.tls_key.clone()).map(|(cert, key)| Tls {
            cert,
            key,
            client_ca: self.client_ca.clone(),
            client_optional: self.client_cert_optional,
        });
        Settings {
            tls,
            tokens: self.require_tokens,
            plaintext: global.access.plaintext,
            ..Settings::default()
        }
    }
}

pub(super) fn run(args: Args, global: &Global, out: &dyn Output) -> Outcome<()> {
    let trust = args.trust(global);
    let store = args.store.unwrap_or_else(|| Place::Sqlite(state_dir().join("farm.db")));
    runtime()?.block_on(async {
        let listener = service::bind_as(args.listen, &trust).await?;
        let scheme = if trust.tls.is_some() { "https" } else { "http" };
        let at =
            format!("scheduler at {scheme}://{}, state in {store}; Ctrl-C ends it", args.listen);
        let of_the_store = Some(&store).filter(|place| matches!(place, Place::Postgres(_)));
        let library = args.library_store.or_else(|| of_the_store.cloned());
        let mut config = service::Config::new(store);
        config.advertise = args.advertise;
        config.trust = trust;
        config.http = args.http;
        config.hooks.allow = args.webhook_allow;
        config.events.time = Duration::from_secs(args.events_days * 86_400);
        config.pictures = args.pictures;
        config.library = library;
        config.policy.lease_ttl_ms = args.lease_ttl_ms;
        if let Some(days) = args.keep_finished_days {
            config.policy.keep_ended_ms = days * 86_400_000;
        }
        config.heartbeat = Duration::from_millis(args.lease_ttl_ms.unsigned_abs() / 5);
        let ready = Arc::clone(&config.ready);
        let announce = async {
            ready.notified().await;
            out.note(&at);
            match args.keep_finished_days {
                Some(days) => out.note(&format!("jobs are forgotten {days} days after they ended")),
                None => {
                    out.note("jobs that ended are kept; --keep-finished-days says for how long")
                }
            }
            if let Some(http) = args.http {
                out.note(&format!("dashboard at http://{http}"));
            }
            std::future::pending::<()>().await;
        };
        tokio::select! {
            ended = service::serve(listener, config, asked_to_stop()) => ended,
            () = announce => Ok(()),
        }
    })
}
