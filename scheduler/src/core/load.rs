//! What is to be done and who does it, for operators; and the pace of the last
//! minute, which is counted as results are accepted. Nothing here decides.

use super::State;
use platefarm_model::Timestamp;
use platefarm_model::job::Phase;
use platefarm_model::status::Load;
use std::collections::VecDeque;

/// What is counted together.
const BUCKET_US: i64 = 5_000_000;
/// Buckets that make a pace: a minute.
const BUCKETS: i64 = 12;

/// Results that were accepted lately. Lost with the process, as what it is counted from.
#[derive(Clone, Debug)]
pub(super) struct Lately {
    began: Timestamp,
    /// By their numbers since the epoch, the oldest first.
    buckets: VecDeque<(i64, u64)>,
}

impl Lately {
    pub(super) fn new(began: Timestamp) -> Self {
        Self { began, buckets: VecDeque::new() }
    }

    /// A result was accepted.
    pub(super) fn count(&mut self, now: Timestamp) {
        let number = now.0.div_euclid(BUCKET_US);
        match self.buckets.back_mut() {
            Some((last, count)) if *last == number => *count += 1,
            _ => self.buckets.push_back((number, 1)),
        }
        while self.buckets.front().is_some_and(|(first, _)| *first <= number - BUCKETS) {
            self.buckets.pop_front();
        }
    }

    /// Results a minute, of the last minute or as long as is counted; none before there is a bucket of them.
    fn a_minute(&self, now: Timestamp) -> Option<u64> {
        let number = now.0.div_euclid(BUCKET_US);
        let recent = self.buckets.iter().filter(|(at, _)| *at > number - BUCKETS);
        let sum: u64 = recent.map(|(_, count)| count).sum();
        let from = self.began.0.max((number - BUCKETS + 1) * BUCKET_US);
        let took = now.0 - from;
        (took >= BUCKET_US).then(|| (sum as f64 * 60e6 / took as f64).round() as u64)
    }
}

impl State {
    /// What is to be done, and who does it, at the time that was told last.
    #[must_use]
    pub fn load(&self) -> Load {
        let mut load = Load { frames_a_minute: self.lately.a_minute(self.now), ..Load::default() };
        for sums in self.tally().values() {
            load.jobs_running += sums.jobs_in(Phase::Running);
            load.jobs_waiting += sums.jobs_waiting();
            load.frames_left += sums.open.left();
        }
        self.workers().iter().for_each(|worker| load.worker(worker));
        load
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp(seconds * 1_000_000)
    }

    #[test]
    fn the_pace_is_that_of_the_last_minute() {
        let mut lately = Lately::new(at(1000));
        assert_eq!(lately.a_minute(at(1002)), None, "nothing is known yet");
        // Two a second for two minutes, then one every five seconds.
        (1000..1120).for_each(|s| (0..2).for_each(|_| lately.count(at(s))));
        assert_eq!(lately.a_minute(at(1120)), Some(120));
        (224..249).for_each(|fives| lately.count(at(fives * 5)));
        assert_eq!(lately.a_minute(at(1245)), Some(12));
        // What was long ago is no pace.
        assert_eq!(lately.a_minute(at(2000)), Some(0));
        assert!(lately.buckets.len() <= 13, "{:?}", lately.buckets);
    }

    #[test]
    fn a_young_farm_has_the_pace_that_it_had_so_far() {
        let mut lately = Lately::new(at(1000));
        (1000..1010).for_each(|s| lately.count(at(s)));
        assert_eq!(lately.a_minute(at(1010)), Some(60));
    }
}
