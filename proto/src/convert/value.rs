//! The small values: ranges, ids, faults, phases.

use super::needed;
use crate::v1;
use platefarm_model::job::Phase;
use platefarm_model::{Code, Fault, FrameRange, FrameSet, JobId, Outcome, StepId};

impl From<FrameRange> for v1::FrameRange {
    fn from(range: FrameRange) -> Self {
        Self { first: range.first(), last: range.last() }
    }
}

impl TryFrom<v1::FrameRange> for FrameRange {
    type Error = Fault;

    fn try_from(range: v1::FrameRange) -> Outcome<Self> {
        Self::new(range.first, range.last)
    }
}

/// The ranges of a set, in order.
#[must_use]
pub fn ranges(set: &FrameSet) -> Vec<v1::FrameRange> {
    set.ranges().iter().map(|r| (*r).into()).collect()
}

/// The set of the frames in `ranges`.
///
/// # Errors
/// [`Code::BadFrameRange`] for a range that ends before it begins.
pub fn set(ranges: Vec<v1::FrameRange>) -> Outcome<FrameSet> {
    let mut set = FrameSet::new();
    for range in ranges {
        set.insert(range.try_into()?);
    }
    Ok(set)
}

impl From<StepId> for v1::StepRef {
    fn from(id: StepId) -> Self {
        Self { job: id.job.0, index: id.index }
    }
}

impl From<v1::StepRef> for StepId {
    fn from(id: v1::StepRef) -> Self {
        Self { job: JobId(id.job), index: id.index }
    }
}

impl From<&Fault> for v1::Fault {
    fn from(fault: &Fault) -> Self {
        let text = |t: &Option<String>| t.clone().unwrap_or_default();
        Self {
            code: fault.code.text().into(),
            message: fault.message.clone(),
            place: text(&fault.place),
            remedy: text(&fault.remedy),
            cause: text(&fault.cause),
        }
    }
}

/// Never fails: a code of a later version becomes [`Code::Internal`], with the rest kept.
impl From<v1::Fault> for Fault {
    fn from(fault: v1::Fault) -> Self {
        let text = |t: String| (!t.is_empty()).then_some(t);
        Self {
            code: Code::parse(&fault.code).unwrap_or(Code::Internal),
            message: fault.message,
            place: text(fault.place),
            remedy: text(fault.remedy),
            cause: text(fault.cause),
        }
    }
}

impl From<Phase> for v1::Phase {
    fn from(phase: Phase) -> Self {
        match phase {
            Phase::Blocked => Self::Blocked,
            Phase::Pending => Self::Pending,
            Phase::Running => Self::Running,
            Phase::Done => Self::Done,
            Phase::Failed => Self::Failed,
            Phase::Cancelled => Self::Cancelled,
        }
    }
}

impl TryFrom<v1::Phase> for Phase {
    type Error = Fault;

    fn try_from(phase: v1::Phase) -> Outcome<Self> {
        let known = match phase {
            v1::Phase::Unspecified => None,
            v1::Phase::Blocked => Some(Self::Blocked),
            v1::Phase::Pending => Some(Self::Pending),
            v1::Phase::Running => Some(Self::Running),
            v1::Phase::Done => Some(Self::Done),
            v1::Phase::Failed => Some(Self::Failed),
            v1::Phase::Cancelled => Some(Self::Cancelled),
        };
        needed(known, "phase")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_backward_range_is_refused_and_a_phase_must_be_said() {
        let range = v1::FrameRange { first: 2, last: 1 };
        assert_eq!(FrameRange::try_from(range).unwrap_err().code, Code::BadFrameRange);
        assert_eq!(Phase::try_from(v1::Phase::Unspecified).unwrap_err().code, Code::BadSpec);
        for phase in [Phase::Blocked, Phase::Pending, Phase::Running, Phase::Done, Phase::Failed] {
            assert_eq!(Phase::try_from(v1::Phase::from(phase)), Ok(phase));
        }
    }

    #[test]
    fn a_fault_of_a_later_version_keeps_its_words() {
        let wire =
            v1::Fault { code: "F9999".into(), message: "new".into(), ..v1::Fault::default() };
        assert_eq!(Fault::from(wire), Fault::new(Code::Internal, "new"));
    }

    proptest! {
        #[test]
        fn sets_travel_unchanged(frames in proptest::collection::vec(-50i64..50, 0..40)) {
            let frames: FrameSet = frames.into_iter().collect();
            prop_assert_eq!(set(ranges(&frames)).unwrap(), frames);
        }
    }
}
