//! The farm: whether it answers, who we are there, and whether its books agree.

use super::{Patient, Report, certificates};
use crate::cli::{DEFAULT_FARM, runtime};
use crate::farm::Farm;
use platefarm_model::{Code, Fault, Outcome, Timestamp, address};
use std::time::Instant;

/// An answer that takes longer is worth a word, in milliseconds.
const SLOW_MS: u128 = 200;

pub(super) fn check(patient: &Patient<'_>, report: &mut Report) {
    let url = &patient.global.farm;
    let seen = runtime().and_then(|runtime| runtime.block_on(look(patient)));
    let seen = match seen {
        Ok(seen) => seen,
        // Nobody said that there is one.
        Err(fault) if fault.code == Code::NoScheduler && url == DEFAULT_FARM => {
            return report
                .skip(format!("no scheduler answers at {url}; give its address with --farm"));
        }
        Err(fault) => return report.fail(&fault),
    };
    let shown = address::shown(url);
    let found =
        format!("{shown} answers in {} ms, we are '{}' ({})", seen.answer_ms, seen.name, seen.role);
    if seen.answer_ms > SLOW_MS {
        report.warn(
            found,
            "Look at the way there, and at what the scheduler is busy with (/metrics).",
        );
    } else {
        report.ok(found);
    }
    if let Some(until) = seen.certificate_until {
        certificates::judge("the certificate of the scheduler that answered", until, report);
    }
    if let Some(first) = seen.broken {
        let message = format!("the scheduler's books do not agree with its store: {first}");
        report.fail(
            &Fault::new(Code::Internal, message).remedy(
                "Restart the scheduler, which reads its store anew, and report the message.",
            ),
        );
    }
}

struct Seen {
    answer_ms: u128,
    name: String,
    role: String,
    broken: Option<String>,
    certificate_until: Option<Timestamp>,
}

async fn look(patient: &Patient<'_>) -> Outcome<Seen> {
    let mut farm = Farm::connect(patient.global.dial()?).await?;
    let begun = Instant::now();
    let me = farm.who_am_i().await?;
    let answer_ms = begun.elapsed().as_millis();
    // A worker's token, and one that is bound to shows, do not see the farm as such.
    let status = farm.status().await.unwrap_or_default();
    Ok(Seen {
        answer_ms,
        name: me.name,
        role: me.role.to_string(),
        broken: status.audit.first,
        certificate_until: status.certificate_until,
    })
}
