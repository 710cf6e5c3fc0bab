//! What the headers say the pixels mean.
//!
//! Sources: SMPTE ST 2065-1 (primaries and white), SMPTE ST 2065-4 (the
//! container: half, uncompressed, flag 1), ASWF colour interop ids.

use super::{Package, Request, Sink, by_value, plates};
use platefarm_media::delivered::Delivered;
use platefarm_model::color::{ACES_WHITE, AP0};
use platefarm_model::{Code, Fault};

/// Distance up to which chromaticities are the same; headers carry floats.
const SAME_XY: f64 = 1e-5;
const ACES: &str = "ACES2065-1";

pub(super) fn color(package: &Package, request: &Request, sink: &mut Sink<'_>) {
    for plate in plates(package, request) {
        let asked = plate.asked.map(|asked| asked.color.as_str()).filter(|color| !color.is_empty());
        if let Some(other) = asked.filter(|asked| *asked != ACES) {
            sink.skip(format!("what headers must say of '{other}' is not known"));
            continue;
        }
        for (wrong, frames) in
            by_value(plate.read().filter_map(|(f, file)| Some((f, wrong(file, asked.is_some())?))))
        {
            let message = format!("{wrong}, where {ACES} was asked for");
            if asked.is_some() {
                sink.fail(plate.name(), frames, message);
            } else {
                let fault = Fault::new(Code::NotAsAsked, wrong).remedy(
                    "Nothing, if the plates are meant in that colour; nobody is known to have asked for another.",
                );
                sink.warn(Some(plate.name()), frames, fault);
            }
        }
        let container = plate.read().filter(|(_, file)| {
            let half = file.channels.iter().all(|(_, kind)| *kind == "half");
            file.integers.get("acesImageContainerFlag") == Some(&1)
                && (file.compression != "none" || !half)
        });
        let container = crate::gate::set(container.map(|(frame, _)| frame));
        if !container.is_empty() {
            let message = "acesImageContainerFlag promises SMPTE ST 2065-4, which allows uncompressed half only";
            sink.fail(plate.name(), container, message.into());
        }
    }
}

/// What keeps a header from saying ACES2065-1; a plate of ours says it in both ways.
fn wrong(file: &Delivered, ours: bool) -> Option<String> {
    let flagged = file.integers.get("acesImageContainerFlag") == Some(&1);
    let interop = file.texts.get("colorInteropID").map(String::as_str);
    if let Some(other) = interop.filter(|id| *id != "lin_ap0_scene") {
        return Some(format!("colorInteropID says '{other}'"));
    }
    if ours && interop.is_none() {
        return Some("there is no colorInteropID".into());
    }
    let Some(found) = file.chromaticities else {
        if ours {
            return Some("there are no chromaticities".into());
        }
        return (!flagged && interop.is_none())
            .then(|| "neither chromaticities nor colorInteropID are there".into());
    };
    let wanted = [AP0[0], AP0[1], AP0[2], ACES_WHITE];
    let same = wanted
        .as_flattened()
        .iter()
        .zip(found)
        .all(|(wanted, found)| (wanted - f64::from(found)).abs() < SAME_XY);
    let shown: Vec<String> = found.iter().map(|v| format!("{v:.4}")).collect();
    (!same).then(|| format!("chromaticities are {}, not AP0", shown.join(" ")))
}
