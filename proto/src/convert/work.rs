//! What workers and the scheduler say to each other: leases and results.

use super::needed;
use crate::v1;
use platefarm_model::job::{FrameOutcome, FrameResult, Lease, StepSpec};
use platefarm_model::{Fault, LeaseToken, Outcome};

impl From<&FrameResult> for v1::FrameResult {
    fn from(result: &FrameResult) -> Self {
        Self {
            frame: result.frame,
            staged: result.staged.clone(),
            published: result.published.clone(),
            xxh128: result.xxh128.clone(),
            bytes: result.bytes,
            backend: result.backend.clone(),
            millis: result.millis.clone(),
            non_finite: result.non_finite,
        }
    }
}

impl From<v1::FrameResult> for FrameResult {
    fn from(result: v1::FrameResult) -> Self {
        Self {
            frame: result.frame,
            staged: result.staged,
            published: result.published,
            xxh128: result.xxh128,
            bytes: result.bytes,
            backend: result.backend,
            millis: result.millis,
            non_finite: result.non_finite,
        }
    }
}

impl From<&FrameOutcome> for v1::FrameReport {
    fn from(outcome: &FrameOutcome) -> Self {
        use v1::frame_report::Outcome as Wire;
        let frame = outcome.frame();
        let outcome = Some(match outcome {
            FrameOutcome::Done(result) => Wire::Done(result.as_ref().into()),
            FrameOutcome::Failed { fault, .. } => Wire::Failed(fault.into()),
        });
        Self { frame, outcome }
    }
}

impl TryFrom<v1::FrameReport> for FrameOutcome {
    type Error = Fault;

    /// The frame of the report counts; a result within that names another is set right.
    fn try_from(report: v1::FrameReport) -> Outcome<Self> {
        use v1::frame_report::Outcome as Wire;
        let frame = report.frame;
        Ok(match needed(report.outcome, "frames.outcome")? {
            Wire::Done(result) => {
                Self::Done(Box::new(FrameResult { frame, ..FrameResult::from(result) }))
            }
            Wire::Failed(fault) => Self::Failed { frame, fault: fault.into() },
        })
    }
}

impl From<&Lease> for v1::Lease {
    fn from(lease: &Lease) -> Self {
        Self {
            token: lease.token.0,
            step: Some(lease.step.into()),
            frames: Some(lease.frames.into()),
            ttl_ms: lease.ttl_ms,
            spec: Some((&lease.spec).into()),
        }
    }
}

impl TryFrom<v1::Lease> for Lease {
    type Error = Fault;

    fn try_from(lease: v1::Lease) -> Outcome<Self> {
        Ok(Self {
            token: LeaseToken(lease.token),
            step: needed(lease.step, "lease.step")?.into(),
            frames: needed(lease.frames, "lease.frames")?.try_into()?,
            ttl_ms: lease.ttl_ms,
            spec: StepSpec::try_from(needed(lease.spec, "lease.spec")?)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use platefarm_model::job::StepKind;
    use platefarm_model::{Code, FrameRange, JobId, StepId};

    #[test]
    fn outcomes_travel_unchanged() {
        let done = FrameOutcome::Done(Box::new(FrameResult {
            frame: 1003,
            staged: "/o/.platefarm/9/a.1003.exr".into(),
            published: "/o/a.1003.exr".into(),
            xxh128: "0123456789abcdef0123456789abcdef".into(),
            bytes: 12,
            backend: "cpu".into(),
            millis: [("read".to_owned(), 1.25)].into(),
            non_finite: 2,
        }));
        let fault = Fault::new(Code::DiskFull, "4 bytes").at("/o");
        let failed = FrameOutcome::Failed { frame: -4, fault };
        for outcome in [done, failed] {
            let wire = v1::FrameReport::from(&outcome);
            assert_eq!(FrameOutcome::try_from(wire).unwrap(), outcome);
        }
        let empty = v1::FrameReport { frame: 1, outcome: None };
        assert_eq!(FrameOutcome::try_from(empty).unwrap_err().code, Code::BadSpec);
    }

    #[test]
    fn a_lease_travels_unchanged() {
        let lease = Lease {
            token: LeaseToken(77),
            step: StepId { job: JobId(1), index: 0 },
            frames: FrameRange::new(5, 8).unwrap(),
            ttl_ms: 15_000,
            spec: StepSpec {
                name: "n".into(),
                kind: StepKind::Noop { millis_per_frame: 1 },
                frames: FrameRange::new(1, 9).unwrap(),
                after: vec![],
                max_attempts: 3,
                terms: Default::default(),
            },
        };
        assert_eq!(Lease::try_from(v1::Lease::from(&lease)).unwrap(), lease);
        assert!(Lease::try_from(v1::Lease::default()).is_err());
    }
}
