//! Which jobs are looked for, and which part of a long list is wanted.

use crate::JobId;
use crate::job::{JobView, Phase};
use std::ops::Range;

/// Which jobs. All of it must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JobQuery {
    /// Only of this show; empty: of any.
    pub show: String,
    /// Part of an id, a name, a show or who handed it in, whatever the case; empty: any.
    pub find: String,
    /// Only of whom has this name; empty: of anybody.
    pub by: String,
    /// In one of these phases; none: in any, unless those that are paused are meant.
    pub phases: Vec<Phase>,
    /// Those that a person holds, beside those of the phases.
    pub paused: bool,
    /// Only those that still have something to do.
    pub unsettled_only: bool,
    /// How many of the newest are passed over.
    pub skip: u32,
    /// Most of them; 0: all.
    pub most: u32,
}

/// What is asked of a job.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'j> {
    /// Its id.
    pub id: JobId,
    /// Its name.
    pub name: &'j str,
    /// Its show.
    pub show: &'j str,
    /// Who handed it in; empty: nobody knows.
    pub by: &'j str,
    /// Its phase.
    pub phase: Phase,
    /// Whether a person holds it, and it has something to do.
    pub held: bool,
}

impl<'j> From<&'j JobView> for Facts<'j> {
    fn from(job: &'j JobView) -> Self {
        let JobView { id, phase, .. } = *job;
        let by = job.terms.submitted_by.as_deref().unwrap_or_default();
        Self { id, name: &job.name, show: &job.show, by, phase, held: job.is_held() }
    }
}

impl JobQuery {
    /// Jobs that still have something to do, or all.
    #[must_use]
    pub fn unsettled(unsettled_only: bool) -> Self {
        Self { unsettled_only, ..Self::default() }
    }

    /// Whether a job is one of those.
    #[must_use]
    pub fn holds<'j>(&self, job: impl Into<Facts<'j>>) -> bool {
        let job = job.into();
        let find = self.find.trim().to_lowercase();
        let said = || format!("{} {} {} {}", job.id, job.name, job.show, job.by).to_lowercase();
        let any = self.phases.is_empty() && !self.paused;
        let held = self.paused && job.held;
        (self.show.is_empty() || self.show == job.show)
            && (self.by.is_empty() || self.by == job.by)
            && (any || held || self.phases.contains(&job.phase))
            && !(self.unsettled_only && job.phase.is_settled())
            && (find.is_empty() || said().contains(&find))
    }

    /// Which of those that hold are wanted, counted from the newest.
    #[must_use]
    pub fn part(&self) -> Range<u64> {
        let first = u64::from(self.skip);
        first..if self.most == 0 { u64::MAX } else { first + u64::from(self.most) }
    }

    /// The part of those that hold which is wanted, newest first, and how many hold.
    #[must_use]
    pub fn pick<'j>(&self, jobs: impl IntoIterator<Item = &'j JobView>) -> (Vec<&'j JobView>, u64) {
        let mut held: Vec<&JobView> = jobs.into_iter().filter(|job| self.holds(*job)).collect();
        held.sort_by_key(|job| std::cmp::Reverse(job.id));
        let (found, part) = (held.len() as u64, self.part());
        let wanted = (0..).zip(held).filter(|(place, _)| part.contains(place));
        (wanted.map(|(_, job)| job).collect(), found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{JobId, Timestamp};

    fn job(id: u64, name: &str, show: &str, phase: Phase) -> JobView {
        JobView {
            id: JobId(id),
            name: name.into(),
            show: show.into(),
            priority: 0,
            terms: Default::default(),
            phase,
            submitted: Timestamp(id as i64),
            finished: None,
            frames_total: 0,
            frames_done: 0,
            frames_failed: 0,
            steps: Vec::new(),
        }
    }

    #[test]
    fn jobs_are_found_by_what_they_are_and_come_newest_first() {
        let jobs = [
            job(1, "Reel 1", "atlas", Phase::Done),
            job(2, "reel 2", "zeus", Phase::Running),
            job(3, "comp", "atlas", Phase::Failed),
        ];
        let ids = |query: JobQuery| {
            let (picked, found) = query.pick(&jobs);
            (picked.iter().map(|job| job.id.0).collect::<Vec<_>>(), found)
        };
        assert_eq!(ids(JobQuery::default()), (vec![3, 2, 1], 3));
        assert_eq!(ids(JobQuery { find: " REEL ".into(), ..JobQuery::default() }), (vec![2, 1], 2));
        assert_eq!(ids(JobQuery { find: "j3".into(), ..JobQuery::default() }), (vec![3], 1));
        assert_eq!(
            ids(JobQuery { show: "atlas".into(), most: 1, ..JobQuery::default() }),
            (vec![3], 2)
        );
        assert_eq!(ids(JobQuery { skip: 1, most: 1, ..JobQuery::default() }), (vec![2], 3));
        assert_eq!(ids(JobQuery::unsettled(true)), (vec![2], 1));
        let phases = vec![Phase::Failed, Phase::Done];
        assert_eq!(ids(JobQuery { phases, ..JobQuery::default() }), (vec![3, 1], 2));
    }

    #[test]
    fn jobs_are_found_by_who_handed_them_in() {
        let mut jobs = [
            job(1, "a", "atlas", Phase::Done),
            job(2, "b", "atlas", Phase::Done),
            job(3, "ann's", "atlas", Phase::Done),
        ];
        jobs[0].terms.submitted_by = Some("ann".into());
        jobs[1].terms.submitted_by = Some("annabel".into());
        let ids =
            |query: JobQuery| query.pick(&jobs).0.iter().map(|job| job.id.0).collect::<Vec<_>>();
        assert_eq!(ids(JobQuery { by: "ann".into(), ..JobQuery::default() }), [1]);
        assert_eq!(ids(JobQuery { find: "ANNA".into(), ..JobQuery::default() }), [2]);
        assert_eq!(ids(JobQuery { find: "ann".into(), ..JobQuery::default() }), [3, 2, 1]);
    }

    /// What a person holds has a word of its own in the list, and is found by it.
    #[test]
    fn jobs_are_found_that_are_paused() {
        let mut jobs = [
            job(1, "a", "atlas", Phase::Running),
            job(2, "b", "atlas", Phase::Pending),
            job(3, "c", "atlas", Phase::Done),
            job(4, "d", "atlas", Phase::Running),
        ];
        jobs[..3].iter_mut().for_each(|job| job.terms.paused = true);
        let ids =
            |query: JobQuery| query.pick(&jobs).0.iter().map(|job| job.id.0).collect::<Vec<_>>();
        let paused = JobQuery { paused: true, ..JobQuery::default() };
        assert_eq!(ids(paused.clone()), [2, 1], "what has ended is not held");
        let more = JobQuery { phases: vec![Phase::Done], ..paused };
        assert_eq!(ids(more), [3, 2, 1]);
    }
}
