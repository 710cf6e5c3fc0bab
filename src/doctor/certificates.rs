//! Certificates: those that we show and trust, the scheduler's own file, and
//! whether any of them ends soon.

use super::{Patient, Report};
use platefarm_model::utc::Utc;
use platefarm_model::{Code, Fault, Timestamp};
use platefarm_proto::validity::file_until;
use std::path::Path;

/// So long before a certificate ends it is time to have another made, in days.
const SOON_DAYS: i64 = 14;
/// A day, in microseconds.
const DAY: i64 = 86_400_000_000;

pub(super) fn check(patient: &Patient<'_>, report: &mut Report) {
    let mut files: Vec<(&str, &Path)> = patient.global.access.certificates();
    files.extend(patient.tls_cert.as_deref().map(|file| ("the scheduler's certificate", file)));
    if files.is_empty() {
        return report.skip(
            "none is named; give --tls-cert on the scheduler's machine, --ca or --cert elsewhere",
        );
    }
    for (what, file) in files {
        let what = format!("{what} '{}'", file.display());
        match file_until(file) {
            Ok(Some(until)) => judge(&what, until, report),
            Ok(None) => report.warn(
                format!("{what} does not say until when it is good"),
                "Look at it with `openssl x509 -in FILE -noout -text`.",
            ),
            Err(fault) => report.fail(&fault),
        }
    }
}

/// Says until when something is good, and warns in time.
pub(super) fn judge(what: &str, until: Timestamp, report: &mut Report) {
    let (left, day) = (until.0 - crate::cli::now().0, Utc::from(until).to_the_minute());
    let remedy = "Have a new one made, and put it with its key in the place of the old files: it is in force seconds later.";
    let days = |span: i64| match span / DAY {
        1 => "1 day".to_owned(),
        days => format!("{days} days"),
    };
    match left {
        ..=0 => {
            let message = format!("{what} has ended, {day}");
            report.fail(&Fault::new(Code::BadCertificate, message).remedy(remedy));
        }
        left if left < SOON_DAYS * DAY => {
            report.warn(format!("{what} ends in {}, {day}", days(left)), remedy);
        }
        left => report.ok(format!("{what} is good until {day}, for {}", days(left))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::State;

    #[test]
    fn an_end_is_warned_of_in_time() {
        let judged = |days: i64| {
            let mut report = Report { check: "certificates", findings: Vec::new() };
            let until = Timestamp(crate::cli::now().0 + days * DAY + DAY / 2);
            judge("it", until, &mut report);
            (report.findings[0].state, report.findings[0].found.clone())
        };
        assert_eq!(judged(-1).0, State::Failed);
        assert_eq!(judged(13).0, State::Warning);
        assert!(judged(1).1.contains("in 1 day,"), "{}", judged(1).1);
        assert_eq!(judged(14).0, State::Ok);
        assert!(judged(400).1.ends_with("for 400 days"), "{}", judged(400).1);
    }
}
