//! A farm in a box: the real core and the store's contract, driven by fake
//! workers over a network that loses, doubles, delays and reorders, while
//! workers and the scheduler crash. Everything that happens follows from one
//! seed, so a failure can be replayed:
//!
//! ```text
//! PLATEFARM_SIM_SEED=17 cargo test -p platefarm-scheduler sim::replay -- --nocapture
//! ```
//!
//! `PLATEFARM_SIM_SEEDS=10000` tries more seeds than the usual few hundred.

mod fake;
mod ledger;
mod rng;
mod script;
mod world;

pub(crate) use rng::Rng;

use ledger::Tally;
use script::Bug;
use std::env;
use world::World;

/// Seeds of an ordinary test run: a few seconds.
const SEEDS: u64 = 200;

fn number(name: &str) -> Option<u64> {
    env::var(name).ok()?.parse().ok()
}

#[test]
fn farms_keep_their_promises_whatever_breaks() {
    let mut total = Tally::default();
    for seed in 0..number("PLATEFARM_SIM_SEEDS").unwrap_or(SEEDS) {
        match World::new(seed, None).run() {
            Ok(tally) => total.add(&tally),
            Err(broken) => panic!(
                "seed {seed}: {broken}\nreplay: PLATEFARM_SIM_SEED={seed} \
                 cargo test -p platefarm-scheduler sim::replay -- --nocapture"
            ),
        }
    }
    // The box must shake: what is never exercised proves nothing.
    println!("{total:?}");
    assert!(total.is_shaken(), "{total:?}");
}

#[test]
fn replay() {
    let Some(seed) = number("PLATEFARM_SIM_SEED") else { return };
    let mut world = World::new(seed, None);
    world.trace = true;
    println!("{:?}", world.run());
}

#[test]
fn the_same_seed_is_the_same_farm() {
    for seed in [3, 77] {
        assert_eq!(World::new(seed, None).run(), World::new(seed, None).run());
    }
}

/// The checkers must be able to fail: each bug is planted and must be seen.
#[test]
fn planted_bugs_are_caught() {
    for (bug, sign) in [
        (Bug::TokensUnchecked, "published"),
        (Bug::AnsweredBeforeStored, "acknowledged"),
        (Bug::TimeStandsStill, "does not end"),
    ] {
        let seen = |seed| World::new(seed, Some(bug)).run().err().filter(|e| e.contains(sign));
        assert!((0..60).any(|seed| seen(seed).is_some()), "{bug:?} was not caught in 60 seeds");
    }
}
