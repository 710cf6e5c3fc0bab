//! When a caller stops waiting, as its call says ("Timeout", gRPC over HTTP/2).
//!
//! The server below would end such a call, too, and call it cancelled, which
//! is what callers hear of calls that they took back themselves.

use http::HeaderMap;
use platefarm_model::{Code, Fault};
use std::time::Duration;
use tokio::time::Instant;

/// How the call says it.
const HEADER: &str = "grpc-timeout";
/// Most digits that it may have.
const MAX_DIGITS: usize = 8;

/// When the caller stops waiting; none, where the call does not say, or not so that it can be read.
pub(super) fn of(headers: &HeaderMap, begun: Instant) -> Option<Instant> {
    let said = headers.get(HEADER)?.to_str().ok()?;
    begun.checked_add(read(said)?)
}

fn read(said: &str) -> Option<Duration> {
    let unit = said.chars().next_back()?;
    let digits = said.strip_suffix(unit)?;
    if digits.len() > MAX_DIGITS || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let count: u64 = digits.parse().ok()?;
    Some(match unit {
        'H' => Duration::from_secs(count * 3600),
        'M' => Duration::from_secs(count * 60),
        'S' => Duration::from_secs(count),
        'm' => Duration::from_millis(count),
        'u' => Duration::from_micros(count),
        'n' => Duration::from_nanos(count),
        _ => return None,
    })
}

/// Whether nobody waits any more.
pub(super) fn is_over(deadline: Option<Instant>) -> bool {
    deadline.is_some_and(|at| at <= Instant::now())
}

/// What such a call is told.
pub(super) fn passed() -> Fault {
    Fault::new(Code::Timeout, "the deadline that the call says has passed")
        .remedy("Allow more time. Something that was begun by then is carried to its end: ask what became of it, or send it again with its idempotency key.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_the_protocol_writes_them() {
        for (said, means) in [
            ("1H", 3_600_000_000_000),
            ("2M", 120_000_000_000),
            ("15S", 15_000_000_000),
            ("100m", 100_000_000),
            ("7u", 7_000),
            ("0n", 0),
            ("99999999S", 99_999_999_000_000_000),
        ] {
            assert_eq!(read(said), Some(Duration::from_nanos(means)), "{said}");
        }
        for bad in ["", "S", "1", "1s", "-1S", "1.5S", "100000000S", "1 S"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
