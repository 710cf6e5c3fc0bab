//! Points in time as people type them: `now`, `none`, `+90m`, or UTC by the calendar.

use platefarm_model::{Fault, Outcome, Timestamp};
use std::str::FromStr;
use std::time::{SystemTime, UNIX_EPOCH};

/// A time, or that there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct When(pub(super) Option<Timestamp>);

fn now_us() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}

impl FromStr for When {
    type Err = Fault;

    fn from_str(text: &str) -> Outcome<Self> {
        let bad = || {
            let remedy = "Write now, none, +90m, +2h, +3d, or 2026-12-24T18:00Z (UTC).";
            super::typed::unread(text, "time", remedy)
        };
        match text {
            "none" => return Ok(Self(None)),
            "now" => return Ok(Self(Some(Timestamp(now_us())))),
            _ => {}
        }
        if let Some(span) = text.strip_prefix('+') {
            let split = span.len() - span.chars().last().map_or(0, char::len_utf8);
            let count: i64 = span[..split].parse().map_err(|_| bad())?;
            let seconds = match &span[split..] {
                "s" => 1,
                "m" => 60,
                "h" => 3_600,
                "d" => 86_400,
                _ => return Err(bad()),
            };
            let later =
                count.checked_mul(seconds * 1_000_000).and_then(|us| us.checked_add(now_us()));
            return later
                .filter(|_| count >= 0)
                .map(|us| Self(Some(Timestamp(us))))
                .ok_or_else(bad);
        }
        utc(text).map(|us| Self(Some(Timestamp(us)))).ok_or_else(bad)
    }
}

/// `YYYY-MM-DDTHH:MM[:SS]Z` in microseconds since the epoch.
fn utc(text: &str) -> Option<i64> {
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
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let february = if leap { 29 } else { 28 };
    let days = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let of_month = *days.get(usize::try_from(month - 1).ok()?)?;
    let sound = (1970..=9999).contains(year)
        && (1..=of_month).contains(day)
        && *hour < 24
        && *minute < 60
        && second < 60;
    // Leap years before this one, since the epoch.
    let leaps = |year: i64| year / 4 - year / 100 + year / 400;
    let years = (year - 1970) * 365 + leaps(year - 1) - leaps(1969);
    let months: i64 = days.iter().take(usize::try_from(month - 1).ok()?).sum();
    let seconds = (years + months + day - 1) * 86_400 + hour * 3_600 + minute * 60 + second;
    sound.then_some(seconds * 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_what_people_write() {
        // Seconds by `date -u -d ... +%s`.
        for (text, seconds) in [
            ("1970-01-01T00:00Z", 0),
            ("2026-12-24T18:00Z", 1_798_135_200),
            ("2024-02-29T23:59:59Z", 1_709_251_199),
            ("2100-03-01T00:00Z", 4_107_542_400),
        ] {
            assert_eq!(utc(text), Some(seconds * 1_000_000), "{text}");
        }
        for bad in
            ["2026-02-29T00:00Z", "2026-13-01T00:00Z", "2026-01-01T24:00Z", "2026-01-01", "x"]
        {
            assert_eq!(utc(bad), None, "{bad}");
        }
        assert_eq!("none".parse::<When>(), Ok(When(None)));
        let later = "+2h".parse::<When>().unwrap().0.unwrap();
        assert!((later.0 - now_us() - 7_200_000_000).abs() < 60_000_000);
        assert!("+2w".parse::<When>().is_err() && "+-1h".parse::<When>().is_err());
    }
}
