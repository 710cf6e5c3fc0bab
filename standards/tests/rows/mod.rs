//! Rows that adapters of OpenTimelineIO read in a timeline, held against our
//! events as `edl show --json` prints them. The tests of the readers and those
//! of the program look by the same rule.

use platefarm_model::FrameRate;
use serde_json::Value;
use std::path::Path;

/// `[value, rate]` in whole frames of another rate.
fn frames(time: &Value, rate: f64) -> i64 {
    let [value, own] = [&time[0], &time[1]].map(|number| number.as_f64().unwrap());
    let same = (own - rate).abs() < 1e-3;
    (if same { value } else { value * rate / own }).round() as i64
}

/// A transition between two items of a track: it reaches so far before the cut and behind it.
fn mix(row: Option<&Value>, rate: f64) -> Option<[i64; 2]> {
    let row = row.filter(|row| row["item"] == "transition")?;
    Some(["in_offset", "out_offset"].map(|side| frames(&row[side], rate)))
}

/// Holds every clip of the rows against the event of its name and place; how many there were.
///
/// A row has a clip from cut to cut. Of a list, an event begins where the transition before it
/// does and ends where the one behind it begins (OpenTimelineIO's documentation of its file format,
/// figure 2): both ends move by `in_offset`, and time is counted around midnight.
pub(crate) fn compare(path: &Path, list: &Value, read: &Value) -> usize {
    let rows = read["rows"].as_array().unwrap();
    let rate: FrameRate = list["rate"].as_str().unwrap().parse().unwrap();
    let (rate, day) = (rate.as_f64(), 86_400 * i64::from(rate.timebase()));
    let start = read["global_start"].as_array().map_or(0, |t| t[0].as_f64().unwrap() as i64);
    let mut compared = 0;
    for (i, row) in rows.iter().enumerate() {
        let audio = row["kind"] == "Audio";
        // Sound that overlaps in one track is laid end to end by the adapter of XML.
        if row["item"] != "clip" || (list["format"] == "xmeml" && audio) {
            continue;
        }
        let into = mix(i.checked_sub(1).map(|before| &rows[before]), rate);
        let earlier = into.map_or(0, |[before, _]| before);
        let cut_off = mix(rows.get(i + 1), rate).map_or(0, |[before, _]| before);
        let place = start + frames(&row["record_in"], rate) - earlier;
        let number = |event: &Value, key: &str| event[key].as_i64().unwrap();
        let fits = |event: &&Value| {
            let mixes = event["transition"] != "C" && !event["to_clip_name"].is_null();
            let name = &event[if mixes { "to_clip_name" } else { "clip_name" }];
            let track = event["track"].as_str().unwrap();
            name.as_str().unwrap_or_default() == row["name"].as_str().unwrap()
                && (track.contains(['V', 'v']) || track == "B") != audio
                && (number(event, "rec_in") - place).rem_euclid(day) == 0
                && event["within"].is_null()
        };
        let found: Vec<&Value> = list["events"].as_array().unwrap().iter().filter(fits).collect();
        assert!(!found.is_empty(), "{}: no event for {row}", path.display());
        let agrees = found.iter().any(|event| {
            let own = event["src_rate"].as_str().map(|text| text.parse::<FrameRate>().unwrap());
            let own = own.map_or(rate, |own| own.as_f64());
            let source = frames(&row["source_in"], own) - earlier;
            (number(event, "src_in") - source).rem_euclid(day) == 0
                && number(event, "rec_dur") == frames(&row["record_dur"], rate) + earlier - cut_off
                && event["transition_frames"].as_i64() == into.map(|[a, b]| a + b)
                // The adapter of XML does not read it.
                && (list["format"] == "xmeml"
                    || (event["enabled"] != false) == row["enabled"].as_bool().unwrap_or(true))
        });
        assert!(agrees, "{}: {row}\n{found:#?}", path.display());
        compared += 1;
    }
    compared
}
