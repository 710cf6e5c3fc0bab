//! Lists of jobs, a part at a time: whoever has the core looks at some jobs and
//! answers others before it goes on, however many there are. No job is copied
//! but those that are wanted.

use super::State;
use super::job::Job;
use super::view::summary;
use platefarm_model::JobId;
use platefarm_model::job::JobView;
use platefarm_model::query::{Facts, JobQuery};

/// A list as far as it is made: each job as it was when it was looked at, newest first.
#[derive(Clone, Debug, PartialEq)]
pub struct Listed {
    /// Those of the part that is wanted.
    pub jobs: Vec<JobView>,
    /// How many there are in all.
    pub found: u64,
    /// Where it goes on: with what is older than this; none: it is whole.
    pub behind: Option<JobId>,
}

impl Listed {
    /// Nothing was looked at.
    #[must_use]
    pub const fn begin() -> Self {
        Self { jobs: Vec::new(), found: 0, behind: Some(JobId(u64::MAX)) }
    }
}

fn facts(job: &Job) -> Facts<'_> {
    let phase = job.phase();
    Facts {
        id: job.row.id,
        name: &job.row.name,
        show: &job.row.show,
        by: job.row.terms.submitted_by.as_deref().unwrap_or_default(),
        phase,
        held: job.row.terms.paused && !phase.is_settled(),
    }
}

impl State {
    /// Goes on with a list of the jobs that `query` holds of, of the shows that are seen; looks
    /// at no more than `most`.
    #[must_use]
    pub fn list(
        &self,
        query: &JobQuery,
        sees: impl Fn(&str) -> bool,
        mut listed: Listed,
        most: usize,
    ) -> Listed {
        let Some(behind) = listed.behind.take() else { return listed };
        let wanted = query.part();
        for (number, (id, job)) in self.jobs.range(..behind).rev().enumerate() {
            if number == most {
                listed.behind = Some(JobId(id.0 + 1));
                break;
            }
            if sees(&job.row.show) && query.holds(facts(job)) {
                if wanted.contains(&listed.found) {
                    listed.jobs.push(summary(job));
                }
                listed.found += 1;
            }
        }
        listed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::tests::noop;
    use crate::core::{Command, Policy};
    use platefarm_model::Timestamp;
    use std::cell::Cell;

    fn farm() -> State {
        let mut state = State::new(Policy::default(), Timestamp(1));
        for number in 0..9 {
            let mut job = noop(&format!("k{number}"), 2);
            job.name = format!("reel {}", number % 3);
            job.show = if number % 2 == 0 { "atlas" } else { "zeus" }.into();
            job.terms.submitted_by = (number % 3 == 0).then(|| "ann".into());
            state.step(Command::Submit(Box::new(job)), Timestamp(2)).reply.expect("it is taken");
        }
        state
    }

    /// In parts it is what it is at once, and no part looks at more than it may.
    #[test]
    fn a_list_is_made_in_parts() {
        let farm = farm();
        let views = farm.jobs(false);
        for query in [
            JobQuery::default(),
            JobQuery { find: "REEL 1".into(), ..JobQuery::default() },
            JobQuery { skip: 1, most: 2, ..JobQuery::default() },
            JobQuery { skip: 7, most: 5, ..JobQuery::default() },
            JobQuery { show: "zeus".into(), ..JobQuery::default() },
            JobQuery { by: "ann".into(), ..JobQuery::default() },
        ] {
            let mine = || views.iter().filter(|job| job.show == "atlas");
            for most in [1, 2, 4, 9, 100] {
                let mut listed = Listed::begin();
                while listed.behind.is_some() {
                    let looked = Cell::new(0);
                    let sees = |show: &str| {
                        looked.set(looked.get() + 1);
                        show == "atlas"
                    };
                    listed = farm.list(&query, sees, listed, most);
                    assert!(looked.get() <= most, "{} of {most}", looked.get());
                }
                let (picked, found) = query.pick(mine());
                let picked: Vec<_> = picked.into_iter().cloned().collect();
                assert_eq!((listed.jobs, listed.found), (picked, found), "{query:?} {most}");
            }
        }
    }
}
