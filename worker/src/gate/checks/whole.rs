//! The package as a whole: is everything there, and is it what was sealed.

use super::{Package, Request, Sink, plates};
use platefarm_model::{Code, Fault, FrameSet};

pub(super) fn complete(package: &Package, request: &Request, sink: &mut Sink<'_>) {
    if request.from.is_empty() {
        sink.skip("the package carries no request: what was asked for is not known");
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

/// Whoever changes a package may change what it says of itself, and seal it again; the request
/// that was kept elsewhere does not follow.
pub(super) fn request(package: &Package, request: &Request, sink: &mut Sink<'_>) {
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

pub(super) fn seal(package: &Package, _: &Request, sink: &mut Sink<'_>) {
    let Some(problems) = &package.seal else {
        sink.skip("the package has no ASC MHL beside its frames, or is not sealed yet");
        return;
    };
    for problem in problems {
        sink.fault(None, FrameSet::new(), problem.clone());
    }
}

pub(super) fn hash(package: &Package, request: &Request, sink: &mut Sink<'_>) {
    if !package.deep {
        sink.skip("files were compared with their hashes when they were gathered");
        return;
    }
    if request.plates.iter().all(|plate| plate.hashes.is_empty()) {
        sink.skip("no hashes of single frames are known");
        return;
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
