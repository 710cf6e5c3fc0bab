//! Colour transforms on pixels.
//!
//! [`Plan`] makes a chain ready: neighbouring matrices become one, what does
//! nothing is dropped, tables are computed, constants go to single precision.
//! On the CPU it runs on blocks of pixels that stay in the nearest cache while
//! every step passes over them. On a GPU the whole chain is one function,
//! whose text is put together from those of the families of steps
//! (`shader.rs`); numbers and tables lie in a buffer that both forms read alike.

pub mod aces1;
pub mod aces2;
mod convert;
pub mod cube_back;
pub mod curve;
pub mod lut;
pub mod math;
mod plan;
pub(crate) mod shader;
pub mod step;
pub mod transfer;

pub use crate::exec::gpu::convert::OnDevice;
pub use convert::{Converter, Replaced};
pub use plan::Plan;
