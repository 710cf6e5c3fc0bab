//! A farm in a box: the scheduler's core as it is, of the worker what decides
//! which leases to hold, how far to go, and when to stop by itself, and
//! around them a world in virtual time that crashes, loses, doubles, delays,
//! reorders, tears, and cuts off workers from the scheduler and the scheduler from
//! its store, while people pause, cancel, drain, re-prioritise and forget. Everything follows from one seed, so a failure is replayed:
//!
//! ```text
//! PLATEFARM_SIM_SEED=17 cargo test --locked -p platefarm-world --test world replay -- --nocapture
//! cargo xtask sim --seeds 100000
//! ```
//!
//! It is a package of its own, since it must see both the core and the worker,
//! and since its tests decide millions of times and so are optimised.

mod books;
mod bugs;
mod disk;
mod farmer;
mod forgotten;
mod ledger;
mod oracle;
mod outage;
mod people;
// The generator of the scheduler's own tests.
#[path = "../../scheduler/src/sim/rng.rs"]
mod rng;
mod script;
mod worker;
mod world;

pub use bugs::Bug;
pub use ledger::Tally;
pub use world::World;
