//! The clock: certificates, tokens and S3's signatures are good for a time, and
//! the farm's is the scheduler's.

use super::{Patient, Report};
use crate::cli::{DEFAULT_FARM, runtime};
use crate::farm::{Ahead, Farm};
use platefarm_model::{Code, Fault, Outcome, address};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

/// A clock may lag so far behind the file of this program.
const SLACK: Duration = Duration::from_secs(3600);
/// How far a clock may be from the scheduler's, in microseconds.
const APART_US: i64 = 1_000_000;

pub(super) fn check(patient: &Patient<'_>, report: &mut Report) {
    let written = std::env::current_exe().and_then(std::fs::metadata).and_then(|m| m.modified());
    if let Ok(written) = written
        && written.duration_since(SystemTime::now()).is_ok_and(|ahead| ahead > SLACK)
    {
        let message = "the clock is behind the file of this program";
        return report.fail(
            &Fault::new(Code::MachineUnfit, message).remedy("Set the clock, and keep it by NTP."),
        );
    }
    match kept() {
        Some(true) => report.ok("the clock is kept by NTP"),
        Some(false) => report.warn(
            "the clock is not kept by NTP",
            "Run systemd-timesyncd or chrony: S3 refuses who is 15 minutes off, and tokens and certificates end by the clock.",
        ),
        None => report.skip("whether something keeps the clock cannot be told here (in a container the host does)"),
    }
    let url = &patient.global.farm;
    match runtime().and_then(|runtime| runtime.block_on(ahead(patient))) {
        Ok(Some(ahead)) => judge(ahead, report),
        Ok(None) => {
            let seen = address::shown(url);
            report.skip(format!("the scheduler at {seen} does not say what time it has"));
        }
        // Nobody said that there is one.
        Err(fault) if fault.code == Code::NoScheduler && url == DEFAULT_FARM => {}
        // What is wrong with the way there is the farm's to say.
        Err(fault) => report.skip(format!("the scheduler's clock is not known: {fault}")),
    }
}

async fn ahead(patient: &Patient<'_>) -> Outcome<Option<Ahead>> {
    Farm::connect(patient.global.dial()?).await?.ahead().await
}

/// Says how far the clock is from the scheduler's, and warns where the way there cannot account for it.
fn judge(ahead: Ahead, report: &mut Report) {
    let seconds = |us: i64| us as f64 / 1e6;
    let found = format!(
        "the clock is {:+.3} s from the scheduler's, give or take {:.3} s",
        seconds(ahead.us),
        seconds(ahead.give_us)
    );
    if ahead.us.saturating_abs().saturating_sub(ahead.give_us) > APART_US {
        return report.warn(
            found,
            "Keep both clocks by NTP: leases and tokens end by the scheduler's, which goes on from the time that it had when it started.",
        );
    }
    report.ok(found);
}

/// Whether the system says that its clock is kept.
fn kept() -> Option<bool> {
    if Path::new("/run/systemd/timesync/synchronized").exists() {
        return Some(true);
    }
    // It asks a service that a container does not have.
    if !Path::new("/run/systemd/system").exists() {
        return None;
    }
    let mut asked = Command::new("timedatectl");
    asked
        .args(["show", "--property=NTPSynchronized", "--value"])
        .stdin(Stdio::null())
        .stderr(Stdio::null());
    let output = asked.output().ok().filter(|output| output.status.success())?;
    match output.stdout.trim_ascii() {
        b"yes" => Some(true),
        b"no" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::State;

    #[test]
    fn a_clock_is_as_far_off_as_the_way_there_leaves_no_doubt_of() {
        let judged = |us: i64, give_us: i64| {
            let mut report = Report { check: "clock", findings: Vec::new() };
            judge(Ahead { us, give_us }, &mut report);
            (report.findings[0].state, report.findings[0].found.clone())
        };
        assert_eq!(judged(0, 0).0, State::Ok);
        assert_eq!(judged(1_000_000, 0).0, State::Ok);
        assert_eq!(judged(1_000_001, 0).0, State::Warning);
        assert_eq!(judged(-1_500_000, 100_000).0, State::Warning);
        assert_eq!(judged(-1_500_000, 600_000).0, State::Ok, "the answer was that long under way");
        let said = judged(-90_250_000, 4_000).1;
        assert_eq!(said, "the clock is -90.250 s from the scheduler's, give or take 0.004 s");
        assert_eq!(judged(i64::MIN, 0).0, State::Warning);
    }
}
