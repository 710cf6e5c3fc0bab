//! The last hour in samples: what the plot of capacity and the throughput are
//! drawn from. It is kept in memory and begins anew with the scheduler; what has
//! to last is Prometheus' to keep.

use super::metrics::Seen;
use super::{Glance, Shared, glance};
use serde::Serialize;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Between two samples.
const STEP: Duration = Duration::from_secs(5);
/// Samples of an hour.
const KEPT: usize = 720;
/// Most samples that a page is drawn from.
const DRAWN: usize = 180;

/// The farm at a moment.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Sample {
    pub(super) at_us: u64,
    pub(super) slots: u64,
    pub(super) leases: u64,
    pub(super) accepted: u64,
}

/// The last hour.
#[derive(Debug, Default)]
pub(super) struct Samples(Mutex<VecDeque<Sample>>);

impl Samples {
    fn push(&self, sample: Sample) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() == KEPT {
            kept.pop_front();
        }
        kept.push_back(sample);
    }

    /// Evenly chosen samples, the last one among them.
    pub(super) fn drawn(&self) -> Vec<Sample> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let step = kept.len().div_ceil(DRAWN).max(1);
        let mut drawn: Vec<Sample> = kept.iter().rev().step_by(step).copied().collect();
        drawn.reverse();
        drawn
    }
}

/// Takes samples for as long as it is polled.
pub(super) async fn keep<G: Glance>(shared: &Arc<Shared<G>>) {
    loop {
        if let Ok(seen) = glance(&shared.pages.farm, Seen::of).await {
            let (slots, leases, accepted) = seen.capacity();
            let at = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            let at_us = u64::try_from(at.as_micros()).unwrap_or(u64::MAX);
            shared.samples.push(Sample { at_us, slots, leases, accepted });
        }
        tokio::time::sleep(STEP).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_is_kept_and_the_last_sample_is_drawn() {
        let samples = Samples::default();
        for i in 0..2000u64 {
            samples.push(Sample { at_us: i, slots: 1, leases: 0, accepted: i });
        }
        let drawn = samples.drawn();
        assert!(drawn.len() <= DRAWN && drawn.len() > DRAWN / 2, "{}", drawn.len());
        assert_eq!(drawn.last().map(|s| s.at_us), Some(1999));
        assert!(drawn[0].at_us >= 2000 - KEPT as u64);
        assert!(drawn.windows(2).all(|w| w[0].at_us < w[1].at_us));
    }
}
