//! Keeps the worker's session: opens it, says what there is to say, hands out
//! what is heard, and opens it again, elsewhere if need be, when it breaks.
//! What is said and what it means stands in [`super::talk`].

use super::Shared;
use super::backoff::Backoff;
use super::talk::{News, Report};
use crate::leash::Leash;
use platefarm_model::job::Lease;
use platefarm_model::{Code, Fault, FrameRange, LeaseToken, Outcome, WorkerId};
use platefarm_proto::v1::{self, Verdict};
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};
use tokio_stream::wrappers::ReceiverStream;

/// Messages that may wait for the connection.
const WAITING: usize = 8;

/// A task that was given, and how far it may go.
pub(super) struct Taken {
    pub(super) lease: Lease,
    pub(super) leash: Arc<Leash>,
}

/// What became of a report.
pub(super) struct Answer {
    pub(super) report: Report,
    /// None: it was turned down for good.
    pub(super) verdicts: Option<Vec<Verdict>>,
    pub(super) keep: Option<FrameRange>,
    /// Whether an earlier answer may have been lost.
    pub(super) again: bool,
}

/// Until the process leaves, and on until its last report is answered.
pub(super) async fn keep(shared: Arc<Shared>) {
    let mut registered = shared.worker.subscribe();
    let mut backoff = Backoff::new();
    loop {
        let worker = registered.wait_for(Option::is_some).await.ok().and_then(|worker| *worker);
        let Some(worker) = worker else { continue };
        let at = shared.wire.at();
        match hold(&shared, worker, &mut backoff).await {
            Ok(()) => {}
            Err(fault) if fault.code == Code::UnknownWorker => shared.forgotten(worker),
            Err(fault) => {
                tracing::debug!(%fault, "the session broke");
                shared.wire.elsewhere(at, &fault);
            }
        }
        tokio::time::sleep(backoff.next()).await;
    }
}

/// One session, until it breaks or belongs to a worker that is forgotten.
async fn hold(shared: &Shared, worker: WorkerId, backoff: &mut Backoff) -> Outcome<()> {
    let (say, said) = mpsc::channel(WAITING);
    let first = {
        let holds = shared.standing().tokens();
        shared.talk().opens(worker, &holds)
    };
    say.send(first).await.map_err(|_| gone())?;
    let mut heard = shared.wire.session(ReceiverStream::new(said)).await?;
    let mut registered = shared.worker.subscribe();
    loop {
        let room = say.reserve();
        tokio::select! {
            message = heard.message() => {
                let message = message.map_err(|status| platefarm_proto::convert::from_status(&status))?;
                let Some(message) = message else { return Err(gone()) };
                backoff.reset();
                hear(shared, worker, message);
            }
            permit = speak(shared, room) => match permit {
                Some((permit, message)) => permit.send(message),
                None => return Err(gone()),
            },
            _ = registered.wait_for(|now| *now != Some(worker)) => return Ok(()),
        }
    }
}

fn gone() -> Fault {
    Fault::new(Code::NoScheduler, "the session ended")
}

/// Room on the connection and something to say, both.
async fn speak<'a>(
    shared: &Shared,
    room: impl Future<Output = Result<mpsc::Permit<'a, v1::SessionRequest>, mpsc::error::SendError<()>>>,
) -> Option<(mpsc::Permit<'a, v1::SessionRequest>, v1::SessionRequest)> {
    let permit = room.await.ok()?;
    loop {
        let more = shared.to_say.notified();
        // Not across the wait: the lock is for an instant.
        let message = shared.talk().next();
        if let Some(message) = message {
            return Some((permit, message));
        }
        more.await;
    }
}

fn hear(shared: &Shared, worker: WorkerId, message: v1::SessionResponse) {
    if message.drain {
        shared.standing().drain(true);
    }
    let news = shared.talk().heard(message);
    for news in news {
        match news {
            News::Lease(lease) => taken(shared, worker, *lease),
            News::Unreadable(token, fault) => {
                tracing::error!(%token, %fault, "a lease cannot be read; it is given back");
                shared.talk().release(token);
            }
            News::Answer { number, report, verdicts, keep, again } => {
                if shared.standing().kept(report.token, keep, None) {
                    // Others wait to hear how far we go.
                    shared.wake.notify_one();
                }
                if let Some(told) = shared.waiting().remove(&number) {
                    let _ = told.send(Answer { report, verdicts, keep, again });
                }
            }
        }
    }
    shared.room_changed(|_| {});
}

fn taken(shared: &Shared, worker: WorkerId, lease: Lease) {
    let token = lease.token;
    tracing::info!(%token, step = %lease.step, frames = %lease.frames, name = lease.spec.name, "task");
    let leash = Arc::new(Leash::new(lease.frames.last()));
    shared.standing().granted(worker, token, &leash, shared.now());
    shared.room_changed(|places| places.taken += 1);
    // The queue lives as long as the process.
    let _ = shared.queue.send(Taken { lease, leash });
}

/// Has frames reported; the answer comes when the scheduler has stored them.
pub(super) fn report(shared: &Shared, report: Report) -> (u64, oneshot::Receiver<Answer>) {
    let (told, answer) = oneshot::channel();
    let number = {
        // Both in one: an answer cannot come before somebody waits for it.
        let mut waiting = shared.waiting();
        let number = shared.talk().report(report);
        waiting.insert(number, told);
        number
    };
    shared.to_say.notify_one();
    (number, answer)
}

/// Gives back what is not done of a lease.
pub(super) fn release(shared: &Shared, token: LeaseToken) {
    shared.talk().release(token);
    shared.to_say.notify_one();
}
