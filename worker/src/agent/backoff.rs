//! How long to wait before the next try: doubling, bounded, and jittered, so
//! that a thousand workers do not come back to a restarted scheduler in one
//! instant.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

const FIRST_MS: u64 = 100;
const LONGEST_MS: u64 = 5_000;

/// The waits between tries at one thing.
#[derive(Debug)]
pub(crate) struct Backoff {
    tries: u32,
    random: u64,
}

impl Backoff {
    /// No try failed yet.
    pub(crate) fn new() -> Self {
        // The standard hasher is keyed at random in every process.
        Self { tries: 0, random: RandomState::new().hash_one(FIRST_MS) | 1 }
    }

    /// It worked.
    pub(crate) fn reset(&mut self) {
        self.tries = 0;
    }

    /// How long to wait after one more failure: between half and all of the doubled wait.
    pub(crate) fn next(&mut self) -> Duration {
        // Marsaglia's xorshift64.
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        let whole = (FIRST_MS << self.tries.min(16)).min(LONGEST_MS);
        self.tries = self.tries.saturating_add(1);
        Duration::from_millis(whole / 2 + self.random % (whole / 2 + 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_a_bound_and_start_over() {
        let mut backoff = Backoff::new();
        for tries in 0..40 {
            let whole = (FIRST_MS << tries.min(16)).min(LONGEST_MS);
            let wait = backoff.next().as_millis() as u64;
            assert!((whole / 2..=whole).contains(&wait), "try {tries}: {wait} ms");
        }
        backoff.reset();
        assert!(backoff.next() <= Duration::from_millis(FIRST_MS));
    }

    #[test]
    fn two_workers_do_not_wait_alike() {
        let (mut a, mut b) = (Backoff::new(), Backoff::new());
        assert!((0..20).any(|_| a.next() != b.next()));
    }
}
