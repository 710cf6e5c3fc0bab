//! The rate that an edit list counts in, where it does not say it.

use platefarm_model::{Code, Fault, FrameRate};

/// The rate that was given, or that of the media; and what was assumed about it.
#[must_use]
pub fn list_rate(given: Option<FrameRate>, rates: &[FrameRate]) -> (FrameRate, Option<Fault>) {
    if let Some(rate) = given {
        return (rate, None);
    }
    let mut votes: Vec<(FrameRate, u64)> = Vec::new();
    for rate in rates.iter().copied() {
        match votes.iter_mut().find(|(seen, _)| *seen == rate) {
            Some((_, count)) => *count += 1,
            None => votes.push((rate, 1)),
        }
    }
    let note = |text: String| {
        Some(Fault::new(Code::BadConfig, text).remedy("Give --rate if that is wrong."))
    };
    match votes.as_slice() {
        [] => (
            FrameRate::FPS_24,
            note("the media names no frame rate; the list is read at 24".into()),
        ),
        [(rate, _)] => (*rate, None),
        _ => {
            let rate = votes
                .iter()
                .max_by_key(|(_, count)| *count)
                .map_or(FrameRate::FPS_24, |(rate, _)| *rate);
            (
                rate,
                note(format!(
                    "the media has several frame rates; the list is read at {rate}, the most frequent"
                )),
            )
        }
    }
}
