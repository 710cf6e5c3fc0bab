//! Which reader a list belongs to, told by its content.

use super::{EditList, Format};
use crate::{ale, edl, fcpxml, otio, xmeml};
use platefarm_model::{Code, Fault, FrameRate, Outcome};

/// What `bytes` were written as. A list that looks like nothing else is taken
/// for a CMX 3600 one, which has no mark of its own.
#[must_use]
pub fn sniff(bytes: &[u8]) -> Format {
    const COMPOUND_FILE: &[u8] = &[0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1];
    if bytes.starts_with(COMPOUND_FILE) {
        return Format::Aaf;
    }
    let (text, _) = edl::decode(&bytes[..bytes.len().min(4096)]);
    let text = text.trim_start();
    if text.starts_with('{') {
        Format::Otio
    } else if text.starts_with('<') {
        if text.contains("<fcpxml") { Format::Fcpxml } else { Format::Xmeml }
    } else if text.lines().next().is_some_and(|line| line.trim().eq_ignore_ascii_case("heading")) {
        Format::Ale
    } else {
        Format::Edl
    }
}

/// Reads an edit list of any format. `rate` is that of its record times; a
/// format that carries its own needs none.
///
/// # Errors
/// [`Code::TooLarge`]; [`Code::BadConfig`] when the list does not say its rate and none is given;
/// [`Code::UnknownFormat`] for a format that needs another program (see `platefarm_media::editlist`).
pub fn read(bytes: &[u8], rate: Option<FrameRate>) -> Outcome<EditList> {
    match sniff(bytes) {
        Format::Edl => edl::parse(bytes, rate.ok_or_else(no_rate)?),
        Format::Otio => otio::parse(bytes, rate),
        Format::Xmeml => xmeml::parse(bytes, rate),
        Format::Ale => ale::parse(bytes, rate),
        Format::Fcpxml => fcpxml::parse(bytes, rate),
        Format::Aaf => {
            Err(Fault::new(Code::UnknownFormat, "an AAF is not read here, but by another program"))
        }
    }
}

fn no_rate() -> Fault {
    Fault::new(Code::BadConfig, "an edit decision list does not say its frame rate")
        .remedy("Give --rate, e.g. 24, 25 or 23.976.")
}
