//! The scheduler's store.

use super::{Patient, Report};
use crate::cli::runtime;
use platefarm_media::storage;
use platefarm_model::{Code, Fault};
use platefarm_scheduler::store::{Place, health};
use std::time::Duration;

/// An answer of the database that takes longer holds the farm up.
const SLOW: Duration = Duration::from_millis(20);
/// How far the database's clock may be from ours, in microseconds.
const APART_US: i64 = 2_000_000;

pub(super) fn check(patient: &Patient<'_>, report: &mut Report) {
    let Some(place) = &patient.store else {
        return report.skip("no scheduler keeps a store here; name one with --store");
    };
    if let Place::Sqlite(path) = place
        && let Some(volume) = storage::volume(path).filter(|volume| volume.network)
    {
        let message = format!("{place} lies on a network volume ({})", volume.kind);
        report.fail(&Fault::new(Code::MachineUnfit, message).remedy(
            "SQLite's locks do not hold there: keep the store on a local disk, or use PostgreSQL.",
        ));
    }
    let found = runtime().and_then(|runtime| runtime.block_on(health::examine(place)));
    let health = match found {
        Ok(Some(health)) => health,
        Ok(None) => return report.skip(format!("{place} is not there yet: a scheduler makes it")),
        Err(fault) => return report.fail(&fault),
    };
    let server = &health.server;
    match health.version {
        None => report.ok(format!("{place}, {server}, empty: a scheduler makes its tables")),
        Some(version) if version > health.known => {
            let message = format!("{place} was written by a newer version (schema {version}, here {})", health.known);
            report.fail(&Fault::new(Code::StoreVersion, message));
        }
        Some(version) if version < health.known => report.warn(
            format!("{place}, {server}, of an older version (schema {version}, here {})", health.known),
            "A scheduler of this version upgrades it when it starts: make a copy first (`platefarm store backup`).",
        ),
        Some(version) => report.ok(format!("{place}, {server}, schema {version}")),
    }
    if health.answer > SLOW {
        report.warn(
            format!("{place} takes {} ms to answer", health.answer.as_millis()),
            "Every decision waits for the store: bring scheduler and database together, or look at what it is busy with.",
        );
    }
    if !health.writable {
        let message = format!(
            "{place} takes no writes: it is a copy that follows, or the user has no right to"
        );
        report.fail(&Fault::new(Code::StoreFailed, message));
    }
    if health.open {
        report.warn(
            format!("{place} is open to every user of this machine, and holds what signs webhooks"),
            "Take it from them, with its copies: `chmod o= FILE`; a scheduler does so when it opens it.",
        );
    }
    if let Some(ahead) = health.ahead_us.filter(|ahead| ahead.abs() > APART_US) {
        let seconds = ahead as f64 / 1e6;
        let remedy = "Keep both clocks by NTP; leases and tokens end by the scheduler's.";
        report.warn(format!("the database's clock is {seconds:+.1} s from ours"), remedy);
    }
}
