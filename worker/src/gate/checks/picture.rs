//! What pixels alone can say: a sensor never gives a flat picture and never
//! the same one twice, so either is a fault of rendering or of copying, unless
//! the request says that it is meant. Of pictures that were made or transcoded
//! it may be meant, and is a warning. A value that is no number is never meant.
//!
//! A package that is about to be released says all this in its headers; one
//! that is validated is read to the last pixel.

use super::{Package, Plate, Request, Sink, plates};
use crate::gate::{Look, set};
use platefarm_media::delivered::Delivered;
use platefarm_media::sink::exr::{PIXELS_HASH, RENDERED_HASH};
use platefarm_model::{Code, Fault, FrameSet};

pub(super) fn picture(package: &Package, request: &Request, sink: &mut Sink<'_>) {
    for plate in plates(package, request) {
        flat(&plate, sink);
        let frozen = set(repeats(&plate));
        if !frozen.is_empty() {
            let message = "the picture is the one before it, bit for bit: frozen";
            let meant = plate.asked.is_some_and(|asked| asked.freeze);
            report(&plate, frozen, meant, message.into(), sink);
        }
        let wild = plate.read().filter_map(|(frame, file)| Some((frame, file.measured()?)));
        let wild = set(wild.filter(|(_, m)| m.non_finite > 0).map(|(frame, _)| frame));
        if !wild.is_empty() {
            let fault = Fault::new(Code::PictureSuspect, "values that are no numbers, or infinite");
            let remedy =
                "Render the named frames again; where they come from the media, that has them too.";
            sink.fault(Some(plate.name()), wild, fault.remedy(remedy));
        }
        let unknown = plate.read().filter(|(_, file)| file.measured().is_none());
        let unknown = set(unknown.map(|(frame, _)| frame));
        if !unknown.is_empty() {
            sink.skip(format!(
                "{} {unknown}: headers do not say whether they are black or hold values that are no numbers, and pixels were not read",
                plate.name()
            ));
        }
    }
    match package.look {
        Look::Headers => sink.skip("pixels were not read; what the headers say of them is taken"),
        Look::Release => sink.how("by what the headers say of the pixels, in files that are what was rendered; where they say nothing the pixels were read"),
        Look::Pixels => {}
    }
}

/// Frames in which every channel has one value only.
fn flat(plate: &Plate<'_>, sink: &mut Sink<'_>) {
    let measured = plate.read().filter_map(|(frame, file)| Some((frame, file.measured()?)));
    let flat: Vec<_> = measured.filter(|(_, measured)| measured.is_flat()).collect();
    let (black, other): (Vec<_>, Vec<_>) = flat.iter().partition(|(_, m)| m.max == [0.0; 3]);
    for (frames, what) in [(black, "black"), (other, "of one colour throughout")] {
        let Some((_, first)) = frames.first() else { continue };
        let all = frames.len() == plate.files.frames.len();
        let which = if all { "every frame is" } else { "frames are" };
        // Black may be written with a sign.
        let [r, g, b] = first.max.map(|value| value + 0.0);
        let message = format!("{which} {what} ({r} {g} {b}), or not rendered");
        report(plate, set(frames.iter().map(|(frame, _)| *frame)), false, message, sink);
    }
}

fn report(plate: &Plate<'_>, frames: FrameSet, meant: bool, message: String, sink: &mut Sink<'_>) {
    let fault = Fault::new(Code::PictureSuspect, message);
    if !meant && plate.asked.is_some_and(|asked| asked.sensor && !asked.allow_suspect) {
        sink.fault(Some(plate.name()), frames, fault);
    } else {
        sink.warn(Some(plate.name()), frames, fault);
    }
}

/// Frames whose pixels are those of the frame before.
fn repeats(plate: &Plate<'_>) -> Vec<i64> {
    let frames: Vec<(i64, &Delivered)> = plate.read().collect();
    let pairs = frames.windows(2).filter(|pair| pair[1].0 == pair[0].0 + 1);
    pairs.filter(|pair| is_same(pair[0].1, pair[1].1)).map(|pair| pair[1].0).collect()
}

/// Whether two frames are one picture. What a lossy compression made the same was not.
fn is_same(one: &Delivered, other: &Delivered) -> bool {
    let said = |file: &Delivered, name: &str| file.texts.get(name).cloned();
    let rendered = [one, other].map(|file| said(file, RENDERED_HASH));
    if let [Some(one), Some(other)] = &rendered {
        return one == other;
    }
    let read = |file: &Delivered| file.pixels.as_ref().map(|pixels| pixels.xxh128.clone());
    let [one, other] = [one, other].map(|file| read(file).or_else(|| said(file, PIXELS_HASH)));
    one.is_some() && one == other
}
