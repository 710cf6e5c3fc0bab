//! The pull list: every plate on a line, as CSV for spreadsheets and as an
//! Avid Log Exchange for bins.
//!
//! Sources: RFC 4180 (CSV); Avid Log Exchange (tab-delimited, `Heading`,
//! `Column`, `Data`).

use platefarm_model::pull::{Document, PlatePlan};
use platefarm_model::{Code, Fault, FrameRate};
use platefarm_standards::editlist::Cdl;

/// A plate with the colour decision of its event.
pub(super) struct Row<'a> {
    pub(super) plate: &'a PlatePlan,
    pub(super) cdl: Option<&'a Cdl>,
    pub(super) amf_uuid: String,
}

/// Both lists of a pull.
pub(super) fn documents(rows: &[Row<'_>], rate: FrameRate) -> Vec<Document> {
    vec![
        Document { name: "pull_list.csv".into(), text: csv(rows).into() },
        Document { name: "pull_list.ale".into(), text: ale(rows, rate).into() },
    ]
}

/// The edit list under a name that nothing beside it has: a pull list may be handed in as a list.
/// Where it gets another, that is said.
pub(super) fn beside(list: &Document, others: &[Document]) -> (Document, Option<Fault>) {
    // Volumes without case keep one file of two such names.
    let taken = |name: &str| others.iter().any(|other| other.name.eq_ignore_ascii_case(name));
    let mut name = list.name.clone();
    while taken(&name) {
        name.insert_str(0, "list_");
    }
    let note = (name != list.name).then(|| {
        let message = format!(
            "the pull writes a '{}' of its own: the edit list is delivered as '{name}'",
            list.name
        );
        Fault::new(Code::NameCollision, message)
            .at(list.name.clone())
            .remedy("Nothing; or hand the list in under another name.")
    });
    (Document { name, ..list.clone() }, note)
}

type Column = (&'static str, fn(&Row<'_>) -> String);

const CSV: &[Column] = &[
    ("plate", |r| r.plate.name.clone()),
    ("shot", |r| r.plate.shot.clone()),
    ("version", |r| r.plate.version.to_string()),
    ("event", |r| r.plate.event.number.clone()),
    ("also_events", |r| {
        r.plate.also.iter().map(|e| e.number.as_str()).collect::<Vec<_>>().join(" ")
    }),
    ("event_reel", |r| r.plate.event.reel.clone()),
    ("clip", |r| r.plate.clip.identity.clip_name.clone()),
    ("reel", |r| r.plate.clip.identity.reel_name.clone().unwrap_or_default()),
    ("path", |r| r.plate.clip.path.clone()),
    ("matched", |r| r.plate.matched.tier.word().into()),
    ("rule", |r| r.plate.matched.rule.clone()),
    ("score", |r| format!("{:.2}", r.plate.matched.score)),
    ("source_in", |r| r.plate.event.source_in.clone()),
    ("source_out", |r| r.plate.event.source_out.clone()),
    ("record_in", |r| r.plate.event.record_in.clone()),
    ("record_out", |r| r.plate.event.record_out.clone()),
    ("plate_in", |r| timecode(r.plate, 0)),
    ("plate_out", |r| timecode(r.plate, r.plate.frames.len() as i64)),
    ("first_frame", |r| r.plate.frames.first().to_string()),
    ("last_frame", |r| r.plate.frames.last().to_string()),
    ("frames", |r| r.plate.frames.len().to_string()),
    ("head_handle", |r| r.plate.handles[0].to_string()),
    ("tail_handle", |r| r.plate.handles[1].to_string()),
    ("width", |r| r.plate.size[0].to_string()),
    ("height", |r| r.plate.size[1].to_string()),
    ("speed", |r| r.plate.retime.as_ref().map_or_else(|| "1".into(), |t| t.speed.to_string())),
    ("camera", |r| r.plate.clip.camera.name().unwrap_or_default()),
    ("notes", |r| r.plate.notes.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")),
];

const ALE: &[Column] = &[
    ("Name", |r| r.plate.name.clone()),
    ("Tracks", |_| "V".into()),
    ("Start", |r| timecode(r.plate, 0)),
    ("End", |r| timecode(r.plate, r.plate.frames.len() as i64)),
    ("Tape", |r| r.plate.clip.identity.clip_name.clone()),
    ("Camroll", |r| r.plate.clip.identity.reel_name.clone().unwrap_or_default()),
    ("Source File", |r| r.plate.clip.path.rsplit('/').next().unwrap_or_default().into()),
    ("Scene", |r| r.plate.clip.identity.scene.clone().unwrap_or_default()),
    ("Take", |r| r.plate.clip.identity.take.clone().unwrap_or_default()),
    ("Shot", |r| r.plate.shot.clone()),
    ("First Frame", |r| r.plate.frames.first().to_string()),
    ("Last Frame", |r| r.plate.frames.last().to_string()),
    ("ASC_SOP", |r| {
        let row = |v: &[f64; 3]| v.map(|v| v.to_string()).join(" ");
        let sop = r.cdl.and_then(|cdl| cdl.sop.as_ref());
        sop.map_or_else(String::new, |sop| {
            format!("({})({})({})", row(&sop.slope), row(&sop.offset), row(&sop.power))
        })
    }),
    ("ASC_SAT", |r| {
        r.cdl.and_then(|cdl| cdl.saturation).map_or_else(String::new, |s| s.to_string())
    }),
    ("AMF_NAME", |r| r.plate.amf.name.clone()),
    ("AMF_UUID", |r| r.amf_uuid.clone()),
];

/// Timecode of the plate's frame `index`; empty when the clip has none.
fn timecode(plate: &PlatePlan, index: i64) -> String {
    let start = plate.clip.timing.start;
    start.map_or_else(String::new, |start| start.plus(plate.source_first + index).to_string())
}

fn csv(rows: &[Row<'_>]) -> String {
    let mut text = CSV.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(",") + "\r\n";
    for row in rows {
        let cells: Vec<String> = CSV.iter().map(|(_, value)| quoted(&value(row))).collect();
        text.push_str(&cells.join(","));
        text.push_str("\r\n");
    }
    text
}

/// A cell; one that a spreadsheet would take for a formula is disarmed.
fn quoted(value: &str) -> String {
    let formula = value.starts_with(['=', '+', '-', '@']) && value.parse::<f64>().is_err();
    let value = if formula { format!("'{value}") } else { value.to_owned() };
    if value.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", value.replace('"', "\"\""))
    } else {
        value
    }
}

fn ale(rows: &[Row<'_>], rate: FrameRate) -> String {
    let fps = match (rate.numerator(), rate.denominator()) {
        (n, 1) => n.to_string(),
        _ => {
            let text = format!("{:.3}", rate.as_f64());
            text.trim_end_matches('0').to_owned()
        }
    };
    let mut text = format!(
        "Heading\r\nFIELD_DELIM\tTABS\r\nVIDEO_FORMAT\tCUSTOM\r\nFPS\t{fps}\r\n\r\nColumn\r\n"
    );
    text.push_str(&ALE.iter().map(|(name, _)| *name).collect::<Vec<_>>().join("\t"));
    text.push_str("\r\n\r\nData\r\n");
    for row in rows {
        let cells: Vec<String> =
            ALE.iter().map(|(_, value)| value(row).replace(['\t', '\r', '\n'], " ")).collect();
        text.push_str(&cells.join("\t"));
        text.push_str("\r\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_document_takes_the_place_of_the_edit_list() {
        let named = |name: &str| Document { name: name.into(), text: name.into() };
        let others = [named("pull_list.csv"), named("pull_list.ale"), named("list_pull_list.ale")];
        let (list, note) = beside(&named("cut.edl"), &others);
        assert_eq!((list, note), (named("cut.edl"), None));
        let (list, note) = beside(&named("Pull_List.ALE"), &others);
        assert_eq!(
            (list.name.as_str(), &list.text),
            ("list_list_Pull_List.ALE", &"Pull_List.ALE".into())
        );
        assert_eq!(note.map(|note| note.code), Some(Code::NameCollision));
        let (list, _) = beside(&named("pull_list.csv"), &others);
        assert_eq!(list.name, "list_pull_list.csv");
        let (list, _) = beside(&named("pull_list.ale"), &others);
        assert_eq!(list.name, "list_list_pull_list.ale");
    }

    #[test]
    fn cells_are_quoted_and_disarmed() {
        assert_eq!(quoted("a,b"), "\"a,b\"");
        assert_eq!(quoted("say \"so\""), "\"say \"\"so\"\"\"");
        assert_eq!(quoted("=HYPERLINK()"), "'=HYPERLINK()");
        assert_eq!(quoted("-1.5"), "-1.5");
    }
}
