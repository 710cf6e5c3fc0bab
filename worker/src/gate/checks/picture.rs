//! What pixels alone can say: a sensor never gives a flat picture and never
//! the same one twice, so either is a fault of rendering or of copying. Of
//! pictures that were made or transcoded it may be meant, and is a warning.

use super::{Package, Plate, Request, Sink, plates};
use crate::gate::set;
use platefarm_media::delivered::Delivered;
use platefarm_media::sink::exr::PIXELS_HASH;
use platefarm_model::{Code, Fault, FrameSet};

pub(super) fn picture(package: &Package, request: &Request, sink: &mut Sink<'_>) {
    for plate in plates(package, request) {
        let flat = plate.read().filter(|(_, file)| is_flat(file));
        let flat = set(flat.map(|(frame, _)| frame));
        if !flat.is_empty() {
            let all = flat.len() == plate.files.frames.len() as u64;
            let what = if all { "every frame" } else { "frames" };
            report(
                &plate,
                flat,
                format!("{what} of one colour throughout: black, or not rendered"),
                sink,
            );
        }
        let frozen = set(repeats(&plate));
        if !frozen.is_empty() {
            let message = "the picture is the one before it, bit for bit: frozen".into();
            report(&plate, frozen, message, sink);
        }
        let wild = plate
            .read()
            .filter(|(_, file)| file.pixels.as_ref().is_some_and(|pixels| pixels.non_finite > 0));
        let wild = set(wild.map(|(frame, _)| frame));
        if !wild.is_empty() {
            let message = "values that are no numbers, or infinite".to_owned();
            sink.fail(plate.name(), wild, message);
        }
    }
    if !package.deep {
        sink.skip("pixels were not read again; black and frozen frames are told by the hashes in the headers");
    }
}

fn report(plate: &Plate<'_>, frames: FrameSet, message: String, sink: &mut Sink<'_>) {
    let fault = Fault::new(Code::PictureSuspect, message);
    if plate.asked.is_some_and(|asked| asked.sensor) {
        sink.fault(Some(plate.name()), frames, fault);
    } else {
        sink.warn(Some(plate.name()), frames, fault);
    }
}

fn is_flat(file: &Delivered) -> bool {
    match &file.pixels {
        Some(pixels) => pixels.flat,
        // The hash of black planes of this size, where only headers were read.
        None => file.texts.get(PIXELS_HASH).is_some_and(|hash| {
            let plane = vec![0_u16; file.size[0] as usize * file.size[1] as usize];
            // A black picture packs to next to nothing; others need no look.
            file.bytes < plane.len() as u64 / 8
                && platefarm_media::sink::exr::pixels_xxh128([&plane, &plane, &plane], None)
                    == *hash
        }),
    }
}

/// Frames whose pixels are those of the frame before.
fn repeats(plate: &Plate<'_>) -> Vec<i64> {
    let hash = |file: &Delivered| {
        let read = file.pixels.as_ref().map(|pixels| pixels.xxh128.clone());
        read.or_else(|| file.texts.get(PIXELS_HASH).cloned())
    };
    let hashes: Vec<(i64, Option<String>)> =
        plate.read().map(|(frame, file)| (frame, hash(file))).collect();
    let pairs = hashes
        .windows(2)
        .filter(|pair| pair[1].0 == pair[0].0 + 1 && pair[0].1.is_some() && pair[0].1 == pair[1].1);
    pairs.map(|pair| pair[1].0).collect()
}
