//! The farm as it was a moment ago, looked at once for everybody who watches:
//! a hundred open pages cost the scheduler what one does.

use super::{Glance, glance};
use crate::trust::Caller;
use platefarm_model::Outcome;
use platefarm_model::explain::ShareView;
use platefarm_model::job::{JobView, WorkerView};
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
    pub(super) shares: Vec<ShareView>,
}

impl Moment {
    /// Jobs that `caller` sees, newest first.
    pub(super) fn seen<'m>(&'m self, caller: &'m Caller) -> impl Iterator<Item = &'m JobView> {
        self.jobs.iter().filter(|job| caller.sees(&job.show))
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
        let look = glance(farm, |farm| (farm.jobs(false), farm.workers(), farm.settings().shares));
        let (mut jobs, workers, shares) = look.await?;
        jobs.reverse();
        let moment = Arc::new(Moment { jobs, workers, shares });
        *last = Some((Instant::now(), Arc::clone(&moment)));
        Ok(moment)
    }

    /// Who did something sees at once what came of it.
    pub(super) async fn stale(&self) {
        *self.0.lock().await = None;
    }
}
