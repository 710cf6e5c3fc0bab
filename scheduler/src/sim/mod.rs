//! Numbers for tests that look random and follow from a seed. The farm in a
//! box, which joins the core with the worker's session logic, is the package `world`
//! of its own: this room may not know the worker.

mod rng;

pub(crate) use rng::Rng;
