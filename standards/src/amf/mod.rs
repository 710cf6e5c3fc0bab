//! AMF, the ACES Metadata File: which colour transforms are in the pixels and
//! which are still to be applied.
//!
//! [`Amf::parse`] reads versions 1 and 2 leniently, [`Amf::resolve`] finds what
//! they name (ids in the [`registry`], files beside them), and [`plate_amf`]
//! writes version 2.0 for what we deliver. [`clf::camera_clf`] writes the
//! camera's transform as a Common LUT Format file to stand beside it, because
//! a DNG's matrix belongs to its clip and no registry can know it.
//!
//! Sources: S-2019-001 and the schema of version 2.0 (`ampas/aces-amf`), the
//! AMF implementation guide (`ampas/aces-docs`).

mod beside;
pub mod clf;
mod delivery;
mod grade;
mod hash;
mod incoming;
mod input;
mod output;
mod own;
mod plate;
mod read;
pub mod registry;
mod resolve;
mod validate;
mod write;

pub use delivery::{Delivery, ExtraLook, Sidecars, sidecars};
pub use grade::GradeLook;
pub use hash::sha256_hex;
pub use incoming::{IncomingAmf, overruled, pixels};
pub use input::InputTransform;
pub use output::{named, output, target, view};
pub use plate::{BakedLook, Incoming, LookSource, PlateAmf, Viewing, file_name, plate_amf};
pub use read::{
    Amf, Cdl, Clip, ClipMedia, Hash, Pipeline, Reference, Stage, StageKind, WorkingSpace,
};
pub use resolve::{Finder, Found, Pixels, Resolved, ResolvedStage, without_amf};
pub use validate::validate;
