//! Reports of finished frames: kept until the scheduler has answered, and only
//! then carried out. The answer decides: a granted frame gets its name, a
//! refused one is deleted. A file that may have been granted is never deleted:
//! where an answer was lost, a later one that refuses leaves the file to the
//! package step, which goes by what is stored.

use super::Shared;
use super::session;
use super::talk::Report;
use crate::leash::Leash;
use platefarm_media::publish;
use platefarm_model::job::{FrameOutcome, FrameResult, Lease};
use platefarm_model::{FrameRange, FrameSet, LeaseToken, StepId};
use platefarm_proto::v1::Verdict;
use std::path::Path;

/// The reports of one lease.
pub(super) struct Outbox<'a> {
    shared: &'a Shared,
    token: LeaseToken,
    step: StepId,
    leash: &'a Leash,
    settled: FrameSet,
    lost: bool,
}

impl<'a> Outbox<'a> {
    pub(super) fn new(shared: &'a Shared, lease: &Lease, leash: &'a Leash) -> Self {
        let (token, step) = (lease.token, lease.step);
        Self { shared, token, step, leash, settled: FrameSet::new(), lost: false }
    }

    /// Frames whose report was answered.
    pub(super) fn settled(&self) -> &FrameSet {
        &self.settled
    }

    /// Whether the scheduler said that the lease is over.
    pub(super) fn is_lost(&self) -> bool {
        self.lost
    }

    /// Reports `outcomes` and does what the scheduler decides. Returns when it
    /// is done, however long the scheduler is away; only a process that leaves
    /// gives up, after its grace.
    pub(super) async fn send(&mut self, outcomes: Vec<FrameOutcome>) {
        for outcome in &outcomes {
            if let FrameOutcome::Failed { frame, fault } = outcome {
                tracing::warn!(token = %self.token, frame, %fault, "a frame failed");
            }
        }
        let frames = outcomes.len();
        let (token, step, last) = (self.token, self.step, self.leash.pulse().last);
        let report = Report { token, step, outcomes, last };
        let (number, answer) = session::report(self.shared, report);
        let answer = tokio::select! {
            biased;
            answer = answer => answer.ok(),
            () = self.shared.out_of_grace() => None,
        };
        let Some(answer) = answer else {
            // Unanswered is undecided: the files stay for the package step to judge.
            tracing::warn!(token = %self.token, frames, "left unreported");
            self.shared.talk().forget(number);
            self.shared.waiting().remove(&number);
            self.lost = true;
            return;
        };
        self.lost |= answer.keep.is_none();
        match answer.verdicts {
            Some(verdicts) => {
                self.carry_out(answer.report.outcomes, &verdicts, answer.again).await;
            }
            // Sending it again would not help: the files stay here too.
            None => tracing::error!(token = %self.token, frames, "a report was turned down"),
        }
    }

    async fn carry_out(&mut self, outcomes: Vec<FrameOutcome>, verdicts: &[Verdict], again: bool) {
        let mut files = Vec::new();
        for (outcome, verdict) in outcomes.into_iter().zip(verdicts.iter().copied()) {
            self.settled.insert(FrameRange::single(outcome.frame()));
            if let FrameOutcome::Done(result) = outcome
                && !result.staged.is_empty()
            {
                files.push((result, verdict));
            }
        }
        if files.is_empty() {
            return;
        }
        let token = self.token;
        let done = tokio::task::spawn_blocking(move || {
            for (result, verdict) in &files {
                carry_out(token, result, *verdict, again);
            }
        });
        if let Err(error) = done.await {
            tracing::error!(%token, %error, "publishing ended badly");
        }
    }
}

/// Publishes or deletes one file. A failure is not the frame's: it was
/// accepted, and the package step finishes or reports what is not there.
fn carry_out(token: LeaseToken, result: &FrameResult, verdict: Verdict, again: bool) {
    let (staged, published) = (Path::new(&result.staged), Path::new(&result.published));
    let outcome = match verdict {
        Verdict::Granted | Verdict::Duplicate => publish::publish(staged, published),
        Verdict::Refused if again => {
            tracing::warn!(%token, frame = result.frame, "refused when it was said again; left");
            Ok(())
        }
        Verdict::Refused => {
            tracing::info!(%token, frame = result.frame, "refused; deleted");
            publish::discard(staged)
        }
        // A word that this version does not know may be a yes: the file stays
        // for the package step, which sees what the scheduler stored.
        Verdict::Unspecified => {
            tracing::warn!(%token, frame = result.frame, "the verdict is not understood");
            Ok(())
        }
    };
    if let Err(fault) = outcome {
        tracing::error!(%token, frame = result.frame, %fault, "the decision was not carried out");
    }
}
