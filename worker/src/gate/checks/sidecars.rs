//! What stands beside the plates: every file that was delivered, as it was
//! delivered, and nothing besides. Documents that have a check of their own
//! are held against their hashes there.

use super::{Package, Request, Sink, changed, is_in_plate};
use crate::gate::Look;
use platefarm_model::{Code, Fault, FrameSet};
use std::collections::BTreeSet;

/// Endings of documents that other checks speak of.
pub(super) const AMF: &[&str] = &["amf", "clf"];
pub(super) const FDL: &[&str] = &["fdl"];
pub(super) const GRADE: &[&str] = &["cc", "cdl"];

pub(super) fn sidecars(package: &Package, request: &Request, sink: &mut Sink<'_>) {
    let known = !request.from.is_empty();
    for file in &package.empty {
        let fault = Fault::new(Code::TruncatedFile, "a file of no bytes").at(file.clone());
        if known {
            sink.fault(None, FrameSet::new(), fault);
        } else {
            sink.warn(None, FrameSet::new(), fault);
        }
    }
    if !known {
        sink.skip("which sidecars were delivered is not known");
        return;
    }
    strays(package, request, sink);
    if request.documents.is_empty() {
        sink.skip("no hashes of sidecars are known");
    } else if package.look == Look::Headers {
        sink.skip("sidecars were not compared with their hashes");
    } else if package.look == Look::Release {
        sink.how("every sidecar was read back and compared with what was written");
    }
    let others = |ending: &str| ![AMF, FDL, GRADE].concat().contains(&ending);
    changed(package, request, &others, sink);
}

/// Files that nobody delivered. An importer takes up what lies among the frames; a note beside
/// the plates does no harm.
fn strays(package: &Package, request: &Request, sink: &mut Sink<'_>) {
    let ours = ["report.json", "report.html", "contact_sheet.png"];
    let mut delivered: BTreeSet<&str> = request.sidecars.iter().map(String::as_str).collect();
    delivered.extend(ours);
    for sequence in &package.sequences {
        delivered.extend(sequence.frames.values().map(|frame| frame.file.as_str()));
        delivered.extend(sequence.doubles.iter().map(String::as_str));
    }
    let thumbnail = |file: &str| {
        let directory = file.rsplit_once('/').map(|(directory, _)| directory);
        directory.is_some() && directory == request.thumbnails.as_deref()
    };
    let stray = |file: &&String| !delivered.contains(file.as_str()) && !thumbnail(file);
    for file in package.files.iter().filter(stray) {
        let fault = Fault::new(Code::ExtraFiles, "a file that was not delivered")
            .at(file.clone())
            .remedy("Remove it, or hand it over by another way.");
        if is_in_plate(request, file).is_some() {
            sink.fault(is_in_plate(request, file), FrameSet::new(), fault);
        } else {
            sink.warn(None, FrameSet::new(), fault);
        }
    }
}
