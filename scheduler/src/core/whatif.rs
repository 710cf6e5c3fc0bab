//! What imagined workers would get: a run of the core itself, on as much of
//! the queue as they could take. That much is taken out of the farm, and the run is elsewhere.

use super::State;
use super::capacity::Study;
use super::command::{Command, Reply};
use super::policy::Policy;
use super::queue::{Group, JobKey, Kin, Level};
use platefarm_model::explain::{
    LimitView, NodeView, PoolView, SettingsView, ShareView, WhatIf, WhatIfAnswer, WhatIfTask,
};
use platefarm_model::farm::{Setting, SettingKind, WorkerClass};
use platefarm_model::{Code, Fault, JobId, Outcome};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// Most workers that may be imagined at once.
const MOST: u32 = 100_000;
/// Most slots of theirs together: to fill them takes seconds.
const MOST_SLOTS: u64 = 1 << 20;
/// The most jobs of a group that are taken along.
const MOST_JOBS: usize = 20_000;

/// An imagined worker makes itself known.
fn imagine(imagined: &WhatIf, number: u64) -> Command {
    let class = if imagined.class == WorkerClass::Gpu { "gpu: imagined" } else { "cpu" };
    Command::Register {
        name: format!("imagined-{number}"),
        instance: format!("imagined\u{2063}{number}"),
        slots: imagined.slots,
        backend: class.into(),
        traits: imagined.traits.clone(),
    }
}

impl Study {
    /// What the imagined workers would be given at once, beside those that are there.
    #[must_use]
    pub fn what_if(self) -> WhatIfAnswer {
        let Self { mut farm, imagined, frames_waiting, .. } = self;
        let mut tasks: BTreeMap<JobId, (u64, u64)> = BTreeMap::new();
        farm.fill_those_there();
        let busy_workers = farm.fill_imagined(&imagined, imagined.workers, |job, frames| {
            let of_job = tasks.entry(job).or_default();
            (of_job.0, of_job.1) = (of_job.0 + 1, of_job.1 + frames);
        });
        let mut answer = WhatIfAnswer { busy_workers, ..WhatIfAnswer::default() };
        answer.tasks = tasks.values().map(|(tasks, _)| tasks).sum();
        let taken: u64 = tasks.values().map(|(_, frames)| frames).sum();
        answer.frames_left = frames_waiting.saturating_sub(taken);
        let by_job = tasks.into_iter().filter_map(|(id, (tasks, frames))| {
            let row = &farm.jobs.get(&id)?.row;
            let (name, show) = (row.name.clone(), row.show.clone());
            Some(WhatIfTask { job: id, name, show, class: row.terms.class, tasks, frames })
        });
        answer.by_job = by_job.collect();
        answer
    }
}

impl State {
    pub(super) fn check_imagined(&self, imagined: &WhatIf) -> Outcome<()> {
        let WhatIf { workers, slots, .. } = imagined;
        if *workers > MOST {
            let message = format!("{workers} workers; up to {MOST} can be imagined");
            return Err(Fault::new(Code::BadSpec, message).at("workers"));
        }
        if u64::from(*workers) * u64::from(*slots) > MOST_SLOTS {
            let message = format!(
                "{workers} workers of {slots} slots each; up to {MOST_SLOTS} slots can be imagined"
            );
            return Err(Fault::new(Code::BadSpec, message).at("slots"));
        }
        // Slots and traits are judged as those of any worker that registers.
        let mut empty = Self::new(self.policy, self.now);
        empty.step(imagine(imagined, 0), self.now).reply.map(drop)
    }

    /// The farm with as much of its queue as the imagined workers could take.
    pub(super) fn excerpt_for<'a>(&self, imagined: impl IntoIterator<Item = &'a WhatIf>) -> Self {
        let slots = |kind: &WhatIf| u64::from(kind.workers) * u64::from(kind.slots);
        let slots: u64 = imagined.into_iter().map(slots).sum();
        // When all have theirs as many are left: nobody takes it for the end of a burst.
        self.excerpt(2 * (slots + self.alive_slots()) + 1)
    }

    /// The first jobs of a group that so many tasks of one frame would be of.
    fn front_of(&self, level: Level, kin: Kin, group: &Group, tasks: u64) -> Vec<JobId> {
        let mut left = tasks;
        let is_wanted = |key: &&JobKey| {
            let wanted = left > 0;
            left = left.saturating_sub(self.tasks_of(level, kin, key).unwrap_or(0));
            wanted
        };
        group.jobs.iter().take(MOST_JOBS).take_while(is_wanted).map(|key| key.job).collect()
    }

    /// Gives those that are there what they could take.
    pub(super) fn fill_those_there(&mut self) {
        let there: Vec<_> = self.workers.values().filter(|w| w.alive).map(|w| w.row.id).collect();
        for worker in there {
            let free = |farm: &Self| {
                farm.workers.get(&worker).is_some_and(|w| w.leases.len() < w.row.slots as usize)
            };
            while free(self) && self.would_get(worker).is_some() {}
        }
    }

    /// Adds imagined workers, until one gets nothing: how many got work. Each task is told.
    pub(super) fn fill_imagined(
        &mut self,
        imagined: &WhatIf,
        most: u32,
        mut task: impl FnMut(JobId, u64),
    ) -> u32 {
        for count in 0..most {
            let register = self.step(imagine(imagined, self.next_worker), self.now).reply;
            let Ok(Reply::Registered(worker)) = register else { return count };
            let mut busy = false;
            for _ in 0..imagined.slots {
                let Some((job, frames)) = self.would_get(worker) else { break };
                busy = true;
                task(job, frames);
            }
            if !busy {
                return count;
            }
        }
        most
    }

    /// What a worker would be given now; one frame at a time, so that as many
    /// workers as could have work are counted.
    fn would_get(&mut self, worker: platefarm_model::WorkerId) -> Option<(JobId, u64)> {
        let now = self.now;
        match self.step(Command::Acquire { worker }, now).reply {
            Ok(Reply::Acquired(Some(granted))) => Some((granted.step.job, granted.frames.len())),
            _ => None,
        }
    }

    /// The farm with the front of its queue only: of each group what so many tasks could be of.
    fn excerpt(&self, tasks: u64) -> Self {
        let policy = Policy { max_lease_frames: 1, aged_every: u64::MAX, ..self.policy };
        let mut part = Self::new(policy, self.now);
        part.settings = self.settings.clone();
        let mut ids: BTreeSet<JobId> = BTreeSet::new();
        for (Reverse(level), groups) in &self.queue.levels {
            let fronts =
                groups.iter().map(|(kin, group)| self.front_of(*level, *kin, group, tasks));
            ids.extend(fronts.flatten());
        }
        let held = self.workers.values().flat_map(|worker| &worker.leases);
        let live: Vec<_> = held.filter_map(|token| self.leases.get(token)).collect();
        ids.extend(live.iter().map(|cell| cell.row.step.job));
        part.queue = self.queue.bare();
        (part.shows, part.show_ids) = (self.shows.clone(), self.show_ids.clone());
        part.limits_used = self.limits_used.clone();
        part.workers = self.workers.clone();
        part.instances = self.instances.clone();
        (part.alive, part.slots_by_class) = (self.alive, self.slots_by_class);
        part.tasks_by_class = self.tasks_by_class;
        part.leases = live.into_iter().map(|cell| (cell.row.token, cell.clone())).collect();
        part.ends = self.ends.clone();
        part.evidence = self.evidence.clone();
        (part.next_job, part.next_worker, part.next_token) =
            (self.next_job, self.next_worker, self.next_token);
        for id in ids {
            let Some(job) = self.jobs.get(&id) else { continue };
            let mut job = job.clone();
            job.tokens.clear();
            part.queue.lay(&job);
            part.jobs.insert(id, job);
        }
        part.queue.news = None;
        part
    }

    /// What people set up, and how much of it is in use.
    #[must_use]
    pub fn settings(&self) -> SettingsView {
        let mut view = SettingsView::default();
        let mut limits: BTreeSet<&str> = self.limits_used.keys().map(String::as_str).collect();
        for (kind, name, value) in self.all_settings() {
            match value {
                Setting::Pool(pool) => view.pools.push(PoolView {
                    name: name.clone(),
                    labels: pool.labels.iter().cloned().collect(),
                    workers: 0,
                    reserve: pool.reserve,
                }),
                Setting::Limit(_) => drop(limits.insert(name)),
                Setting::Node(node) => view.nodes.push(NodeView {
                    name: name.clone(),
                    draining: node.draining,
                    drain_reason: node.drain_reason.clone(),
                    quarantine: node.quarantine.clone(),
                    labels: node.labels.iter().cloned().collect(),
                    without: node.without.iter().cloned().collect(),
                }),
                Setting::Share(_) => debug_assert!(kind == SettingKind::Share),
            }
        }
        let said = self.workers.values().flat_map(|w| &w.row.traits.pools);
        let said: BTreeSet<&String> = said.collect();
        for name in said {
            if self.setting(SettingKind::Pool, name).is_none() {
                let (name, labels) = (name.clone(), Vec::new());
                view.pools.push(PoolView { name, labels, workers: 0, reserve: 0 });
            }
        }
        for pool in &mut view.pools {
            let alive = self.workers.values().filter(|w| w.alive);
            pool.workers = alive.filter(|w| self.is_in_pool(w, &pool.name)).count() as u64;
        }
        view.limits.extend(limits.into_iter().map(|name| LimitView {
            name: name.to_owned(),
            count: self.setting(SettingKind::Limit, name).map(|_| self.limit_count(name) as u32),
            used: self.limit_used(name),
        }));
        view.shares = self.shares();
        view
    }

    fn shares(&self) -> Vec<ShareView> {
        let mut waiting = vec![0; self.shows.len()];
        for (Kin { show, .. }, group) in self.queue.levels.values().flatten() {
            waiting[show.0 as usize] += group.frames;
        }
        let set = |name: &str| self.setting(SettingKind::Share, name).is_some();
        let mut shares: Vec<ShareView> = self
            .known_shows()
            .map(|(id, show)| (show, waiting[id]))
            .filter(|(show, waiting)| show.tasks > 0 || *waiting > 0 || set(&show.name))
            .map(|(show, frames_waiting)| ShareView {
                show: show.name.clone(),
                share: show.share,
                tasks: show.tasks,
                frames_waiting,
            })
            .collect();
        let known: BTreeSet<String> = shares.iter().map(|share| share.show.clone()).collect();
        for (_, name, value) in self.all_settings().filter(|(_, name, _)| !known.contains(*name)) {
            if let Setting::Share(share) = value {
                let (show, share) = (name.clone(), *share);
                shares.push(ShareView { show, share, tasks: 0, frames_waiting: 0 });
            }
        }
        shares
    }
}
