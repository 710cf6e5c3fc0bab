//! Moves frames through read, process, encode, write and verify, which overlap across frames.
//! A frame is in flight only while it holds a permit, and there are as many
//! permits as memory allows; so a slow disk stops the readers and not the
//! machine. A stage that panics fails its frame and nothing else.

use super::processor::{Processor, Rendered};
use super::{Flight, header, is_the_machines, panicked_with};
use crate::leash::Leash;
use crossbeam_channel::{Receiver, Sender, bounded};
use platefarm_media::sink::exr;
use platefarm_media::{Clip, hash, publish};
use platefarm_model::job::{FrameOutcome, FrameResult, StageMillis};
use platefarm_model::raw::Frame;
use platefarm_model::recipe::{Framing, RenderSpec};
use platefarm_model::{Code, Fault, FrameRange, Outcome};
use platefarm_shaders::HalfImage;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Instant;

/// What the stages share.
pub(super) struct Stages<'a> {
    pub(super) spec: &'a RenderSpec,
    pub(super) clip: &'a dyn Clip,
    pub(super) framing: &'a Framing,
    pub(super) staging: &'a Path,
    /// Sees each frame before it is written.
    pub(super) show: &'a Show<'a>,
}

/// Sees frames that were rendered.
pub type Show<'a> = dyn Fn(i64, &HalfImage) + Sync + 'a;

/// A frame on its way, with the time it took so far.
struct InFlight<T> {
    frame: i64,
    millis: StageMillis,
    cargo: T,
}

/// The ends that a stage needs besides its input.
struct Ends<'a> {
    leash: &'a Leash,
    outcomes: Sender<FrameOutcome>,
    permits: Sender<()>,
}

impl Clone for Ends<'_> {
    fn clone(&self) -> Self {
        Self { leash: self.leash, outcomes: self.outcomes.clone(), permits: self.permits.clone() }
    }
}

impl Ends<'_> {
    /// The frame leaves the pipeline: its outcome is handed over, its permit is free.
    fn finish(&self, outcome: FrameOutcome) {
        if let FrameOutcome::Failed { fault, .. } = &outcome
            && is_the_machines(fault)
        {
            self.leash.stop();
        }
        let _ = self.outcomes.send(outcome);
        let _ = self.permits.try_send(());
    }

    /// The frame is no longer wanted.
    fn drop_frame(&self) {
        let _ = self.permits.try_send(());
    }

    /// Runs one stage of a frame, timed; a stage may come in several parts.
    /// `None`: the frame has left the pipeline.
    fn stage<T, U>(
        &self,
        name: &str,
        mut flight: InFlight<T>,
        work: impl FnOnce(T) -> Outcome<U>,
    ) -> Option<InFlight<U>> {
        let frame = flight.frame;
        if !self.leash.allows(frame) {
            self.drop_frame();
            return None;
        }
        let begun = Instant::now();
        let result = catch_unwind(AssertUnwindSafe(|| work(flight.cargo)))
            .unwrap_or_else(|panic| Err(panicked_with(panic.as_ref())));
        *flight.millis.entry(name.into()).or_default() += begun.elapsed().as_secs_f64() * 1000.0;
        match result {
            Ok(cargo) => Some(InFlight { frame, millis: flight.millis, cargo }),
            Err(fault) => {
                let fault = fault.within(format!("frame {frame}"));
                self.finish(FrameOutcome::Failed { frame, fault });
                None
            }
        }
    }
}

/// Runs `frames` through the pipeline and hands each outcome to `sink`, on this thread.
pub(super) fn run(
    stages: &Stages<'_>,
    processor: &mut Processor,
    frames: FrameRange,
    leash: &Leash,
    flight: Flight,
    sink: &mut dyn FnMut(FrameOutcome),
) {
    let in_flight = flight.frames.max(1);
    let (permit_tx, permit_rx) = bounded(in_flight);
    for _ in 0..in_flight {
        let _ = permit_tx.try_send(());
    }
    let (numbers_tx, numbers_rx) = bounded(0);
    let (raw_tx, raw_rx) = bounded(in_flight);
    let (image_tx, image_rx) = bounded(in_flight);
    let (spent_tx, spent_rx) = bounded(in_flight);
    let (outcome_tx, outcome_rx) = bounded(in_flight);
    let ends = Ends { leash, outcomes: outcome_tx, permits: permit_tx };

    // What a stage logs says whose it is, as what this thread logs does.
    let task = tracing::Span::current();

    thread::scope(|scope| {
        for _ in 0..flight.readers.max(1) {
            let (numbers, raw, ends) = (numbers_rx.clone(), raw_tx.clone(), ends.clone());
            let spent = spent_rx.clone();
            scope.spawn(move || read_all(stages, &ends, &numbers, &spent, &raw));
        }
        drop((numbers_rx, spent_rx, raw_tx));
        let process_ends = ends.clone();
        let named = task.clone();
        scope.spawn(move || {
            let _named = named.enter();
            process_all(processor, &process_ends, &raw_rx, &spent_tx, &image_tx);
        });
        for _ in 0..flight.writers.max(1) {
            let (images, ends, named) = (image_rx.clone(), ends.clone(), task.clone());
            scope.spawn(move || named.in_scope(|| write_all(stages, &ends, &images)));
        }
        drop((image_rx, ends));
        scope.spawn(move || {
            // Frames begin in order, each when there is room for one more.
            for frame in frames.iter() {
                if permit_rx.recv().is_err() || !leash.begin(frame) {
                    break;
                }
                if numbers_tx.send(frame).is_err() {
                    break;
                }
            }
        });
        for outcome in outcome_rx {
            sink(outcome);
        }
    });
}

/// Reads frames, each into a buffer that an earlier one has left where there is one: fresh memory
/// costs the kernel more than packed samples cost us.
fn read_all(
    stages: &Stages<'_>,
    ends: &Ends<'_>,
    numbers: &Receiver<i64>,
    spent: &Receiver<Vec<u8>>,
    raw: &Sender<InFlight<Frame>>,
) {
    for frame in numbers {
        let flight = InFlight { frame, millis: StageMillis::new(), cargo: () };
        let index = stages.spec.source_index(frame);
        let buffer = spent.try_recv().unwrap_or_default();
        let read = |()| stages.clip.read_with(index, buffer);
        if let Some(done) = ends.stage("read", flight, read) {
            let _ = raw.send(done);
        }
    }
}

/// Keeps as many frames under way as the processor has room for; waits for one
/// to come only while there is none to end.
fn process_all(
    processor: &mut Processor,
    ends: &Ends<'_>,
    raw: &Receiver<InFlight<Frame>>,
    spent: &Sender<Vec<u8>>,
    images: &Sender<InFlight<Rendered>>,
) {
    let mut begun = VecDeque::new();
    loop {
        while processor.has_room() {
            let next = if begun.is_empty() { raw.recv().ok() } else { raw.try_recv().ok() };
            let Some(flight) = next else { break };
            begun.extend(ends.stage("process", flight, |frame| processor.begin(frame)));
        }
        let Some(flight) = begun.pop_front() else { break };
        let mut ended = false;
        let done = ends.stage("process", flight, |()| {
            ended = true;
            processor.end()
        });
        if !ended {
            // Not wanted any more, but under way: its place is needed.
            let _ = processor.end();
        }
        while let Some(buffer) = processor.spent() {
            let _ = spent.try_send(buffer);
        }
        if let Some(done) = done {
            let _ = images.send(done);
        }
    }
}

fn write_all(stages: &Stages<'_>, ends: &Ends<'_>, images: &Receiver<InFlight<Rendered>>) {
    for flight in images {
        let frame = flight.frame;
        let non_finite = flight.cargo.image.non_finite;
        let backend = Arc::clone(&flight.cargo.backend);
        let encoded = ends.stage("encode", flight, |rendered| encode(stages, frame, &rendered));
        let Some(encoded) = encoded else { continue };
        let written = ends.stage("write", encoded, |bytes| write(stages, frame, &bytes));
        let Some(written) = written else { continue };
        let verified = ends.stage("verify", written, verify);
        let Some(InFlight { millis, cargo: result, .. }) = verified else { continue };
        let backend = backend.to_string();
        let result = FrameResult { millis, non_finite, backend, ..result };
        ends.finish(FrameOutcome::Done(Box::new(result)));
    }
}

fn encode(stages: &Stages<'_>, frame: i64, rendered: &Rendered) -> Outcome<Vec<u8>> {
    let Rendered { image, backend } = rendered;
    let header = header::plate_header(stages.spec, stages.clip, stages.framing, frame, backend);
    let [r, g, b] = &image.planes;
    let planes =
        exr::Planes { width: image.width, height: image.height, rgb: [r, g, b], alpha: None };
    let encoded = exr::encode(planes, &header, stages.spec.compression)?;
    (stages.show)(frame, image);
    Ok(encoded)
}

/// Writes and flushes the staged file; the hash is of the bytes in memory, so
/// that whoever reads the file back compares it with what was meant.
pub(super) fn write(stages: &Stages<'_>, frame: i64, bytes: &[u8]) -> Outcome<FrameResult> {
    let name = stages.spec.naming.file_name(frame);
    let staged = stages.staging.join(&name);
    publish::write_flushed(&staged, bytes)?;
    Ok(FrameResult {
        frame,
        staged: path_text(&staged)?,
        published: path_text(&Path::new(&stages.spec.out_dir).join(&name))?,
        xxh128: hash::xxh128(bytes),
        bytes: bytes.len() as u64,
        backend: String::new(),
        millis: StageMillis::new(),
        non_finite: 0,
    })
}

/// Nothing is reported that is not on the volume as it was meant.
pub(super) fn verify(result: FrameResult) -> Outcome<FrameResult> {
    publish::verify(Path::new(&result.staged), result.bytes, &result.xxh128)?;
    Ok(result)
}

/// Paths travel as text; one that is not text cannot be reported truthfully.
fn path_text(path: &Path) -> Outcome<String> {
    path.to_str().map(str::to_owned).ok_or_else(|| {
        Fault::new(Code::BadConfig, format!("the path '{}' is not UTF-8", path.display()))
    })
}
