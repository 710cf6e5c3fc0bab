//! Places of media and plates: whether they are reached, and keep what
//! publishing asks of them.

use super::{Patient, Report};
use crate::output::bytes_text;
use platefarm_media::storage;
use platefarm_media::storage::trial;
use platefarm_model::{Code, Fault};
use std::path::Path;

/// Room below which a pull will not fit, in bytes.
const LITTLE_ROOM: u64 = 20 << 30;

pub(super) fn check(patient: &Patient<'_>, report: &mut Report) {
    for place in &patient.media {
        read(place, report);
    }
    for place in &patient.out {
        write(place, report);
    }
    if patient.media.is_empty() && patient.out.is_empty() {
        report.skip("name places with --media and --out to try them");
    }
}

fn read(place: &Path, report: &mut Report) {
    match storage::read_dir(place) {
        Ok(entries) => {
            let broken = entries.iter().filter(|entry| entry.is_err()).count();
            report.ok(format!("{} is read, {} entries", place.display(), entries.len() - broken));
        }
        Err(error) => {
            let message = format!("'{}' cannot be read", place.display());
            report.fail(&Fault::new(Code::FileNotFound, message).because(&error).remedy(
                "Mount the volume here under this path, or give this user the right to read it.",
            ));
        }
    }
}

fn write(place: &Path, report: &mut Report) {
    let tried = match trial::run(place) {
        Ok(tried) => tried,
        Err(fault) => return report.fail(&fault),
    };
    let ms = tried.publish.as_millis();
    report.ok(format!("{} is written, published and read again, {ms} ms a file", place.display()));
    if storage::is_remote(place) {
        return;
    }
    if !tried.exchanges {
        report.warn(
            format!("{} cannot exchange two directories in one step", place.display()),
            "Nothing is lost: seals of old packages step aside for an instant. A volume with renameat2 does without.",
        );
    }
    if let Some(volume) = storage::volume(place).filter(|volume| volume.free_bytes < LITTLE_ROOM) {
        report.warn(
            format!(
                "{} free of {} at {}",
                bytes_text(volume.free_bytes),
                bytes_text(volume.total_bytes),
                place.display()
            ),
            "Make room: a 4K plate takes about 50 MB a frame.",
        );
    }
}
