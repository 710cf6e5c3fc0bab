//! Ids, as people type them and as the core counts them.

use crate::{Code, Fault};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub u64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "{}"), self.0)
            }
        }

        impl FromStr for $name {
            type Err = Fault;

            fn from_str(text: &str) -> Result<Self, Fault> {
                text.strip_prefix($prefix).unwrap_or(text).parse().map(Self).map_err(|_| {
                    Fault::new(Code::BadId, format!("'{text}' is not an id")).remedy(concat!("Write it as ", $prefix, "12."))
                })
            }
        }
    };
}

id!(
    /// A submission: `j12`.
    JobId, "j"
);
id!(
    /// A worker process for as long as it is registered: `w4`.
    WorkerId, "w"
);
id!(
    /// The fencing token of a lease. It only grows, over the whole farm, so a
    /// later lease always has the larger token: `t77`.
    LeaseToken, "t"
);

/// One step of a job: `j12.3`. Steps count from 0 in the order of the submission.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct StepId {
    /// The job.
    pub job: JobId,
    /// Position in the job, from 0.
    pub index: u32,
}

impl fmt::Display for StepId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.job, self.index)
    }
}

impl FromStr for StepId {
    type Err = Fault;

    fn from_str(text: &str) -> Result<Self, Fault> {
        let bad = || {
            Fault::new(Code::BadId, format!("'{text}' is not a step id"))
                .remedy("Write it as j12.3.")
        };
        let (job, index) = text.split_once('.').ok_or_else(bad)?;
        Ok(Self { job: job.parse()?, index: index.parse().map_err(|_| bad())? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_read_what_they_print() {
        let step = StepId { job: JobId(12), index: 3 };
        assert_eq!(step.to_string(), "j12.3");
        assert_eq!("j12.3".parse::<StepId>().unwrap(), step);
        assert_eq!("12".parse::<JobId>().unwrap(), JobId(12));
        assert_eq!("jx".parse::<JobId>().unwrap_err().code, Code::BadId);
    }
}
