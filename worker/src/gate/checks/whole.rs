//! The package as a whole: is everything there, and is it what was sealed.

use super::{Package, Request, Sink, plates};
use crate::gate::Look;
use platefarm_model::{Code, Fault, FrameSet};

pub(super) fn complete(package: &Package, request: &Request, sink: &mut Sink<'_>) {
    if request.from.is_empty() {
        sink.skip("the package carries no request: what was asked for is not known");
        without_request(package, sink);
        return;
    }
    for missing in &request.missing {
        let fault = Fault::new(Code::PackageIncomplete, missing.clone());
        sink.fault(None, FrameSet::new(), fault);
    }
    // The media is the request's: what it lacks was not lost here.
    for plate in &request.plates {
        for fault in &plate.short {
            sink.warn(Some(&plate.name), FrameSet::new(), fault.clone());
        }
    }
    for sidecar in &request.sidecars {
        if package.files.binary_search(sidecar).is_err() {
            let fault = Fault::new(Code::MissingFiles, format!("'{sidecar}' is not there"));
            sink.fault(None, FrameSet::new(), fault.at(sidecar.clone()));
        }
    }
}

/// What a pull puts beside the plates, besides its report.
const OF_A_PULL: [&str; 3] = ["report.html", "contact_sheet.png", "edit/pull_list.csv"];

/// Without a request little can fail, which must not look like a pass. A whole package of ours that
/// has lost its report is damaged; frames that were taken out of one are not.
fn without_request(package: &Package, sink: &mut Sink<'_>) {
    let frames = package.sequences.iter().flat_map(|sequence| sequence.frames.values());
    let read = frames.filter_map(|frame| frame.read.as_ref().ok());
    let ours = read.flat_map(|frame| frame.texts.keys()).any(|name| name.starts_with("platefarm:"));
    let whole = package.files.iter().any(|file| OF_A_PULL.contains(&file.as_str()));
    let message = match (ours, whole) {
        (true, true) => "a package of a pull without its report, which says what was asked for",
        (true, false) => {
            "frames that platefarm made, without the report of a pull: checked only by what holds for any package"
        }
        (false, _) => "no request: checked only by what holds for any package",
    };
    let fault = Fault::new(Code::MissingFiles, message)
        .at("report.json")
        .remedy("Hold it against the report.json that was kept elsewhere: --against.");
    if ours && whole {
        sink.fault(None, FrameSet::new(), fault);
    } else {
        sink.warn(None, FrameSet::new(), fault);
    }
}

/// Whoever changes a package may change what it says of itself, and seal it again; the request
/// that was kept elsewhere does not follow.
pub(super) fn request(package: &Package, request: &Request, sink: &mut Sink<'_>) {
    if package.look == Look::Release {
        sink.how("held against the order itself, as the farm has it");
        return;
    }
    let Some(own) = &package.own else {
        sink.skip("the package was held against its own report; --against takes one that was kept elsewhere");
        return;
    };
    if own.from.is_empty() {
        let fault = Fault::new(Code::MissingFiles, "the package carries no report of its own");
        sink.fault(None, FrameSet::new(), fault.at("report.json"));
        return;
    }
    for (plate, what) in request.apart(own) {
        let fault = Fault::new(Code::NotAsAsked, what).at("report.json");
        sink.fault(plate, FrameSet::new(), fault);
    }
}

pub(super) fn seal(package: &Package, request: &Request, sink: &mut Sink<'_>) {
    match &package.seal {
        Some(problems) => {
            for problem in problems {
                sink.fault(None, FrameSet::new(), problem.clone());
            }
            if package.look == Look::Release {
                sink.how("written, read back and held against every file as it was read back, before it and this report had their names");
            }
        }
        None if request.from.is_empty() => {
            sink.skip("the package has no ASC MHL beside its frames");
        }
        // What was asked for is delivered with a seal.
        None => {
            let message = "the package has lost its seal: there is no 'ascmhl' in it";
            let fault = Fault::new(Code::MissingFiles, message)
                .at("ascmhl")
                .remedy("Take the package as it was delivered, with its ascmhl directory.");
            sink.fault(None, FrameSet::new(), fault);
        }
    }
}

pub(super) fn hash(package: &Package, request: &Request, sink: &mut Sink<'_>) {
    if package.look == Look::Headers {
        sink.skip("only headers were read: no file was compared with its hash");
        return;
    }
    if request.plates.iter().all(|plate| plate.hashes.is_empty()) {
        sink.skip("no hashes of single frames are known");
        return;
    }
    if package.look == Look::Release {
        sink.how("every frame was read back from where it lies, whole");
    }
    for plate in plates(package, request) {
        let Some(asked) = plate.asked else { continue };
        let mut wrong = Vec::new();
        for (frame, file) in plate.read() {
            if asked.hashes.get(&frame).is_some_and(|hash| *hash != file.xxh128) {
                wrong.push(frame);
            }
        }
        if !wrong.is_empty() {
            let message = format!("{} files are not what was rendered", wrong.len());
            let fault = Fault::new(Code::HashMismatch, message);
            sink.fault(Some(plate.name()), crate::gate::set(wrong), fault);
        }
    }
}
