//! What lists and watchers show.

use super::{needed, ranges, set};
use crate::v1;
use platefarm_model::job::{JobView, LeaseView, Phase, StepView, WorkerView};
use platefarm_model::making::{Making, Stage};
use platefarm_model::{Fault, JobId, LeaseToken, Outcome, Timestamp, WorkerId};

impl From<&StepView> for v1::StepView {
    fn from(step: &StepView) -> Self {
        Self {
            id: Some(step.id.into()),
            name: step.name.clone(),
            kind: step.kind.clone(),
            phase: v1::Phase::from(step.phase).into(),
            frames: Some(step.frames.into()),
            done: ranges(&step.done),
            leased: ranges(&step.leased),
            failed: ranges(&step.failed),
            first_fault: step.first_fault.as_ref().map(Into::into),
            paused: step.paused,
            level: step.level.map(|(class, priority)| v1::Level {
                class: v1::PriorityClass::from(class).into(),
                priority,
            }),
            making: step.making.as_ref().map(Into::into),
        }
    }
}

impl From<&Making> for v1::Making {
    fn from(making: &Making) -> Self {
        let Making { stage, done, total, bytes, total_bytes } = *making;
        Self { stage: v1::MakingStage::from(stage).into(), done, total, bytes, total_bytes }
    }
}

impl From<Stage> for v1::MakingStage {
    fn from(stage: Stage) -> Self {
        match stage {
            Stage::Naming => Self::Naming,
            Stage::Checking => Self::Checking,
            Stage::Drawing => Self::Drawing,
            Stage::Filming => Self::Filming,
            Stage::Writing => Self::Writing,
            Stage::Examining => Self::Examining,
            Stage::Sealing => Self::Sealing,
        }
    }
}

/// How far something is; none where that is in words of a later version.
#[must_use]
pub fn making(wire: Option<v1::Making>) -> Option<Making> {
    let wire = wire?;
    let stage = match wire.stage() {
        v1::MakingStage::Unspecified => return None,
        v1::MakingStage::Naming => Stage::Naming,
        v1::MakingStage::Checking => Stage::Checking,
        v1::MakingStage::Drawing => Stage::Drawing,
        v1::MakingStage::Filming => Stage::Filming,
        v1::MakingStage::Writing => Stage::Writing,
        v1::MakingStage::Examining => Stage::Examining,
        v1::MakingStage::Sealing => Stage::Sealing,
    };
    let v1::Making { done, total, bytes, total_bytes, .. } = wire;
    Some(Making { stage, done, total, bytes, total_bytes })
}

impl TryFrom<v1::StepView> for StepView {
    type Error = Fault;

    fn try_from(step: v1::StepView) -> Outcome<Self> {
        Ok(Self {
            phase: Phase::try_from(step.phase())?,
            id: needed(step.id, "step.id")?.into(),
            name: step.name,
            kind: step.kind,
            frames: needed(step.frames, "step.frames")?.try_into()?,
            done: set(step.done)?,
            leased: set(step.leased)?,
            failed: set(step.failed)?,
            first_fault: step.first_fault.map(Into::into),
            paused: step.paused,
            level: step.level.map(|l| (l.class().into(), l.priority)),
            making: making(step.making),
        })
    }
}

impl From<&JobView> for v1::JobView {
    fn from(job: &JobView) -> Self {
        Self {
            id: job.id.0,
            name: job.name.clone(),
            show: job.show.clone(),
            priority: job.priority,
            phase: v1::Phase::from(job.phase).into(),
            submitted_us: job.submitted.0,
            finished_us: job.finished.map_or(0, |t| t.0),
            frames_total: job.frames_total,
            frames_done: job.frames_done,
            frames_failed: job.frames_failed,
            steps: job.steps.iter().map(Into::into).collect(),
            terms: Some((&job.terms).into()),
        }
    }
}

impl TryFrom<v1::JobView> for JobView {
    type Error = Fault;

    fn try_from(job: v1::JobView) -> Outcome<Self> {
        Ok(Self {
            phase: Phase::try_from(job.phase())?,
            id: JobId(job.id),
            name: job.name,
            show: job.show,
            priority: job.priority,
            terms: job.terms.map(Into::into).unwrap_or_default(),
            submitted: Timestamp(job.submitted_us),
            finished: (job.finished_us != 0).then_some(Timestamp(job.finished_us)),
            frames_total: job.frames_total,
            frames_done: job.frames_done,
            frames_failed: job.frames_failed,
            steps: job.steps.into_iter().map(TryInto::try_into).collect::<Outcome<_>>()?,
        })
    }
}

impl From<&LeaseView> for v1::LeaseView {
    fn from(lease: &LeaseView) -> Self {
        Self { token: lease.token.0, step: Some(lease.step.into()), frames: ranges(&lease.frames) }
    }
}

impl TryFrom<v1::LeaseView> for LeaseView {
    type Error = Fault;

    fn try_from(lease: v1::LeaseView) -> Outcome<Self> {
        Ok(Self {
            token: LeaseToken(lease.token),
            step: needed(lease.step, "lease.step")?.into(),
            frames: set(lease.frames)?,
        })
    }
}

impl From<&WorkerView> for v1::WorkerView {
    fn from(worker: &WorkerView) -> Self {
        Self {
            id: worker.id.0,
            name: worker.name.clone(),
            state: worker.state.clone(),
            slots: worker.slots,
            backend: worker.backend.clone(),
            last_seen_us: worker.last_seen.0,
            leases: worker.leases.iter().map(Into::into).collect(),
            frames_done: worker.frames_done,
            traits: Some(v1::WorkerTraits {
                labels: worker.labels.clone(),
                pools: worker.pools.clone(),
                memory_mib: worker.memory_mib,
                near: Vec::new(),
            }),
            quarantine: worker.quarantine.as_ref().map(Into::into),
            drain_reason: worker.drain_reason.clone(),
        }
    }
}

impl TryFrom<v1::WorkerView> for WorkerView {
    type Error = Fault;

    fn try_from(worker: v1::WorkerView) -> Outcome<Self> {
        let traits = worker.traits.unwrap_or_default();
        Ok(Self {
            id: WorkerId(worker.id),
            name: worker.name,
            state: worker.state,
            slots: worker.slots,
            backend: worker.backend,
            last_seen: Timestamp(worker.last_seen_us),
            leases: worker.leases.into_iter().map(TryInto::try_into).collect::<Outcome<_>>()?,
            frames_done: worker.frames_done,
            labels: traits.labels,
            pools: traits.pools,
            memory_mib: traits.memory_mib,
            quarantine: worker.quarantine.map(Into::into),
            drain_reason: worker.drain_reason,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use platefarm_model::farm::{JobTerms, PriorityClass, Quarantine};
    use platefarm_model::{Code, FrameRange, FrameSet, StepId};

    #[test]
    fn every_stage_travels_and_a_later_one_is_not_told() {
        for stage in Stage::ALL {
            let known = Making::begin(stage, 2, 3);
            assert_eq!(making(Some((&known).into())), Some(known));
        }
        assert_eq!(making(Some(v1::Making { stage: 99, ..v1::Making::default() })), None);
        assert_eq!(making(None), None);
    }

    #[test]
    fn a_job_view_travels_unchanged() {
        let id = StepId { job: JobId(4), index: 2 };
        let step = StepView {
            id,
            name: "A_010".into(),
            kind: "render".into(),
            phase: Phase::Running,
            frames: FrameRange::new(1001, 1010).unwrap(),
            done: "1001-1003,1007".parse().unwrap(),
            leased: FrameSet::new(),
            failed: "1010".parse().unwrap(),
            first_fault: Some(Fault::new(Code::TruncatedFile, "12 bytes short").at("a.dng")),
            paused: true,
            level: Some((PriorityClass::Urgent, -4)),
            making: Some(Making { done: 3, bytes: 7, ..Making::begin(Stage::Filming, 9, 20) }),
        };
        let job = JobView {
            id: id.job,
            name: "pull".into(),
            show: "demo".into(),
            priority: 7,
            terms: JobTerms {
                class: PriorityClass::Background,
                paused: true,
                ..JobTerms::default()
            },
            phase: Phase::Running,
            submitted: Timestamp(1_700_000_000_000_000),
            finished: None,
            frames_total: 10,
            frames_done: 4,
            frames_failed: 1,
            steps: vec![step],
        };
        assert_eq!(JobView::try_from(v1::JobView::from(&job)).unwrap(), job);
        let settled = JobView { finished: Some(Timestamp(5)), phase: Phase::Failed, ..job };
        assert_eq!(JobView::try_from(v1::JobView::from(&settled)).unwrap(), settled);
        assert!(JobView::try_from(v1::JobView::default()).is_err(), "a phase must be said");
    }

    #[test]
    fn a_worker_view_travels_unchanged() {
        let worker = WorkerView {
            id: WorkerId(3),
            name: "node1".into(),
            state: "alive".into(),
            slots: 2,
            backend: "cpu".into(),
            last_seen: Timestamp(9),
            leases: vec![LeaseView {
                token: LeaseToken(8),
                step: StepId { job: JobId(4), index: 0 },
                frames: "5-9".parse().unwrap(),
            }],
            frames_done: 17,
            labels: vec!["rack=3".into()],
            pools: vec!["night".into()],
            memory_mib: 5,
            quarantine: Some(Quarantine {
                reason: "it fails where others succeed".into(),
                since: Timestamp(1),
                retry_at: None,
                strikes: 2,
            }),
            drain_reason: "a new kernel".into(),
        };
        assert_eq!(WorkerView::try_from(v1::WorkerView::from(&worker)).unwrap(), worker);
    }
}
