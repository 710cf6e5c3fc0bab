//! How often somebody may ask: a bucket for each caller, which fills at a
//! rate and empties by a call each. Pure: the time is told.

use std::collections::HashMap;
use std::time::Instant;

/// Calls a second, and how many may come at once.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    /// Calls a second, kept up for ever.
    pub per_second: f64,
    /// Calls at once after a silence.
    pub burst: f64,
}

#[derive(Clone, Copy, Debug)]
struct Bucket {
    left: f64,
    at: Instant,
}

/// Buckets by who calls.
#[derive(Debug)]
pub(super) struct Buckets {
    rate: Rate,
    of: HashMap<String, Bucket>,
}

/// Callers that are remembered. Above it those whose bucket is full again are forgotten.
const REMEMBERED: usize = 4096;

impl Buckets {
    pub(super) fn new(rate: Rate) -> Self {
        Self { rate, of: HashMap::new() }
    }

    /// Takes a call out of `who`'s bucket; false when it is empty.
    pub(super) fn take(&mut self, who: &str, now: Instant) -> bool {
        self.forget(now);
        let rate = self.rate;
        let full = Bucket { left: rate.burst, at: now };
        let bucket = match self.of.get_mut(who) {
            Some(bucket) => bucket,
            None => self.of.entry(who.to_owned()).or_insert(full),
        };
        bucket.left = rate.filled(bucket, now);
        bucket.at = now;
        if bucket.left < 1.0 {
            return false;
        }
        bucket.left -= 1.0;
        true
    }

    fn forget(&mut self, now: Instant) {
        if self.of.len() >= REMEMBERED {
            let rate = self.rate;
            self.of.retain(|_, bucket| rate.filled(bucket, now) < rate.burst);
            if self.of.len() >= REMEMBERED {
                // A crowd that nobody can tell apart begins anew.
                self.of.clear();
            }
        }
    }
}

impl Rate {
    fn filled(self, bucket: &Bucket, now: Instant) -> f64 {
        let passed = now.saturating_duration_since(bucket.at).as_secs_f64();
        (bucket.left + passed * self.per_second).min(self.burst)
    }
}

/// How much one caller may ask.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// Calls of one token of a person or service.
    pub people: Rate,
    /// Calls of one token of workers, which may be a fleet's.
    pub workers: Rate,
    /// Calls from one address that nobody could be found for.
    pub strangers: Rate,
    /// Tries of one token that were refused and are written down; more only make the log long.
    pub refusals: Rate,
    /// Answers in a stream that one token may hold open.
    pub streams: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            people: Rate { per_second: 200.0, burst: 1000.0 },
            workers: Rate { per_second: 20_000.0, burst: 50_000.0 },
            strangers: Rate { per_second: 1.0, burst: 20.0 },
            refusals: Rate { per_second: 0.1, burst: 20.0 },
            streams: 256,
        }
    }
}

/// The buckets of everybody.
#[derive(Debug)]
pub(super) struct Rates {
    pub(super) people: Buckets,
    pub(super) workers: Buckets,
    pub(super) strangers: Buckets,
    pub(super) refusals: Buckets,
}

impl Rates {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            people: Buckets::new(limits.people),
            workers: Buckets::new(limits.workers),
            strangers: Buckets::new(limits.strangers),
            refusals: Buckets::new(limits.refusals),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::time::Duration;

    proptest! {
        /// Over any time, no more calls than the burst and the rate allow; and one
        /// caller's haste costs another nothing.
        #[test]
        fn no_caller_takes_more_than_the_rate(waits in prop::collection::vec(0u64..200, 1..400)) {
            let rate = Rate { per_second: 20.0, burst: 5.0 };
            let mut buckets = Buckets::new(rate);
            let begun = Instant::now();
            let mut now = begun;
            let mut taken = 0.0;
            for wait in waits {
                now += Duration::from_millis(wait);
                taken += f64::from(u8::from(buckets.take("a", now)));
                let most = rate.burst + rate.per_second * (now - begun).as_secs_f64();
                prop_assert!(taken <= most + 1e-6);
            }
            prop_assert!(buckets.take("b", now));
        }
    }

    #[test]
    fn a_crowd_is_not_remembered_without_end() {
        let mut buckets = Buckets::new(Rate { per_second: 0.001, burst: 1.0 });
        let now = Instant::now();
        for i in 0..3 * REMEMBERED {
            buckets.take(&i.to_string(), now);
            assert!(buckets.of.len() <= REMEMBERED);
        }
    }
}
