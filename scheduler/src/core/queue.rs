//! The order of work, kept so that the price of one dispatch does not grow
//! with what waits. Jobs with a step to lease lie in groups of one level, one
//! set of needs and one show: what every predicate of the policy asks about.
//! A worker's question looks at the groups, not at the jobs; and a group whose
//! limit is used up or whose show is at its ceiling is passed in one look.

use super::job::Job;
use super::numbers::Numbers;
use platefarm_model::farm::{Needs, PriorityClass};
use platefarm_model::{JobId, Timestamp};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// A class and a number: the higher goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Level {
    pub(super) class: PriorityClass,
    pub(super) priority: i32,
}

/// A set of needs that steps have, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct NeedId(pub(super) u32);

/// A show, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ShowId(pub(super) u32);

/// What sets a group apart from others of its level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Kin {
    pub(super) need: NeedId,
    pub(super) show: ShowId,
}

/// Place of a job in its group: the earliest deadline, then the oldest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct JobKey {
    /// The far end of time where there is none.
    pub(super) deadline: Timestamp,
    /// Age: ids grow with time.
    pub(super) job: JobId,
}

impl JobKey {
    pub(super) fn of(job: &Job) -> Self {
        Self { deadline: job.row.terms.deadline.unwrap_or(Timestamp(i64::MAX)), job: job.row.id }
    }
}

/// Where a walk over what waits goes on: behind a job of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueAt {
    pub(super) level: Reverse<Level>,
    pub(super) kin: Kin,
    pub(super) job: Option<JobKey>,
}

/// Jobs that are alike to every predicate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Group {
    /// In the order of work.
    pub(super) jobs: BTreeSet<JobKey>,
    /// By how long they wait for their next lease.
    pub(super) waiting: BTreeSet<(Timestamp, JobId)>,
    /// Frames that could be leased.
    pub(super) frames: u64,
}

/// Steps of one job that lie in one group.
#[derive(Clone, Debug)]
pub(super) struct List {
    pub(super) level: Level,
    pub(super) need: NeedId,
    pub(super) steps: BTreeSet<u32>,
    /// Frames of them that could be leased.
    pub(super) frames: u64,
    /// Since when it waits for its next lease.
    pub(super) since: Timestamp,
}

/// Everything that could be leased now, were there a worker.
#[derive(Clone, Debug, Default)]
pub(super) struct Queue {
    /// Of the steps that are kept.
    needs: Numbers<Needs>,
    /// The highest level first.
    pub(super) levels: BTreeMap<Reverse<Level>, BTreeMap<Kin, Group>>,
    /// The highest class in which something new came up since this was last taken.
    pub(super) news: Option<PriorityClass>,
}

impl Queue {
    /// The number of a set of needs, for one more step; and whether no step had them.
    pub(super) fn take_need(&mut self, needs: &Needs) -> (NeedId, bool) {
        let (number, is_new) = self.needs.take(needs);
        (NeedId(number), is_new)
    }

    /// A step that had these needs is not kept any more.
    pub(super) fn leave_need(&mut self, id: NeedId) {
        self.needs.leave(id.0);
    }

    /// How many steps have these needs.
    pub(super) fn steps_with(&self, id: NeedId) -> u64 {
        self.needs.users(id.0)
    }

    /// The numbers of the needs, with nothing queued.
    pub(super) fn bare(&self) -> Self {
        Self { needs: self.needs.clone(), ..Self::default() }
    }

    /// How many numbers of needs there are.
    pub(super) fn need_count(&self) -> usize {
        self.needs.len()
    }

    /// The needs behind a number.
    pub(super) fn needs(&self, id: NeedId) -> &Needs {
        self.needs.value(id.0)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.levels.is_empty()
    }

    pub(super) fn group(&self, level: Level, kin: Kin) -> Option<&Group> {
        self.levels.get(&Reverse(level))?.get(&kin)
    }

    /// Puts a step where it belongs now: at a level with so many frames, or nowhere.
    pub(super) fn place(
        &mut self,
        job: &mut Job,
        index: u32,
        wanted: Option<(Level, u64)>,
        now: Timestamp,
    ) {
        let step = &mut job.steps[index as usize];
        let (old, need) = (step.queued, step.need);
        if old == wanted {
            return;
        }
        step.queued = wanted;
        let stays = old.map(|o| o.0) == wanted.map(|w| w.0);
        if let Some((level, frames)) = old {
            let at = job.list(level, need).expect("a queued step is on its list");
            job.lists[at].frames -= frames;
            if !job.is_capped() {
                self.count(job, level, need, |group| group.frames -= frames);
            }
            if !stays {
                job.lists[at].steps.remove(&index);
                if job.lists[at].steps.is_empty() {
                    let list = job.lists.swap_remove(at);
                    if !job.is_capped() {
                        self.take_out(job, &list);
                    }
                }
            }
        }
        if let Some((level, frames)) = wanted {
            let at = job.list(level, need).unwrap_or_else(|| {
                let steps = BTreeSet::new();
                // One list is the rule, and room for four would be a sixth of a small job.
                job.lists.reserve_exact(1);
                job.lists.push(List { level, need, steps, frames: 0, since: now });
                job.lists.len() - 1
            });
            let fresh = job.lists[at].steps.is_empty();
            job.lists[at].steps.insert(index);
            job.lists[at].frames += frames;
            if job.is_capped() {
                return;
            }
            if fresh {
                self.put_in(job, at);
            } else {
                self.count(job, level, need, |group| group.frames += frames);
            }
            if old.is_none_or(|(_, before)| before < frames) {
                self.news = self.news.max(Some(level.class));
            }
        }
    }

    fn count(&mut self, job: &Job, level: Level, need: NeedId, change: impl FnOnce(&mut Group)) {
        let kin = Kin { need, show: job.show };
        if let Some(group) = self.levels.get_mut(&Reverse(level)).and_then(|l| l.get_mut(&kin)) {
            change(group);
        }
    }

    fn put_in(&mut self, job: &Job, at: usize) {
        let list = &job.lists[at];
        let kin = Kin { need: list.need, show: job.show };
        let group = self.levels.entry(Reverse(list.level)).or_default().entry(kin).or_default();
        group.jobs.insert(JobKey::of(job));
        group.waiting.insert((list.since, job.row.id));
        group.frames += list.frames;
    }

    fn take_out(&mut self, job: &Job, list: &List) {
        let kin = Kin { need: list.need, show: job.show };
        let Some(level) = self.levels.get_mut(&Reverse(list.level)) else { return };
        let Some(group) = level.get_mut(&kin) else { return };
        group.jobs.remove(&JobKey::of(job));
        group.waiting.remove(&(list.since, job.row.id));
        group.frames -= list.frames;
        if group.jobs.is_empty() {
            level.remove(&kin);
            if level.is_empty() {
                self.levels.remove(&Reverse(list.level));
            }
        }
    }

    /// Takes a job out of its groups, to be changed; [`Queue::lay`] puts it back.
    pub(super) fn lift(&mut self, job: &Job) {
        if !job.is_capped() {
            job.lists.iter().for_each(|list| self.take_out(job, list));
        }
    }

    /// Puts a job into its groups, unless it has all the tasks it may have.
    pub(super) fn lay(&mut self, job: &Job) {
        if !job.is_capped() {
            (0..job.lists.len()).for_each(|at| self.put_in(job, at));
            let highest = job.lists.iter().map(|list| list.level.class).max();
            self.news = self.news.max(highest);
        }
    }

    /// Counts tasks of a job, which may take it out of its groups or back in.
    pub(super) fn count_task(&mut self, job: &mut Job, change: i32) {
        if job.row.terms.max_tasks.is_none() {
            job.tasks = job.tasks.saturating_add_signed(change);
            return;
        }
        self.lift(job);
        job.tasks = job.tasks.saturating_add_signed(change);
        self.lay(job);
    }

    /// A list got a lease: it waits anew.
    pub(super) fn served(&mut self, job: &mut Job, level: Level, need: NeedId, now: Timestamp) {
        let Some(at) = job.list(level, need) else { return };
        let (id, before) = (job.row.id, std::mem::replace(&mut job.lists[at].since, now));
        if !job.is_capped() {
            self.count(job, level, need, |group| {
                group.waiting.remove(&(before, id));
                group.waiting.insert((now, id));
            });
        }
    }
}
