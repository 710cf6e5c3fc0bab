//! Who may do what: the predicates of eligibility, each in one place. The
//! dispatch asks them, `explain` says them in words; there are no others.

use super::State;
use super::job::{Job, Step};
use super::queue::{NeedId, ShowId};
use super::worker::Worker;
use platefarm_model::explain::Hold;
use platefarm_model::farm::{Device, Needs, Node, Setting, SettingKind, Target, WorkerClass};
use platefarm_model::{Timestamp, WorkerId};
use std::collections::BTreeSet;
use std::sync::OnceLock;

/// Workers that are remembered as open to a set of needs.
const OPEN: usize = 16;

/// Why a worker cannot do a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Misfit {
    Device,
    Memory,
    Pool,
    Label(String),
}

/// What a node may be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// Whatever fits.
    Open,
    /// Nothing new.
    Draining,
    /// Nothing.
    Quarantined,
    /// One frame at a time, to prove itself.
    Trial,
}

impl Job {
    /// What keeps a step from being leased, whoever asks; none: it is in the queue.
    pub(super) fn holds<'a>(
        &'a self,
        step: &'a Step,
        now: Timestamp,
    ) -> impl Iterator<Item = Hold> + 'a {
        let control = &step.state.control;
        let terms = &self.row.terms;
        let waits = self.far_open || step.far_open || step.waiting_on > 0;
        [
            (step.is_complete(), Hold::Settled),
            (self.row.cancelled || control.cancelled, Hold::Cancelled),
            (step.pending.is_empty() && !step.is_complete(), Hold::Leased),
            (terms.paused || control.paused, Hold::Paused),
            (terms.start_after.is_some_and(|at| at > now), Hold::StartAfter),
            (waits || (!step.pending.is_empty() && step.open() == 0), Hold::Dependency),
        ]
        .into_iter()
        .filter_map(|(holds, hold)| holds.then_some(hold))
    }

    /// Whether it has all the tasks it may have.
    pub(super) fn is_capped(&self) -> bool {
        self.row.terms.max_tasks.is_some_and(|most| self.tasks >= most)
    }
}

impl State {
    /// What a worker lacks for `needs`; none: it fits.
    pub(super) fn misfit(&self, needs: &Needs, worker: &Worker) -> Option<Misfit> {
        let class = worker.class();
        let device = match needs.device {
            Device::Any => true,
            Device::Cpu => class == WorkerClass::Cpu,
            Device::Gpu => class == WorkerClass::Gpu,
        };
        let memory = worker.row.traits.memory_mib;
        if !device {
            return Some(Misfit::Device);
        }
        if memory > 0 && memory < needs.memory_mib {
            return Some(Misfit::Memory);
        }
        if needs.pool.as_ref().is_some_and(|pool| !self.is_in_pool(worker, pool)) {
            return Some(Misfit::Pool);
        }
        let node = self.node(&worker.row.name);
        let lacks = |label: &&String| !has_label(worker, node, label);
        needs.labels.iter().find(lacks).map(|label| Misfit::Label(label.clone()))
    }

    /// Whether a worker belongs to a pool, by its own word or by its labels.
    pub(super) fn is_in_pool(&self, worker: &Worker, pool: &str) -> bool {
        if worker.row.traits.pools.contains(pool) {
            return true;
        }
        let Some(Setting::Pool(set)) = self.setting(SettingKind::Pool, pool) else { return false };
        let node = self.node(&worker.row.name);
        !set.labels.is_empty() && set.labels.iter().all(|label| has_label(worker, node, label))
    }

    /// The labels of a worker that count.
    pub(super) fn labels<'a>(&'a self, worker: &'a Worker) -> BTreeSet<&'a str> {
        let node = self.node(&worker.row.name);
        let given = node.into_iter().flat_map(|node| &node.labels);
        let own = worker.row.traits.labels.iter();
        own.chain(given).map(String::as_str).filter(|l| has_label(worker, node, l)).collect()
    }

    pub(super) fn node(&self, name: &str) -> Option<&Node> {
        match self.setting(SettingKind::Node, name) {
            Some(Setting::Node(node)) => Some(node),
            _ => None,
        }
    }

    /// What the node of a worker may be given now.
    pub(super) fn standing(&self, worker: &Worker) -> Standing {
        let Some(node) = self.node(&worker.row.name) else { return Standing::Open };
        match &node.quarantine {
            Some(q) if q.retry_at.is_some_and(|at| at <= self.now) && !node.draining => {
                Standing::Trial
            }
            Some(_) => Standing::Quarantined,
            None if node.draining => Standing::Draining,
            None => Standing::Open,
        }
    }

    /// Of a set of needs, the first limit that has not enough left for one more task.
    pub(super) fn short_limit<'a>(&self, needs: &'a Needs) -> Option<&'a str> {
        let short = |limit: &(&String, &u32)| {
            let used = self.limit_used(limit.0);
            used + u64::from(*limit.1) > self.limit_count(limit.0)
        };
        needs.limits.iter().find(short).map(|(name, _)| name.as_str())
    }

    /// How much of a limit there is; none of one that is not set up.
    pub(super) fn limit_count(&self, name: &str) -> u64 {
        match self.setting(SettingKind::Limit, name) {
            Some(Setting::Limit(limit)) => limit.count.into(),
            _ => 0,
        }
    }

    /// How much of a limit is taken.
    pub(super) fn limit_used(&self, name: &str) -> u64 {
        self.limits_used.get(name).copied().unwrap_or(0)
    }

    /// Whether a show has all the tasks it may have.
    pub(super) fn is_at_ceiling(&self, show: ShowId) -> bool {
        let show = &self.shows[show.0 as usize];
        show.share.ceiling.is_some_and(|most| show.tasks >= u64::from(most))
    }

    /// Whether more of this could be leased, were there a worker for it.
    pub(super) fn is_blocked(&self, need: NeedId, show: ShowId) -> bool {
        self.is_at_ceiling(show) || self.short_limit(self.queue.needs(need)).is_some()
    }

    /// Whether tasks of this are counted against anything that can run out:
    /// they are not leased ahead of a free slot, or they would hold what they do not use.
    pub(super) fn is_counted(&self, need: NeedId, show: ShowId) -> bool {
        self.shows[show.0 as usize].share.ceiling.is_some()
            || !self.queue.needs(need).limits.is_empty()
    }

    /// Brings a worker's memory of what it fits up to date.
    pub(super) fn learn_fits(&mut self, id: WorkerId) {
        let Some(worker) = self.workers.get(&id) else { return };
        let known = worker.fits.len();
        self.open_to.resize_with(self.queue.need_count(), OnceLock::new);
        if known == self.queue.need_count() {
            return;
        }
        let more: Vec<bool> = (known..self.queue.need_count())
            .map(|i| self.misfit(self.queue.needs(NeedId(i as u32)), worker).is_none())
            .collect();
        if let Some(worker) = self.workers.get_mut(&id) {
            worker.fits.extend(more);
        }
    }

    /// Other needs have this number than workers remember of it.
    pub(super) fn need_changed(&mut self, need: NeedId) {
        let at = need.0 as usize;
        let knows = |worker: &&Worker| worker.fits.len() > at;
        let knowing = self.workers.values().filter(knows);
        let fit = |w: &Worker| (w.row.id, self.misfit(self.queue.needs(need), w).is_none());
        let fits: Vec<(WorkerId, bool)> = knowing.map(fit).collect();
        for (id, fits) in fits {
            if let Some(worker) = self.workers.get_mut(&id) {
                worker.fits[at] = fits;
            }
        }
        if let Some(open) = self.open_to.get_mut(at) {
            *open = OnceLock::new();
        }
    }

    /// Whether a worker fits, asked without a memory.
    pub(super) fn fits(&self, need: NeedId, worker: &Worker) -> bool {
        let known = worker.fits.get(need.0 as usize).copied();
        known.unwrap_or_else(|| self.misfit(self.queue.needs(need), worker).is_none())
    }

    /// Whether there is a worker that could do it and is not among `tried`. Asked for each
    /// frame that failed before, of the first few that could; of all only where each of those tried.
    pub(super) fn has_another(&self, need: NeedId, tried: &[WorkerId]) -> bool {
        let first = || self.open_to(need).take(OPEN).collect();
        let untried = |id: &WorkerId| !tried.contains(id);
        let Some(known) = self.open_to.get(need.0 as usize).map(|known| known.get_or_init(first))
        else {
            return self.open_to(need).any(|id| untried(&id));
        };
        known.iter().any(untried)
            || (known.len() == OPEN && self.open_to(need).any(|id| untried(&id)))
    }

    /// The workers that may be given what needs this.
    fn open_to(&self, need: NeedId) -> impl Iterator<Item = WorkerId> {
        let open =
            move |w: &&Worker| w.alive && self.fits(need, w) && self.standing(w) == Standing::Open;
        self.workers.values().filter(open).map(|worker| worker.row.id)
    }

    /// Workers came or went, or what may be given to them changed.
    pub(super) fn open_changed(&mut self) {
        self.open_to.clear();
    }

    /// What is remembered of who is open is so.
    pub(super) fn check_open(&self) -> Result<(), String> {
        for (need, known) in (0..).zip(&self.open_to) {
            let Some(known) = known.get() else { continue };
            let open: Vec<WorkerId> = self.open_to(NeedId(need)).take(OPEN).collect();
            if *known != open {
                return Err(format!("{known:?} are remembered as open, and are {open:?}"));
            }
        }
        Ok(())
    }

    /// Whether something is settled: done, given up, cancelled, or long forgotten.
    pub(super) fn is_settled(&self, target: Target) -> bool {
        let Some(job) = self.jobs.get(&target.job()) else { return true };
        match target {
            Target::Job(_) => job.row.finished.is_some(),
            Target::Step(id) => {
                let step = job.steps.get(id.index as usize);
                job.row.cancelled || step.is_none_or(|step| step.settled)
            }
        }
    }
}

fn has_label(worker: &Worker, node: Option<&Node>, label: &str) -> bool {
    let given = node.is_some_and(|node| node.labels.contains(label));
    let taken = node.is_some_and(|node| node.without.contains(label));
    (given || worker.row.traits.labels.contains(label)) && !taken
}
