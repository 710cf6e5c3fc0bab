//! Who hears what was stored without having asked: the scheduler's own log, a
//! line for each thing that an operator looks for there, and the metrics.

use crate::core::Changes;
use crate::web::Metrics;
use platefarm_model::StepId;
use platefarm_model::event::{Event, EventKind};
use platefarm_model::job::FrameOutcome;
use std::sync::Arc;

/// Who hears it.
#[derive(Default)]
pub(super) struct Ear {
    metrics: Option<Arc<Metrics>>,
}

impl Ear {
    pub(super) fn count_in(&mut self, metrics: Arc<Metrics>) {
        self.metrics = Some(metrics);
    }

    /// Hears what one turn stored.
    pub(super) fn hear(&self, news: &[Event], changes: &Changes) {
        news.iter().for_each(write_down);
        let Some(metrics) = &self.metrics else { return };
        for row in &changes.frames {
            if let FrameOutcome::Done(result) = &row.outcome {
                metrics.accepted(result);
            }
        }
    }
}

/// Whether it is a line of the log: what becomes of jobs and workers, not of single frames that are done.
pub(super) const fn is_told(kind: EventKind) -> bool {
    matches!(
        kind,
        EventKind::JobSubmitted
            | EventKind::JobDone
            | EventKind::JobFailed
            | EventKind::JobCancelled
            | EventKind::FramesFailed
            | EventKind::WorkerJoined
            | EventKind::WorkerLost
            | EventKind::WorkerBack
            | EventKind::WorkerLeft
    )
}

/// In words.
const fn words(kind: EventKind) -> &'static str {
    match kind {
        EventKind::JobSubmitted => "a job was handed in",
        EventKind::JobDone => "a job is done",
        EventKind::JobFailed => "a job ended, and frames of it were given up",
        EventKind::JobCancelled => "a job was cancelled",
        EventKind::FramesFailed => "frames were given up",
        EventKind::WorkerJoined => "a worker joined",
        EventKind::WorkerLost => "a worker was not heard for too long and is lost",
        EventKind::WorkerBack => "a worker that was lost is heard again",
        EventKind::WorkerLeft => "a worker left",
        _ => "something happened",
    }
}

/// One line, with what is known of it as fields; what is not known has none.
fn write_down(event: &Event) {
    let step = event.job.zip(event.step).map(|(job, index)| StepId { job, index });
    let frames = Some(&event.frames).filter(|frames| !frames.is_empty());
    tracing::info!(
        event = event.kind.word(),
        job = event.job.map(tracing::field::display),
        step = step.map(tracing::field::display),
        worker = event.worker.map(tracing::field::display),
        name = Some(event.name.as_str()).filter(|name| !name.is_empty()),
        show = Some(event.show.as_str()).filter(|show| !show.is_empty()),
        frames = frames.map(tracing::field::display),
        total = event.sums.as_ref().map(|sums| sums.total),
        done = event.sums.as_ref().map(|sums| sums.done),
        failed = event.sums.as_ref().map(|sums| sums.failed),
        fault = event.fault.as_ref().map(tracing::field::display),
        "{}",
        words(event.kind)
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use platefarm_model::event::Sums;
    use platefarm_model::{Code, Fault, FrameRange, JobId, WorkerId};
    use std::io::Write;
    use std::sync::{Mutex, PoisonError};
    use tracing_subscriber::fmt::MakeWriter;

    #[derive(Clone, Default)]
    struct Page(Arc<Mutex<Vec<u8>>>);

    impl Write for Page {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    impl MakeWriter<'_> for Page {
        type Writer = Self;

        fn make_writer(&self) -> Self {
            self.clone()
        }
    }

    fn line(event: &Event) -> String {
        let page = Page::default();
        let log = tracing_subscriber::fmt().with_writer(page.clone()).with_ansi(false).finish();
        let told = std::slice::from_ref(event);
        let hear = || Ear::default().hear(told, &Changes::default());
        tracing::subscriber::with_default(log, hear);
        let bytes = page.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_line_of_the_log_says_what_and_of_which_job_step_and_worker() {
        let job = Event {
            job: Some(JobId(12)),
            name: "pull".into(),
            show: "atlas".into(),
            sums: Some(Sums { total: 20, done: 19, failed: 1 }),
            ..Event::new(EventKind::JobFailed)
        };
        let text = line(&job);
        for field in ["INFO", "job=j12", "show=\"atlas\"", "failed=1", "a job ended"] {
            assert!(text.contains(field), "no {field}: {text}");
        }
        assert!(!text.contains("worker=") && !text.contains("step="), "{text}");
        let frames = Event {
            job: Some(JobId(12)),
            step: Some(3),
            frames: FrameRange::single(1007).into(),
            fault: Some(Fault::new(Code::TruncatedFile, "12 bytes short")),
            ..Event::new(EventKind::FramesFailed)
        };
        let text = line(&frames);
        for field in
            ["job=j12 ", "step=j12.3", "frames=1007", "12 bytes short", "frames were given up"]
        {
            assert!(text.contains(field), "no {field}: {text}");
        }
        let lost = Event { worker: Some(WorkerId(4)), ..Event::new(EventKind::WorkerLost) };
        assert!(line(&lost).contains("worker=w4"), "{}", line(&lost));
        assert!(!is_told(EventKind::FramesDone), "a farm at full speed writes no line a frame");
    }
}
