//! The last step of a pull: checks what was rendered, and makes it a package.

use super::{JobKind, Task};
use crate::package;
use platefarm_model::job::{FrameOutcome, FrameResult, Lease, StageMillis, StepKind};
use platefarm_model::{Code, Fault, Outcome};
use std::path::Path;
use std::time::Instant;

/// Makes packages.
pub struct Package;

impl JobKind for Package {
    fn name(&self) -> &'static str {
        "package"
    }

    fn out_dir<'a>(&self, lease: &'a Lease) -> Option<&'a Path> {
        match &lease.spec.kind {
            StepKind::Package(spec) => Some(Path::new(&spec.out_dir)),
            _ => None,
        }
    }

    fn run(&self, task: &Task<'_>, sink: &mut dyn FnMut(FrameOutcome)) -> Outcome<()> {
        let StepKind::Package(spec) = &task.lease.spec.kind else {
            return Err(Fault::new(Code::BadSpec, "not a package step"));
        };
        task.env.roots.check(&spec.out_dir)?;
        let frame = task.lease.frames.first();
        if !task.leash.begin(frame) {
            return Ok(());
        }
        let begun = Instant::now();
        let results = task.ledger.frames(task.lease.step.job)?;
        let report = package::make(spec, results, &task.lease.token.to_string(), task.leash)?;
        sink(match package::incomplete(&report) {
            Some(fault) => FrameOutcome::Failed { frame, fault },
            None => FrameOutcome::Done(Box::new(FrameResult {
                frame,
                staged: String::new(),
                published: String::new(),
                xxh128: String::new(),
                bytes: report.totals.bytes,
                backend: task.env.engines.default_executor().name(),
                millis: StageMillis::from([(
                    "package".into(),
                    begun.elapsed().as_secs_f64() * 1000.0,
                )]),
                non_finite: 0,
            })),
        });
        Ok(())
    }
}
