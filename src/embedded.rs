//! A whole farm in this process: a scheduler on SQLite and workers beside it.
//!
//! The workers speak to the scheduler over a loopback socket, exactly as they
//! would from another machine; nothing is short-cut, so what runs here runs
//! the same way on a farm.

use platefarm_model::recipe::Backend;
use platefarm_model::{Code, Fault, Outcome};
use platefarm_scheduler::service;
use platefarm_scheduler::store::Place;
use platefarm_worker::agent;
use platefarm_worker::child::Program;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// What the farm is made of.
pub(crate) struct Embedded {
    /// Where the scheduler listens; port 0 takes a free one.
    pub(crate) listen: SocketAddr,
    /// File of the SQLite store.
    pub(crate) store: PathBuf,
    /// How many workers.
    pub(crate) workers: u32,
    /// What they render with.
    pub(crate) backend: Backend,
    /// The program of the workers' render processes.
    pub(crate) program: Program,
    /// Where its dashboard is; none: nowhere.
    pub(crate) http: Option<SocketAddr>,
    /// Whether no worker of an earlier run can still be alive.
    pub(crate) alone: bool,
}

/// A farm that runs.
pub(crate) struct Running {
    /// Address for clients.
    pub(crate) url: String,
    scheduler: Part,
    workers: Part,
}

/// Tasks that are stopped together.
struct Part {
    stop: watch::Sender<bool>,
    tasks: JoinSet<Outcome<()>>,
}

impl Embedded {
    /// Starts it; returns when the scheduler answers.
    pub(crate) async fn start(&self) -> Outcome<Running> {
        let listener = service::bind(self.listen).await?;
        let address = listener
            .local_addr()
            .map_err(|e| Fault::new(Code::Internal, "the listener has no address").because(&e))?;
        let url = format!("http://{address}");
        let (mut scheduler, workers) = (Part::new(), Part::new());
        let mut config = service::Config::new(Place::Sqlite(self.store.clone()));
        config.alone = self.alone;
        config.http = self.http;
        // Whoever asks a farm of this kind is on this machine, and the files are theirs to see.
        config.pictures = vec![PathBuf::from("/")];
        config.library = Some(Place::Sqlite(state_dir().join("library.db")));
        let ready = Arc::clone(&config.ready);
        let stopped = scheduler.stopped();
        scheduler.tasks.spawn(service::serve(listener, config, stopped));
        let mut running = Running { url, scheduler, workers };
        tokio::select! {
            () = ready.notified() => {}
            fault = running.failed() => return Err(fault),
        }
        let Running { url, workers, .. } = &mut running;
        for number in 1..=self.workers {
            let mut config = agent::AgentConfig::new(url.clone());
            config.name = format!("embedded-{number}");
            config.backend = self.backend;
            config.program = Some(self.program.clone());
            let stopped = workers.stopped();
            workers.tasks.spawn(agent::run(config, stopped));
        }
        Ok(running)
    }
}

impl Part {
    fn new() -> Self {
        Self { stop: watch::Sender::new(false), tasks: JoinSet::new() }
    }

    fn stopped(&self) -> impl Future<Output = ()> + Send + 'static {
        let mut stopped = self.stop.subscribe();
        async move {
            // A sender that is gone means stop as well.
            let _ = stopped.wait_for(|stop| *stop).await;
        }
    }

    async fn stop(&mut self) -> Outcome<()> {
        self.stop.send_replace(true);
        while let Some(ended) = self.tasks.join_next().await {
            ended.map_err(|e| {
                Fault::new(Code::Internal, "a part of the embedded farm stopped").because(&e)
            })??;
        }
        Ok(())
    }
}

impl Running {
    /// Stops everything: workers finish the frame in hand and give the rest
    /// back, and the scheduler goes last, so that it hears of it. A second
    /// request to stop is obeyed at once; nothing that was accepted is lost by it.
    pub(crate) async fn stop(mut self) -> Outcome<()> {
        let in_order = async {
            let workers = self.workers.stop().await;
            self.scheduler.stop().await.and(workers)
        };
        tokio::select! {
            stopped = in_order => stopped,
            () = crate::cli::asked_to_stop() => Ok(()),
        }
    }

    /// Resolves when a part ends by itself, with why.
    pub(crate) async fn failed(&mut self) -> Fault {
        // The set of a farm without workers is empty from the start.
        let ended = tokio::select! {
            ended = self.scheduler.tasks.join_next() => ended,
            Some(ended) = self.workers.tasks.join_next() => Some(ended),
        };
        match ended {
            Some(Ok(Err(fault))) => fault,
            Some(Err(e)) => {
                Fault::new(Code::Internal, "a part of the embedded farm stopped").because(&e)
            }
            _ => Fault::new(Code::Internal, "a part of the embedded farm ended"),
        }
    }
}

/// Where this user's farms keep their state: the XDG state directory.
pub(crate) fn state_dir() -> PathBuf {
    let from = |name: &str, below: &str| {
        std::env::var_os(name).filter(|v| !v.is_empty()).map(|v| PathBuf::from(v).join(below))
    };
    from("XDG_STATE_HOME", "platefarm")
        .or_else(|| from("HOME", ".local/state/platefarm"))
        .unwrap_or_else(|| std::env::temp_dir().join("platefarm"))
}
