//! The last hour in samples: what the plot of capacity, the throughput and the
//! history of workers are drawn from. It is kept in memory and begins anew with
//! the scheduler; what has to last is Prometheus' to keep.

use super::{Glance, Shared, glance, known};
use crate::core::State;
use platefarm_model::job::WorkerView;
use platefarm_model::{JobId, WorkerId};
use serde::Serialize;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Between two samples.
const STEP: Duration = Duration::from_secs(5);
/// One that follows another spends at most one of so many parts of its time on samples.
const RARE: u32 = 100;
/// Samples of an hour.
const KEPT: usize = 720;
/// Most samples that a page is drawn from.
const DRAWN: usize = 180;
/// Of so many samples one is kept of each worker.
const SPARSE: u64 = 6;
/// And so many of them: the same hour.
const KEPT_OF_A_WORKER: usize = 120;

/// The farm at a moment.
#[derive(Clone, Debug)]
pub(super) struct Sample {
    pub(super) at_us: u64,
    pub(super) slots: u64,
    /// Tasks at work.
    pub(super) leases: u64,
    /// Frames that are done, of every job that is kept.
    done: u64,
    /// Frames that were done so far: it does not fall when jobs are forgotten.
    pub(super) accepted: u64,
    pub(super) waiting: u64,
    /// Tasks at work of each show that has any: never more than there are slots.
    pub(super) shows: BTreeMap<String, u64>,
}

/// A worker at a moment.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct WorkerSample {
    pub(super) at_us: u64,
    /// Tasks at work: never more than it has slots.
    pub(super) leases: u64,
    pub(super) frames: u64,
}

impl WorkerSample {
    fn of(worker: &WorkerView, at_us: u64) -> Self {
        Self { at_us, leases: worker.at_work() as u64, frames: worker.frames_done }
    }
}

type Workers = BTreeMap<WorkerId, VecDeque<WorkerSample>>;

/// The last hour.
#[derive(Debug, Default)]
pub(super) struct Samples {
    farm: Mutex<VecDeque<Sample>>,
    workers: Mutex<Workers>,
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Samples {
    fn push(&self, mut sample: Sample) {
        let mut kept = held(&self.farm);
        if let Some(last) = kept.back() {
            sample.accepted = last.accepted + sample.done.saturating_sub(last.done);
        }
        if kept.len() == KEPT {
            kept.pop_front();
        }
        kept.push_back(sample);
    }

    /// Workers that are gone are forgotten with what was kept of them.
    fn push_workers(&self, now: BTreeMap<WorkerId, WorkerSample>) {
        let mut kept = held(&self.workers);
        kept.retain(|worker, _| now.contains_key(worker));
        for (worker, sample) in now {
            let of_it = kept.entry(worker).or_default();
            if of_it.len() == KEPT_OF_A_WORKER {
                of_it.pop_front();
            }
            of_it.push_back(sample);
        }
    }

    /// Evenly chosen samples, the last one among them.
    pub(super) fn drawn(&self) -> Vec<Sample> {
        let kept = held(&self.farm);
        let step = kept.len().div_ceil(DRAWN).max(1);
        let mut drawn: Vec<Sample> = kept.iter().rev().step_by(step).cloned().collect();
        drawn.reverse();
        drawn
    }

    /// The last hour of a worker.
    pub(super) fn of_worker(&self, worker: WorkerId) -> Vec<WorkerSample> {
        held(&self.workers).get(&worker).into_iter().flatten().copied().collect()
    }
}

struct Look {
    sample: Sample,
    workers: BTreeMap<WorkerId, WorkerSample>,
}

/// Tasks at work: of what each worker has in hand as much as it has slots for, in the order in
/// which it got it. What it holds beyond that is work ahead, and takes no capacity.
fn at_work(workers: &[WorkerView]) -> impl Iterator<Item = JobId> + '_ {
    let begun = workers.iter().flat_map(|worker| worker.leases.iter().take(worker.at_work()));
    begun.map(|lease| lease.step.job)
}

fn look(farm: &State, at_us: u64, of_workers: bool, leads: bool) -> Look {
    let sums = farm.tally();
    let done = sums.values().map(|sums| sums.done).sum();
    let waiting = sums.values().map(|sums| sums.open.waiting).sum();
    let workers = known(farm.workers(), leads);
    let mut shows: BTreeMap<String, u64> = BTreeMap::new();
    for show in at_work(&workers).filter_map(|job| farm.show_of(job).ok()) {
        *shows.entry(show).or_default() += 1;
    }
    let worker = |it: &WorkerView| (it.id, WorkerSample::of(it, at_us));
    Look {
        sample: Sample {
            at_us,
            slots: workers.iter().map(WorkerView::slots_there).sum(),
            leases: shows.values().sum(),
            done,
            accepted: done,
            waiting,
            shows,
        },
        workers: workers.iter().filter(|_| of_workers).map(worker).collect(),
    }
}

/// Takes samples for as long as it is polled. One that follows another reads
/// the whole store to look at the farm: of a large one it takes fewer.
pub(super) async fn keep<G: Glance>(shared: &Arc<Shared<G>>) {
    let mut count = 0u64;
    loop {
        let begun = Instant::now();
        let of_workers = count.is_multiple_of(SPARSE);
        let at = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let at_us = u64::try_from(at.as_micros()).unwrap_or(u64::MAX);
        let leads = shared.pages.farm.leads();
        let seen =
            glance(&shared.pages.farm, move |farm| look(farm, at_us, of_workers, leads)).await;
        if let Ok(seen) = seen {
            shared.samples.push(seen.sample);
            if of_workers {
                shared.samples.push_workers(seen.workers);
            }
        }
        count += 1;
        let (takes, since) = (begun.elapsed(), Instant::now());
        tokio::time::sleep(STEP).await;
        // Who begins to lead looks at once: it has the farm at hand.
        while !shared.pages.farm.leads() && since.elapsed() < takes * RARE {
            tokio::time::sleep(STEP).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use platefarm_model::job::LeaseView;
    use platefarm_model::{FrameSet, LeaseToken, StepId, Timestamp};

    fn sample(at_us: u64) -> Sample {
        let (done, accepted) = (at_us, at_us);
        Sample { at_us, slots: 1, leases: 0, done, accepted, waiting: 0, shows: BTreeMap::new() }
    }

    #[test]
    fn an_hour_is_kept_and_the_last_sample_is_drawn() {
        let samples = Samples::default();
        (0..2000u64).for_each(|i| samples.push(sample(i)));
        let drawn = samples.drawn();
        assert!(drawn.len() <= DRAWN && drawn.len() > DRAWN / 2, "{}", drawn.len());
        assert_eq!(drawn.last().map(|s| s.at_us), Some(1999));
        assert!(drawn[0].at_us >= 2000 - KEPT as u64);
        assert!(drawn.windows(2).all(|w| w[0].at_us < w[1].at_us));
    }

    fn worker(state: &str, slots: u32, jobs: &[u64]) -> WorkerView {
        let lease = |(n, job): (usize, &u64)| LeaseView {
            token: LeaseToken(n as u64 + 1),
            step: StepId { job: JobId(*job), index: 0 },
            frames: FrameSet::new(),
        };
        WorkerView {
            id: WorkerId(1),
            name: "w".into(),
            state: state.into(),
            slots,
            backend: "cpu".into(),
            last_seen: Timestamp(0),
            leases: jobs.iter().enumerate().map(lease).collect(),
            frames_done: 0,
            labels: vec![],
            pools: vec![],
            memory_mib: 0,
            quarantine: None,
            drain_reason: String::new(),
        }
    }

    /// A worker holds tasks ahead, so that it never waits; they take no capacity.
    #[test]
    fn what_is_held_ahead_is_not_at_work() {
        let workers = [
            worker("alive", 1, &[1, 2]),
            worker("alive", 2, &[2, 1, 1]),
            worker("alive", 3, &[]),
            worker("draining", 4, &[3]),
        ];
        let mut jobs: Vec<u64> = at_work(&workers).map(|job| job.0).collect();
        jobs.sort_unstable();
        assert_eq!(jobs, [1, 1, 2, 3]);
        let slots: u64 = workers.iter().map(WorkerView::slots_there).sum();
        assert_eq!(slots, 1 + 2 + 3 + 1);
        let taken = workers.each_ref().map(|worker| WorkerSample::of(worker, 0).leases);
        assert_eq!(taken, [1, 2, 0, 1], "a worker's own history counts likewise");
    }

    #[test]
    fn workers_are_kept_for_as_long_as_they_are_there() {
        let samples = Samples::default();
        let now = |at_us, ids: &[u64]| {
            let one = |id: &u64| (WorkerId(*id), WorkerSample { at_us, leases: 1, frames: at_us });
            ids.iter().map(one).collect()
        };
        (0..200u64).for_each(|i| samples.push_workers(now(i, &[1, 2])));
        samples.push_workers(now(200, &[2]));
        assert!(samples.of_worker(WorkerId(1)).is_empty());
        let kept = samples.of_worker(WorkerId(2));
        assert_eq!((kept.len(), kept.last().map(|s| s.at_us)), (KEPT_OF_A_WORKER, Some(200)));
    }
}
