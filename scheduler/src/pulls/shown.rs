//! A plan as it is shown before anything is done: by the command line, and to a service that asks.

use super::PullPlan;
use super::estimate::{Estimate, estimate};
use platefarm_model::pull::{PackageSpec, Rejected};
use serde::Serialize;

/// A pull before it is done.
#[derive(Debug, Serialize)]
pub struct Shown<'a> {
    /// Plates, rejected events, settings.
    #[serde(flatten)]
    pub package: &'a PackageSpec,
    /// Events that need no plate.
    pub skipped: &'a [Rejected],
    /// What it will cost.
    pub estimate: Estimate,
}

impl PullPlan {
    /// As it is shown before anything is done.
    #[must_use]
    pub fn shown(&self) -> Shown<'_> {
        let package = &self.package;
        Shown { package, skipped: &self.skipped, estimate: estimate(package) }
    }
}
