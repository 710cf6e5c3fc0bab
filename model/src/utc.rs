//! Moments as calendars write them, in UTC: once, for documents, tables and
//! pages alike. The clock is read elsewhere.

use crate::Timestamp;

/// A moment in the proleptic Gregorian calendar, UTC, to the second (ISO 8601).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Utc {
    year: i64,
    month: i64,
    day: i64,
    hour: i64,
    minute: i64,
    second: i64,
}

impl From<Timestamp> for Utc {
    fn from(Timestamp(micros): Timestamp) -> Self {
        let seconds = micros.div_euclid(1_000_000);
        let (days, of_day) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
        // Counted from 1 March of the year 0, a leap day is the last of its year
        // and a cycle of the calendar is 400 years of 146,097 days.
        let from_march = days + 719_468;
        let (cycle, of_cycle) = (from_march.div_euclid(146_097), from_march.rem_euclid(146_097));
        let of_cycle_years =
            (of_cycle - of_cycle / 1_460 + of_cycle / 36_524 - of_cycle / 146_096) / 365;
        let of_year = of_cycle - (365 * of_cycle_years + of_cycle_years / 4 - of_cycle_years / 100);
        // Months from March have 31, 30, 31, 30, 31 days, twice, and then 31 and the rest.
        let from_march_month = (5 * of_year + 2) / 153;
        let day = of_year - (153 * from_march_month + 2) / 5 + 1;
        let month = (from_march_month + 2) % 12 + 1;
        let year = cycle * 400 + of_cycle_years + i64::from(month <= 2);
        let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
        Self { year, month, day, hour, minute, second }
    }
}

impl Utc {
    /// The moment that is written `YYYY-MM-DDTHH:MM[:SS]Z`, from 1970 to 9999.
    #[must_use]
    pub fn parse(text: &str) -> Option<Timestamp> {
        let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
        let numbers = |text: &str, by| -> Option<Vec<i64>> {
            text.split(by).map(|part| part.parse().ok().filter(|n: &i64| *n >= 0)).collect()
        };
        let (date, time) = (numbers(date, '-')?, numbers(time, ':')?);
        let ([year, month, day], [hour, minute, rest @ ..]) = (&date[..], &time[..]) else {
            return None;
        };
        let second = match rest {
            [] => 0,
            [second] => *second,
            _ => return None,
        };
        Self::at([*year, *month, *day, *hour, *minute, second])
    }

    /// The moment of a year (1970 to 9999), month, day, hour, minute and second.
    #[must_use]
    pub fn at([year, month, day, hour, minute, second]: [i64; 6]) -> Option<Timestamp> {
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let february = if leap { 29 } else { 28 };
        let days = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
        let of_month = *days.get(usize::try_from(month - 1).ok()?)?;
        let sound = (1970..=9999).contains(&year)
            && (1..=of_month).contains(&day)
            && (0..24).contains(&hour)
            && (0..60).contains(&minute)
            && (0..60).contains(&second);
        // Leap years before this one, since the epoch.
        let leaps = |year: i64| year / 4 - year / 100 + year / 400;
        let years = (year - 1970) * 365 + leaps(year - 1) - leaps(1969);
        let months: i64 = days.iter().take(usize::try_from(month - 1).ok()?).sum();
        let seconds = (years + months + day - 1) * 86_400 + hour * 3_600 + minute * 60 + second;
        sound.then_some(Timestamp(seconds * 1_000_000))
    }

    /// `2026-11-21T03:00:00Z`
    #[must_use]
    pub fn date_time(self) -> String {
        let Self { year, month, day, hour, minute, second } = self;
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
    }

    /// `2026-11-21T03:00Z`
    #[must_use]
    pub fn to_the_minute(self) -> String {
        let Self { year, month, day, hour, minute, .. } = self;
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}Z")
    }

    /// `2026-11-21 03:00:00`, for people; who shows it says that it is UTC.
    #[must_use]
    pub fn spaced(self) -> String {
        let Self { year, month, day, hour, minute, second } = self;
        format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
    }

    /// `2026-11-21_030000Z`, for file names.
    #[must_use]
    pub fn file_stamp(self) -> String {
        let Self { year, month, day, hour, minute, second } = self;
        format!("{year:04}-{month:02}-{day:02}_{hour:02}{minute:02}{second:02}Z")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values of `date -u -d @N` from GNU coreutils.
    #[test]
    fn moments_are_the_calendars() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_709_251_199, "2024-02-29T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
            (1_795_230_000, "2026-11-21T03:00:00Z"),
            (-1, "1969-12-31T23:59:59Z"),
        ] {
            assert_eq!(Utc::from(Timestamp(seconds * 1_000_000)).date_time(), text);
        }
        // The other way round, and what no calendar has.
        for (text, seconds) in [
            ("1970-01-01T00:00Z", 0),
            ("2026-12-24T18:00Z", 1_798_135_200),
            ("2024-02-29T23:59:59Z", 1_709_251_199),
            ("2100-03-01T00:00Z", 4_107_542_400),
        ] {
            assert_eq!(Utc::parse(text), Some(Timestamp(seconds * 1_000_000)), "{text}");
        }
        for bad in
            ["2026-02-29T00:00Z", "2026-13-01T00:00Z", "2026-01-01T24:00Z", "2026-01-01", "x"]
        {
            assert_eq!(Utc::parse(bad), None, "{bad}");
        }
        assert_eq!(Utc::from(Timestamp(1_795_230_000_999_999)).file_stamp(), "2026-11-21_030000Z");
    }
}
