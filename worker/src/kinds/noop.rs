//! Nothing, as fast as possible: benches and drills of the farm itself.

use super::{JobKind, Task};
use platefarm_model::job::{FrameOutcome, FrameResult, StageMillis, StepKind};
use platefarm_model::{Code, Fault, Outcome};
use std::time::Duration;

/// Does nothing to each frame, for as long as asked.
pub struct Noop;

impl JobKind for Noop {
    fn name(&self) -> &'static str {
        "noop"
    }

    fn run(&self, task: &Task<'_>, sink: &mut dyn FnMut(FrameOutcome)) -> Outcome<()> {
        let StepKind::Noop { millis_per_frame } = task.lease.spec.kind else {
            return Err(Fault::new(Code::BadSpec, "not a noop step"));
        };
        for frame in task.lease.frames.iter() {
            if !task.leash.begin(frame) {
                break;
            }
            if millis_per_frame > 0 {
                std::thread::sleep(Duration::from_millis(millis_per_frame.into()));
            }
            sink(FrameOutcome::Done(Box::new(FrameResult {
                frame,
                staged: String::new(),
                published: String::new(),
                xxh128: String::new(),
                bytes: 0,
                backend: "none".into(),
                millis: StageMillis::new(),
                non_finite: 0,
            })));
        }
        Ok(())
    }
}
