//! Work in a process of its own: one for each slot, the same program with a
//! hidden verb. A decoder that crashes, hangs or eats the memory takes down a
//! frame and not a node; the process keeps clips open and the GPU warm from
//! task to task, and is made anew when it is gone.
//!
//! Both ends speak over the child's standard input and output, in messages of
//! JSON behind their length. The agent's process never touches a picture.
//!
//! A crash with several frames under way does not say whose it was. So the
//! frames of the lease are done again one at a time, and the one that is alone
//! in hand when the process goes again is the one that is charged.

mod message;
mod parent;
mod serve;

pub use parent::{Asking, Child, Limits, Program};
pub use serve::serve;
