//! The farm as it was a moment ago, looked at once for everybody who watches:
//! a hundred open pages cost the scheduler what one does.

use super::{Glance, glance, in_time, known};
use crate::core::{State, Sums};
use crate::trust::Caller;
use platefarm_model::explain::SettingsView;
use platefarm_model::job::{JobView, WorkerView};
use platefarm_model::query::JobQuery;
use platefarm_model::{JobId, Outcome};
use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

/// How old it may be.
const FRESH: Duration = Duration::from_millis(900);
/// And of a large farm, so many times as old as it takes to look at it.
const RARE: u32 = 20;

/// The farm at a moment.
#[derive(Debug)]
pub(super) struct Moment {
    /// Newest first.
    pub(super) jobs: Vec<JobView>,
    pub(super) workers: Vec<WorkerView>,
    pub(super) settings: SettingsView,
    /// What is counted of each show.
    pub(super) sums: BTreeMap<String, Sums>,
}

impl Moment {
    /// The farm as it is; jobs are looked at before, a part at a time.
    pub(super) fn of(jobs: Vec<JobView>, farm: &State) -> Self {
        Self { jobs, workers: farm.workers(), settings: farm.settings(), sums: farm.tally() }
    }

    async fn look<G: Glance>(farm: &G) -> Outcome<Self> {
        let jobs = in_time(farm.jobs(JobQuery::default(), |_| true)).await?.jobs;
        let moment = glance(farm, move |farm| Self::of(jobs, farm)).await?;
        Ok(Self { workers: known(moment.workers, farm.leads()), ..moment })
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

/// A moment, until when it is fresh.
#[derive(Debug)]
struct Kept {
    until: Instant,
    moment: Arc<Moment>,
}

/// The last moment that was looked at.
#[derive(Debug, Default)]
pub(super) struct Recent(Mutex<Option<Kept>>);

impl Recent {
    /// A fresh one; who comes while another looks takes what that one sees.
    pub(super) async fn get<G: Glance>(&self, farm: &G) -> Outcome<Arc<Moment>> {
        let mut last = self.0.lock().await;
        if let Some(kept) = last.as_ref().filter(|kept| Instant::now() < kept.until) {
            return Ok(Arc::clone(&kept.moment));
        }
        let begun = Instant::now();
        let moment = Arc::new(Moment::look(farm).await?);
        let until = Instant::now() + FRESH.max(begun.elapsed() * RARE);
        *last = Some(Kept { until, moment: Arc::clone(&moment) });
        Ok(moment)
    }

    /// Who did something sees at once what came of it.
    pub(super) async fn stale(&self) {
        *self.0.lock().await = None;
    }
}
