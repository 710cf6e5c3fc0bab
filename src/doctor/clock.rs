//! The clock: certificates, tokens and S3's signatures are good for a time.

use super::{Patient, Report};
use platefarm_model::{Code, Fault};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

/// A clock may lag so far behind the file of this program.
const SLACK: Duration = Duration::from_secs(3600);

pub(super) fn check(_: &Patient<'_>, report: &mut Report) {
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
