//! Frames of a clip into plates: the stateless function under a lease.

use super::{JobKind, Task};
use crate::roots::is_plain_name;
use platefarm_model::job::{FrameOutcome, Lease, StepKind};
use platefarm_model::{Code, Fault, Outcome};
use std::path::Path;

/// Renders plates.
pub struct Render;

impl JobKind for Render {
    fn name(&self) -> &'static str {
        "render"
    }

    fn out_dir<'a>(&self, lease: &'a Lease) -> Option<&'a Path> {
        match &lease.spec.kind {
            StepKind::Render(spec) => Some(Path::new(&spec.out_dir)),
            _ => None,
        }
    }

    fn run(&self, task: &Task<'_>, sink: &mut dyn FnMut(FrameOutcome)) -> Outcome<()> {
        let StepKind::Render(spec) = &task.lease.spec.kind else {
            return Err(Fault::new(Code::BadSpec, "not a render step"));
        };
        let env = task.env;
        env.roots.check(&spec.source)?;
        env.roots.check(&spec.out_dir)?;
        if !is_plain_name(&spec.naming.stem) {
            return Err(Fault::new(
                Code::BadName,
                format!("'{}' cannot be the name of a plate", spec.naming.stem),
            ));
        }
        let mut session = env.sessions.take(spec, &env.engines)?;
        let attempt = task.lease.token.to_string();
        let outcome = session.run(task.lease.frames, &attempt, task.leash, env.flight, sink);
        if outcome.is_ok() {
            env.sessions.put(session);
        }
        outcome
    }
}
