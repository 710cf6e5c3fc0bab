//! The documents beside the frames, held against the frames.

use super::sidecars::{AMF, FDL, GRADE};
use super::{Package, Plate, Request, Sink, by_value, changed, is_in_plate, plates};
use crate::gate::set;
use platefarm_model::color::chain::Cdl;
use platefarm_model::{Code, Fault, FrameSet};
use platefarm_standards::amf::{Amf, ClipMedia, Reference, Stage, StageKind};
use platefarm_standards::fdl::{Canvas, Fdl};
use platefarm_standards::look::parse_cdl;
use std::collections::BTreeMap;

/// `directory/name` of a document beside a plate.
fn beside(plate: &Plate<'_>, name: &str) -> String {
    let directory = &plate.files.directory;
    if directory.is_empty() { name.to_owned() } else { format!("{directory}/{name}") }
}

pub(super) fn amf(package: &Package, request: &Request, sink: &mut Sink<'_>) {
    for plate in plates(package, request) {
        let own = beside(&plate, &format!("{}.amf", plate.name()));
        let folder = beside(&plate, "");
        let any = package.documents.keys().find(|name| {
            name.ends_with(".amf")
                && name.strip_prefix(&folder).is_some_and(|rest| !rest.contains('/'))
        });
        let name = if package.documents.contains_key(&own) {
            Some(&own)
        } else {
            any.filter(|_| plate.asked.is_none())
        };
        let Some((name, bytes)) = name.and_then(|name| package.documents.get_key_value(name))
        else {
            if plate.asked.is_some() {
                let fault = Fault::new(Code::MissingFiles, "there is no AMF beside the frames");
                sink.fault(Some(plate.name()), FrameSet::new(), fault.at(own));
            } else {
                sink.skip(format!("{}: there is no AMF beside the frames", plate.name()));
            }
            continue;
        };
        match Amf::parse(bytes) {
            Ok(amf) => {
                judge_amf(package, request, &plate, name, &amf, sink);
                if let Some(wrong) = other_input(request, &plate, &amf) {
                    let fault = Fault::new(Code::BadAmf, wrong).at(name.clone());
                    sink.fault(Some(plate.name()), FrameSet::new(), fault);
                }
            }
            Err(fault) => sink.fault(Some(plate.name()), FrameSet::new(), fault.at(name.clone())),
        }
    }
    changed(package, request, &|ending| AMF.contains(&ending), sink);
}

/// A plate that was delivered with a camera's transform was made with it and no other.
fn other_input(request: &Request, plate: &Plate<'_>, amf: &Amf) -> Option<String> {
    let clf = format!("{}.clf", plate.name());
    if plate.asked.is_none() || !request.sidecars.contains(&beside(plate, &clf)) {
        return None;
    }
    let inputs = amf.pipeline.stages.iter().filter(|stage| stage.kind == StageKind::Input);
    let named = |stage: &Stage| stage.references.contains(&Reference::File(clf.clone()));
    let other = inputs.clone().any(|stage| !named(stage)) || inputs.count() == 0;
    other.then(|| format!("its input transform is not '{clf}', by which the plate was made"))
}

fn judge_amf(
    package: &Package,
    request: &Request,
    plate: &Plate<'_>,
    name: &str,
    amf: &Amf,
    sink: &mut Sink<'_>,
) {
    let mut wrong = |message: String| {
        let fault = Fault::new(Code::BadAmf, message).at(name.to_owned());
        sink.fault(Some(plate.name()), FrameSet::new(), fault);
    };
    match &amf.clip {
        None => wrong("it names no clip".into()),
        Some(clip) => {
            if plate.asked.is_some() && clip.name != plate.name() {
                wrong(format!("it is for clip '{}'", clip.name));
            }
            if let Some(ClipMedia::Sequence { pattern, placeholder, first, last }) = &clip.media {
                let there = set(plate.files.frames.keys().copied());
                let ends = (there.first().unwrap_or(0), there.last().unwrap_or(0));
                if ends != (*first, *last) {
                    wrong(format!(
                        "it is for frames {first}-{last}, there are {}-{}",
                        ends.0, ends.1
                    ));
                }
                let digits = placeholder.chars().next().map_or(0, |c| pattern.matches(c).count());
                let number = format!("{:0digits$}", ends.0);
                let run = placeholder
                    .chars()
                    .next()
                    .map_or_else(String::new, |c| c.to_string().repeat(digits));
                let file = pattern.replacen(&run, &number, 1);
                if !package.files.contains(&beside(plate, &file)) {
                    wrong(format!("it names '{pattern}', of which there is no '{file}'"));
                }
            }
        }
    }
    let aces = plate.asked.is_none_or(|asked| asked.color == "ACES2065-1");
    for stage in &amf.pipeline.stages {
        let applied = stage.applied.unwrap_or(false);
        match stage.kind {
            // Codes of another space say what leads to ACES2065-1 from here.
            StageKind::Input if !applied && aces => {
                wrong(
                    "it says that the input transform is not applied; a plate has it baked in"
                        .into(),
                );
            }
            StageKind::Output if applied && aces => {
                wrong("it says that an output transform is applied to scene-linear plates".into());
            }
            StageKind::Look if applied && aces && !looks_came(plate, amf) => {
                wrong("it says that a look is applied to plates that are made without".into());
            }
            _ => {}
        }
        for reference in &stage.references {
            let Reference::File(path) = reference else { continue };
            if path.split('/').any(|part| part == "..") || path.starts_with('/') {
                wrong(format!("it names '{path}', outside its own directory"));
                continue;
            }
            let Some(content) = package.documents.get(&beside(plate, path)) else {
                // What was in the pixels before may have stayed where it was.
                let stayed = applied
                    && !request.from.is_empty()
                    && !request.sidecars.contains(&beside(plate, path));
                if !stayed && !package.files.contains(&beside(plate, path)) {
                    wrong(format!("it names '{path}', which is not there"));
                }
                continue;
            };
            if let Some(hash) = stage.hash.as_ref().filter(|hash| hash.algorithm == "sha256")
                && !is_sha256(content, &hash.text)
            {
                wrong(format!("'{path}' is not the file whose hash it carries"));
            }
        }
    }
}

/// Whether applied looks were in the pixels of the clip before, as its own AMF said, which is kept
/// behind the plate's: in camera raw there is none. Plates of others may have theirs.
fn looks_came(plate: &Plate<'_>, amf: &Amf) -> bool {
    let Some(asked) = plate.asked else { return true };
    let applied = |stage: &&Stage| stage.kind == StageKind::Look && stage.is_applied();
    let count = |stages: &[Stage]| stages.iter().filter(applied).count();
    let before = amf.archived.first().map_or(0, |came| count(&came.stages));
    asked.debayer.is_empty() && count(&amf.pipeline.stages) <= before
}

/// Whether `text` is the SHA-256 of `content`, in hexadecimal or base64.
fn is_sha256(content: &[u8], text: &str) -> bool {
    use sha2::Digest;
    let digest = sha2::Sha256::digest(content);
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    text.trim().eq_ignore_ascii_case(&hex) || text.trim() == crate::package::base64(&digest)
}

pub(super) fn fdl(package: &Package, request: &Request, sink: &mut Sink<'_>) {
    let lists: Vec<(&String, Result<Fdl, Fault>)> = package
        .documents
        .iter()
        .filter(|(name, _)| name.ends_with(".fdl"))
        .map(|(name, bytes)| (name, Fdl::parse(bytes)))
        .collect();
    for (name, list) in &lists {
        if let Err(fault) = list {
            sink.fault(None, FrameSet::new(), fault.clone().within(name));
        }
    }
    let framed = request.plates.iter().any(|plate| plate.framed);
    if framed && lists.is_empty() {
        let fault = Fault::new(Code::MissingFiles, "an FDL decided the framing and none is there");
        sink.fault(None, FrameSet::new(), fault);
    }
    if lists.is_empty() && !framed {
        sink.skip("the package has no framing decision list");
    }
    for plate in plates(package, request) {
        let size = plate.asked.and_then(|asked| asked.size);
        let size = size.or_else(|| plate.read().next().map(|(_, file)| file.size));
        let has = |fdl: &Fdl| {
            let mut canvases = fdl.canvases();
            canvases.any(|(_, c)| Some([c.dimensions.width, c.dimensions.height]) == size)
        };
        let wanted = plate.asked.is_some_and(|asked| asked.framed);
        let readable = lists.iter().filter_map(|(_, list)| list.as_ref().ok());
        if wanted && !lists.is_empty() && !readable.clone().any(has) {
            let [w, h] = size.unwrap_or_default();
            let message = format!("no framing decision list has a canvas of {w}x{h}");
            sink.fail(plate.name(), FrameSet::new(), message);
        }
        // A list that is lost is told above; there is nothing to agree with.
        let agrees = |header: &Fdl| {
            let mut all = readable.clone().flat_map(Fdl::canvases);
            !wanted
                || lists.is_empty()
                || all.any(|(_, c)| {
                    header.canvases().any(|(_, h)| {
                        Some([c.dimensions.width, c.dimensions.height]) == size
                            && frames_alike(c, h)
                    })
                })
        };
        headers(&plate, wanted, [&has, &agrees], sink);
    }
    changed(package, request, &|ending| FDL.contains(&ending), sink);
}

/// Whether two canvases have the same frame in them, whatever they are called.
fn frames_alike(one: &Canvas, other: &Canvas) -> bool {
    let decisions = |canvas: &Canvas| -> Vec<_> {
        let all = canvas.framing_decisions.iter();
        all.map(|d| {
            let protection = (d.protection_dimensions, d.protection_anchor_point);
            (d.framing_intent_id.clone(), d.dimensions, d.anchor_point, protection)
        })
        .collect()
    };
    one.dimensions == other.dimensions
        && one.effective_dimensions == other.effective_dimensions
        && one.effective_anchor_point == other.effective_anchor_point
        && one.anamorphic_squeeze == other.anamorphic_squeeze
        && decisions(one) == decisions(other)
}

/// The lists in the headers of one plate.
fn headers(
    plate: &Plate<'_>,
    wanted: bool,
    [has, agrees]: [&dyn Fn(&Fdl) -> bool; 2],
    sink: &mut Sink<'_>,
) {
    let carried =
        plate.read().map(|(frame, file)| (frame, file.texts.get("ascFramingDecisionList")));
    for (place, (text, frames)) in by_value(carried).into_iter().enumerate() {
        let Some(text) = text else {
            if wanted {
                let message = "the header carries no ascFramingDecisionList";
                sink.fail(plate.name(), frames, message.into());
            }
            continue;
        };
        match Fdl::parse(text.as_bytes()) {
            Err(fault) => {
                let fault = fault.at("ascFramingDecisionList");
                sink.fault(Some(plate.name()), frames, fault);
            }
            Ok(list) if !has(&list) => {
                let message = "the FDL in the header has no canvas of the picture's size";
                sink.fail(plate.name(), frames, message.into());
            }
            Ok(list) if !agrees(&list) => {
                let message = "the FDL in the header frames the picture differently from the one beside the plates";
                // A frame that was taken over has the header that it was rendered with.
                let mut fresh = frames.clone();
                if let Some(asked) = plate.asked {
                    fresh.remove_all(&asked.reused);
                }
                if fresh.is_empty() {
                    let fault = Fault::new(Code::NotAsAsked, message);
                    sink.warn(Some(plate.name()), frames, fault);
                } else {
                    sink.fail(plate.name(), fresh, message.into());
                }
            }
            // Frames taken over from an earlier delivery carry its document; the canvas is what counts.
            Ok(_) if place > 0 && !wanted => {
                let message = "the FDL in the header differs from the other frames'";
                sink.fail(plate.name(), frames, message.into());
            }
            Ok(_) => {}
        }
    }
}

pub(super) fn grade(package: &Package, request: &Request, sink: &mut Sink<'_>) {
    let decisions = package
        .documents
        .iter()
        .filter(|(name, _)| name.ends_with(".cc") || name.ends_with(".cdl"));
    let mut said: BTreeMap<&str, Vec<Vec<Cdl>>> = BTreeMap::new();
    for (name, bytes) in decisions {
        match parse_cdl(bytes) {
            Err(fault) => sink.fault(None, FrameSet::new(), fault.at(name.clone())),
            Ok(all) => {
                let finite = all.iter().all(|c| {
                    let cdl = &c.cdl;
                    let numbers = [cdl.slope, cdl.offset, cdl.power];
                    numbers.as_flattened().iter().all(|v| v.is_finite())
                        && cdl.saturation.is_finite()
                });
                if !finite {
                    let fault =
                        Fault::new(Code::BadLook, "a colour decision has a number that is none");
                    sink.fault(None, FrameSet::new(), fault.at(name.clone()));
                }
                let stem = name.rsplit_once('.').map_or(name.as_str(), |(stem, _)| stem);
                said.entry(stem).or_default().push(all.iter().map(|one| one.cdl).collect());
            }
        }
    }
    // Two files of one name are one decision in two forms; a list may hold others too.
    for (stem, files) in said {
        let common = |one: &Cdl| files.iter().all(|all| all.contains(one));
        if files.len() > 1 && !files[0].iter().any(common) {
            let fault = Fault::new(Code::BadLook, "two files of one name make different decisions");
            let place = format!("{stem}.cc, {stem}.cdl");
            sink.fault(is_in_plate(request, stem), FrameSet::new(), fault.at(place));
        }
    }
    changed(package, request, &|ending| GRADE.contains(&ending), sink);
}
