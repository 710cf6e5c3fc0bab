//! What of a clip matters for finding it: small, so that a library of a
//! hundred thousand clips is read in a moment and the rest of a clip only when
//! it is wanted.

use super::Field;
use platefarm_model::clip::ClipInfo;
use platefarm_model::{FrameRate, Timecode};
use serde::{Deserialize, Serialize};

/// A clip as matching sees it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ClipKey {
    /// Its path, as [`ClipInfo::path`] has it.
    #[serde(rename = "p")]
    pub path: String,
    /// Its name.
    #[serde(rename = "n")]
    pub clip_name: String,
    /// Its reel.
    #[serde(rename = "r", default, skip_serializing_if = "Option::is_none")]
    pub reel_name: Option<String>,
    /// SMPTE ST 330 UMID.
    #[serde(rename = "u", default, skip_serializing_if = "Option::is_none")]
    pub umid: Option<String>,
    /// Unique id written by the camera.
    #[serde(rename = "i", default, skip_serializing_if = "Option::is_none")]
    pub uuid: Option<String>,
    /// Letter of the camera unit.
    #[serde(rename = "l", default, skip_serializing_if = "Option::is_none")]
    pub letter: Option<String>,
    /// Day of the recording, `YYMMDD`.
    #[serde(rename = "d", default, skip_serializing_if = "Option::is_none")]
    pub date: Option<String>,
    /// Timecode of its first frame.
    #[serde(rename = "s", default, skip_serializing_if = "Option::is_none")]
    pub start: Option<Timecode>,
    /// Project rate.
    #[serde(rename = "f", default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<FrameRate>,
    /// How many frames it spans.
    #[serde(rename = "c", default)]
    pub frames: u64,
    /// What its pixels mean as colours, empty where it does not say; absent in
    /// rows that were written before keys had it.
    #[serde(rename = "k", default, skip_serializing_if = "Option::is_none")]
    pub color: Option<String>,
    /// Whether its file was looked for and is not there any more: it makes no
    /// match, and is shown as gone.
    #[serde(skip)]
    pub gone: bool,
}

/// Minutes of a day.
pub(super) const DAY: i64 = 1440;

impl ClipKey {
    /// The key of a clip. Timecode counts frames as they play, whatever the
    /// sensor's rate was: a high-speed clip has more of them per second of
    /// the day.
    #[must_use]
    pub fn of(clip: &ClipInfo) -> Self {
        let captured = clip.timing.captured.as_deref();
        Self {
            path: clip.path.clone(),
            clip_name: clip.identity.clip_name.clone(),
            reel_name: clip.identity.reel_name.clone(),
            umid: clip.identity.umid.clone(),
            uuid: clip.identity.uuid.clone(),
            letter: clip.camera_letter(),
            date: captured.and_then(day).or_else(|| date_in(&clip.identity.clip_name)),
            start: clip.timing.start,
            rate: clip.timing.rate,
            frames: clip.timing.frame_count,
            color: Some(clip.color_name().unwrap_or_default()),
            gone: false,
        }
    }

    /// Its names in their plain form; a reel that is the clip's name counts once.
    pub(super) fn plain_names(&self) -> impl Iterator<Item = (String, Field)> {
        let name = super::names::plain(&self.clip_name);
        let reel = self.reel_name.as_deref().map(super::names::plain).filter(|reel| *reel != name);
        std::iter::once((name, Field::ClipName)).chain(reel.map(|reel| (reel, Field::ReelName)))
    }

    /// First and last timecode.
    pub(super) fn timecodes(&self) -> Option<[String; 2]> {
        let start = self.start?;
        let last = i64::try_from(self.frames).unwrap_or(i64::MAX).saturating_sub(1).max(0);
        Some([start.to_string(), start.plus(last).to_string()])
    }

    /// The minutes of the day that it touches.
    pub(super) fn minutes(&self) -> impl Iterator<Item = u32> + use<> {
        let start = self.start.or_else(|| {
            Some(Timecode {
                frames: 0,
                rate: self.rate.unwrap_or(FrameRate::FPS_24),
                drop_frame: false,
            })
        });
        let (first, count) = start.map_or((0, DAY), |start| {
            let minute = i64::from(start.rate.timebase()) * 60;
            let frames = i64::try_from(self.frames).unwrap_or(i64::MAX).min(start.frames_per_day());
            let [h, m, ..] = start.fields();
            // Dropped numbers make a minute shorter by less than a second; one more covers it.
            (i64::from(h * 60 + m), (frames / minute + 2).min(DAY))
        });
        (0..count).map(move |i| (first + i).rem_euclid(DAY) as u32)
    }
}

/// `YYMMDD` of `YYYY:MM:DD ...`.
fn day(captured: &str) -> Option<String> {
    let digits: String = captured.chars().take(10).filter(char::is_ascii_digit).collect();
    (digits.len() == 8).then(|| digits[2..].to_owned())
}

/// The date in a camera's clip name: six digits, or eight that begin with the century.
pub(super) fn date_in(name: &str) -> Option<String> {
    let groups = name.split(|c: char| !c.is_ascii_digit());
    groups.filter(|g| matches!(g.len(), 6 | 8)).find_map(|group| {
        let date = group.strip_prefix("20").filter(|rest| rest.len() == 6).unwrap_or(group);
        let [month, day] = [date.get(2..4)?, date.get(4..6)?].map(|n| n.parse::<u32>().ok());
        let real = date.len() == 6 && (1..=12).contains(&month?) && (1..=31).contains(&day?);
        real.then(|| date.to_owned())
    })
}

/// A UMID as its digits.
pub(super) fn digits(id: &str) -> String {
    let id = id.trim().trim_start_matches("0x").trim_start_matches("urn:uuid:");
    let id = id.trim_start_matches("urn:smpte:umid:");
    let hex = id.chars().filter(char::is_ascii_hexdigit);
    hex.map(|c| c.to_ascii_uppercase()).collect()
}

/// The UMID of a remark: 64 or 128 hexadecimal digits in one run, or behind
/// the word, whatever stands between them.
pub(super) fn umid_in(remark: &str) -> Option<String> {
    let behind = remark.to_ascii_uppercase().find("UMID").map(|at| digits(&remark[at + 4..]));
    let whole = remark.split_whitespace().map(|word| word.trim_matches(['"', ':', ',']));
    let run = whole.filter(|word| word.bytes().all(|b| b.is_ascii_hexdigit())).map(digits);
    behind.into_iter().chain(run).find(|id| matches!(id.len(), 64 | 128))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_from_the_names_of_cameras() {
        for (name, date) in [
            ("A004C010_20100610_R1JL", Some("100610")),
            ("A002C006_141024_R2EC", Some("141024")),
            ("D001C005_210716AG", Some("210716")),
            ("A001_C001", None),
            ("A_0079C015_241112_160227_h1EHP", Some("241112")),
            ("X999999", None),
        ] {
            assert_eq!(date_in(name).as_deref(), date, "{name}");
        }
        assert_eq!(day("2026:11:30 08:00:00").as_deref(), Some("261130"));
    }

    #[test]
    fn umids_are_found_in_remarks() {
        let id = "060A2B340101010501010D1213000000A1B2C3D4E5F60718293A4B5C6D7E8F90";
        assert_eq!(umid_in(&format!("UMID: {id}")).as_deref(), Some(id));
        assert_eq!(umid_in(&format!(">>> SOURCE {}", id.to_lowercase())).as_deref(), Some(id));
        assert_eq!(umid_in("FROM CLIP NAME: ABCDEF"), None);
    }
}
