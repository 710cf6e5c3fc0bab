//! Timecode and rate: what conform and editorial find plates by.

use super::{Package, Plate, Request, Sink, by_value, plates};
use crate::gate::set;

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
