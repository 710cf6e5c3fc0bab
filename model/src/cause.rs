//! Frames that failed, by what went wrong: a thousand frames of one broken
//! clip are one line to read.

use crate::{Fault, FrameRange, FrameSet, StepId, WorkerId};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A frame that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedFrame {
    /// Its step.
    pub step: StepId,
    /// Delivered frame number.
    pub frame: i64,
    /// What went wrong first.
    pub fault: Fault,
    /// Whether it is still tried again.
    pub again: bool,
    /// Workers that it failed on, as far as they are known.
    pub workers: Vec<WorkerId>,
}

/// Frames with one cause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cause {
    /// The fault of the first of them.
    pub fault: Fault,
    /// What to do, also where the fault leaves it to its code.
    pub remedy: String,
    /// How many.
    pub frames: u64,
    /// Of these, how many are still tried again.
    pub again: u64,
    /// Where.
    pub steps: Vec<CauseStep>,
    /// Workers that they failed on.
    pub workers: BTreeSet<WorkerId>,
}

/// The frames of one step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CauseStep {
    /// The step.
    pub step: StepId,
    /// Frames.
    pub frames: FrameSet,
}

/// A message without its numbers: what two frames of one cause have in common.
fn shape(fault: &Fault) -> String {
    let mut shape = String::with_capacity(fault.message.len());
    for c in fault.message.chars() {
        match c {
            '0'..='9' if shape.ends_with('#') => {}
            '0'..='9' => shape.push('#'),
            c => shape.push(c),
        }
    }
    shape
}

/// Groups frames by code and message, numbers aside. The cause of the most
/// frames comes first.
#[must_use]
pub fn causes(failed: impl IntoIterator<Item = FailedFrame>) -> Vec<Cause> {
    let mut groups: BTreeMap<_, Vec<FailedFrame>> = BTreeMap::new();
    for frame in failed {
        let key = (frame.fault.code.text(), shape(&frame.fault));
        groups.entry(key).or_default().push(frame);
    }
    let mut causes: Vec<Cause> = groups.into_values().filter_map(cause).collect();
    causes.sort_by_key(|cause| std::cmp::Reverse(cause.frames));
    causes
}

fn cause(frames: Vec<FailedFrame>) -> Option<Cause> {
    let fault = frames.iter().min_by_key(|it| (it.step, it.frame))?.fault.clone();
    let mut steps: BTreeMap<StepId, FrameSet> = BTreeMap::new();
    for it in &frames {
        steps.entry(it.step).or_default().insert(FrameRange::of_len(it.frame, 1));
    }
    Some(Cause {
        remedy: fault.remedy_text().to_owned(),
        fault,
        frames: frames.len() as u64,
        again: frames.iter().filter(|it| it.again).count() as u64,
        steps: steps.into_iter().map(|(step, frames)| CauseStep { step, frames }).collect(),
        workers: frames.iter().flat_map(|it| it.workers.iter().copied()).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Code, JobId};

    fn failed(index: u32, frame: i64, message: &str, again: bool) -> FailedFrame {
        let step = StepId { job: JobId(7), index };
        let fault = Fault::new(Code::FileUnreadable, message).at(format!("A001.{frame}.dng"));
        FailedFrame { step, frame, fault, again, workers: vec![WorkerId(index.into())] }
    }

    #[test]
    fn frames_of_one_cause_are_one_group_whatever_their_numbers() {
        let causes = causes([
            failed(1, 1004, "cannot read frame 1004", false),
            failed(0, 1002, "cannot read frame 2", true),
            failed(0, 1001, "cannot read frame 1", false),
            failed(0, 1009, "the disk is gone", false),
        ]);
        assert_eq!(causes.len(), 2);
        assert_eq!((causes[0].frames, causes[0].again), (3, 1));
        assert_eq!(causes[0].fault.place.as_deref(), Some("A001.1001.dng"), "the first one speaks");
        let steps: Vec<String> =
            causes[0].steps.iter().map(|it| format!("{} {}", it.step, it.frames)).collect();
        assert_eq!(steps, ["j7.0 1001-1002", "j7.1 1004"]);
        assert_eq!(causes[0].workers, [WorkerId(0), WorkerId(1)].into());
        assert!(!causes[1].remedy.is_empty());
    }
}
