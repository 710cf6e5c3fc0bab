//! Workers: known by registration, alive by being heard, lost by silence.

use super::command::Reply;
use super::job::plain;
use super::lease::LeaseCell;
use super::rows::WorkerRow;
use super::{Fx, State, unknown_worker};
use platefarm_model::farm::WorkerTraits;
use platefarm_model::{Code, Fault, LeaseToken, Outcome, StepId, Timestamp, WorkerId};
use std::collections::BTreeSet;

/// A worker, and what of it need not outlive the process.
#[derive(Clone, Debug)]
pub(super) struct Worker {
    pub(super) row: WorkerRow,
    /// Heard within the time to live; else lost.
    pub(super) alive: bool,
    pub(super) last_seen: Timestamp,
    /// Live leases.
    pub(super) leases: BTreeSet<LeaseToken>,
    pub(super) frames_done: u64,
}

/// Most slots of one worker: beyond any machine.
const MAX_SLOTS: u32 = 4096;

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
        if name.is_empty() || instance.is_empty() {
            return Err(Fault::new(Code::BadSpec, "a worker needs a name and an instance"));
        }
        if !(1..=MAX_SLOTS).contains(&slots) {
            let message = format!("{slots} slots; 1 to {MAX_SLOTS} are accepted");
            return Err(Fault::new(Code::BadSpec, message).at("slots"));
        }
        if let Some(id) = self.instances.get(&instance).copied() {
            self.hear(id)?;
            return Ok(Reply::Registered(id));
        }
        let id = WorkerId(self.next_worker);
        self.next_worker += 1;
        let row = WorkerRow { id, name, instance, slots, backend, traits, gone: false };
        fx.changes.workers.insert(id, row.clone());
        self.admit(row);
        Ok(Reply::Registered(id))
    }

    /// Takes a worker among the living.
    pub(super) fn admit(&mut self, row: WorkerRow) {
        self.alive += 1;
        self.alive_slots += u64::from(row.slots);
        self.instances.insert(row.instance.clone(), row.id);
        let worker = Worker {
            alive: true,
            last_seen: self.now,
            leases: BTreeSet::new(),
            frames_done: 0,
            row,
        };
        self.workers.insert(worker.row.id, worker);
    }

    /// A worker was heard: it lives. One that was lost is back, but what it held is not.
    pub(super) fn hear(&mut self, id: WorkerId) -> Outcome<()> {
        let worker = self.workers.get_mut(&id).ok_or_else(|| unknown_worker(id))?;
        worker.last_seen = self.now;
        if !worker.alive {
            worker.alive = true;
            self.alive += 1;
            self.alive_slots += u64::from(worker.row.slots);
        }
        Ok(())
    }

    pub(super) fn heartbeat(&mut self, id: WorkerId, tokens: Vec<LeaseToken>) -> Outcome<Reply> {
        self.hear(id)?;
        let deadline = self.now.plus_millis(self.policy.lease_ttl_ms);
        let renew = |token: LeaseToken| {
            let held = self.leases.get_mut(&token).filter(|cell| cell.row.worker == id);
            let keep = held.and_then(|cell| {
                cell.deadline = deadline;
                cell.hull()
            });
            (token, keep)
        };
        Ok(Reply::Beaten(tokens.into_iter().map(renew).collect()))
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
        self.hear(id)?;
        let tokens = self.workers.get(&id).map(|w| w.leases.clone()).unwrap_or_default();
        let steps: BTreeSet<StepId> =
            tokens.iter().filter_map(|t| self.leases.get(t)).map(|cell| cell.row.step).collect();
        tokens.into_iter().for_each(|token| self.end_lease(token, fx));
        self.dismiss(id, fx);
        steps.into_iter().for_each(|step| self.refresh(step, fx));
        Ok(Reply::Done)
    }

    /// Takes a worker out of the books; it holds no lease.
    fn dismiss(&mut self, id: WorkerId, fx: &mut Fx) {
        self.bury(id);
        let Some(mut worker) = self.workers.remove(&id) else { return };
        self.instances.remove(&worker.row.instance);
        worker.row.gone = true;
        fx.changes.workers.insert(id, worker.row);
        // A frame that waited for this worker may go to another now.
        fx.wake |= !self.ready.is_empty();
    }

    /// Counts a worker among the lost.
    fn bury(&mut self, id: WorkerId) {
        let Some(worker) = self.workers.get_mut(&id).filter(|w| w.alive) else { return };
        worker.alive = false;
        self.alive -= 1;
        self.alive_slots -= u64::from(worker.row.slots);
    }

    /// Time has passed: who was not heard is lost, and what was not renewed waits again.
    pub(super) fn tick(&mut self, fx: &mut Fx) -> Outcome<Reply> {
        let ttl = self.policy.lease_ttl_ms;
        let gap = self.now.millis_since(self.last_tick);
        self.last_tick = self.now;
        if gap > ttl / 2 {
            // We slept, not they: a stopped process or a stalled disk must not
            // cost every worker its leases.
            self.grace();
            return Ok(Reply::Done);
        }
        let silent = |worker: &&super::Worker| self.now.millis_since(worker.last_seen) >= ttl;
        let lost: Vec<WorkerId> =
            self.workers.values().filter(|w| w.alive).filter(silent).map(|w| w.row.id).collect();
        for id in lost {
            self.bury(id);
            let held = self.workers.get(&id).map(|w| w.leases.clone()).unwrap_or_default();
            held.into_iter().for_each(|token| self.lose_lease(token, fx));
            fx.wake |= !self.ready.is_empty();
        }
        let overdue = |cell: &&LeaseCell| cell.deadline <= self.now;
        let held = self.workers.values().flat_map(|w| &w.leases);
        let expired: Vec<(LeaseToken, StepId)> = held
            .filter_map(|token| self.leases.get(token))
            .filter(overdue)
            .map(|cell| (cell.row.token, cell.row.step))
            .collect();
        for (token, step) in expired {
            // The worker lives and does not speak of it: it never heard of the lease.
            self.counters.expired += 1;
            self.end_lease(token, fx);
            self.refresh(step, fx);
        }
        let forget = self.policy.forget_lost_ms;
        let stale = |w: &&super::Worker| self.now.millis_since(w.last_seen) >= forget;
        let gone: Vec<WorkerId> =
            self.workers.values().filter(|w| !w.alive).filter(stale).map(|w| w.row.id).collect();
        gone.into_iter().for_each(|id| self.dismiss(id, fx));
        Ok(Reply::Done)
    }

    /// Gives every worker and lease its full time again.
    fn grace(&mut self) {
        let deadline = self.now.plus_millis(self.policy.lease_ttl_ms);
        for worker in self.workers.values_mut().filter(|w| w.alive) {
            worker.last_seen = self.now;
            for token in &worker.leases {
                if let Some(cell) = self.leases.get_mut(token) {
                    cell.deadline = deadline;
                }
            }
        }
    }
}
