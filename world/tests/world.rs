//! The farm in a box over many seeds: every promise is kept, the same seed is
//! the same farm, and a bug planted in each checker's domain is caught.

use platefarm_world::{Bug, Tally, World};
use std::env;
use std::sync::atomic::{AtomicU64, Ordering};

/// Seeds of an ordinary test run.
const SEEDS: u64 = 2_000;

fn number(name: &str) -> Option<u64> {
    env::var(name).ok()?.parse().ok()
}

/// The command that shows a farm from its first to its last moment, anywhere in the workspace.
fn replay_of(seed: u64) -> String {
    let (package, test) = (env!("CARGO_PKG_NAME"), env!("CARGO_CRATE_NAME"));
    format!(
        "PLATEFARM_SIM_SEED={seed} cargo test --locked -p {package} --test {test} replay -- --nocapture"
    )
}

/// Runs seeds `from..to` on every core; the whole tally, or the first broken promise.
fn run(from: u64, to: u64) -> Result<Tally, String> {
    let next = AtomicU64::new(from);
    let work = || {
        let mut total = Tally::default();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= to {
                return Ok(total);
            }
            match World::new(seed, None).run() {
                Ok(tally) => total.add(&tally),
                Err(broken) => {
                    next.store(to, Ordering::Relaxed);
                    return Err(format!("seed {seed}: {broken}\nreplay: {}", replay_of(seed)));
                }
            }
        }
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..cores).map(|_| scope.spawn(work)).collect();
        let mut total = Tally::default();
        for thread in threads {
            total.add(&thread.join().map_err(|_| "a world panicked; its message is above")??);
        }
        Ok(total)
    })
}

#[test]
fn farms_keep_their_promises_whatever_breaks() {
    let from = number("PLATEFARM_SIM_FROM").unwrap_or(0);
    let seeds = number("PLATEFARM_SIM_SEEDS").unwrap_or(SEEDS);
    let total = run(from, from + seeds).unwrap_or_else(|broken| panic!("{broken}"));
    // The box must shake: what is never exercised proves nothing.
    println!("{seeds} seeds: {total:?}");
    assert!(seeds < 200 || total.is_shaken(), "{total:?}");
}

#[test]
fn the_command_that_is_printed_names_this_package_and_this_test() {
    let command = replay_of(17);
    let manual = include_str!("../src/lib.rs");
    assert!(manual.contains(&format!("//! {command}\n")), "{command}");
    assert!(command.contains(" -p platefarm-world --test world replay "), "{command}");
}

#[test]
fn replay() {
    let Some(seed) = number("PLATEFARM_SIM_SEED") else { return };
    println!("{:?}", World::new(seed, None).traced().run());
}

#[test]
fn the_same_seed_is_the_same_farm() {
    for seed in [3, 77] {
        assert_eq!(World::new(seed, None).run(), World::new(seed, None).run());
    }
}

/// The checkers must be able to fail: a bug is planted in the domain of each,
/// and must be seen, by that checker, in its own words.
#[test]
fn planted_bugs_are_caught() {
    for (bug, sign) in [
        (Bug::TokensUnchecked, "was published by"),
        (Bug::AnsweredBeforeStored, "acknowledged"),
        (Bug::TornCommit, "torn"),
        (Bug::RowForgotten, "not what is stored"),
        (Bug::EndsForgotten, "has results for"),
        (Bug::DeposedWrites, "not what is stored"),
        (Bug::DeposedWrites, "was given out before"),
        (Bug::TimeStandsStill, "does not end"),
        (Bug::TakenUnasked, "given back"),
        (Bug::AsksForgotten, "was not asked for it"),
        (Bug::LimitsUncounted, "limit nuke has"),
        (Bug::CeilingsUncounted, "show a has"),
        (Bug::CapsForgotten, "tasks, more than"),
        (Bug::KeysForgotten, "was acknowledged as"),
        (Bug::GivenUpTooSoon, "gave up"),
        (Bug::PausedIsCancelled, "cancelled by nobody"),
        (Bug::ClassesForgotten, "goes first"),
        (Bug::GivenTwice, "somebody has them already"),
        (Bug::SilenceIsYes, "was acknowledged"),
        (Bug::SecondThoughts, "was refused and then granted"),
        (Bug::MarksForgotten, "given out again"),
        (Bug::ForgetsOthers, "is not stored"),
        (Bug::ForgetsOpen, "had not ended"),
        (Bug::ForgetsUnasked, "nobody asked for it"),
        (Bug::ForgettingUnwritten, "was acknowledged to be forgotten, and is stored"),
        (Bug::LateHeeded, "was heeded"),
    ] {
        let seen = |seed| World::new(seed, Some(bug)).run().err().filter(|e| e.contains(sign));
        let caught = (0..1_000).find(|seed| seen(*seed).is_some());
        assert!(caught.is_some(), "{bug:?} was not caught in 1,000 seeds");
    }
}
