//! `platefarm render`: the function without a farm. It is its own authority, so
//! each frame gets its name as soon as it is complete. Killed and run again, it
//! makes the same files again, each replaced in one step, and clears away what
//! the killed run left.

use super::{Engines, Flight, RenderReport, Session};
use crate::leash::Leash;
use crate::probe;
use crate::roots::is_plain_name;
use platefarm_media::publish;
use platefarm_model::job::FrameOutcome;
use platefarm_model::recipe::RenderSpec;
use platefarm_model::{Code, Fault, FrameRange, Outcome};
use std::path::Path;
use std::time::Instant;
use sysinfo::{Pid, ProcessesToUpdate, System};

/// Renders every frame of `spec` and tells `progress` of each as it ends; one
/// that is done is published by then. `leash` may end it early.
///
/// # Errors
/// What keeps it from beginning: the clip cannot be opened,
/// [`Code::FrameOutsideClip`], [`Code::FdlCanvasMismatch`], [`Code::NoGpu`], an
/// output directory that cannot be written. Frames that fail are in the report.
pub fn render_local(
    spec: &RenderSpec,
    leash: &Leash,
    progress: &mut dyn FnMut(&FrameOutcome),
) -> Outcome<RenderReport> {
    let begun = Instant::now();
    if !is_plain_name(&spec.naming.stem) {
        let message = format!("'{}' cannot be the name of a plate", spec.naming.stem);
        return Err(Fault::new(Code::BadName, message));
    }
    let engines = Engines::new(spec.backend)?;
    let mut session = Session::open(spec, &engines)?;
    check_range(spec, &session)?;

    let out_dir = Path::new(&spec.out_dir);
    remove_leftovers(out_dir)?;
    let attempt = attempt_name(std::process::id());
    let (mut done, mut failed) = (Vec::new(), Vec::new());
    let flight = Flight::for_cores(probe::cores()).within(probe::frame_budget_bytes());
    session.run(spec.frames, &attempt, leash, flight, &mut |outcome| {
        let outcome = publish_now(outcome);
        progress(&outcome);
        match outcome {
            FrameOutcome::Done(result) => done.push(*result),
            FrameOutcome::Failed { frame, fault } => {
                if super::is_the_machines(&fault) {
                    leash.stop();
                }
                failed.push((frame, fault));
            }
        }
    })?;
    publish::remove_attempt(out_dir, &attempt)?;
    Ok(RenderReport::build(
        spec,
        session.clip().info(),
        session.framing(),
        session.backend(),
        done,
        failed,
        begun.elapsed().as_secs_f64() * 1000.0,
    ))
}

/// A range that leaves the clip is a slip of the person who asked, so nothing is begun.
fn check_range(spec: &RenderSpec, session: &Session) -> Outcome<()> {
    let info = session.clip().info();
    let asked = FrameRange::of_len(spec.source_first, spec.frames.len());
    let has = info.timing.indices();
    if has.is_some_and(|has| has.contains(asked.first()) && has.contains(asked.last())) {
        return Ok(());
    }
    let has = has.map_or_else(|| "none".to_owned(), |r| r.to_string());
    Err(Fault::new(
        Code::FrameOutsideClip,
        format!("frames {asked} are asked for, the clip has {has}"),
    )
    .at(info.path.clone()))
}

fn publish_now(outcome: FrameOutcome) -> FrameOutcome {
    let FrameOutcome::Done(result) = outcome else { return outcome };
    match publish::publish(Path::new(&result.staged), Path::new(&result.published)) {
        Ok(()) => FrameOutcome::Done(result),
        Err(fault) => FrameOutcome::Failed { frame: result.frame, fault },
    }
}

/// Name of a local run's staging directory. The host is part of it, since the
/// volume may be shared and process ids are not.
fn attempt_name(pid: u32) -> String {
    format!("{}{pid}", attempt_prefix())
}

fn attempt_prefix() -> String {
    let host = System::host_name().unwrap_or_default();
    let plain: String =
        host.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    format!("{}{plain}-", publish::LOCAL)
}

/// Removes staging directories of local runs on this host whose process is gone.
/// Those of other hosts and of leases are none of this run's business.
fn remove_leftovers(out_dir: &Path) -> Outcome<usize> {
    let prefix = attempt_prefix();
    publish::remove_leftovers(out_dir, |attempt| {
        match attempt.strip_prefix(&prefix).and_then(|pid| pid.parse().ok()) {
            Some(pid) => pid != std::process::id() && is_running(pid),
            None => true,
        }
    })
}

fn is_running(pid: u32) -> bool {
    let pid = Pid::from_u32(pid);
    // Where processes cannot be looked at, nothing is cleared away.
    let Ok(mut system) = System::new() else { return true };
    system.refresh_processes(ProcessesToUpdate::Some(&[pid]), true);
    system.process(pid).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_dead_are_cleared_away() {
        let dir = tempfile::tempdir().unwrap();
        let staging = dir.path().join(publish::STAGING);
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let dead = child.id();
        child.wait().unwrap();
        let parent = std::os::unix::process::parent_id();
        for name in
            [attempt_name(dead), attempt_name(parent), "local-elsewhere-1".into(), "t7".into()]
        {
            std::fs::create_dir_all(staging.join(&name)).unwrap();
            std::fs::write(staging.join(name).join("a.1001.exr"), b"half").unwrap();
        }
        assert_eq!(remove_leftovers(dir.path()).unwrap(), 1);
        assert!(!staging.join(attempt_name(dead)).exists());
        for kept in [attempt_name(parent), "local-elsewhere-1".into(), "t7".into()] {
            assert!(staging.join(&kept).exists(), "{kept}");
        }
    }
}
