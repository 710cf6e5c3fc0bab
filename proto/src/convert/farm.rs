//! What people say about work and machines. Zero and empty mean "not said"
//! on the wire, and are read as such.

use crate::v1;
use platefarm_model::farm::{
    Dependency, Device, JobTerms, Needs, PriorityClass, Quarantine, Target, WorkerTraits,
};
use platefarm_model::{Fault, JobId, Outcome, StepId, Timestamp};

/// A time, where 0 is none.
pub(super) fn time(micros: i64) -> Option<Timestamp> {
    (micros != 0).then_some(Timestamp(micros))
}

pub(super) fn micros(time: Option<Timestamp>) -> i64 {
    time.map_or(0, |t| t.0)
}

impl From<PriorityClass> for v1::PriorityClass {
    fn from(class: PriorityClass) -> Self {
        match class {
            PriorityClass::Background => Self::Background,
            PriorityClass::Normal => Self::Normal,
            PriorityClass::Urgent => Self::Urgent,
        }
    }
}

/// What is not said is normal.
impl From<v1::PriorityClass> for PriorityClass {
    fn from(class: v1::PriorityClass) -> Self {
        match class {
            v1::PriorityClass::Background => Self::Background,
            v1::PriorityClass::Unspecified | v1::PriorityClass::Normal => Self::Normal,
            v1::PriorityClass::Urgent => Self::Urgent,
        }
    }
}

impl From<&Needs> for v1::Needs {
    fn from(needs: &Needs) -> Self {
        let device = match needs.device {
            Device::Any => v1::Device::Unspecified,
            Device::Cpu => v1::Device::Cpu,
            Device::Gpu => v1::Device::Gpu,
        };
        Self {
            pool: needs.pool.clone().unwrap_or_default(),
            labels: needs.labels.iter().cloned().collect(),
            memory_mib: needs.memory_mib,
            device: device.into(),
            limits: needs.limits.clone(),
        }
    }
}

impl TryFrom<v1::Needs> for Needs {
    type Error = Fault;

    fn try_from(needs: v1::Needs) -> Outcome<Self> {
        let device = match needs.device() {
            v1::Device::Unspecified => Device::Any,
            v1::Device::Cpu => Device::Cpu,
            v1::Device::Gpu => Device::Gpu,
        };
        let needs = Self {
            pool: (!needs.pool.is_empty()).then_some(needs.pool),
            labels: needs.labels.into_iter().collect(),
            memory_mib: needs.memory_mib,
            device,
            limits: needs.limits,
        };
        needs.check()?;
        Ok(needs)
    }
}

impl From<Dependency> for v1::Dependency {
    fn from(dependency: Dependency) -> Self {
        let (job, step) = match dependency.on {
            Target::Job(job) => (job.0, None),
            Target::Step(step) => (step.job.0, Some(step.index)),
        };
        Self { job, step, same_frames: dependency.same_frames }
    }
}

impl From<v1::Dependency> for Dependency {
    fn from(wire: v1::Dependency) -> Self {
        let job = JobId(wire.job);
        let on = wire.step.map_or(Target::Job(job), |index| Target::Step(StepId { job, index }));
        Self { on, same_frames: wire.same_frames }
    }
}

impl From<&JobTerms> for v1::JobTerms {
    fn from(terms: &JobTerms) -> Self {
        Self {
            class: v1::PriorityClass::from(terms.class).into(),
            deadline_us: micros(terms.deadline),
            start_after_us: micros(terms.start_after),
            max_tasks: terms.max_tasks.unwrap_or(0),
            after: terms.after.iter().copied().map(Into::into).collect(),
            paused: terms.paused,
            submitted_by: terms.submitted_by.as_deref().unwrap_or_default().into(),
        }
    }
}

impl From<v1::JobTerms> for JobTerms {
    fn from(terms: v1::JobTerms) -> Self {
        Self {
            class: terms.class().into(),
            deadline: time(terms.deadline_us),
            start_after: time(terms.start_after_us),
            max_tasks: (terms.max_tasks > 0).then_some(terms.max_tasks),
            after: terms.after.into_iter().map(Into::into).collect(),
            paused: terms.paused,
            submitted_by: (!terms.submitted_by.is_empty()).then(|| terms.submitted_by.into()),
        }
    }
}

impl From<&WorkerTraits> for v1::WorkerTraits {
    fn from(traits: &WorkerTraits) -> Self {
        Self {
            labels: traits.labels.iter().cloned().collect(),
            pools: traits.pools.iter().cloned().collect(),
            memory_mib: traits.memory_mib,
            near: traits.near.iter().cloned().collect(),
        }
    }
}

impl From<v1::WorkerTraits> for WorkerTraits {
    fn from(traits: v1::WorkerTraits) -> Self {
        Self {
            labels: traits.labels.into_iter().collect(),
            pools: traits.pools.into_iter().collect(),
            memory_mib: traits.memory_mib,
            near: traits.near.into_iter().collect(),
        }
    }
}

impl From<&Quarantine> for v1::Quarantine {
    fn from(quarantine: &Quarantine) -> Self {
        Self {
            reason: quarantine.reason.clone(),
            since_us: quarantine.since.0,
            retry_at_us: micros(quarantine.retry_at),
            strikes: quarantine.strikes,
        }
    }
}

impl From<v1::Quarantine> for Quarantine {
    fn from(wire: v1::Quarantine) -> Self {
        Self {
            reason: wire.reason,
            since: Timestamp(wire.since_us),
            retry_at: time(wire.retry_at_us),
            strikes: wire.strikes,
        }
    }
}
