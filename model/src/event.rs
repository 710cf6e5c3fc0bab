//! What happened on the farm, one line each, in the order in which it was
//! stored. An event is written in the transaction of the change that it tells
//! of, so the log holds every change that was acknowledged and no other.

use crate::farm::words;
use crate::{Code, Fault, FrameSet, JobId, Outcome, Timestamp, WorkerId};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// What an event tells of. A word is never given another meaning; new ones may come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EventKind {
    /// A job was handed in.
    JobSubmitted,
    /// A person changed a job or step: paused, resumed, its priority, what it waits for.
    JobChanged,
    /// Every frame of a job is done.
    JobDone,
    /// A job has ended, and frames of it were given up.
    JobFailed,
    /// A person ended a job.
    JobCancelled,
    /// Nothing is kept of a job any more.
    JobForgotten,
    /// Frames of a step are done; those of one transaction are one event.
    FramesDone,
    /// Frames of a step were given up.
    FramesFailed,
    /// Frames that had been given up are tried again.
    FramesRetried,
    /// A worker registered.
    WorkerJoined,
    /// A worker was not heard for too long; what it had goes to others.
    WorkerLost,
    /// A worker that was lost is heard again.
    WorkerBack,
    /// A worker said good-bye, or is not waited for any more.
    WorkerLeft,
    /// A node was drained, quarantined, labelled, or put to work again.
    NodeChanged,
    /// A pool, a limit or a share was set up or taken away.
    FarmChanged,
    /// Another scheduler leads from here on.
    FarmLed,
}
words!(EventKind, "kind of event",
    JobSubmitted "job.submitted", JobChanged "job.changed", JobDone "job.done",
    JobFailed "job.failed", JobCancelled "job.cancelled", JobForgotten "job.forgotten",
    FramesDone "frames.done", FramesFailed "frames.failed", FramesRetried "frames.retried",
    WorkerJoined "worker.joined", WorkerLost "worker.lost", WorkerBack "worker.back",
    WorkerLeft "worker.left", NodeChanged "node.changed", FarmChanged "farm.changed",
    FarmLed "farm.led");

impl EventKind {
    /// Whether nothing of the job will change by itself any more.
    #[must_use]
    pub const fn is_end(self) -> bool {
        matches!(self, Self::JobDone | Self::JobFailed | Self::JobCancelled)
    }
}

impl Serialize for EventKind {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.word())
    }
}

impl<'de> Deserialize<'de> for EventKind {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// One event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Its place in the log: larger than that of any earlier one. What comes
    /// after it is asked for by this number.
    #[serde(default, skip_serializing_if = "is_default")]
    pub cursor: u64,
    /// When it was decided.
    #[serde(default = "never", skip_serializing_if = "is_never")]
    pub at: Timestamp,
    /// What it tells of.
    pub kind: EventKind,
    /// The show of the job; empty: it is about the farm.
    #[serde(default, skip_serializing_if = "is_default")]
    pub show: String,
    /// The job.
    #[serde(default, skip_serializing_if = "is_default")]
    pub job: Option<JobId>,
    /// The step, by its position.
    #[serde(default, skip_serializing_if = "is_default")]
    pub step: Option<u32>,
    /// The worker.
    #[serde(default, skip_serializing_if = "is_default")]
    pub worker: Option<WorkerId>,
    /// Name of the job, worker, node or setting.
    #[serde(default, skip_serializing_if = "is_default")]
    pub name: String,
    /// Frames that it is about.
    #[serde(default, skip_serializing_if = "is_default")]
    pub frames: FrameSet,
    /// Of a job that was handed in or ended: all its frames, those that are done, those that were given up.
    #[serde(default, skip_serializing_if = "is_default")]
    pub sums: Option<Sums>,
    /// What was changed, in words.
    #[serde(default, skip_serializing_if = "is_default")]
    pub detail: String,
    /// Why frames were given up.
    #[serde(default, skip_serializing_if = "is_default")]
    pub fault: Option<Fault>,
}

/// Frames of a job.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sums {
    /// All of them.
    pub total: u64,
    /// Those that are done.
    pub done: u64,
    /// Those that were given up.
    pub failed: u64,
}

const fn never() -> Timestamp {
    Timestamp(0)
}

fn is_never(at: &Timestamp) -> bool {
    *at == never()
}

impl Event {
    /// An event of the farm's, with nothing but its kind.
    #[must_use]
    pub fn new(kind: EventKind) -> Self {
        Self {
            cursor: 0,
            at: never(),
            kind,
            show: String::new(),
            job: None,
            step: None,
            worker: None,
            name: String::new(),
            frames: FrameSet::new(),
            sums: None,
            detail: String::new(),
            fault: None,
        }
    }
}

/// Which events are wanted: those that fit every part that says something.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct EventFilter {
    /// Of one of these jobs.
    pub jobs: Vec<JobId>,
    /// Of one of these shows.
    pub shows: Vec<String>,
    /// Of one of these kinds; a word before the dot (`job`) stands for all of its kinds.
    pub kinds: Vec<String>,
}

impl EventFilter {
    /// Whether `event` is wanted.
    #[must_use]
    pub fn holds(&self, event: &Event) -> bool {
        let word = event.kind.word();
        let family = word.split('.').next().unwrap_or_default();
        (self.jobs.is_empty() || event.job.is_some_and(|job| self.jobs.contains(&job)))
            && (self.shows.is_empty() || self.shows.contains(&event.show))
            && (self.kinds.is_empty() || self.kinds.iter().any(|k| k == word || k == family))
    }

    /// Refuses words that stand for no kind.
    ///
    /// # Errors
    /// [`Code::UnknownOption`].
    pub fn check(&self) -> Outcome<()> {
        let family = |k: &EventKind| k.word().split('.').next().unwrap_or_default();
        let known =
            |word: &str| EventKind::ALL.iter().any(|k| k.word() == word || family(k) == word);
        match self.kinds.iter().find(|word| !known(word)) {
            None => Ok(()),
            Some(word) => word.parse::<EventKind>().map(drop).map_err(|fault| fault.at("kinds")),
        }
    }
}

/// An address that events are sent to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hook {
    /// Its name.
    pub id: String,
    /// Where it is.
    pub url: String,
    /// What is sent.
    pub filter: EventFilter,
    /// Since when.
    pub created: Timestamp,
    /// Who set it up.
    pub created_by: String,
    /// Everything up to here was delivered, or was not wanted.
    pub cursor: u64,
    /// Tries in a row that failed.
    pub failures: u32,
    /// What the last of them said; empty: all is well.
    pub trouble: String,
    /// When it is tried again.
    pub next_try: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_holds_what_fits_all_of_it() {
        let event =
            Event { show: "atlas".into(), job: Some(JobId(3)), ..Event::new(EventKind::JobDone) };
        let all = EventFilter::default();
        assert!(all.holds(&event) && all.holds(&Event::new(EventKind::WorkerLost)));
        let some = EventFilter { kinds: vec!["job".into()], ..all.clone() };
        assert!(some.holds(&event) && !some.holds(&Event::new(EventKind::WorkerLost)));
        let exact = EventFilter { kinds: vec!["job.failed".into()], ..all.clone() };
        assert!(!exact.holds(&event));
        let other = EventFilter { shows: vec!["zeus".into()], ..some };
        assert!(!other.holds(&event));
        let bad = EventFilter { kinds: vec!["jobs".into()], ..all };
        assert_eq!(bad.check().unwrap_err().code, Code::UnknownOption);
    }

    #[test]
    fn an_event_is_written_without_what_it_does_not_say() {
        let event = Event { name: "node".into(), ..Event::new(EventKind::WorkerLeft) };
        let text = serde_json::to_string(&event).unwrap();
        assert_eq!(text, r#"{"kind":"worker.left","name":"node"}"#);
        assert_eq!(serde_json::from_str::<Event>(&text).unwrap(), event);
    }
}
