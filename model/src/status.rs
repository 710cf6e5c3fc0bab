//! The farm itself, as operators see it: who leads, what was counted, and
//! whether the books agree.

use crate::Timestamp;
use crate::farm::WorkerClass;
use crate::job::WorkerView;
use serde::{Deserialize, Serialize};

/// A scheduler and its farm.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FarmStatus {
    /// Whether the scheduler that was asked leads.
    pub leads: bool,
    /// Where the one is reached that leads; none: not known.
    pub leader: Option<String>,
    /// What was counted since it leads; all zero where it follows.
    pub counts: Counts,
    /// What its auditor found since then.
    pub audit: Audit,
    /// When the certificate of the scheduler that was asked ends; none: it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate_until: Option<Timestamp>,
    /// What is to be done, and who does it; none where another scheduler leads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub load: Option<Load>,
}

/// What is to be done on a farm, and who does it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Load {
    /// Jobs of which something runs or is done, and something is left.
    pub jobs_running: u64,
    /// Jobs of which nothing has begun.
    pub jobs_waiting: u64,
    /// Frames of both that are neither done nor given up.
    pub frames_left: u64,
    /// Frames that were accepted in the last minute; none: not known yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frames_a_minute: Option<u64>,
    /// Workers, by what they compute with.
    pub classes: Vec<ClassLoad>,
}

/// Workers of one class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClassLoad {
    /// The class.
    pub class: WorkerClass,
    /// Those that are alive.
    pub workers: u64,
    /// Tasks that can be worked at.
    pub slots: u64,
    /// Tasks that are.
    pub at_work: u64,
}

impl Load {
    /// Counts a worker.
    pub fn worker(&mut self, worker: &WorkerView) {
        let class = WorkerClass::of_backend(&worker.backend);
        let at = self.classes.iter().position(|of| of.class >= class).unwrap_or(self.classes.len());
        if self.classes.get(at).is_none_or(|of| of.class != class) {
            self.classes.insert(at, ClassLoad { class, workers: 0, slots: 0, at_work: 0 });
        }
        let of = &mut self.classes[at];
        of.workers += u64::from(worker.state == "alive");
        of.slots += worker.slots_there();
        of.at_work += worker.at_work() as u64;
    }
}

/// What was counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Leases granted.
    pub leases: u64,
    /// Frames accepted.
    pub granted: u64,
    /// Reports repeated by the holder of the frame.
    pub duplicates: u64,
    /// Reports refused: the token was stale or the frame not in the lease.
    pub refused: u64,
    /// Leases that ended with their worker.
    pub lost: u64,
    /// Leases that ended because nobody renewed them.
    pub expired: u64,
}

/// What the auditor found, which holds the scheduler's memory against its store while it runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Audit {
    /// Looks that it took.
    pub looks: u64,
    /// Jobs that it looked at, each time counted.
    pub jobs: u64,
    /// Looks in which memory and store, or sums and parts, did not agree.
    pub broken: u64,
    /// The first disagreement, in words.
    pub first: Option<String>,
    /// Limits, ceilings and caps that people set below what runs, in words: nothing
    /// is taken from those that run, and nothing more is begun until they hold.
    pub lowered: Vec<String>,
}
