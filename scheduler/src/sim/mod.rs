//! Numbers for tests that look random and follow from a seed. The farm in a
//! box, which joins the core with the worker's session logic, is `tests/world`
//! of the whole: this room may not know the worker.

mod rng;

pub(crate) use rng::Rng;
