//! Workers: known by registration, alive by being heard, lost by silence.

use super::command::Reply;
use super::job::plain;
use super::rows::{Changes, WorkerRow};
use super::{Fx, State, unknown_worker};
use platefarm_model::farm::{PriorityClass, WorkerClass, WorkerTraits, check_name};
use platefarm_model::{Code, Fault, LeaseToken, Outcome, StepId, Timestamp, WorkerId};
use std::collections::{BTreeSet, VecDeque};

/// A worker, and what of it need not outlive the process.
#[derive(Clone, Debug)]
pub(super) struct Worker {
    pub(super) row: WorkerRow,
    /// Heard within the time to live; else lost.
    pub(super) alive: bool,
    pub(super) last_seen: Timestamp,
    /// Live leases.
    pub(super) leases: BTreeSet<LeaseToken>,
    /// The highest class of work that a slot of it is being taken for.
    pub(super) yields: Option<PriorityClass>,
    pub(super) frames_done: u64,
    /// Of each set of needs, by number, whether it fits.
    pub(super) fits: Vec<bool>,
    /// What its last tasks were near to.
    pub(super) warm: VecDeque<String>,
    pub(super) last_step: Option<StepId>,
    /// The lease that was asked for frames on its behalf.
    pub(super) asked_back: Option<LeaseToken>,
    /// Frames that were alone in a lease when it was lost: it may come back.
    pub(super) went_with: Vec<(StepId, i64)>,
}

/// Most slots of one worker: beyond any machine.
const MAX_SLOTS: u32 = 4096;
/// Most labels, pools and places of one worker.
const MAX_TRAITS: usize = 256;
/// Places that a worker is taken to remember.
const WARM: usize = 8;

impl Worker {
    pub(super) fn class(&self) -> WorkerClass {
        WorkerClass::of_backend(&self.row.backend)
    }

    /// Whether a slot of it has nothing to do.
    pub(super) fn has_room(&self) -> bool {
        self.leases.len() < self.row.slots as usize
    }

    pub(super) fn is_warm(&self, key: &str) -> bool {
        self.warm.iter().any(|warm| warm == key)
    }

    /// Whether anything could be nearer to it than anything else.
    pub(super) fn knows_a_place(&self) -> bool {
        self.last_step.is_some() || !self.row.traits.near.is_empty()
    }

    /// It got a task of `step`, which is near to `keys`.
    pub(super) fn was_near(&mut self, step: StepId, keys: &[String]) {
        self.last_step = Some(step);
        for key in keys {
            if !self.is_warm(key) {
                self.warm.truncate(WARM - 1);
                self.warm.push_front(key.clone());
            }
        }
    }
}

/// What a worker says of itself must be of names that people can use.
fn check_traits(traits: &WorkerTraits) -> Outcome<()> {
    let all = [("labels", &traits.labels), ("pools", &traits.pools), ("near", &traits.near)];
    for (place, names) in all {
        if names.len() > MAX_TRAITS {
            let message = format!("{} {place}; at most {MAX_TRAITS} are accepted", names.len());
            return Err(Fault::new(Code::BadSpec, message).at(place));
        }
        if place == "near" {
            names.iter().try_for_each(|name| plain(name, place))?;
        } else {
            names.iter().try_for_each(|name| check_name(name, place))?;
        }
    }
    Ok(())
}

impl State {
    pub(super) fn register(
        &mut self,
        name: String,
        instance: String,
        slots: u32,
        backend: String,
        traits: WorkerTraits,
        fx: &mut Fx,
    ) -> Outcome<Reply> {
        plain(&name, "name")?;
        plain(&instance, "instance")?;
        plain(&backend, "backend")?;
        check_traits(&traits)?;
        if name.is_empty() || instance.is_empty() {
            return Err(Fault::new(Code::BadSpec, "a worker needs a name and an instance"));
        }
        if !(1..=MAX_SLOTS).contains(&slots) {
            let message = format!("{slots} slots; 1 to {MAX_SLOTS} are accepted");
            return Err(Fault::new(Code::BadSpec, message).at("slots"));
        }
        if let Some(id) = self.instances.get(&instance).copied() {
            self.hear(id, fx)?;
            return Ok(Reply::Registered(id));
        }
        let id = WorkerId(self.next_worker);
        self.next_worker += 1;
        let row = WorkerRow { id, name, instance, slots, backend, traits };
        fx.changes.workers.insert(id, row.clone());
        self.admit(row);
        Ok(Reply::Registered(id))
    }

    /// Takes a worker among the living.
    pub(super) fn admit(&mut self, row: WorkerRow) {
        let id = row.id;
        self.instances.insert(row.instance.clone(), id);
        let worker = Worker {
            alive: false,
            last_seen: self.now,
            leases: BTreeSet::new(),
            yields: None,
            frames_done: 0,
            fits: Vec::new(),
            warm: VecDeque::new(),
            last_step: None,
            asked_back: None,
            went_with: Vec::new(),
            row,
        };
        self.workers.insert(id, worker);
        self.rouse(id);
    }

    /// Counts a worker among the living.
    fn rouse(&mut self, id: WorkerId) {
        let Some(worker) = self.workers.get_mut(&id).filter(|w| !w.alive) else { return };
        worker.alive = true;
        self.alive += 1;
        self.slots_by_class[worker.class() as usize] += u64::from(worker.row.slots);
        self.open_changed();
    }

    /// Counts a worker among the lost.
    pub(super) fn bury(&mut self, id: WorkerId) {
        let Some(worker) = self.workers.get_mut(&id).filter(|w| w.alive) else { return };
        worker.alive = false;
        self.alive -= 1;
        self.slots_by_class[worker.class() as usize] -= u64::from(worker.row.slots);
        self.open_changed();
    }

    /// A worker was heard: it lives. One that was lost is back, but what it held is not.
    pub(super) fn hear(&mut self, id: WorkerId, fx: &mut Fx) -> Outcome<()> {
        let worker = self.workers.get_mut(&id).ok_or_else(|| unknown_worker(id))?;
        worker.last_seen = self.now;
        if !worker.alive {
            let frames = std::mem::take(&mut worker.went_with);
            self.rouse(id);
            self.acquit(frames, fx);
        }
        Ok(())
    }

    /// Live leases of a worker.
    ///
    /// # Errors
    /// [`Code::UnknownWorker`].
    pub fn held_by(&self, id: WorkerId) -> Outcome<Vec<LeaseToken>> {
        let worker = self.workers.get(&id).ok_or_else(|| unknown_worker(id))?;
        Ok(worker.leases.iter().copied().collect())
    }

    /// A worker goes in good order: its frames wait again and nobody is charged.
    pub(super) fn leave(&mut self, id: WorkerId, fx: &mut Fx) -> Outcome<Reply> {
        self.hear(id, fx)?;
        let tokens = self.workers.get(&id).map(|w| w.leases.clone()).unwrap_or_default();
        let steps: BTreeSet<StepId> =
            tokens.iter().filter_map(|t| self.leases.get(t)).map(|cell| cell.row.step).collect();
        tokens.into_iter().for_each(|token| self.end_lease(token, fx));
        self.dismiss(id, fx);
        steps.into_iter().for_each(|step| self.refresh(step, fx));
        Ok(Reply::Done)
    }

    /// Takes a worker out of the books; it holds no lease.
    pub(super) fn dismiss(&mut self, id: WorkerId, fx: &mut Fx) {
        self.bury(id);
        let Some(worker) = self.workers.remove(&id) else { return };
        self.instances.remove(&worker.row.instance);
        let departed = [(id, worker.row.name)].into();
        fx.changes.merge(Changes { departed, ..Changes::default() });
        self.marks.worker = self.marks.worker.max(id);
        // A frame that waited for this worker may go to another now.
        fx.wake |= !self.queue.is_empty();
    }
}
