//! Reports that come late. An hour after a job's end its leases are struck out,
//! and the core refuses whatever is said under them; but what it had accepted
//! stands in the store, under the token, for as long as the job does. A worker
//! that was away since, and never heard that its frames were accepted, must
//! give them their names and not delete them.

use crate::core::Verdict;
use crate::store::Reader;
use platefarm_model::job::FrameOutcome;
use platefarm_model::{FrameRange, LeaseToken, Outcome, StepId};
use std::collections::BTreeSet;

/// No lease reaches further: more would read a step's results for one who only asks.
const FARTHEST: u64 = 1 << 16;

/// Frames of a report, to be looked for in the store where they are refused.
#[derive(Debug)]
pub(super) struct Late {
    step: StepId,
    token: LeaseToken,
    frames: Vec<i64>,
}

impl Late {
    /// Of a report that says of which step its lease was.
    pub(super) fn of(
        step: Option<StepId>,
        token: LeaseToken,
        outcomes: &[FrameOutcome],
    ) -> Option<Self> {
        let frames = outcomes.iter().map(FrameOutcome::frame).collect();
        step.map(|step| Self { step, token, frames })
    }

    /// Makes right what was refused though it is stored under this very token.
    pub(super) async fn judge(
        &self,
        verdicts: &mut [Verdict],
        reader: &impl Reader,
    ) -> Outcome<()> {
        let refused = || verdicts.iter().zip(&self.frames).filter(|(v, _)| **v == Verdict::Refused);
        let (first, last) = (refused().map(|(_, f)| *f).min(), refused().map(|(_, f)| *f).max());
        let span = first.zip(last).and_then(|(first, last)| FrameRange::new(first, last).ok());
        let Some(span) = span.filter(|span| span.len() <= FARTHEST) else { return Ok(()) };
        let mut accepted = BTreeSet::new();
        for row in reader.frames_of(self.step, span).await? {
            if row.token == self.token && matches!(row.outcome, FrameOutcome::Done(_)) {
                accepted.insert(row.outcome.frame());
            }
        }
        for (verdict, frame) in verdicts.iter_mut().zip(&self.frames) {
            if *verdict == Verdict::Refused && accepted.contains(frame) {
                *verdict = Verdict::Duplicate;
            }
        }
        Ok(())
    }
}
