//! Edit lists from files. All formats but one are read by
//! [`platefarm_standards::editlist`]; an AAF, which is a compound file of mobs,
//! is read by an installed OpenTimelineIO with its AAF adapter, in a process of
//! its own, and comes back as OTIO.

use crate::source::process;
use platefarm_model::{Code, Fault, FrameRate, Outcome, limits};
use platefarm_standards::editlist::{self, EditList, Format};
use platefarm_standards::otio;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// Names the Python that has OpenTimelineIO, where it is not `python3`.
pub const PYTHON: &str = "PLATEFARM_PYTHON";

/// How long an AAF may take: reels of thousands of events take seconds.
const LIMIT: Duration = Duration::from_secs(180);

/// Reads the file, and answers with the document or with what is missing. The adapter counts the
/// frames of a mob's timecode and forgets whether that drops any: it is put back, as `DropFrame`
/// beside the id of every mob whose first timecode track does.
const SCRIPT: &str = r#"
import json, sys
try:
    import opentimelineio as otio
except ImportError:
    sys.stdout.write("missing opentimelineio"); sys.exit(0)
if "AAF" not in otio.adapters.available_adapter_names():
    sys.stdout.write("missing otio-aaf-adapter"); sys.exit(0)
timeline = otio.adapters.read_from_file(sys.argv[1], adapter_name="AAF")
document = json.loads(otio.adapters.write_to_string(timeline, "otio_json"))

import aaf2
def drops(mob):
    for slot in mob.slots:
        track = slot.get("PhysicalTrackNumber")
        if track is not None and track.value != 1:
            continue
        for part in getattr(slot.segment, "components", [slot.segment]):
            if isinstance(part, aaf2.components.Timecode):
                return bool(part["Drop"].value)
    return False
with aaf2.open(sys.argv[1]) as file:
    dropping = {str(mob.mob_id) for mob in file.content.mobs if drops(mob)}
def mark(value):
    if isinstance(value, dict):
        if str(value.get("MobID")) in dropping:
            value["DropFrame"] = True
        for inner in list(value.values()):
            mark(inner)
    elif isinstance(value, list):
        for inner in value:
            mark(inner)
if dropping:
    mark(document)
sys.stdout.buffer.write(json.dumps(document).encode("utf-8"))
"#;

/// The events of the list at `path`, whose bytes are `bytes`. `rate` is that
/// of its record times; a format that carries its own needs none.
///
/// # Errors
/// As [`editlist::read`]; for an AAF [`Code::NoDecoder`] when there is no
/// OpenTimelineIO, [`Code::DecoderFailed`] and [`Code::DecoderHung`].
pub fn read(path: &Path, bytes: &[u8], rate: Option<FrameRate>) -> Outcome<EditList> {
    if editlist::sniff(bytes) != Format::Aaf {
        return editlist::read(bytes, rate);
    }
    let list = otio::parse(&as_otio(path)?, rate)?;
    Ok(EditList { format: Format::Aaf, ..list })
}

fn as_otio(path: &Path) -> Outcome<Vec<u8>> {
    let remedy = format!(
        "Install it (pip install opentimelineio otio-aaf-adapter; {PYTHON} names the Python that has it), or export the list as OTIO, XML or EDL."
    );
    let mut command = Command::new(crate::tools::python());
    command.args(["-c", SCRIPT]).arg(path);
    let bytes = process::run(command, LIMIT, limits::MAX_TIMELINE_BYTES).map_err(|fault| {
        let missing = fault.code == Code::NoDecoder;
        if missing { fault.remedy(remedy.clone()) } else { fault }
    })?;
    match bytes.strip_prefix(b"missing ") {
        Some(what) => {
            let what = String::from_utf8_lossy(what);
            let message =
                format!("an AAF is read through OpenTimelineIO, and {what} is not installed");
            Err(Fault::new(Code::NoDecoder, message).remedy(remedy))
        }
        None => Ok(bytes),
    }
}
