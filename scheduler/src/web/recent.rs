//! The farm as it was a moment ago, looked at once for everybody who watches:
//! a hundred open pages cost the scheduler what one does.

use super::{Glance, glance};
use crate::core::State;
use crate::trust::Caller;
use platefarm_model::explain::SettingsView;
use platefarm_model::job::{JobView, WorkerView};
use platefarm_model::{JobId, Outcome};
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

/// How old it may be.
const FRESH: Duration = Duration::from_millis(900);

/// The farm at a moment.
#[derive(Debug)]
pub(super) struct Moment {
    /// Newest first.
    pub(super) jobs: Vec<JobView>,
    pub(super) workers: Vec<WorkerView>,
    pub(super) settings: SettingsView,
    /// Frames that a worker could be given, by job.
    pub(super) eligible: HashMap<JobId, u64>,
}

impl Moment {
    /// The farm as it is.
    pub(super) fn of(farm: &State) -> Self {
        let mut jobs = farm.jobs(false);
        jobs.reverse();
        let (workers, settings) = (farm.workers(), farm.settings());
        Self { jobs, workers, settings, eligible: farm.eligible() }
    }

    /// Jobs that `caller` sees, newest first.
    pub(super) fn seen<'m>(&'m self, caller: &'m Caller) -> impl Iterator<Item = &'m JobView> {
        self.jobs.iter().filter(|job| caller.sees(&job.show))
    }

    /// Workers, with what they hold of jobs that `caller` sees.
    pub(super) fn workers(&self, caller: &Caller) -> Cow<'_, [WorkerView]> {
        if caller.shows.is_empty() {
            return Cow::Borrowed(&self.workers);
        }
        let mine: HashSet<JobId> = self.seen(caller).map(|job| job.id).collect();
        let mut workers = self.workers.clone();
        workers.iter_mut().for_each(|worker| worker.cut(|job| mine.contains(&job)));
        Cow::Owned(workers)
    }
}

/// The last moment that was looked at.
#[derive(Debug, Default)]
pub(super) struct Recent(Mutex<Option<(Instant, Arc<Moment>)>>);

impl Recent {
    /// A fresh one; who comes while another looks takes what that one sees.
    pub(super) async fn get<G: Glance>(&self, farm: &G) -> Outcome<Arc<Moment>> {
        let mut last = self.0.lock().await;
        if let Some((_, moment)) = last.as_ref().filter(|(at, _)| at.elapsed() < FRESH) {
            return Ok(Arc::clone(moment));
        }
        let moment = Arc::new(glance(farm, Moment::of).await?);
        *last = Some((Instant::now(), Arc::clone(&moment)));
        Ok(moment)
    }

    /// Who did something sees at once what came of it.
    pub(super) async fn stale(&self) {
        *self.0.lock().await = None;
    }
}
