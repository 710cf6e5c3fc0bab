//! A worker's session on the wire: its messages as words for the owner, and
//! what the owner says as messages. Conversions run here, on the connection's
//! own task, so that the owner does nothing but decide.

use super::desk::Desk;
use super::seats::{Answered, Report, Room, Said, SeatId, Word};
use crate::core::{Granted, Verdict};
use crate::store::Reader;
use platefarm_model::job::FrameOutcome;
use platefarm_model::{Code, Fault, LeaseToken, Outcome, StepId, WorkerId};
use platefarm_proto::convert::to_status;
use platefarm_proto::v1;
use std::collections::HashSet;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::Semaphore;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio_stream::wrappers::UnboundedReceiverStream;
use tokio_stream::{Stream, StreamExt};
use tonic::{Status, Streaming};

/// What a worker hears.
pub(super) type Heard = Pin<Box<dyn Stream<Item = Result<v1::SessionResponse, Status>> + Send>>;

/// Reports of one session that may wait for their answer; above it, the connection is not read.
const UNANSWERED: usize = 1024;
/// Steps that both ends remember; see the proto.
const TOLD: usize = 256;

static NEXT: AtomicU64 = AtomicU64::new(1);

/// Begins a session with its first message.
pub(super) async fn begin(
    desk: Desk,
    results: impl Reader,
    ttl_ms: u64,
    mut inbound: Streaming<v1::SessionRequest>,
) -> Result<Heard, Status> {
    let none = || to_status(&Fault::new(Code::BadSpec, "a session begins with a message"));
    let first = inbound.message().await?.ok_or_else(none)?;
    let id: SeatId = NEXT.fetch_add(1, Ordering::Relaxed);
    let (to, said) = unbounded_channel();
    let holds = first.holds.iter().copied().map(LeaseToken).collect();
    let open = Word::Open { worker: WorkerId(first.worker), holds, to: to.clone() };
    desk.seat(id, open).await.map_err(|fault| to_status(&fault))?;
    let unanswered = Arc::new(Semaphore::new(UNANSWERED));
    let (reader, waiting) = (desk, Arc::clone(&unanswered));
    tokio::spawn(async move {
        let mut next = Some(first);
        while let Some(message) = next {
            if speak(&reader, id, &waiting, &to, message).await.is_err() {
                break;
            }
            next = inbound.message().await.ok().flatten();
        }
        drop(reader.seat(id, Word::HungUp).await);
    });
    let mut told = HashSet::new();
    let said = UnboundedReceiverStream::new(said).then(move |said| judged(said, results.clone()));
    let heard = said.map(move |said| {
        unanswered.add_permits(said.answers.len());
        match said.end {
            Some(fault) => Err(to_status(&fault)),
            None => Ok(response(said, ttl_ms, &mut told)),
        }
    });
    Ok(Box::pin(heard))
}

/// What is said, when late reports were looked for in the store. A store that cannot be read
/// ends the session: what was not answered is said again on the next.
async fn judged(mut said: Said, results: impl Reader) -> Said {
    for answer in &mut said.answers {
        let Some(late) = answer.late.take() else { continue };
        if let Err(fault) = late.judge(&mut answer.verdicts, &results).await {
            return Said { end: Some(fault), ..said };
        }
    }
    said
}

/// Hands one message to the owner. A report that cannot be read would not be
/// readable the next time either: it is turned down here, with no verdicts.
async fn speak(
    desk: &Desk,
    id: SeatId,
    unanswered: &Semaphore,
    to: &UnboundedSender<Said>,
    message: v1::SessionRequest,
) -> Outcome<()> {
    let permits = u32::try_from(message.reports.len().min(UNANSWERED)).unwrap_or(1);
    if let Ok(permits) = unanswered.acquire_many(permits).await {
        permits.forget();
    }
    let mut reports = Vec::with_capacity(message.reports.len());
    for wire in message.reports {
        let (number, token) = (wire.number, LeaseToken(wire.token));
        match report(wire) {
            Ok(report) => reports.push(report),
            Err(fault) => {
                tracing::warn!(%fault, %token, "a worker's report cannot be read");
                let answer =
                    Answered { number, token, verdicts: Vec::new(), keep: None, late: None };
                drop(to.send(Said { answers: vec![answer], ..Said::default() }));
            }
        }
    }
    let room =
        message.room.map(|room| Room { seen: room.seen, idle: room.idle, ahead: room.ahead });
    let releases: Vec<LeaseToken> = message.releases.into_iter().map(LeaseToken).collect();
    if room.is_none() && reports.is_empty() && releases.is_empty() {
        return Ok(());
    }
    desk.seat(id, Word::Say { room, reports, releases }).await
}

fn report(wire: v1::Report) -> Outcome<Report> {
    let v1::Report { number, token, frames, last, step } = wire;
    let outcomes: Outcome<Vec<FrameOutcome>> =
        frames.into_iter().map(FrameOutcome::try_from).collect();
    let (token, step) = (LeaseToken(token), step.map(Into::into));
    Ok(Report { number, token, step, outcomes: outcomes?, last })
}

fn response(said: Said, ttl_ms: u64, told: &mut HashSet<StepId>) -> v1::SessionResponse {
    v1::SessionResponse {
        leases: said.leases.iter().map(|granted| lease(granted, ttl_ms, told)).collect(),
        verdicts: said.answers.into_iter().map(answered).collect(),
        drain: false,
    }
}

/// A lease; what the step is, is told once.
fn lease(granted: &Granted, ttl_ms: u64, told: &mut HashSet<StepId>) -> v1::Lease {
    let known = told.contains(&granted.step);
    if !known {
        if told.len() >= TOLD {
            told.clear();
        }
        told.insert(granted.step);
    }
    v1::Lease {
        token: granted.token.0,
        step: Some(granted.step.into()),
        frames: Some(granted.frames.into()),
        ttl_ms,
        spec: (!known).then(|| granted.spec.as_ref().into()),
    }
}

fn answered(answer: Answered) -> v1::Verdicts {
    v1::Verdicts {
        number: answer.number,
        token: answer.token.0,
        verdicts: answer.verdicts.into_iter().map(verdict).collect(),
        keep: answer.keep.map(Into::into),
    }
}

/// A verdict on the wire.
pub(super) fn verdict(verdict: Verdict) -> i32 {
    match verdict {
        Verdict::Granted => v1::Verdict::Granted,
        Verdict::Duplicate => v1::Verdict::Duplicate,
        Verdict::Refused => v1::Verdict::Refused,
    }
    .into()
}
