//! What FFmpeg's probe says about a movie: its picture track, when each frame
//! is shown, and every tag.

use super::tools;
use platefarm_model::{Code, Fault, FrameRate, Outcome};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

/// Most frames of a movie: a day and a night at 120 a second.
const MAX_FRAMES: usize = 10_400_000;
/// Packets in which the first frame to be shown must be: no codec reorders by more.
const REORDER_PACKETS: usize = 34;
/// Codecs whose frames are each coded by themselves, by FFmpeg's names.
const INTRA: &[&str] =
    &["prores", "prores_raw", "dnxhd", "mjpeg", "jpeg2000", "cfhd", "rawvideo", "v210"];
/// Characters of a tag that are kept.
const SHOWN_CHARACTERS: usize = 400;

/// The picture track of a movie.
#[derive(Clone, Debug, Default)]
pub(super) struct Track {
    /// Which of the movie's streams it is.
    pub(super) index: u64,
    pub(super) codec: String,
    pub(super) profile: Option<String>,
    /// The four characters by which the container names the codec.
    pub(super) tag: String,
    pub(super) width: u32,
    pub(super) height: u32,
    /// FFmpeg's name of the decoder's output; absent where there is no decoder.
    pub(super) pixel_format: Option<String>,
    pub(super) pixel_aspect: f64,
    pub(super) matrix: Option<String>,
    pub(super) range: Option<String>,
    pub(super) transfer: Option<String>,
    pub(super) primaries: Option<String>,
    pub(super) chroma_location: Option<String>,
    pub(super) interlaced: bool,
    /// Whether every frame is coded by itself.
    pub(super) intra: bool,
    pub(super) rotation: f64,
    pub(super) timecode: Option<String>,
    pub(super) tags: BTreeMap<String, String>,
    pub(super) times: Times,
    pub(super) rate: Option<FrameRate>,
}

/// When frames are shown, in seconds.
#[derive(Clone, Debug)]
pub(super) enum Times {
    /// At a constant rate: time of the first, and how many.
    Constant { first: f64, rate: FrameRate, count: u64 },
    /// As they come, ascending.
    Varying(Vec<f64>),
}

impl Default for Times {
    fn default() -> Self {
        Self::Varying(Vec::new())
    }
}

impl Times {
    /// How many frames there are.
    pub(super) fn count(&self) -> u64 {
        match self {
            Self::Constant { count, .. } => *count,
            Self::Varying(times) => times.len() as u64,
        }
    }

    /// When frame `index` is shown.
    pub(super) fn of(&self, index: i64) -> f64 {
        match self {
            Self::Constant { first, rate, .. } => first + index as f64 / rate.as_f64(),
            Self::Varying(times) => {
                let last = times.len().saturating_sub(1);
                let index = usize::try_from(index).unwrap_or(0).min(last);
                times.get(index).copied().unwrap_or(0.0)
            }
        }
    }

    /// How long the frame at `index` is shown, at least.
    pub(super) fn span(&self, index: i64) -> f64 {
        match self {
            Self::Constant { rate, .. } => 1.0 / rate.as_f64(),
            Self::Varying(_) => {
                let spans =
                    [self.of(index) - self.of(index - 1), self.of(index + 1) - self.of(index)];
                spans.into_iter().filter(|s| *s > 0.0).fold(1.0, f64::min)
            }
        }
    }

    /// The frame that is shown at `time`, which a decoder gives; `None` when no frame is.
    pub(super) fn index_at(&self, time: f64) -> Option<i64> {
        match self {
            Self::Constant { first, rate, .. } => {
                let place = (time - first) * rate.as_f64();
                // A track may count in ticks as coarse as a millisecond.
                ((place - place.round()).abs() < 0.2).then(|| place.round() as i64)
            }
            Self::Varying(times) => {
                let after = times.partition_point(|t| *t < time) as i64;
                let near = |i: &i64| (self.of(*i) - time).abs() < self.span(*i) / 4.0;
                [after, after - 1].into_iter().find(near)
            }
        }
    }
}

/// Probes a movie.
///
/// # Errors
/// [`Code::NoDecoder`] without FFmpeg; [`Code::DecoderFailed`] for what it cannot open;
/// [`Code::UnknownFormat`] for a file without a picture track; [`Code::BadStructure`],
/// [`Code::TooLarge`].
pub(super) fn track(path: &Path) -> Outcome<Track> {
    let answer = tools::probe(path, &["-of", "json", "-show_format", "-show_streams"])?;
    let document: Value = serde_json::from_slice(&answer)
        .map_err(|e| Fault::new(Code::DecoderFailed, "ffprobe's answer is no JSON").because(&e))?;
    let streams = document["streams"].as_array().map(Vec::as_slice).unwrap_or_default();
    let picture = streams
        .iter()
        .find(|s| s["codec_type"] == "video" && s["disposition"]["attached_pic"] != 1);
    let stream =
        picture.ok_or_else(|| Fault::new(Code::UnknownFormat, "the movie has no picture track"))?;
    let text = |name: &str| known(&stream[name]);
    let mut track = Track {
        index: stream["index"].as_u64().unwrap_or(0),
        codec: text("codec_name").unwrap_or_else(|| "unknown".into()),
        profile: text("profile"),
        tag: text("codec_tag_string").unwrap_or_default(),
        pixel_format: text("pix_fmt"),
        pixel_aspect: text("sample_aspect_ratio").and_then(|t| ratio(&t, ':')).unwrap_or(1.0),
        matrix: text("color_space"),
        range: text("color_range"),
        transfer: text("color_transfer"),
        primaries: text("color_primaries"),
        chroma_location: text("chroma_location"),
        interlaced: text("field_order").is_some_and(|f| f != "progressive"),
        intra: text("codec_name").is_some_and(|codec| INTRA.contains(&codec.as_str())),
        rotation: stream["side_data_list"]
            .as_array()
            .and_then(|list| list.iter().find_map(|side| side["rotation"].as_f64()))
            .unwrap_or(0.0),
        tags: tags(&document),
        ..Track::default()
    };
    let side = |name: &str| stream[name].as_u64().and_then(|v| u32::try_from(v).ok()).unwrap_or(0);
    (track.width, track.height) = (side("width"), side("height"));
    track.timecode = timecode(stream, streams, &document["format"]);
    (track.times, track.rate) = times(path, stream, &document["format"])?;
    Ok(track)
}

/// A text that says something.
fn known(value: &Value) -> Option<String> {
    value.as_str().filter(|t| !matches!(*t, "" | "unknown" | "unspecified" | "N/A")).map(Into::into)
}

fn ratio(text: &str, mark: char) -> Option<f64> {
    let (n, d) = text.split_once(mark)?;
    let (n, d): (f64, f64) = (n.parse().ok()?, d.parse().ok()?);
    (n > 0.0 && d > 0.0).then_some(n / d)
}

fn rate(value: &Value) -> Option<FrameRate> {
    value.as_str()?.parse().ok()
}

/// The start timecode: the picture track's own, else that of the file, else of a timecode track.
fn timecode(stream: &Value, streams: &[Value], format: &Value) -> Option<String> {
    [stream, format]
        .into_iter()
        .chain(streams.iter().filter(|s| s["codec_tag_string"] == "tmcd"))
        .chain(streams)
        .find_map(|holder| known(&holder["tags"]["timecode"]))
}

/// Every tag and every property of every stream, as text.
fn tags(document: &Value) -> BTreeMap<String, String> {
    let mut out = BTreeMap::new();
    let mut put = |name: String, value: &Value| {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            _ => return,
        };
        let mut shown: String = text.chars().take(SHOWN_CHARACTERS).collect();
        if shown.len() < text.len() {
            shown.push_str("...");
        }
        out.insert(name, shown);
    };
    let streams = document["streams"].as_array().into_iter().flatten().enumerate();
    let holders = std::iter::once(("format".to_owned(), &document["format"]))
        .chain(streams.map(|(i, stream)| (format!("stream{i}"), stream)));
    for (place, holder) in holders {
        for (name, value) in holder.as_object().into_iter().flatten() {
            // The path is the clip's own; what is measured of the host's file is no metadata.
            if !matches!(name.as_str(), "filename" | "tags" | "probe_score") {
                put(format!("{place}.{name}"), value);
            }
        }
        for (name, value) in holder["tags"].as_object().into_iter().flatten() {
            put(format!("{place}.tags.{name}"), value);
        }
    }
    out
}

/// When the frames are shown, and the rate to count them at.
fn times(path: &Path, stream: &Value, format: &Value) -> Outcome<(Times, Option<FrameRate>)> {
    let nominal = rate(&stream["r_frame_rate"]);
    let seconds = |value: &Value| value.as_str().and_then(|t| t.parse::<f64>().ok());
    let reorders = stream["has_b_frames"].as_u64().unwrap_or(0) > 0;
    let start = seconds(&stream["start_time"]);
    if let (Some(rate), Some(start)) = (nominal, start)
        && rate_is_constant(stream)
        && let Some(count) = stated_count(stream, format, rate)
    {
        let first = if reorders { first_shown(path)?.unwrap_or(start) } else { start };
        return Ok((Times::Constant { first, rate, count }, nominal));
    }
    let shown = all_shown(path)?;
    let Some(rate) = nominal.or_else(|| rate_of(&shown)) else {
        return Err(Fault::new(Code::BadStructure, "the movie states no frame rate"));
    };
    let first = shown.first().copied().unwrap_or(0.0);
    let constant = Times::Constant { first, rate, count: shown.len() as u64 };
    let steady = shown.iter().enumerate().all(|(i, t)| constant.index_at(*t) == Some(i as i64));
    Ok((if steady { constant } else { Times::Varying(shown) }, Some(rate)))
}

fn rate_is_constant(stream: &Value) -> bool {
    let (nominal, average) = (rate(&stream["r_frame_rate"]), rate(&stream["avg_frame_rate"]));
    nominal.is_some() && nominal == average
}

/// How many frames there are, when the container says so in two ways that agree, or counts in
/// frames itself as MXF does.
fn stated_count(stream: &Value, format: &Value, rate: FrameRate) -> Option<u64> {
    let ticks = stream["duration_ts"].as_i64().filter(|t| *t > 0)?;
    let tick = ratio(stream["time_base"].as_str()?, '/')?;
    let frames = ticks as f64 * tick * rate.as_f64();
    let whole = (frames - frames.round()).abs() < 0.01;
    let counted = stream["nb_frames"].as_str().and_then(|t| t.parse::<u64>().ok());
    let count = frames.round() as u64;
    let of_frames = format["format_name"].as_str().is_some_and(|name| name.contains("mxf"))
        && (tick * rate.as_f64() - 1.0).abs() < 1e-9;
    let sound = whole && (counted == Some(count) || (counted.is_none() && of_frames));
    (sound && count as usize <= MAX_FRAMES).then_some(count)
}

/// When the first frames are shown: a few packets tell, in whatever order they are stored.
fn first_shown(path: &Path) -> Outcome<Option<f64>> {
    let interval = format!("%+#{REORDER_PACKETS}");
    Ok(packets(path, &["-read_intervals", &interval])?.into_iter().reduce(f64::min))
}

fn all_shown(path: &Path) -> Outcome<Vec<f64>> {
    let mut shown = packets(path, &[])?;
    if shown.is_empty() {
        return Err(Fault::new(
            Code::UnsupportedFeature,
            "the movie's frames carry no time: wrap it anew, as in ffmpeg -i IN -c copy OUT.mov",
        ));
    }
    shown.sort_by(f64::total_cmp);
    shown.dedup();
    Ok(shown)
}

/// Times of packets, in stored order; those that an edit list leaves out are.
fn packets(path: &Path, more: &[&str]) -> Outcome<Vec<f64>> {
    let asked =
        ["-select_streams", "V:0", "-show_entries", "packet=pts_time,flags", "-of", "csv=p=0"];
    let answer = tools::probe(path, &[more, &asked].concat())?;
    let mut times = Vec::new();
    for line in answer.split(|b| *b == b'\n') {
        let line = String::from_utf8_lossy(line);
        let mut parts = line.split(',');
        let time = parts.next().and_then(|t| t.trim().parse::<f64>().ok());
        if parts.next().is_some_and(|flags| flags.contains('D')) {
            continue;
        }
        times.extend(time.filter(|t| t.is_finite()));
        if times.len() > MAX_FRAMES {
            return Err(Fault::new(Code::TooLarge, format!("more than {MAX_FRAMES} frames")));
        }
    }
    Ok(times)
}

fn rate_of(shown: &[f64]) -> Option<FrameRate> {
    let span = shown.last()? - shown.first()?;
    (span > 0.0).then(|| (shown.len() - 1) as f64 / span)?.to_string().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_and_times_are_each_others_inverse() {
        let rate = FrameRate::new(24000, 1001).unwrap();
        let constant = Times::Constant { first: 0.5, rate, count: 100_000 };
        let varying = Times::Varying(vec![0.0, 0.04, 0.05, 0.2, 1.0]);
        for index in [0, 1, 47, 99_999] {
            assert_eq!(constant.index_at(constant.of(index)), Some(index));
            // Containers that count in milliseconds, and six decimals, round.
            let rounded = (constant.of(index) * 1000.0).round() / 1000.0;
            assert_eq!(constant.index_at(rounded), Some(index));
            assert_eq!(constant.index_at(constant.of(index) + 0.5 / rate.as_f64()), None);
        }
        for index in 0..5 {
            assert_eq!(varying.index_at(varying.of(index)), Some(index));
        }
        assert_eq!(varying.index_at(0.6), None);
        assert_eq!(varying.count(), 5);
    }

    #[test]
    fn a_count_is_taken_when_it_is_sure() {
        let stream = |ticks: i64, base: &str, frames: Option<&str>| serde_json::json!({"duration_ts": ticks, "time_base": base, "nb_frames": frames});
        let (rate, mov) = (FrameRate::new(24000, 1001).unwrap(), serde_json::json!({}));
        let mxf = serde_json::json!({"format_name": "mxf"});
        assert_eq!(stated_count(&stream(48048, "1/24000", Some("48")), &mov, rate), Some(48));
        assert_eq!(stated_count(&stream(48048, "1/24000", Some("47")), &mov, rate), None);
        assert_eq!(stated_count(&stream(48048, "1/24000", None), &mov, rate), None);
        assert_eq!(stated_count(&stream(48, "1001/24000", None), &mxf, rate), Some(48));
        assert_eq!(stated_count(&stream(48500, "1/24000", Some("48")), &mov, rate), None);
    }
}
