//! Which frames there are, what they are called, and what kind of file they
//! are.

use super::{Package, Plate, Request, SequenceFiles, Sink, by_value, plates};
use crate::gate::set;
use platefarm_model::{FrameRange, FrameSet};

/// Compressions that give back what they were given.
const LOSSLESS: &[&str] = &["none", "rle", "zips", "zip", "piz"];

pub(super) fn range(package: &Package, request: &Request, sink: &mut Sink<'_>) {
    for plate in plates(package, request) {
        let there = set(plate.files.frames.keys().copied());
        let (Some(first), Some(last)) = (there.first(), there.last()) else { continue };
        for double in &plate.files.doubles {
            sink.fail(
                plate.name(),
                FrameSet::new(),
                format!("'{double}' has the number of another frame"),
            );
        }
        let Some(wanted) = plate.asked.and_then(|asked| asked.frames) else {
            // Nobody said which; a hole in the middle is never meant.
            let mut gaps =
                FrameRange::new(first, last).map_or_else(|_| FrameSet::new(), FrameSet::from);
            there.ranges().iter().for_each(|range| gaps.remove(*range));
            if !gaps.is_empty() {
                sink.fail(plate.name(), gaps.clone(), format!("{first}-{last} has a hole: {gaps}"));
            }
            continue;
        };
        let mut missing = FrameSet::from(wanted);
        there.ranges().iter().for_each(|range| missing.remove(*range));
        if !missing.is_empty() {
            let message = format!("frames {wanted} were asked for, {missing} are not there");
            sink.fail(plate.name(), missing, message);
        }
        let mut extra = there;
        extra.remove(wanted);
        if !extra.is_empty() {
            let message = format!("frames {wanted} were asked for, {extra} were not");
            sink.fail(plate.name(), extra, message);
        }
    }
    let plates = plates(package, request);
    for asked in &request.plates {
        let there = plates.iter().any(|plate| plate.asked.is_some_and(|a| a.name == asked.name));
        if !there {
            let frames = asked.frames.map_or_else(FrameSet::new, FrameSet::from);
            sink.fail(&asked.name, frames, "the plate has no frames at all".into());
        }
    }
    if request.plates.is_empty() {
        sink.skip("which frames were asked for is not known; only holes are seen");
    }
}

fn is_legal(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
}

pub(super) fn naming(package: &Package, request: &Request, sink: &mut Sink<'_>) {
    for file in &package.files {
        if let Some(part) = file.split('/').find(|part| !is_legal(part)) {
            let fault = platefarm_model::Fault::new(
                platefarm_model::Code::BadName,
                format!("'{part}' has characters that delivery does not allow"),
            );
            // Documents of others keep their names; frames may not.
            if file.ends_with(".exr") {
                sink.fault(None, FrameSet::new(), fault.at(file.clone()));
            } else {
                sink.warn(None, FrameSet::new(), fault.at(file.clone()));
            }
        }
    }
    for plate in plates(package, request) {
        let paddings = by_value(plate.files().map(|(frame, file)| (frame, file.digits)));
        let wanted = plate.asked.map(|asked| asked.padding).filter(|padding| *padding > 0);
        for (digits, frames) in paddings.iter().skip(usize::from(wanted.is_none())) {
            // A number that needs more digits than the padding has them.
            let wanted = wanted.unwrap_or(paddings[0].0);
            let grown = frames.first().is_some_and(|frame| frame.to_string().len() == *digits);
            if *digits != wanted && !(grown && *digits > wanted) {
                let message = format!("frame numbers have {digits} digits instead of {wanted}");
                sink.fail(plate.name(), frames.clone(), message);
            }
        }
        let Some(asked) = plate.asked else { continue };
        if plate.files.stem != asked.name || plate.files.directory != asked.name {
            let SequenceFiles { directory, stem, .. } = plate.files;
            let name = &asked.name;
            let message = format!(
                "the frames are '{directory}/{stem}.*.exr', where '{name}/{name}.*.exr' was asked for"
            );
            sink.fail(plate.name(), set(plate.files.frames.keys().copied()), message);
        }
    }
    for plate in plates(package, request).iter().filter(|plate| plate.asked.is_none()) {
        if !request.plates.is_empty() {
            let message =
                format!("'{}/{}' was not asked for", plate.files.directory, plate.files.stem);
            sink.fail(&plate.files.stem, set(plate.files.frames.keys().copied()), message);
        }
    }
}

pub(super) fn readable(package: &Package, request: &Request, sink: &mut Sink<'_>) {
    for plate in plates(package, request) {
        let broken =
            plate.files().filter_map(|(frame, file)| Some((frame, file.read.as_ref().err()?)));
        for (frame, fault) in broken {
            sink.fault(Some(plate.name()), set([frame]), fault.clone());
        }
        let pixels = plate.read().filter_map(|(frame, file)| {
            let claimed = file.texts.get(platefarm_media::sink::exr::PIXELS_HASH)?;
            let found = &file.pixels.as_ref()?.xxh128;
            (claimed != found).then_some(frame)
        });
        let wrong = set(pixels);
        if !wrong.is_empty() {
            let fault = platefarm_model::Fault::new(
                platefarm_model::Code::HashMismatch,
                "the pixels are not those whose hash the header carries",
            );
            sink.fault(Some(plate.name()), wrong, fault);
        }
        claims(&plate, sink);
    }
}

/// The range that a header says its pixels have. What a lossy compression does to it is not known.
fn claims(plate: &Plate<'_>, sink: &mut Sink<'_>) {
    let lying = plate.read().filter_map(|(frame, file)| {
        let said = file.claimed.filter(|_| LOSSLESS.contains(&file.compression))?;
        let found = file.pixels.as_ref()?.measured;
        // Where a channel has no number at all, the header has no range.
        let open = said.min.iter().chain(&found.min).any(|least| least.is_infinite());
        let lies = if open { said.non_finite != found.non_finite } else { said != found };
        lies.then(|| (frame, format!("the header says pixels of {said}; they are {found}")))
    });
    for (message, frames) in by_value(lying) {
        sink.fail(plate.name(), frames, message);
    }
}

pub(super) fn size(package: &Package, request: &Request, sink: &mut Sink<'_>) {
    for plate in plates(package, request) {
        let sizes = by_value(plate.read().map(|(frame, file)| (frame, file.size)));
        let Some((most, _)) = sizes.first() else { continue };
        let wanted = plate.asked.and_then(|asked| asked.size).unwrap_or(*most);
        for ([w, h], frames) in sizes.iter().filter(|(size, _)| *size != wanted) {
            let message = format!("{w}x{h} instead of {}x{}", wanted[0], wanted[1]);
            sink.fail(plate.name(), frames.clone(), message);
        }
        let cropped = plate
            .read()
            .filter(|(_, file)| file.data_origin != [0, 0] || file.display_size != file.size);
        let cropped = set(cropped.map(|(frame, _)| frame));
        // A picture of another size in the same display window is no news.
        if !cropped.is_empty() && sizes.len() == 1 {
            let message =
                "the data window is not the display window: the picture is cropped or has overscan";
            sink.fail(plate.name(), cropped, message.into());
        }
        let aspects = by_value(plate.read().map(|(f, file)| (f, file.pixel_aspect.to_bits())));
        for (bits, frames) in aspects.iter().skip(1) {
            let message =
                format!("pixel aspect {} differs from the other frames'", f32::from_bits(*bits));
            sink.fail(plate.name(), frames.clone(), message);
        }
    }
}

pub(super) fn channels(package: &Package, request: &Request, sink: &mut Sink<'_>) {
    for plate in plates(package, request) {
        let described = plate.read().map(|(frame, file)| {
            let named = file.channels.iter().map(|(name, kind)| format!("{kind} {name}"));
            let parts =
                if file.parts > 1 { format!(", {} parts", file.parts) } else { String::new() };
            let tiled = if file.tiled { ", tiled" } else { "" };
            (frame, named.collect::<Vec<_>>().join(", ") + &parts + tiled)
        });
        for (what, frames) in by_value(described) {
            let plain = what.strip_prefix("half A, ").unwrap_or(&what);
            if plain != "half B, half G, half R" {
                sink.fail(plate.name(), frames, format!("channels are {what}, not half R, G, B"));
            }
        }
    }
}

pub(super) fn compression(package: &Package, request: &Request, sink: &mut Sink<'_>) {
    for plate in plates(package, request) {
        let found = by_value(plate.read().map(|(frame, file)| (frame, file.compression)));
        let Some((most, _)) = found.first() else { continue };
        let asked = plate.asked.map(|asked| asked.compression.as_str()).filter(|a| !a.is_empty());
        for (name, frames) in found.iter().filter(|(name, _)| *name != asked.unwrap_or(most)) {
            let message = format!("compression {name} instead of {}", asked.unwrap_or(most));
            sink.fail(plate.name(), frames.clone(), message);
        }
        if asked.is_none() && !LOSSLESS.contains(most) {
            let message = format!(
                "compression {most} loses something, and nobody is known to have asked for it"
            );
            let fault = platefarm_model::Fault::new(platefarm_model::Code::NotAsAsked, message);
            sink.warn(Some(plate.name()), found[0].1.clone(), fault);
        }
    }
}
