//! A clip of a timeline as an event: its source, speed, grade and markers.

use super::{Time, drops, list, range, schema, text};
use crate::editlist::{Cdl, Event, Locator, Media, Sop, Span, path_of, source_time};
use platefarm_model::{FrameRate, Timecode};
use serde_json::Value;

/// What the walk knows about the place of a clip.
pub(super) struct Place {
    /// Record time of its first frame.
    pub(super) at: Timecode,
    /// Record frames.
    pub(super) frames: i64,
}

/// The event of a `Clip`; warnings go to `warn`.
pub(super) fn event(clip: &Value, place: &Place, warn: &mut Vec<String>) -> Event {
    let reference = media_reference(clip);
    let available = reference.and_then(|r| range(r.get("available_range")));
    let (start, length) = match range(clip.get("source_range")).or(available) {
        Some(times) => times,
        None => {
            let rate = place.at.rate.as_f64();
            (Time { value: 0.0, rate }, Time { value: place.frames as f64, rate })
        }
    };
    let rate = start.frame_rate().unwrap_or(place.at.rate);
    // Each of several references stands for one thing in the chain from the clip to its tape.
    let chain = clip.get("media_references").and_then(Value::as_object);
    let mut chain = chain.into_iter().flat_map(|all| all.values()).chain(reference);
    let drop_frame = chain.any(|reference| drops(reference, rate));
    let timecode = |frames| Timecode { frames, rate, drop_frame };
    let media = available.map(|(first, count)| Media {
        start: timecode(first.frames_at(rate.as_f64())),
        frames: count.frames_at(rate.as_f64()).max(0),
    });
    let first = source_time(start.frames_at(rate.as_f64()), media);
    let metadata = [clip.get("metadata"), reference.and_then(|r| r.get("metadata"))];
    let mut event = Event {
        reel: reel(&metadata, reference),
        source: Span::of(timecode(first), length.frames_at(rate.as_f64()).max(0)),
        record: Span::of(place.at, place.frames),
        clip_name: text(clip, "name").map(str::to_owned),
        source_file: reference.and_then(file),
        media,
        umid: found(&metadata, &["umid", "source umid"]).or_else(|| mob(&metadata)),
        cdl: metadata.iter().flatten().find_map(|m| cdl(m)),
        enabled: clip.get("enabled").and_then(Value::as_bool).unwrap_or(true),
        remarks: comments(&metadata),
        ..Event::default()
    };
    speed(clip, &mut event, warn);
    event.locators = list(clip, "markers").iter().filter_map(|m| locator(m, &event)).collect();
    event
}

/// The reference that is active: `Clip.2` has several, `Clip.1` one.
fn media_reference(clip: &Value) -> Option<&Value> {
    let key = text(clip, "active_media_reference_key").unwrap_or("DEFAULT_MEDIA");
    let several = clip.get("media_references").and_then(|all| all.get(key));
    several.or_else(|| clip.get("media_reference")).filter(|r| r.is_object())
}

/// Path of the media, without the dress of an URL.
fn file(reference: &Value) -> Option<String> {
    match schema(reference).0 {
        "ImageSequenceReference" => {
            let base = text(reference, "target_url_base").unwrap_or_default();
            let prefix = text(reference, "name_prefix").unwrap_or_default();
            let stem = prefix.trim_end_matches(['.', '_', '-']);
            let path = format!("{}/{stem}", path_of(base).trim_end_matches('/'));
            (!stem.is_empty()).then_some(path)
        }
        _ => text(reference, "target_url").map(path_of),
    }
}

/// The reel: as the CMX adapter keeps it, else as any vendor names it; a
/// generator stands for what it makes.
fn reel(metadata: &[Option<&Value>; 2], reference: Option<&Value>) -> String {
    if let Some(kind) = reference
        .filter(|r| schema(r).0 == "GeneratorReference")
        .and_then(|r| text(r, "generator_kind"))
    {
        return match kind.to_ascii_lowercase().as_str() {
            "black" => "BL".into(),
            "smptebars" => "BARS".into(),
            _ => "GEN".into(),
        };
    }
    let named = found(metadata, &["reel", "reel_name", "reel name", "tape", "tape name"]);
    named.or_else(|| tape(metadata)).unwrap_or_default()
}

/// What the AAF adapter keeps of a mob.
fn mobs<'v>(metadata: &'v [Option<&'v Value>; 2]) -> impl Iterator<Item = &'v Value> {
    metadata.iter().flatten().filter_map(|m| m.get("AAF"))
}

/// The UMID of an AAF's mob, that of the master first: the one that the material has too.
fn mob(metadata: &[Option<&Value>; 2]) -> Option<String> {
    let ids = mobs(metadata).filter_map(|mob| text(mob, "MobID"));
    let digits = ids.map(|id| id.trim_start_matches("urn:smpte:umid:").replace('.', ""));
    digits.map(|id| id.to_ascii_uppercase()).find(|id| {
        let hex = id.len() == 64 && id.bytes().all(|b| b.is_ascii_hexdigit());
        hex && id.bytes().any(|b| b != b'0')
    })
}

/// The name of an AAF's tape mob, which is its reel.
fn tape(metadata: &[Option<&Value>; 2]) -> Option<String> {
    let is_tape = |mob: &&Value| {
        let descriptor = mob.get("EssenceDescription").and_then(|d| text(d, "ClassName"));
        descriptor == Some("TapeDescriptor")
    };
    mobs(metadata).find(is_tape).and_then(|mob| text(mob, "Name")).map(str::to_owned)
}

/// A text that a vendor keeps under one of `keys`, at the top or one level down.
fn found(metadata: &[Option<&Value>; 2], keys: &[&str]) -> Option<String> {
    let objects = || metadata.iter().flatten().filter_map(|m| m.as_object());
    let vendors = || objects().flat_map(|m| m.values()).filter_map(Value::as_object);
    let deeper = || vendors().flat_map(|m| m.values()).filter_map(Value::as_object);
    keys.iter().find_map(|key| {
        objects().chain(vendors()).chain(deeper()).flatten().find_map(|(name, value)| {
            let value = value.as_str().map(str::trim)?;
            (name.eq_ignore_ascii_case(key) && !value.is_empty()).then(|| value.to_owned())
        })
    })
}

fn comments(metadata: &[Option<&Value>; 2]) -> Vec<String> {
    let lists = metadata.iter().flatten().filter_map(|m| m.get("cmx_3600"));
    let texts = lists.flat_map(|m| list(m, "comments")).filter_map(Value::as_str);
    texts.map(str::to_owned).collect()
}

/// The grade, as the CMX adapter keeps it.
fn cdl(metadata: &Value) -> Option<Cdl> {
    let cdl = metadata.get("cdl")?;
    let three = |key| {
        let values: Vec<f64> =
            list(cdl.get("asc_sop")?, key).iter().filter_map(Value::as_f64).collect();
        <[f64; 3]>::try_from(values).ok()
    };
    let sop =
        || Some(Sop { slope: three("slope")?, offset: three("offset")?, power: three("power")? });
    let cdl = Cdl { sop: sop(), saturation: cdl.get("asc_sat").and_then(Value::as_f64) };
    (cdl != Cdl::default()).then_some(cdl)
}

/// A marker stands in the time of its source; a list has it in that of the record.
fn locator(marker: &Value, event: &Event) -> Option<Locator> {
    let (at, _) = range(marker.get("marked_range"))?;
    let rate = event.source.start.rate.as_f64();
    let behind = at.frames_at(rate) - event.source.start.frames;
    let color = marker.get("color");
    let color = color.and_then(Value::as_str).or_else(|| color.and_then(|c| text(c, "name")));
    Some(Locator {
        at: event.record.start.plus(behind).to_string(),
        color: color.unwrap_or_default().to_owned(),
        text: text(marker, "name").or_else(|| text(marker, "comment")).unwrap_or_default().into(),
    })
}

/// Time warps multiply; a source range is as long as what is seen, so its end follows from the speed.
fn speed(clip: &Value, event: &mut Event, warn: &mut Vec<String>) {
    let mut speed = None;
    for effect in list(clip, "effects") {
        match scalar(effect) {
            Ok(None) => {}
            Ok(Some(scalar)) => speed = Some(speed.unwrap_or(1.0) * scalar),
            Err(name) => warn.push(format!("time effect '{name}' is not read")),
        }
    }
    let Some(speed) = speed else { return };
    let seen = event.source.frames();
    let shown = if speed == 0.0 { 1 } else { ((seen as f64 * speed.abs()) - 1e-6).ceil() as i64 };
    event.source = Span::of(event.source.start, shown.max(1));
    event.run_at(speed);
}

/// Speed of a time effect, `None` for an effect that is none; its name when it is one that we do not know.
pub(super) fn scalar(effect: &Value) -> Result<Option<f64>, &str> {
    match schema(effect).0 {
        "LinearTimeWarp" => {
            let scalar = effect.get("time_scalar").and_then(Value::as_f64).unwrap_or(1.0);
            if scalar.abs() <= 1e4 { Ok(Some(scalar)) } else { Err("LinearTimeWarp") }
        }
        "FreezeFrame" => Ok(Some(0.0)),
        name if name.contains("Time") => Err(name),
        _ => Ok(None),
    }
}

/// The rate of a clip's own times, for a timeline that names none.
pub(super) fn rate(clip: &Value) -> Option<FrameRate> {
    let own = range(clip.get("source_range"));
    let media = || media_reference(clip).and_then(|r| range(r.get("available_range")));
    own.or_else(media).and_then(|(_, length)| length.frame_rate())
}

/// Record frames of a clip at `rate`, when it says them.
pub(super) fn length(clip: &Value, rate: f64) -> Option<i64> {
    let own = range(clip.get("source_range"));
    let media = || media_reference(clip).and_then(|r| range(r.get("available_range")));
    own.or_else(media).map(|(_, length)| length.frames_at(rate).max(0))
}
