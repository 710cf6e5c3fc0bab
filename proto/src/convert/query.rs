//! Which jobs are looked for, and what went wrong with their frames.

use super::{needed, ranges, set};
use crate::v1;
use platefarm_model::cause::{Cause, CauseStep};
use platefarm_model::job::Phase;
use platefarm_model::query::JobQuery;
use platefarm_model::{Fault, Outcome, WorkerId};

impl From<&JobQuery> for v1::ListJobsRequest {
    fn from(query: &JobQuery) -> Self {
        Self {
            unsettled_only: query.unsettled_only,
            show: query.show.clone(),
            find: query.find.clone(),
            phases: query.phases.iter().map(|phase| v1::Phase::from(*phase).into()).collect(),
            paused: query.paused,
            skip: query.skip,
            most: query.most,
            by: query.by.clone(),
        }
    }
}

impl TryFrom<v1::ListJobsRequest> for JobQuery {
    type Error = Fault;

    fn try_from(wire: v1::ListJobsRequest) -> Outcome<Self> {
        Ok(Self {
            phases: wire.phases().map(Phase::try_from).collect::<Outcome<_>>()?,
            show: wire.show,
            find: wire.find,
            unsettled_only: wire.unsettled_only,
            paused: wire.paused,
            skip: wire.skip,
            most: wire.most,
            by: wire.by,
        })
    }
}

impl From<&Cause> for v1::Cause {
    fn from(cause: &Cause) -> Self {
        let step = |it: &CauseStep| v1::CauseStep {
            step: Some(it.step.into()),
            frames: ranges(&it.frames),
        };
        // The remedy travels with the fault, also where it is its code's.
        let fault = cause.fault.clone().remedy(cause.remedy.clone());
        Self {
            fault: Some((&fault).into()),
            frames: cause.frames,
            again: cause.again,
            steps: cause.steps.iter().map(step).collect(),
            workers: cause.workers.iter().map(|worker| worker.0).collect(),
        }
    }
}

impl TryFrom<v1::Cause> for Cause {
    type Error = Fault;

    fn try_from(wire: v1::Cause) -> Outcome<Self> {
        let step = |it: v1::CauseStep| -> Outcome<CauseStep> {
            let step = needed(it.step, "cause.step")?.into();
            Ok(CauseStep { step, frames: set(it.frames)? })
        };
        let fault: Fault = needed(wire.fault, "cause.fault")?.into();
        Ok(Self {
            remedy: fault.remedy_text().to_owned(),
            fault,
            frames: wire.frames,
            again: wire.again,
            steps: wire.steps.into_iter().map(step).collect::<Outcome<_>>()?,
            workers: wire.workers.into_iter().map(WorkerId).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_travels_unchanged() {
        let query = JobQuery {
            show: "atlas".into(),
            find: "roto".into(),
            phases: vec![Phase::Running, Phase::Failed],
            paused: true,
            unsettled_only: true,
            skip: 4,
            most: 9,
            by: "ann".into(),
        };
        assert_eq!(JobQuery::try_from(v1::ListJobsRequest::from(&query)).unwrap(), query);
    }
}
