//! Bare clients of the protocol: workers that do nothing to a frame, so that
//! the scheduler is what is measured. Each speaks one session; many sessions
//! share a connection when thousands of workers are imagined.

use super::{Result, say};
use platefarm_model::FrameRange;
use platefarm_model::job::{FrameOutcome, FrameResult, StageMillis};
use platefarm_proto::{WorkClient, v1};
use platefarm_worker::render::STAGES;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinSet;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Channel;

/// Streams on one connection: HTTP/2 servers allow 200 unless told otherwise.
const STREAMS: usize = 150;

/// Who works.
#[derive(Clone, Copy)]
pub(crate) struct Crew {
    pub(crate) workers: usize,
    pub(crate) slots: u32,
    /// Whether tasks are asked for ahead, one for each slot.
    pub(crate) ahead: bool,
    /// Whether a frame reports what a rendered frame does: names, hash, times.
    pub(crate) rendered: bool,
}

/// What the crew shares: the work that is left.
pub(crate) struct Work {
    left: AtomicU64,
    over: Notify,
}

impl Work {
    pub(crate) fn of(frames: u64) -> Arc<Self> {
        Arc::new(Self { left: AtomicU64::new(frames), over: Notify::new() })
    }

    /// More may be done than was wanted, by those who are under way at the end.
    fn did(&self, frames: u64) {
        let less = |left: u64| (frames > 0 && left > 0).then(|| left.saturating_sub(frames));
        let before = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
        if before.is_ok_and(|before| before <= frames) {
            self.over.notify_waiters();
        }
    }

    fn is_over(&self) -> bool {
        self.left.load(Ordering::Relaxed) == 0
    }
}

/// What one worker saw.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) leases: usize,
    /// Milliseconds from a free slot to its lease.
    pub(crate) waits: Vec<f64>,
    /// When the first lease came.
    pub(crate) first: Option<Instant>,
}

pub(crate) async fn channel(url: &str) -> Result<Channel> {
    Channel::from_shared(url.to_owned()).map_err(say)?.connect().await.map_err(say)
}

/// Registers everybody.
pub(crate) async fn enrol(url: &str, crew: Crew) -> Result<Vec<(WorkClient<Channel>, u64)>> {
    let mut enrolled = Vec::with_capacity(crew.workers);
    for first in (0..crew.workers).step_by(STREAMS) {
        let work = WorkClient::new(channel(url).await?);
        let mut asked = JoinSet::new();
        for number in first..crew.workers.min(first + STREAMS) {
            let mut work = work.clone();
            asked.spawn(async move {
                let request = v1::RegisterRequest {
                    name: format!("client-{number}"),
                    slots: crew.slots,
                    backend: "cpu".into(),
                    instance: format!("client-{number}"),
                    traits: None,
                };
                work.register(request).await.map(|said| said.into_inner().worker)
            });
        }
        for worker in asked.join_all().await {
            enrolled.push((work.clone(), worker.map_err(say)?));
        }
    }
    Ok(enrolled)
}

/// Everybody works until nothing is left.
pub(crate) async fn work(
    enrolled: Vec<(WorkClient<Channel>, u64)>,
    crew: Crew,
    work: &Arc<Work>,
) -> Result<Vec<Seen>> {
    let mut tasks = JoinSet::new();
    for (client, worker) in enrolled {
        tasks.spawn(session(client, worker, crew, Arc::clone(work)));
    }
    tasks.join_all().await.into_iter().collect()
}

async fn session(
    mut client: WorkClient<Channel>,
    worker: u64,
    crew: Crew,
    work: Arc<Work>,
) -> Result<Seen> {
    let (say_it, said) = mpsc::channel(64);
    let mut seen = 0;
    let ahead = if crew.ahead { crew.slots } else { 0 };
    let room = |seen| Some(v1::Room { seen, idle: crew.slots, ahead });
    let first = v1::SessionRequest { worker, room: room(0), ..Default::default() };
    say_it.send(first).await.map_err(say)?;
    let mut heard = client.session(ReceiverStream::new(said)).await.map_err(say)?.into_inner();
    let (mut all, mut asked, mut number) = (Seen::default(), Instant::now(), 0);
    loop {
        let over = work.over.notified();
        tokio::pin!(over);
        over.as_mut().enable();
        if work.is_over() {
            return Ok(all);
        }
        let message = tokio::select! {
            message = heard.message() => message.map_err(say)?.ok_or("the session ended")?,
            () = over => return Ok(all),
        };
        let granted = |v: &v1::Verdicts| {
            v.verdicts().filter(|verdict| *verdict == v1::Verdict::Granted).count() as u64
        };
        work.did(message.verdicts.iter().map(granted).sum());
        if message.leases.is_empty() {
            continue;
        }
        all.first.get_or_insert_with(Instant::now);
        all.waits.push(asked.elapsed().as_secs_f64() * 1000.0);
        all.leases += message.leases.len();
        seen += message.leases.len() as u64;
        let mut reports = Vec::with_capacity(message.leases.len());
        for lease in message.leases {
            number += 1;
            let range = lease.frames.ok_or("a lease without frames")?;
            let range = FrameRange::try_from(range).map_err(say)?;
            let frames = range.iter().map(|f| (&done(f, crew.rendered)).into()).collect();
            let (token, step) = (lease.token, lease.step);
            reports.push(v1::Report { number, token, frames, last: None, step });
        }
        asked = Instant::now();
        let message = v1::SessionRequest { room: room(seen), reports, ..Default::default() };
        say_it.send(message).await.map_err(say)?;
    }
}

/// What a frame reports.
fn done(frame: i64, rendered: bool) -> FrameOutcome {
    let stages: &[&str] = if rendered { STAGES } else { &[] };
    let text = |text: String| if rendered { text } else { String::new() };
    FrameOutcome::Done(Box::new(FrameResult {
        frame,
        staged: text(format!(
            "/shows/bench/pull_0001/plate/.platefarm/1234567/plate.{frame:04}.exr"
        )),
        published: text(format!("/shows/bench/pull_0001/plate/plate.{frame:04}.exr")),
        xxh128: text(format!(
            "{:032x}",
            u128::from(frame.unsigned_abs()) << 64 | 0x9e37_79b9_7f4a_7c15
        )),
        bytes: 9_000_000,
        backend: "cpu".into(),
        millis: stages.iter().map(|stage| ((*stage).to_owned(), 12.5)).collect::<StageMillis>(),
        non_finite: 0,
    }))
}
