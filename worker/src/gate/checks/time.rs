//! Timecode and rate: what conform and editorial find plates by.

use super::{Package, Plate, Request, Sink, by_value, plates};
use crate::gate::set;
use platefarm_model::{Code, Fault};

/// What a frame of the media said of its own timecode, where that does not follow.
const OWN: &str = "platefarm:sourceTimecode";

pub(super) fn timecode(package: &Package, request: &Request, sink: &mut Sink<'_>) {
    for plate in plates(package, request) {
        let asked = plate.asked.and_then(|asked| asked.timecodes.as_ref());
        let without = set(plate.read().filter(|(_, f)| f.timecode.is_none()).map(|(n, _)| n));
        let with = plate.read().any(|(_, file)| file.timecode.is_some());
        if !without.is_empty() && (asked.is_some() || with) {
            sink.fail(plate.name(), without, "there is no timecode".into());
        } else if !without.is_empty() {
            sink.skip(format!("{}: neither the clip nor its frames have timecode", plate.name()));
        }
        order(&plate, sink);
        own(&plate, sink);
        if let Some([first, last]) = asked {
            ends(&plate, [first, last], sink);
        }
    }
}

/// Timecode counts as the frame numbers do. Frame by frame, so that only those are named that break step.
fn order(plate: &Plate<'_>, sink: &mut Sink<'_>) {
    let offset = |(frame, file): (i64, &platefarm_media::delivered::Delivered)| {
        let timecode = file.timecode?;
        let day = timecode.frames_per_day();
        Some((frame, (timecode.frames - frame).rem_euclid(day)))
    };
    let offsets = by_value(plate.read().filter_map(offset));
    for (_, frames) in offsets.iter().skip(1) {
        let message = "timecode does not count with the frame numbers";
        sink.fail(plate.name(), frames.clone(), message.into());
    }
}

/// Frames of the media that say another timecode than what follows from their clip's start, as the
/// renderer found them. The plate counts on; whether they belong there is for a person to see.
fn own(plate: &Plate<'_>, sink: &mut Sink<'_>) {
    let odd = plate.read().filter_map(|(frame, file)| Some((frame, file.texts.get(OWN)?)));
    let odd: Vec<(i64, &String)> = odd.collect();
    let Some((_, first)) = odd.first() else { return };
    let message = format!(
        "the media's own timecode does not follow from the clip's start: it says {first} first"
    );
    let fault = Fault::new(Code::MixedClip, message).remedy(
        "See whether frames of another take are among them; the plate's timecode counts from the clip's start.",
    );
    sink.warn(Some(plate.name()), set(odd.iter().map(|(frame, _)| *frame)), fault);
}

fn ends(plate: &Plate<'_>, [first, last]: [&String; 2], sink: &mut Sink<'_>) {
    let Some(range) = plate.asked.and_then(|asked| asked.frames) else { return };
    let at = |frame: i64| {
        let file = plate.files.frames.get(&frame)?.read.as_ref().ok()?;
        file.timecode.map(|timecode| timecode.to_string())
    };
    for (frame, wanted) in [(range.first(), first), (range.last(), last)] {
        if let Some(found) = at(frame).filter(|found| found != wanted) {
            let message = format!("timecode {found} where the event asks for {wanted}");
            sink.fail(plate.name(), set([frame]), message);
        }
    }
}

pub(super) fn rate(package: &Package, request: &Request, sink: &mut Sink<'_>) {
    for plate in plates(package, request) {
        let asked = plate.asked.and_then(|asked| asked.rate);
        let rates = plate.read().map(|(frame, file)| {
            (frame, file.rate.map(|rate| (rate.numerator(), rate.denominator())))
        });
        let rates = by_value(rates);
        let Some((most, _)) = rates.first() else { continue };
        if asked.is_none() && rates.len() == 1 && most.is_none() {
            sink.skip(format!("{}: neither the clip nor its frames have a rate", plate.name()));
            continue;
        }
        let wanted = asked.map(|rate| (rate.numerator(), rate.denominator())).or(*most);
        for (rate, frames) in rates.iter().filter(|(rate, _)| *rate != wanted) {
            let text = |rate: Option<(u32, u32)>| match rate {
                Some((n, d)) => format!("framesPerSecond {n}/{d}"),
                None => "no framesPerSecond as a ratio".into(),
            };
            let message = format!("{} instead of {}", text(*rate), text(wanted));
            sink.fail(plate.name(), frames.clone(), message);
        }
    }
}
