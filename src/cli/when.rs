//! Points in time as people type them: `now`, `none`, `+90m`, or UTC by the calendar; and
//! how long ago something is: `90m`, `30d`.

use platefarm_model::utc::Utc;
use platefarm_model::{Fault, Outcome, Timestamp};
use std::str::FromStr;
use std::time::{SystemTime, UNIX_EPOCH};

/// A time, or that there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct When(pub(super) Option<Timestamp>);

/// How long ago, in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Age(i64);

impl Age {
    /// The time that was so long ago.
    pub(super) fn ago(self) -> Timestamp {
        Timestamp(now_us().saturating_sub(self.0))
    }
}

impl FromStr for Age {
    type Err = Fault;

    fn from_str(text: &str) -> Outcome<Self> {
        let bad = || super::typed::unread(text, "age", "Write 90m, 12h, or 30d.");
        span_us(text).map(Self).ok_or_else(bad)
    }
}

/// `90m`, `2h`, `3d` in microseconds.
fn span_us(text: &str) -> Option<i64> {
    let split = text.len() - text.chars().last().map_or(0, char::len_utf8);
    let count: i64 = text[..split].parse().ok().filter(|count| *count >= 0)?;
    let seconds = match &text[split..] {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return None,
    };
    count.checked_mul(seconds * 1_000_000)
}

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
            let later = span_us(span).and_then(|us| us.checked_add(now_us()));
            return later.map(|us| Self(Some(Timestamp(us)))).ok_or_else(bad);
        }
        Utc::parse(text).map(|at| Self(Some(at))).ok_or_else(bad)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_what_people_write() {
        let said = |text: &str| text.parse::<When>().map(|when| when.0);
        assert_eq!(said("2026-12-24T18:00Z"), Ok(Some(Timestamp(1_798_135_200_000_000))));
        assert!(said("2026-02-29T00:00Z").is_err());
        assert_eq!("none".parse::<When>(), Ok(When(None)));
        let later = "+2h".parse::<When>().unwrap().0.unwrap();
        assert!((later.0 - now_us() - 7_200_000_000).abs() < 60_000_000);
        assert!("+2w".parse::<When>().is_err() && "+-1h".parse::<When>().is_err());
        assert_eq!("30d".parse::<Age>(), Ok(Age(30 * 86_400_000_000)));
        for bad in ["", "d", "-1d", "1.5h", "30", "ü"] {
            assert!(bad.parse::<Age>().is_err(), "{bad}");
        }
    }
}
