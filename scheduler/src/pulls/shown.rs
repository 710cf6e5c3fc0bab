//! A plan as it is shown before anything is done: by the command line, and to a service that asks.

use super::PullPlan;
use super::estimate::{Estimate, estimate};
use platefarm_model::pull::{PackageSpec, Rejected};
use platefarm_model::{Code, Fault};
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

    /// How the pull will end though every frame is rendered: events that are rejected leave its
    /// package incomplete.
    #[must_use]
    pub fn fault(&self) -> Option<Fault> {
        let package = &self.package;
        let rejected = package.rejected.len();
        if rejected == 0 {
            return None;
        }
        let planned = package.plates.iter().map(|plate| 1 + plate.also.len()).sum::<usize>();
        let message = format!("{rejected} of {} events become no plate", planned + rejected);
        let fault = Fault::new(Code::PackageIncomplete, message).at(package.edl.name.clone());
        Some(
            fault.remedy("Mend what is said of each, or pull knowingly: the others are delivered."),
        )
    }
}

/// Why there is no plan, and what became of the events where that is known.
#[derive(Debug)]
pub struct NoPlan {
    /// Why.
    pub fault: Fault,
    /// A package without plates, and what was skipped.
    events: Option<Box<(PackageSpec, Vec<Rejected>)>>,
}

impl NoPlan {
    pub(super) fn of(fault: Fault, package: PackageSpec, skipped: Vec<Rejected>) -> Self {
        Self { fault, events: Some(Box::new((package, skipped))) }
    }

    /// What would be shown of a plan: rejected events with their candidates, and notes.
    #[must_use]
    pub fn shown(&self) -> Option<Shown<'_>> {
        let (package, skipped) = &**self.events.as_ref()?;
        Some(Shown { package, skipped, estimate: Estimate::default() })
    }
}

impl From<Fault> for NoPlan {
    fn from(fault: Fault) -> Self {
        Self { fault, events: None }
    }
}

impl From<NoPlan> for Fault {
    fn from(none: NoPlan) -> Self {
        none.fault
    }
}
