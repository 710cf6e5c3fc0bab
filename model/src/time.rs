//! Time: the clock of the farm, the rate of a clip, and timecode.

use crate::{Code, Fault};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A moment, in microseconds since the Unix epoch. The core is handed it; only
/// the edges read a clock.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// `millis` later.
    #[must_use]
    pub const fn plus_millis(self, millis: i64) -> Self {
        Self(self.0.saturating_add(millis.saturating_mul(1000)))
    }

    /// Milliseconds from `earlier` to here; negative when `earlier` is later.
    #[must_use]
    pub const fn millis_since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0) / 1000
    }
}

/// Frames per second as an exact ratio: 24000/1001, not 23.976.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FrameRate {
    numerator: u32,
    denominator: u32,
}

impl FrameRate {
    /// 24 frames per second.
    pub const FPS_24: Self = Self { numerator: 24, denominator: 1 };

    /// A rate as a ratio of positive numbers.
    ///
    /// # Errors
    /// [`Code::BadConfig`] when a term is zero or the rate is above 1000.
    pub fn new(numerator: u32, denominator: u32) -> Result<Self, Fault> {
        if numerator == 0
            || denominator == 0
            || u64::from(numerator) > 1000 * u64::from(denominator)
        {
            return Err(Fault::new(
                Code::BadConfig,
                format!("'{numerator}/{denominator}' is not a frame rate"),
            ));
        }
        let divisor = gcd(numerator, denominator);
        Ok(Self { numerator: numerator / divisor, denominator: denominator / divisor })
    }

    /// Upper term of the ratio, reduced.
    #[must_use]
    pub const fn numerator(self) -> u32 {
        self.numerator
    }

    /// Lower term of the ratio, reduced.
    #[must_use]
    pub const fn denominator(self) -> u32 {
        self.denominator
    }

    /// Frame numbers that timecode counts in one second: 24 for 24000/1001.
    #[must_use]
    pub const fn timebase(self) -> u32 {
        self.numerator.div_ceil(self.denominator)
    }

    /// The rate as a number, for showing.
    #[must_use]
    pub fn as_f64(self) -> f64 {
        f64::from(self.numerator) / f64::from(self.denominator)
    }
}

const fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

impl fmt::Display for FrameRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.denominator == 1 {
            write!(f, "{}", self.numerator)
        } else {
            write!(f, "{}/{}", self.numerator, self.denominator)
        }
    }
}

impl FromStr for FrameRate {
    type Err = Fault;

    /// Reads `24`, `24000/1001`, and the decimal names of the NTSC rates (`23.976`, `23.98`, `29.97`, `59.94`, ...).
    fn from_str(text: &str) -> Result<Self, Fault> {
        let bad = || {
            Fault::new(Code::BadConfig, format!("'{text}' is not a frame rate"))
                .remedy("Write 24, 25, 23.976 or a ratio such as 24000/1001.")
        };
        if let Some((n, d)) = text.split_once('/') {
            return Self::new(
                n.trim().parse().map_err(|_| bad())?,
                d.trim().parse().map_err(|_| bad())?,
            );
        }
        let value: f64 = text.trim().parse().map_err(|_| bad())?;
        if !(value.is_finite() && value > 0.0 && value <= 1000.0) {
            return Err(bad());
        }
        if (value - value.round()).abs() < 1e-9 {
            return Self::new(value.round() as u32, 1);
        }
        // 23.976, 23.98, 29.97, 47.95, 59.94, 119.88: a whole rate slowed by 1001/1000.
        let whole = (value * 1.001).round();
        if (whole / 1.001 - value).abs() < 0.006 {
            return Self::new(whole as u32 * 1000, 1001);
        }
        Self::new((value * 1000.0).round() as u32, 1000)
    }
}

impl TryFrom<String> for FrameRate {
    type Error = Fault;

    fn try_from(text: String) -> Result<Self, Fault> {
        text.parse()
    }
}

impl From<FrameRate> for String {
    fn from(rate: FrameRate) -> Self {
        rate.to_string()
    }
}

/// SMPTE ST 12 timecode: a frame count since midnight, with the rate it counts in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Timecode {
    /// Frames since midnight. May run past 24 h inside a clip that crosses midnight.
    pub frames: i64,
    /// The rate that it counts in.
    pub rate: FrameRate,
    /// Whether it drops frame numbers (29.97 and 59.94 only).
    pub drop_frame: bool,
}

impl Timecode {
    /// The timecode `hh:mm:ss:ff` in `rate`.
    ///
    /// # Errors
    /// [`Code::BadTimecode`] when a field is out of range, or drop frame is asked of a rate that has none.
    pub fn from_fields(
        hours: u32,
        minutes: u32,
        seconds: u32,
        frames: u32,
        rate: FrameRate,
        drop_frame: bool,
    ) -> Result<Self, Fault> {
        let base = rate.timebase();
        let text = || {
            format!(
                "{hours:02}:{minutes:02}:{seconds:02}{}{frames:02}",
                if drop_frame { ';' } else { ':' }
            )
        };
        if hours > 24 || minutes > 59 || seconds > 59 || frames >= base {
            return Err(Fault::new(
                Code::BadTimecode,
                format!("'{}' is not a timecode at {rate} frames per second", text()),
            ));
        }
        if drop_frame && !base.is_multiple_of(30) {
            return Err(Fault::new(
                Code::BadTimecode,
                format!("'{}': drop frame does not exist at {rate} frames per second", text()),
            ));
        }
        let total_minutes = i64::from(hours) * 60 + i64::from(minutes);
        let mut count =
            (total_minutes * 60 + i64::from(seconds)) * i64::from(base) + i64::from(frames);
        if drop_frame {
            // ST 12-1: per minute two numbers per 30 are left out, but not in every tenth minute.
            count -= i64::from(base / 15) * (total_minutes - total_minutes / 10);
        }
        Ok(Self { frames: count, rate, drop_frame })
    }

    /// Reads `HH:MM:SS:FF`; `;` or `.` before the frames means drop frame.
    ///
    /// # Errors
    /// [`Code::BadTimecode`].
    pub fn parse(text: &str, rate: FrameRate) -> Result<Self, Fault> {
        let bad = || Fault::new(Code::BadTimecode, format!("'{text}' is not a timecode"));
        let trimmed = text.trim();
        let drop_frame = trimmed.contains(';') || trimmed.contains('.');
        let fields: Vec<u32> = trimmed
            .split([':', ';', '.'])
            .map(|p| p.parse().map_err(|_| bad()))
            .collect::<Result<_, _>>()?;
        let [hours, minutes, seconds, frames] = fields[..] else { return Err(bad()) };
        Self::from_fields(hours, minutes, seconds, frames, rate, drop_frame)
    }

    /// `count` frames later.
    #[must_use]
    pub const fn plus(self, count: i64) -> Self {
        Self { frames: self.frames + count, rate: self.rate, drop_frame: self.drop_frame }
    }

    /// Frames in a day at this rate.
    #[must_use]
    pub fn frames_per_day(self) -> i64 {
        let base = i64::from(self.rate.timebase());
        let dropped = if self.drop_frame { base / 15 * (1440 - 144) } else { 0 };
        base * 86_400 - dropped
    }

    /// Hours, minutes, seconds, frames, as they are written; wraps at midnight.
    #[must_use]
    pub fn fields(self) -> [u32; 4] {
        let base = i64::from(self.rate.timebase());
        let mut number = self.frames.rem_euclid(self.frames_per_day());
        if self.drop_frame {
            let per_minute_dropped = base / 15;
            let ten_minutes = base * 600 - per_minute_dropped * 9;
            let minute = base * 60 - per_minute_dropped;
            let (tens, rest) = (number / ten_minutes, number % ten_minutes);
            let later_minutes = if rest < base * 60 { 0 } else { 1 + (rest - base * 60) / minute };
            number += per_minute_dropped * (tens * 9 + later_minutes);
        }
        let (seconds, frames) = (number / base, number % base);
        [seconds / 3600, seconds / 60 % 60, seconds % 60, frames].map(|v| v as u32)
    }
}

impl fmt::Display for Timecode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [h, m, s, ff] = self.fields();
        write!(f, "{h:02}:{m:02}:{s:02}{}{ff:02}", if self.drop_frame { ';' } else { ':' })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn rates_are_exact() {
        for (text, n, d) in [
            ("24", 24, 1),
            ("23.976", 24000, 1001),
            ("23.98", 24000, 1001),
            ("29.97", 30000, 1001),
            ("59.94", 60000, 1001),
            ("24000/1001", 24000, 1001),
            ("12.5", 25, 2),
            ("25.000", 25, 1),
        ] {
            assert_eq!(text.parse::<FrameRate>().unwrap(), FrameRate::new(n, d).unwrap(), "{text}");
        }
        for text in ["", "0", "-24", "1/0", "abc", "inf"] {
            assert!(text.parse::<FrameRate>().is_err(), "{text}");
        }
    }

    /// Counts by ST 12-1: 00:10:00;00 at 29.97 DF is frame 17982.
    #[test]
    fn drop_frame_counts_as_the_standard_says() {
        let rate = FrameRate::new(30000, 1001).unwrap();
        for (text, frames) in [
            ("00:00:59;29", 1799),
            ("00:01:00;02", 1800),
            ("00:10:00;00", 17982),
            ("01:00:00;00", 107_892),
        ] {
            let tc = Timecode::parse(text, rate).unwrap();
            assert_eq!(tc.frames, frames, "{text}");
            assert_eq!(tc.to_string(), text);
        }
        assert!(Timecode::parse("01:00:00;00", FrameRate::FPS_24).is_err());
    }

    proptest! {
        #[test]
        fn timecode_reads_what_it_prints(frames in 0i64..2_000_000, which in 0usize..4) {
            let (n, d, drop_frame) = [(24, 1, false), (24000, 1001, false), (30000, 1001, true), (60000, 1001, true)][which];
            let tc = Timecode { frames, rate: FrameRate::new(n, d).unwrap(), drop_frame };
            prop_assert_eq!(Timecode::parse(&tc.to_string(), tc.rate).unwrap(), tc);
        }
    }
}
