//! Reports of finished frames: sent until the scheduler has answered, and only
//! then carried out. The answer decides: a granted frame gets its name, a
//! refused one is deleted.

use super::Shared;
use super::backoff::Backoff;
use platefarm_media::publish;
use platefarm_model::code::Owner;
use platefarm_model::job::{FrameOutcome, FrameResult};
use platefarm_model::{Code, Fault, FrameRange, FrameSet, LeaseToken};
use platefarm_proto::v1::Verdict;
use std::path::Path;
use std::time::Instant;

/// The reports of one lease.
pub(super) struct Outbox<'a> {
    shared: &'a Shared,
    token: LeaseToken,
    settled: FrameSet,
    lost: bool,
}

impl<'a> Outbox<'a> {
    pub(super) fn new(shared: &'a Shared, token: LeaseToken) -> Self {
        Self { shared, token, settled: FrameSet::new(), lost: false }
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
        let mut backoff = Backoff::new();
        let mut gives_up: Option<Instant> = None;
        loop {
            match self.try_send(&outcomes).await {
                Ok(verdicts) => return self.carry_out(outcomes, &verdicts).await,
                // Sending it again would not help, and what became of an earlier
                // try is not known: the files stay for the package step to judge.
                Err(fault) if is_final(&fault) => {
                    tracing::error!(token = %self.token, %fault, "a report was turned down");
                    self.shared.standing().kept(self.token, None, None);
                    self.lost = true;
                    return;
                }
                Err(fault) => tracing::debug!(token = %self.token, %fault, "reporting again"),
            }
            if self.shared.is_leaving() {
                let limit = *gives_up.get_or_insert_with(|| Instant::now() + self.shared.grace);
                if Instant::now() >= limit {
                    // Unanswered is undecided too.
                    tracing::warn!(token = %self.token, frames = outcomes.len(), "left unreported");
                    self.lost = true;
                    return;
                }
            }
            tokio::time::sleep(backoff.next()).await;
        }
    }

    async fn try_send(&mut self, outcomes: &[FrameOutcome]) -> Result<Vec<Verdict>, Fault> {
        let Some((worker, _)) = self.shared.standing().worker() else {
            return Err(Fault::new(Code::UnknownWorker, "not registered"));
        };
        let answer = match self.shared.wire.report(worker, self.token, outcomes).await {
            Err(fault) if fault.code == Code::UnknownWorker => {
                self.shared.forgotten(worker);
                return Err(fault);
            }
            answer => answer?,
        };
        self.lost |= answer.keep.is_none();
        self.shared.standing().kept(self.token, answer.keep, None);
        Ok(answer.verdicts)
    }

    async fn carry_out(&mut self, outcomes: Vec<FrameOutcome>, verdicts: &[Verdict]) {
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
                carry_out(token, result, *verdict);
            }
        });
        if let Err(error) = done.await {
            tracing::error!(%token, %error, "publishing ended badly");
        }
    }
}

/// Whether the answer to a report will not change when it is sent again.
fn is_final(fault: &Fault) -> bool {
    matches!(fault.owner(), Owner::Request | Owner::Program) || fault.code == Code::StaleLease
}

/// Publishes or deletes one file. A failure is not the frame's: it was
/// accepted, and the package step finishes or reports what is not there.
fn carry_out(token: LeaseToken, result: &FrameResult, verdict: Verdict) {
    let (staged, published) = (Path::new(&result.staged), Path::new(&result.published));
    let outcome = match verdict {
        Verdict::Granted | Verdict::Duplicate => publish::publish(staged, published),
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
