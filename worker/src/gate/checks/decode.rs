//! What every header carries, and whether all frames of a plate were made the
//! same way.

use super::{Package, Plate, PlateRequest, Request, Sink, by_value, plates};
use crate::gate::set;
use platefarm_media::delivered::Delivered;
use platefarm_model::clip::CameraInfo;
use platefarm_model::{Code, Fault};

pub(super) fn header(package: &Package, request: &Request, sink: &mut Sink<'_>) {
    for plate in plates(package, request) {
        let empty = plate.read().flat_map(|(frame, file)| {
            let empty = file.texts.iter().filter(|(_, text)| text.is_empty());
            empty.map(move |(name, _)| (frame, name.clone()))
        });
        for (name, frames) in by_value(empty) {
            let message = format!("attribute '{name}' is empty text, which OpenEXR does not allow");
            sink.fail(plate.name(), frames, message);
        }
        let miscounted = plate.read().filter(|(frame, file)| {
            let counter = file.integers.get("imageCounter");
            counter.map_or(plate.asked.is_some(), |counter| counter != frame)
        });
        let miscounted = set(miscounted.map(|(frame, _)| frame));
        if !miscounted.is_empty() {
            let message = "imageCounter is not the frame number";
            sink.fail(plate.name(), miscounted, message.into());
        }
        match plate.asked {
            Some(asked) => origin(&plate, asked, sink),
            None => bare(&plate, sink),
        }
    }
}

/// Where the pictures come from, and whose they are, as it was asked for.
fn origin(plate: &Plate<'_>, asked: &PlateRequest, sink: &mut Sink<'_>) {
    let text = |file: &Delivered, name: &str| file.texts.get(name).cloned();
    let camera = |file: &Delivered| {
        let [make, model] = ["cameraMake", "cameraModel"].map(|name| text(file, name));
        CameraInfo { make, model, ..CameraInfo::default() }.name()
    };
    let clip = Some(asked.clip.clone()).filter(|clip| !clip.is_empty());
    type Said<'a> = &'a dyn Fn(&Delivered) -> Option<String>;
    let said: [(&str, &Option<String>, Said<'_>); 4] = [
        ("reelName", &asked.reel, &|file| text(file, "reelName")),
        ("platefarm:clipName", &clip, &|file| text(file, "platefarm:clipName")),
        ("the camera", &asked.camera, &camera),
        ("owner", &asked.owner, &|file| text(file, "owner")),
    ];
    for (what, wanted, said) in said {
        let Some(wanted) = wanted else { continue };
        let other = plate.read().map(|(frame, file)| (frame, said(file)));
        let other = other.filter(|(_, said)| said.as_ref() != Some(wanted));
        for (said, frames) in by_value(other) {
            let said = said.map_or("nothing".into(), |said| format!("'{said}'"));
            sink.fail(plate.name(), frames, format!("{what} is {said}, not '{wanted}'"));
        }
    }
}

/// What a receiver looks for in plates that others made, where it is not there.
fn bare(plate: &Plate<'_>, sink: &mut Sink<'_>) {
    const WANTED: &[&str] = &["reelName", "cameraMake"];
    let Some((_, file)) = plate.read().next() else { return };
    let lacking: Vec<&str> =
        WANTED.iter().copied().filter(|name| !file.texts.contains_key(*name)).collect();
    if !lacking.is_empty() {
        let message = format!("headers carry no {}", lacking.join(", no "));
        let fault = Fault::new(Code::MetadataAbsent, message);
        sink.warn(Some(plate.name()), platefarm_model::FrameSet::new(), fault);
    }
}

/// Attributes that must be one within a plate; those of ours that say how it was decoded.
const ONE: &[&str] = &[
    "platefarm:debayer",
    "platefarm:filter",
    "platefarm:scale",
    "platefarm:offset",
    "platefarm:sourceSize",
    "platefarm:clipName",
    "platefarm:version",
    "platefarm:color",
    "platefarm:inputTransform",
    "platefarm:looks",
    "platefarm:hotPixels",
    "platefarm:highlights",
];

pub(super) fn decode(package: &Package, request: &Request, sink: &mut Sink<'_>) {
    for plate in plates(package, request) {
        let ours = |file: &Delivered| file.texts.contains_key("platefarm:debayer");
        if !plate.read().any(|(_, file)| ours(file)) {
            sink.skip(format!("{}: its frames carry no record of their decode", plate.name()));
            continue;
        }
        let recorded = |file: &Delivered| {
            let mut record: Vec<String> = ONE
                .iter()
                .map(|name| {
                    let value = file.texts.get(*name).map_or("nothing", String::as_str);
                    format!("{} {value}", name.trim_start_matches("platefarm:"))
                })
                .collect();
            let version = file.integers.get("platefarm:debayerVersion").copied();
            record.push(format!("debayer version {}", version.unwrap_or_default()));
            let balance = file.others.get("platefarm:whiteBalance");
            record.push(format!("white balance {}", balance.map_or("nothing", String::as_str)));
            record
        };
        let records = by_value(plate.read().map(|(frame, file)| (frame, recorded(file))));
        let Some((most, _)) = records.first() else { continue };
        for (record, frames) in records.iter().skip(1) {
            let apart = record.iter().zip(most).filter(|(a, b)| a != b);
            let apart: Vec<String> =
                apart.map(|(a, b)| format!("{a} where the others have {b}")).collect();
            let fault = Fault::new(Code::MixedDecode, apart.join("; "));
            sink.fault(Some(plate.name()), frames.clone(), fault);
        }
        asked(&plate, sink);
        source(&plate, sink);
    }
}

/// The debayer is the one that was asked for.
fn asked(plate: &Plate<'_>, sink: &mut Sink<'_>) {
    let wanted = plate.asked.map(|asked| asked.debayer.as_str()).filter(|d| !d.is_empty());
    let Some(wanted) = wanted else { return };
    let made = |file: &Delivered| {
        let version = file.integers.get("platefarm:debayerVersion").copied().unwrap_or_default();
        Some(format!("{} v{version}", file.texts.get("platefarm:debayer")?))
    };
    let other = plate.read().filter(|(_, file)| made(file).is_none_or(|made| made != wanted));
    for (found, frames) in by_value(other.map(|(frame, file)| (frame, made(file)))) {
        let found = found.unwrap_or_else(|| "nothing".into());
        let fault = Fault::new(Code::MixedDecode, format!("debayer {found} instead of {wanted}"));
        sink.fault(Some(plate.name()), frames, fault);
    }
    let repairs = plate.asked.map(|asked| &asked.repairs).into_iter().flatten();
    for (name, wanted) in ["platefarm:hotPixels", "platefarm:highlights"].into_iter().zip(repairs) {
        let said = plate.read().map(|(frame, file)| (frame, file.texts.get(name)));
        let other = said.filter(|(_, said)| !wanted.is_empty() && *said != Some(wanted));
        for (found, frames) in by_value(other) {
            let found = found.map_or("nothing", String::as_str);
            let message = format!("{name} is {found} instead of {wanted}");
            sink.fault(Some(plate.name()), frames, Fault::new(Code::MixedDecode, message));
        }
    }
}

/// Frame by frame, the source frame that the numbers ask for.
fn source(plate: &Plate<'_>, sink: &mut Sink<'_>) {
    let shifts = plate.read().filter_map(|(frame, file)| {
        Some((frame, file.integers.get("platefarm:sourceFrame")? - frame))
    });
    let shifts = by_value(shifts);
    let wanted = plate
        .asked
        .and_then(|asked| Some(asked.source_first - asked.frames?.first()))
        .or_else(|| shifts.first().map(|(shift, _)| *shift));
    for (shift, frames) in shifts.iter().filter(|(shift, _)| Some(*shift) != wanted) {
        let off = wanted.map_or(0, |wanted| shift - wanted);
        let message = format!("source frames are {off:+} from where they were asked for");
        sink.fail(plate.name(), frames.clone(), message);
    }
}
