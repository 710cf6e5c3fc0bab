//! Values as makers write them, as numbers in the schema's units.

use platefarm_model::clip::{ClipInfo, Variation};
use platefarm_model::{Fault, FrameRate, Outcome, Timecode};

/// A unit of length.
#[derive(Clone, Copy)]
pub(super) enum Unit {
    Millimetre,
    Centimetre,
    Metre,
    Inch,
    Foot,
}

impl Unit {
    fn read(text: &str) -> Option<Self> {
        Some(match text {
            "mm" => Self::Millimetre,
            "cm" => Self::Centimetre,
            "m" => Self::Metre,
            "in" | "\"" => Self::Inch,
            "ft" | "'" => Self::Foot,
            _ => return None,
        })
    }

    fn metres(self, count: f64) -> f64 {
        match self {
            Self::Millimetre => count / 1000.0,
            Self::Centimetre => count / 100.0,
            Self::Metre => count,
            Self::Inch => count * 0.0254,
            Self::Foot => count * 0.3048,
        }
    }
}

/// The number that a text begins with, and what follows it.
pub(super) fn leading(text: &str) -> Option<(f64, &str)> {
    let text = text.trim();
    let end = text
        .char_indices()
        .find(|(at, c)| !(c.is_ascii_digit() || *c == '.' || (*at == 0 && "+-".contains(*c))))
        .map_or(text.len(), |(at, _)| at);
    let number: f64 = text[..end].parse().ok()?;
    number.is_finite().then(|| (number, text[end..].trim()))
}

/// A number that may be followed by its unit.
pub(super) fn number(text: &str) -> Option<f64> {
    leading(text).map(|(number, _)| number)
}

/// A whole number.
pub(super) fn whole(text: &str) -> Option<u32> {
    text.trim().parse().ok()
}

/// `180/10` as a number; a denominator of 65535 or of zero says "not known".
pub(super) fn ratio(text: &str) -> Option<f64> {
    let (numerator, denominator) = text.split_once('/')?;
    let [n, d]: [f64; 2] = [numerator.trim().parse().ok()?, denominator.trim().parse().ok()?];
    (d != 0.0 && d != 65_535.0 && n.is_finite()).then(|| n / d)
}

/// A distance in metres: `991mm`, `4.812` in the unit that is meant when none is written.
pub(super) fn metres(text: &str, unless_written: Unit) -> Option<f64> {
    let (number, unit) = leading(text)?;
    let unit = if unit.is_empty() { unless_written } else { Unit::read(unit)? };
    (number > 0.0).then(|| unit.metres(number))
}

/// A stop: `T2.3`, `F5.6`, `2.8`; and the scale of lens rings, `1.4 + 7/10`, `T 2 3/10`: the
/// engraved stop, and tenths of a stop behind it. Engraved numbers are rounded powers of the square
/// root of two, and are taken as those where tenths follow.
pub(super) fn stop(text: &str) -> Option<f64> {
    let text = text.trim().trim_start_matches(['T', 't', 'F', 'f', '/']).trim();
    let (engraved, rest) = leading(text)?;
    let rest = rest.trim_start_matches('+').trim();
    if engraved <= 0.0 {
        return None;
    }
    if rest.is_empty() {
        return Some(engraved);
    }
    let tenths = ratio(rest)?;
    let exact = (2.0 * engraved.log2()).round();
    Some(((exact + tenths) / 2.0).exp2())
}

/// The letter before a stop: T where light was measured, F where it is geometry.
pub(super) fn is_t_stop(text: &str) -> bool {
    text.trim().starts_with(['T', 't'])
}

/// Frames per second, however it is written; zero is unknown.
pub(super) fn rate(text: &str) -> Option<FrameRate> {
    text.trim().parse().ok()
}

/// A timecode in a rate. `drop_frame` speaks where the text's own separators do not.
pub(super) fn timecode(text: &str, rate: FrameRate, drop_frame: bool) -> Outcome<Timecode> {
    let plain = Timecode::parse(text, rate)?;
    if !drop_frame || plain.drop_frame {
        return Ok(plain);
    }
    let [h, m, s, f] = plain.fields();
    Timecode::from_fields(h, m, s, f, rate, true)
}

/// Says why a timecode is not there.
pub(super) fn no_timecode(text: &str, fault: &Fault) -> Fault {
    let message = format!("the timecode '{text}' is not one: {}", fault.message);
    Fault::new(platefarm_model::Code::MetadataAbsent, message)
}

/// Date and time as OpenEXR writes them, of digits in whatever dress.
pub(super) fn cap_date(date: &str, time: &str) -> Option<String> {
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    let (date, time) = (digits(date), digits(time));
    if date.len() != 8 || !(1..=12).contains(&date[4..6].parse().unwrap_or(0)) {
        return None;
    }
    let mut text = format!("{}:{}:{}", &date[..4], &date[4..6], &date[6..]);
    if time.len() >= 6 {
        text.push_str(&format!(" {}:{}:{}", &time[..2], &time[2..4], &time[4..6]));
    }
    Some(text)
}

/// Follows a value over the frames.
#[derive(Clone, Copy, Default)]
pub(super) struct Track {
    first: Option<f64>,
    min: f64,
    max: f64,
    frames: u64,
}

impl Track {
    /// The value of the next frame.
    pub(super) fn push(&mut self, value: Option<f64>) {
        let Some(value) = value.filter(|v| v.is_finite()) else { return };
        if self.first.is_none() {
            *self = Self { first: Some(value), min: value, max: value, frames: 0 };
        }
        self.min = self.min.min(value);
        self.max = self.max.max(value);
        self.frames += 1;
    }

    /// The first value; that it moves is noted under the schema's name of the field.
    pub(super) fn settle(self, field: &str, info: &mut ClipInfo) -> Option<f64> {
        if self.min < self.max {
            let variation = Variation { min: self.min, max: self.max, frames: self.frames };
            info.varies.insert(field.to_owned(), variation);
        }
        self.first
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Stops by their definition: a stop is a factor of the square root of two.
    #[test]
    fn stops_of_lens_rings_are_powers_of_two() {
        let near = |text: &str, value: f64| {
            let found = stop(text).unwrap();
            assert!((found - value).abs() < 1e-12, "{text}: {found}, not {value}");
        };
        near("T 2 3/10", 2f64.powf(1.15));
        near("1.4 + 7/10", 2f64.powf(0.85));
        near("5.6 + 5/10", 2f64.powf(2.75));
        near("T2.3", 2.3);
        near("F5.6", 5.6);
        near("5.600000", 5.6);
        for text in ["", "T", "close", "0", "-2", "2 x"] {
            assert_eq!(stop(text), None, "{text}");
        }
    }

    #[test]
    fn distances_have_their_units() {
        assert_eq!(metres("991mm", Unit::Metre), Some(0.991));
        assert_eq!(metres("5.83", Unit::Foot), Some(5.83 * 0.3048));
        assert_eq!(metres("410", Unit::Millimetre), Some(0.41));
        assert_eq!(metres("2.5 m", Unit::Foot), Some(2.5));
        for text in ["inf", "INF", "0", "-1", "3 furlongs", ""] {
            assert_eq!(metres(text, Unit::Metre), None, "{text}");
        }
    }

    #[test]
    fn dates_are_openexrs() {
        assert_eq!(cap_date("2018/03/27", "12:36:51").unwrap(), "2018:03:27 12:36:51");
        assert_eq!(cap_date("20220303", "132146").unwrap(), "2022:03:03 13:21:46");
        assert_eq!(cap_date("2021:04:19", "").unwrap(), "2021:04:19");
        assert_eq!(cap_date("0000-00-00", "00:00:00"), None);
        assert_eq!(cap_date("soon", ""), None);
    }

    #[test]
    fn a_track_knows_first_and_range() {
        let mut info = ClipInfo::default();
        let mut track = Track::default();
        for value in [Some(2.0), None, Some(1.0), Some(f64::NAN), Some(4.0)] {
            track.push(value);
        }
        assert_eq!(track.settle("focus", &mut info), Some(2.0));
        assert_eq!(info.varies["focus"], Variation { min: 1.0, max: 4.0, frames: 3 });
        let mut still = Track::default();
        still.push(Some(2.0));
        still.push(Some(2.0));
        assert_eq!(still.settle("tStop", &mut info), Some(2.0));
        assert!(!info.varies.contains_key("tStop"));
    }
}
