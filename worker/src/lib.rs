//! The work itself: the stateless render function, the package around the
//! plates, and the agent that takes leases from a farm and runs them.
//!
//! [`render`] needs no farm, no network and no state: a clip, a frame range
//! and settings go in, files appear. [`kinds`] wraps each thing a farm can ask
//! for in one trait; [`agent`] speaks with the scheduler and runs them. Nothing
//! here knows how the scheduler decides.

pub mod agent;
pub mod child;
pub mod gate;
pub mod kinds;
pub mod leash;
pub mod package;
pub mod probe;
pub mod render;
pub mod roots;
pub mod still;
