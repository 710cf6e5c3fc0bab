//! What an export says, put beside what the media says: gaps are filled, the
//! media's own word stands, and contradictions are reported.

use super::Sheet;
use platefarm_model::clip::ClipInfo;
use platefarm_model::schema::{self, Value};
use platefarm_model::{Code, Fault};
use std::collections::BTreeMap;

/// Fields that must agree: which frames there are, what they are called, and how they are shaped.
const MUST_AGREE: &[&str] =
    &["reelName", "timeCode", "framesPerSecond", "frameCount", "cameraModel", "lensSqueeze"];

/// Gives each export to the clip that it names. What belongs to none comes back as clips of
/// its own, one per clip name, in the order of the exports.
#[must_use]
pub fn attach(clips: &mut [ClipInfo], sheets: Vec<Sheet>) -> Vec<ClipInfo> {
    let mut by_name: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    let mut by_umid: BTreeMap<String, usize> = BTreeMap::new();
    for (index, clip) in clips.iter().enumerate() {
        by_name.entry(clip.identity.clip_name.to_lowercase()).or_default().push(index);
        if let Some(umid) = &clip.identity.umid {
            by_umid.insert(umid.to_lowercase(), index);
        }
    }
    let mut alone: Vec<ClipInfo> = Vec::new();
    for sheet in sheets {
        let umid = sheet.info.identity.umid.as_ref().and_then(|u| by_umid.get(&u.to_lowercase()));
        let named = umid
            .copied()
            .or_else(|| nearest(clips, by_name.get(&sheet.clip_name().to_lowercase())?, &sheet));
        if let Some(index) = named {
            merge(&mut clips[index], &sheet);
            continue;
        }
        let name = sheet.clip_name();
        match alone.iter_mut().find(|clip| clip.identity.clip_name.eq_ignore_ascii_case(&name)) {
            Some(clip) => merge(clip, &sheet),
            None => alone.push(sheet.into_clip()),
        }
    }
    alone
}

/// Of clips of one name, that beside which the export lies.
fn nearest(clips: &[ClipInfo], named: &[usize], sheet: &Sheet) -> Option<usize> {
    let shared = |index: &usize| {
        let path = std::path::Path::new(&clips[*index].path).components();
        path.zip(sheet.path.components()).take_while(|(a, b)| a == b).count()
    };
    // The first of several that are equally near.
    named.iter().copied().rev().max_by_key(shared)
}

/// Fills what `clip` does not know from `sheet`.
pub fn merge(clip: &mut ClipInfo, sheet: &Sheet) {
    let place = sheet.path.display().to_string();
    for name in MUST_AGREE {
        let Some(field) = schema::field(name) else { continue };
        if let (Some(own), Some(theirs)) = (field.of(clip), field.of(&sheet.info))
            && differ(&own, &theirs)
        {
            let message = format!("{name} is {own}, and {theirs} in the {} export", sheet.kind);
            clip.notes.push(Fault::new(Code::MetadataConflict, message).at(place.clone()));
        }
    }
    fill(clip, &sheet.info);
    for (key, value) in &sheet.info.vendor {
        clip.vendor.entry(key.clone()).or_insert_with(|| value.clone());
    }
    clip.notes.extend(sheet.info.notes.iter().map(|note| note.clone().within(&place)));
    clip.sidecars.push(place);
}

/// Names differ in their case only by accident; numbers in their last digit only by rounding.
fn differ(own: &Value, theirs: &Value) -> bool {
    match (own, theirs) {
        (Value::Text(a), Value::Text(b)) => !a.trim().eq_ignore_ascii_case(b.trim()),
        (Value::Number(a), Value::Number(b)) => (a - b).abs() > 1e-3 * a.abs().max(b.abs()),
        (Value::Timecode(a), Value::Timecode(b)) => a.fields() != b.fields(),
        (a, b) => a != b,
    }
}

fn fill(clip: &mut ClipInfo, from: &ClipInfo) {
    macro_rules! options {
        ($part:ident: $($field:ident)*) => {
            $(if clip.$part.$field.is_none() {
                clip.$part.$field = from.$part.$field.clone();
            })*
        };
    }
    macro_rules! numbers {
        ($part:ident: $($field:ident)*) => {
            $(let unknown = std::mem::take(&mut clip.$part.$field);
            let given = [unknown, from.$part.$field].into_iter().find(|v| !is_default(v));
            clip.$part.$field = given.unwrap_or_default();)*
        };
    }
    // A variation belongs to the value that it is about.
    for (name, variation) in &from.varies {
        let Some(field) = schema::field(name) else { continue };
        let theirs = match (field.of(clip), field.of(from)) {
            (Some(own), Some(theirs)) => !differ(&own, &theirs),
            (own, _) => own.is_none(),
        };
        if theirs {
            clip.varies.entry(name.clone()).or_insert(*variation);
        }
    }
    options!(identity: reel_name camera_label camera_letter uuid umid scene take);
    options!(timing: start rate capture_rate edge_start duration_s captured utc_offset_s);
    options!(picture: cfa codec sensor_mode photosite_pitch_um);
    options!(camera: make model serial_number iso_speed exposure_index exposure_time_s
        shutter_angle_deg white_kelvin white_tint firmware nd_filter);
    options!(lens: make model serial_number firmware focal_length_mm focus_distance_m t_stop
        f_number squeeze entrance_pupil_offset_mm);
    numbers!(timing: frame_count);
    numbers!(picture: width height photosites active crop pixel_aspect bit_depth);
    // What the pixels of sensor data mean stands in the camera's own matrix.
    if clip.color_space.is_none() && clip.color.is_none() {
        clip.color_space = from.color_space.clone();
    }
    if clip.frame_lines.is_empty() {
        clip.frame_lines = from.frame_lines.clone();
    }
    if clip.identity.clip_name.is_empty() {
        clip.identity.clip_name = from.identity.clip_name.clone();
    }
}

/// What numbers are that nobody wrote.
fn is_default<T: Default + PartialEq<T>>(value: &T) -> bool {
    *value == T::default()
}
