//! The page and the JSON Schema of `platefarm inspect`, derived from the
//! slice of fields.

use platefarm_model::schema::{FIELDS, Field, Group, Kind, MISSING, VERSION};
use serde_json::{Map, Value, json};
use std::fmt::Write;

/// What stands before the table.
const INTRODUCTION: &str = "# Inspecting media\n
`platefarm inspect PATH...` describes camera files in one schema, whoever made the camera: a file, a frame sequence (by
any of its files), a metadata export, or a whole card. One clip is printed field by field, several as a line each with
the camera formats behind them; `--full` prints every field of each. `--json` prints one document, `inspect.schema.json`
beside this page describes it. The exit code is 0 when nothing is wrong, and that of the first problem otherwise (3 for
media): unreadable and empty files, missing frames, mixed sizes and cameras, timecodes that do not follow, names that
stand twice. The document is complete in either case.\n
## Fields\n
Names, units and meanings are those of OpenEXR's standard attributes where one exists (marked *); plates carry those in
their headers. A field that the workflow needs (marked !) and that nobody wrote is the text `Missing`; it is never zero
and never guessed. Other unknown fields are left out. What changes over the frames has its first value here, and its
range under `varies`.\n";

/// What stands behind it.
const REST: &str = "
## Besides the fields\n
| key of a clip | value |
|---|---|
| `path` | the file, or the first file of a sequence, or the export |
| `varies` | by field: `min`, `max`, and over how many `frames` they were found |
| `missing` | the names of the fields that are `Missing` |
| `primariesAssumed` | `true` where the primaries of `colorSpace` are assumed, since the file names none; else not there |
| `sidecars` | metadata exports that were read into it |
| `vendor` | the maker's fields by their own names, as text, with values as written; those of an export as `maker.Field`. What is shortened is said below |
| `notes` | what was assumed or ignored, and where media and export contradict (`F0119`) |\n
`formats` are the camera formats: a new one begins where camera letter, camera model, sensor mode, codec or lens squeeze
differs, as on Netflix's camera format cards. What is not known is a value of its own. The camera letter is the
camera's own word, else it follows from a clip name of a maker's pattern. `problems` are errors with code, place and
remedy.\n
**Vendor fields that are not whole.** Of DNG, text is whole up to 64 KiB, strings of one tag on lines of their own without the
zeros and spaces around them; numbers are whole up to 4096 of a tag, blobs (MakerNote, DNGPrivateData, opcode lists) up to 4096
bytes, as hexadecimal digits; ` … (N values)` or ` … (N bytes)` stands for what follows, as in a linearisation table.
`(N values, not shown)` stands for a value that is longer than 8 MiB, lies outside the file, or follows 8 MiB of text of the
same file. A tag that stands twice in a directory has its first value, one of a type that TIFF does not know is left out.
Values are those of the first frame that can be read. `OpcodeListN.operations` names what a list does.
Other formats: attributes of OpenEXR are cut at 160 characters, those of movies at 400 (both with a mark), properties of MXF
at 64 bytes (`...`) and 4096 of them; blocks of MLV without a public layout are given by their size.\n
## Metadata exports\n
They are recognised by content, and belong to the clip that they name; an export that names none belongs to the clip
whose name its file name is, up to the first dot. Media is believed before an export. `render` looks beside the clip;
`inspect` and `pull` look everywhere under the directories that they are given.\n
| maker | export | worth knowing |
|---|---|---|
| ARRI | ARRI Meta Extract, CSV | T-stop from the linear iris: 2^((v-1000)/2000). Photosites and pitch only of ARRIRAW: ProRes is scaled in the camera |
| Blackmagic | text of clip and frame metadata | `format_frame_rate` counts 65536ths. There is no timecode and no count of frames in it |
| Canon | CSV of the clip, CSV of its frames | codes whose meaning is not published stay vendor fields; there is no frame rate in them |
| RED | `REDline --printMeta 3` and `5` | Abs TC is `timeCode`, Edge TC `edgeTimeCode`. The aperture is an F-number; T-stop and entrance pupil come from Cooke /i. The lens squeeze is RED's pixel aspect |
| Sony | NonRealTimeMeta XML, CSV of RAW Viewer | shutter angles are minutes of arc (RDD 18). `isoSpeed` is the sensitivity, `exposureIndex` the photometer's |

The photosite pitch of RED, Sony VENICE and URSA Mini Pro 12K is the data sheet's: no export has it.
";

fn kind_text(field: &Field) -> &'static str {
    match field.kind {
        Kind::Text => "text",
        Kind::Flag => "true or false",
        Kind::Integer => "whole number",
        Kind::Number(_) => "number",
        Kind::Numbers => "numbers",
        Kind::Rate => "rate, `24000/1001`",
        Kind::Timecode => "timecode, `;` before the frames when it drops",
        Kind::Frames => "frames, `3-5,9`",
        Kind::Size => "[columns, rows]",
        Kind::Box => "{x, y, width, height}",
        Kind::Lines => "list of {label, left, top, width, height}",
    }
}

/// `docs/inspect.md`.
pub(crate) fn page() -> String {
    let mut page = INTRODUCTION.to_owned();
    for group in Group::ALL {
        let _ = write!(
            page,
            "\n### {}\n\n| field | | value | unit | |\n|---|---|---|---|---|\n",
            group.name()
        );
        for field in FIELDS.iter().filter(|field| field.group == group) {
            let _ = writeln!(
                page,
                "| `{}` | {}{} | {} | {} | {} |",
                field.name,
                if field.standard { "*" } else { "" },
                if field.critical { "!" } else { "" },
                kind_text(field),
                field.unit(),
                field.doc
            );
        }
    }
    page + REST
}

fn kind_schema(field: &Field) -> Value {
    match field.kind {
        Kind::Text | Kind::Frames => json!({ "type": "string" }),
        Kind::Flag => json!({ "type": "boolean" }),
        Kind::Integer => json!({ "type": "integer" }),
        Kind::Number(_) => json!({ "type": "number" }),
        Kind::Numbers => json!({ "type": "array", "items": { "type": "number" } }),
        Kind::Rate => json!({ "type": "string", "pattern": "^[0-9]+(/[0-9]+)?$" }),
        Kind::Timecode => {
            json!({ "type": "string", "pattern": "^\\d\\d:\\d\\d:\\d\\d[:;]\\d\\d+$" })
        }
        Kind::Size => json!({
            "type": "array", "items": { "type": "integer" }, "minItems": 2, "maxItems": 2
        }),
        Kind::Box => {
            object(["x", "y", "width", "height"].map(|k| (k, json!({ "type": "integer" }))))
        }
        Kind::Lines => json!({ "type": "array", "items": { "type": "object" } }),
    }
}

/// An object that has exactly these keys.
fn object<const N: usize>(keys: [(&str, Value); N]) -> Value {
    let required: Vec<&str> = keys.iter().map(|(key, _)| *key).collect();
    let properties: Map<String, Value> =
        keys.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
    json!({ "type": "object", "required": required, "properties": properties, "additionalProperties": false })
}

fn group_schema(group: Group) -> Value {
    let (mut properties, mut required) = (Map::new(), Vec::new());
    for field in FIELDS.iter().filter(|field| field.group == group) {
        let mut schema = kind_schema(field);
        if field.critical && field.kind != Kind::Text {
            schema = json!({ "anyOf": [schema, { "const": MISSING }] });
        }
        if field.critical {
            required.push(field.name);
        }
        schema["description"] = field.doc.into();
        properties.insert(field.name.to_owned(), schema);
    }
    // New fields come without a new version.
    json!({ "type": "object", "required": required, "properties": properties })
}

/// `docs/inspect.schema.json`.
pub(crate) fn json_schema() -> String {
    let text = || json!({ "type": "string" });
    let list = |items: Value| json!({ "type": "array", "items": items });
    let mut clip: Vec<(&str, Value)> = vec![("path", text())];
    clip.extend(Group::ALL.map(|group| (group.name(), group_schema(group))));
    let variation = object([
        ("min", json!({ "type": "number" })),
        ("max", json!({ "type": "number" })),
        ("frames", json!({ "type": "integer" })),
    ]);
    clip.extend([
        ("varies", json!({ "type": "object", "additionalProperties": variation })),
        ("missing", list(text())),
        ("sidecars", list(text())),
        ("vendor", json!({ "type": "object", "additionalProperties": text() })),
        ("notes", list(json!({ "type": "object", "required": ["code", "message"] }))),
    ]);
    let required: Vec<&str> = clip.iter().map(|(key, _)| *key).collect();
    clip.push(("primariesAssumed", json!({ "type": "boolean" })));
    let properties: Map<String, Value> =
        clip.iter().map(|(k, v)| ((*k).to_owned(), v.clone())).collect();
    let clip = json!({ "type": "object", "required": required, "properties": properties });
    let format = object([
        ("cameraLetter", text()),
        ("cameraModel", text()),
        ("sensorMode", text()),
        ("codec", text()),
        ("lensSqueeze", text()),
        ("colorSpace", text()),
        ("clipCount", json!({ "type": "integer", "minimum": 1 })),
        ("clips", list(text())),
    ]);
    let problem = json!({ "type": "object", "required": ["code", "message", "place", "remedy"] });
    let mut document = object([
        ("schema", json!({ "const": VERSION })),
        ("clips", list(clip)),
        ("formats", list(format)),
        ("problems", list(problem)),
    ]);
    document["$schema"] = "https://json-schema.org/draft/2020-12/schema".into();
    document["title"] = "platefarm inspect --json".into();
    let mut text = serde_json::to_string_pretty(&document).expect("a schema is JSON");
    text.push('\n');
    text
}
