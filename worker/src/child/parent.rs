//! The slot's end: starts the process, hands it tasks, watches its progress
//! and its memory, and judges what became of a frame when it is gone.

use super::message::{Order, Setup, Word, receive, send};
use crate::kinds::StepFrames;
use crate::leash::{Leash, Pulse, Wish};
use crate::still::Still;
use platefarm_model::job::{FrameOutcome, Lease};
use platefarm_model::recipe::Backend;
use platefarm_model::{Code, Fault, FrameRange, FrameSet, JobId, Outcome};
use std::ffi::OsString;
use std::path::PathBuf;
use std::pin::Pin;
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::process::{ChildStdin, Command};
use tokio::sync::mpsc;

/// Asks the farm for the results of a job, on behalf of a task.
pub type Asking =
    dyn Fn(JobId) -> Pin<Box<dyn Future<Output = Outcome<Vec<StepFrames>>> + Send>> + Send + Sync;

/// What to start: this program, with the hidden verb.
#[derive(Clone, Debug)]
pub struct Program {
    /// The program.
    pub path: PathBuf,
    /// Its arguments.
    pub args: Vec<OsString>,
}

/// What a process may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Resident memory, in bytes; 0: no limit.
    pub memory_bytes: u64,
    /// Time without progress.
    pub stuck: Duration,
}

/// How long a process may take to open its GPU and its decoders.
const START: Duration = Duration::from_secs(60);
/// How long a process that was stopped may take to let go of the frame in hand.
const GRACE: Duration = Duration::from_secs(3);
/// How often to look at memory and progress.
const LOOK: Duration = Duration::from_millis(250);
/// Most frames that a process has in hand at a time: so many are done one by
/// one after it was gone.
const SUSPECTS: u64 = 16;

/// The process of one slot, made when it is first needed.
pub struct Child {
    program: Program,
    setup: Setup,
    limits: Limits,
    process: Option<Process>,
    show: Arc<Showing>,
}

/// Shows pictures on.
type Showing = dyn Fn(Still) + Send + Sync;

struct Process {
    /// Its id, and that of its group: decoders that it started are in it.
    id: u32,
    child: tokio::process::Child,
    orders: ChildStdin,
    words: mpsc::Receiver<Word>,
}

/// How a part of a task ended.
enum End {
    /// In order; or with what kept it from running.
    Over(Option<Fault>),
    /// The process is gone, and what a frame is told of it.
    Gone(Fault),
}

impl Child {
    /// A process for one slot, not started yet.
    #[must_use]
    pub fn new(
        program: Program,
        limits: Limits,
        backend: Backend,
        roots: Vec<PathBuf>,
        cores: usize,
        budget_bytes: u64,
    ) -> Self {
        let setup = Setup { backend, roots, cores, budget_bytes };
        Self { program, setup, limits, process: None, show: Arc::new(drop) }
    }

    /// The same; pictures of frames are shown to `show`.
    #[must_use]
    pub fn showing(self, show: impl Fn(Still) + Send + Sync + 'static) -> Self {
        Self { show: Arc::new(show), ..self }
    }

    /// Does the frames of a lease, as far as the leash allows. A frame that
    /// takes the process down again when it is alone in hand has failed.
    ///
    /// # Errors
    /// When no process can be started; the first frame was told so.
    pub async fn run(
        &mut self,
        lease: &Lease,
        leash: &Leash,
        ledger: &Asking,
        mut sink: impl FnMut(FrameOutcome),
    ) -> Outcome<()> {
        let mut left = FrameSet::from(lease.frames);
        // Frames up to this one are done one at a time.
        let mut alone_until = i64::MIN;
        while let Some(range) = left.ranges().first().copied() {
            let alone = range.first() <= alone_until;
            let last = if alone { range.last().min(alone_until) } else { range.last() };
            // What is no longer wanted is not even handed over.
            let Some(last) = leash.last().map(|allowed| allowed.min(last)) else { return Ok(()) };
            if last < range.first() {
                return Ok(());
            }
            let frames = FrameRange::of_len(range.first(), last.abs_diff(range.first()) + 1);
            let part = Lease { frames, ..lease.clone() };
            let mut note = |outcome: FrameOutcome| {
                left.remove(FrameRange::single(outcome.frame()));
                sink(outcome);
            };
            match self.part(&part, alone, leash, ledger, &mut note).await {
                Ok(End::Over(fault)) => {
                    let undone = frames.iter().any(|frame| left.contains(frame));
                    if fault.is_some() || undone {
                        return Ok(());
                    }
                }
                Ok(End::Gone(fault)) => {
                    let Some(first) = left.first().filter(|first| frames.contains(*first)) else {
                        continue;
                    };
                    tracing::error!(token = %lease.token, first, alone, %fault, "a render process is gone");
                    if alone || frames.len() == 1 {
                        left.remove(FrameRange::single(first));
                        sink(FrameOutcome::Failed { frame: first, fault });
                    }
                    alone_until = first.saturating_add(SUSPECTS as i64);
                }
                // It cannot even start: that is the machine's fault, and said once.
                Err(fault) => {
                    let said = FrameOutcome::Failed { frame: frames.first(), fault: fault.clone() };
                    sink(said);
                    return Err(fault);
                }
            }
        }
        Ok(())
    }

    async fn part(
        &mut self,
        part: &Lease,
        alone: bool,
        leash: &Leash,
        ledger: &Asking,
        sink: &mut impl FnMut(FrameOutcome),
    ) -> Outcome<End> {
        if leash.is_stopped() {
            return Ok(End::Over(None));
        }
        let (limits, show) = (self.limits, Arc::clone(&self.show));
        let process = self.process().await?;
        // From here on it may have begun, and how far it goes it says itself.
        let whole = part.frames.last();
        leash.told(whole, Pulse { last: Some(whole), in_hand: None, progress: 0, making: None });
        if leash.last().is_none_or(|allowed| allowed < part.frames.first()) {
            return Ok(End::Over(None));
        }
        let order = Order::Run { lease: Box::new(part.clone()), alone };
        if send(&mut process.orders, &order).await.is_err() {
            return Ok(self.gone(Code::ProcessDied, String::new()).await);
        }
        let mut stop_by: Option<Instant> = None;
        let mut moved = (0, Instant::now());
        let mut look = tokio::time::interval(LOOK);
        let mut tell = leash.wish(part.frames.last());
        loop {
            if let Some(wish) = tell.take() {
                if wish == Wish::Stop {
                    stop_by.get_or_insert_with(|| Instant::now() + GRACE);
                }
                // One that is gone is noticed below.
                let _ = send(&mut process.orders, &Order::Leash(part.token, wish)).await;
            }
            tokio::select! {
                word = process.words.recv() => match word {
                    Some(Word::Outcome(outcome)) => {
                        moved.1 = Instant::now();
                        sink(outcome);
                    }
                    Some(Word::Pulse(pulse)) => {
                        if pulse.progress != moved.0 {
                            moved = (pulse.progress, Instant::now());
                        }
                        leash.told(part.frames.last(), pulse);
                    }
                    Some(Word::Still(still)) => show(still),
                    Some(Word::Ledger(job)) => {
                        let answer = Order::Frames(ledger(job).await);
                        let _ = send(&mut process.orders, &answer).await;
                        moved.1 = Instant::now();
                    }
                    Some(Word::Ended(fault)) => return Ok(End::Over(fault)),
                    Some(Word::Ready(_)) => {}
                    None => return Ok(self.gone(Code::ProcessDied, String::new()).await),
                },
                () = leash.shortened() => tell = leash.wish(part.frames.last()),
                _ = look.tick() => {
                    if stop_by.is_some_and(|by| Instant::now() >= by) {
                        tracing::warn!(token = %part.token, "a render process does not stop; it is ended");
                        self.end().await;
                        return Ok(End::Over(None));
                    }
                    let still = moved.1.elapsed();
                    if still >= limits.stuck {
                        let said = format!("no progress for {} s", still.as_secs());
                        return Ok(self.gone(Code::FrameStuck, said).await);
                    }
                    if let Some(bytes) = process.memory_over(limits.memory_bytes) {
                        let said = format!(
                            "the render process held {} MiB, and a slot may take {} MiB",
                            bytes >> 20,
                            limits.memory_bytes >> 20
                        );
                        return Ok(self.gone(Code::MemoryExceeded, said).await);
                    }
                }
            }
        }
    }

    /// Ends what is left of the process, and says what happened to it.
    async fn gone(&mut self, code: Code, said: String) -> End {
        let status = self.end().await;
        let message = match status {
            _ if !said.is_empty() => said,
            Some(status) => format!("the render process ended with {status}"),
            None => "the render process is gone".into(),
        };
        End::Gone(Fault::new(code, message))
    }

    async fn end(&mut self) -> Option<std::process::ExitStatus> {
        let mut process = self.process.take()?;
        // One that has ended by itself keeps its own status.
        if let Ok(status) = tokio::time::timeout(LOOK, process.child.wait()).await {
            return status.ok();
        }
        let _ = process.child.start_kill();
        process.child.wait().await.ok()
    }

    /// The process that is there, or a new one that is ready.
    async fn process(&mut self) -> Outcome<&mut Process> {
        let alive = |process: &mut Process| matches!(process.child.try_wait(), Ok(None));
        if !self.process.as_mut().is_some_and(alive) {
            self.process = None;
            let mut process = Process::start(&self.program, &self.setup).await?;
            let ready = tokio::time::timeout(START, process.words.recv()).await;
            match ready {
                Ok(Some(Word::Ready(None))) => {}
                Ok(Some(Word::Ready(Some(fault)))) => return Err(fault),
                _ => {
                    let message = "a render process does not come up";
                    return Err(Fault::new(Code::ProcessDied, message).at(self
                        .program
                        .path
                        .display()
                        .to_string()));
                }
            }
            self.process = Some(process);
        }
        self.process
            .as_mut()
            .ok_or_else(|| Fault::new(Code::Internal, "the render process is gone at once"))
    }
}

impl Process {
    async fn start(program: &Program, setup: &Setup) -> Outcome<Self> {
        let cannot = |e: &std::io::Error| {
            Fault::new(Code::ProcessDied, "cannot start a render process")
                .at(program.path.display().to_string())
                .because(e)
        };
        let mut command = Command::new(&program.path);
        command
            .args(&program.args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            // Ctrl-C is the agent's to answer: the frame in hand is finished.
            .process_group(0)
            // It reads foreign files, and asks the farm nothing.
            .env_remove("PLATEFARM_TOKEN")
            .env_remove("PLATEFARM_TOKEN_FILE");
        let mut child = command.spawn().map_err(|e| cannot(&e))?;
        let id = child.id().unwrap_or_default();
        let (Some(mut orders), Some(mut output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(Fault::new(Code::Internal, "a render process without pipes"));
        };
        send(&mut orders, &Order::Setup(setup.clone())).await.map_err(|e| cannot(&e))?;
        let (heard, words) = mpsc::channel(64);
        tokio::spawn(async move {
            // What it says last is heard before its end is.
            while let Ok(Some(word)) = receive(&mut output).await {
                if heard.send(word).await.is_err() {
                    break;
                }
            }
        });
        Ok(Self { id, child, orders, words })
    }

    /// The resident memory of it and what it started, where that is over the limit.
    fn memory_over(&self, limit: u64) -> Option<u64> {
        let id = self.child.id().filter(|_| limit > 0)?;
        crate::probe::memory_of(id).filter(|bytes| *bytes > limit)
    }
}

/// What it started goes with it: a decoder that hangs would hold its memory for ever.
impl Drop for Process {
    fn drop(&mut self) {
        let group = i32::try_from(self.id).ok().and_then(rustix::process::Pid::from_raw);
        if let Some(group) = group {
            // Most of the time nobody is left in it.
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
    }
}
