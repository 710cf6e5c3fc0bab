//! The farm itself, as operators see it: who leads, what was counted, and
//! whether the books agree.

use crate::Timestamp;
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
