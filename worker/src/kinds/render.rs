//! Frames of a clip into plates: the stateless function under a lease.

use super::{JobKind, Task};
use crate::render::{self, Segment, Session};
use crate::roots::is_plain_name;
use crate::still::{self, Still};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use platefarm_model::job::{FrameOutcome, Lease, StepKind};
use platefarm_model::recipe::RenderSpec;
use platefarm_model::{Code, Fault, FrameRange, Outcome};
use platefarm_shaders::HalfImage;
use std::path::Path;
use std::time::Instant;

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
        for file in spec.color.files().chain(spec.color_out.file()) {
            env.roots.check(&file.path)?;
        }
        if !is_plain_name(&spec.naming.stem) {
            return Err(Fault::new(
                Code::BadName,
                format!("'{}' cannot be the name of a plate", spec.naming.stem),
            ));
        }
        let attempt = task.lease.token.to_string();
        let mut work = Work { task, spec, attempt: &attempt, session: None };
        for segment in render::segments(spec, task.lease.frames) {
            let known = match segment {
                Segment::Render(range) => {
                    work.render(range, sink)?;
                    continue;
                }
                Segment::TakeOver(known) => known,
            };
            if !task.leash.begin(known.frame) {
                break;
            }
            let near = env.roots.check(&known.file).is_ok();
            let taken = if near { render::take_over(spec, known, &attempt)? } else { None };
            match taken {
                Some(result) => sink(FrameOutcome::Done(Box::new(result))),
                None => work.render(FrameRange::single(known.frame), sink)?,
            }
        }
        if let Some(session) = work.session {
            env.sessions.put(session);
        }
        Ok(())
    }
}

/// Renders frames of a lease; the clip is opened when the first is wanted.
struct Work<'a> {
    task: &'a Task<'a>,
    spec: &'a RenderSpec,
    attempt: &'a str,
    session: Option<Session>,
}

impl Work<'_> {
    fn render(&mut self, frames: FrameRange, sink: &mut dyn FnMut(FrameOutcome)) -> Outcome<()> {
        let env = self.task.env;
        let mut session = match self.session.take() {
            Some(session) => session,
            None => env.sessions.take(self.spec, &env.engines)?,
        };
        let Task { lease, leash, ledger, .. } = self.task;
        let show = |frame: i64, image: &HalfImage| {
            if !env.stills.due(lease.step, Instant::now()) {
                return;
            }
            if let Some(png) = still::of(image, &self.spec.color_out) {
                ledger.show(Still { token: lease.token, frame, png: STANDARD.encode(png) });
            }
        };
        session.run_shown(frames, self.attempt, leash, env.flight, &show, sink)?;
        self.session = Some(session);
        Ok(())
    }
}
