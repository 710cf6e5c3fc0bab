//! The order of work by another way: from the rows alone, without the core's
//! queue, what a worker should have been given first, and who should have been
//! asked for slots. A class goes before a lower one, and a number before a lower
//! one, whatever else is going on; what has waited too long goes first now and
//! then, and no oftener. How soon a slot that was asked for is had is a matter of
//! the words between, which are lost here: the core's tests of yielding have it.

use super::books::Books;
use super::bugs::Bug;
use super::script::NEVER;
use super::world::World;
use platefarm_model::farm::PriorityClass;
use platefarm_model::{FrameRange, LeaseToken, StepId, WorkerId};
use platefarm_scheduler::core::{Command, Granted, Pulse, Reply, State};

/// Turns of what has waited too long, under one leader.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Turns {
    /// Leases that were granted.
    granted: u64,
    /// How many there had been when something went first out of order.
    last: u64,
}

impl World {
    /// A lease was granted: the frames were nobody's, and nothing that goes first could have been.
    pub(crate) fn check_grant(
        &mut self,
        worker: WorkerId,
        granted: &Granted,
    ) -> Result<(), String> {
        let Some(core) = &self.core else { return Ok(()) };
        let books = Books::of(core.snapshot(), Some(granted.token))?;
        let order = self.check_order(&books, worker, granted.step);
        self.turns.granted += 1;
        self.leased_at.insert(granted.step, self.now);
        order
    }

    fn check_order(
        &mut self,
        books: &Books,
        worker: WorkerId,
        given: StepId,
    ) -> Result<(), String> {
        // Other bugs are lies about what this goes by.
        if self.bug.is_some_and(|bug| bug != Bug::ClassesForgotten) {
            return Ok(());
        }
        self.tally.ordered += 1;
        let level = self.level(books, given);
        let settings = &self.script.settings;
        let could = |id: StepId| {
            let counts = !books.is_counted(id, settings)
                || (!books.is_full(worker) && books.is_within_counts(id, settings));
            books.fits(worker, id) && counts && !books.free(id).is_empty()
        };
        let better = books.steps().find(|id| self.level(books, *id) > level && could(*id));
        match better {
            Some(_) if self.is_its_turn(given) => {
                self.turns.last = self.turns.granted;
                self.tally.turns += 1;
                Ok(())
            }
            Some(id) => {
                let free = books.free(id);
                Err(format!("{worker} was given {given}, and {id} with {free} goes first"))
            }
            None => Ok(()),
        }
    }

    /// The class and number of a step as the script has them; as the rows do where people change them.
    fn level(&self, books: &Books, id: StepId) -> (PriorityClass, i32) {
        let name = books.job(id.job).map(|row| &row.name);
        let at = self.script.jobs.iter().position(|spec| Some(&spec.name) == name);
        match at.filter(|at| !self.levelled.contains(at)) {
            Some(at) => (self.script.jobs[at].terms.class, self.script.jobs[at].priority),
            None => books.level(id),
        }
    }

    /// Whether a step may have gone before others: it waited as long as aging takes, and that many
    /// leases went in order since it was the turn of one.
    fn is_its_turn(&self, id: StepId) -> bool {
        let policy = &self.script.policy;
        let since = self.leased_at.get(&id).or_else(|| self.came_at.get(&id.job));
        let waited = since.map_or(i64::MAX, |since| self.now - since);
        policy.aging_ms < NEVER
            && waited >= policy.aging_ms
            && self.turns.granted - self.turns.last >= policy.aged_every
    }

    /// Time passed: where more waits than all slots could take, everybody below it who could do it
    /// has been asked for all that is not begun.
    pub(crate) fn check_asked(&mut self) -> Result<(), String> {
        if !self.number().is_multiple_of(4) {
            return Ok(());
        }
        let Some(core) = &self.core else { return Ok(()) };
        let books = Books::of(core.snapshot(), None)?;
        let workers = core.workers();
        let slots: u64 = workers.iter().map(|worker| u64::from(worker.slots)).sum();
        // A worker holds up to twice as many leases as it has slots.
        let swarms = |id: &StepId| {
            books.free(*id).len() >= 2 * slots && !books.is_counted(*id, &self.script.settings)
        };
        let swarms: Vec<StepId> = books.steps().filter(swarms).collect();
        if swarms.is_empty() {
            return Ok(());
        }
        for worker in workers.iter().filter(|worker| worker.state == "alive") {
            let tokens: Vec<LeaseToken> = worker.leases.iter().map(|lease| lease.token).collect();
            let told = told(core, worker.id, &tokens);
            for (lease, told) in worker.leases.iter().zip(told).take(worker.slots as usize) {
                let more =
                    |told: FrameRange| told.len() > 1 && lease.frames.first() == Some(told.first());
                let class = books.level(lease.step).0;
                let above = swarms
                    .iter()
                    .find(|id| books.level(**id).0 > class && books.fits(worker.id, **id));
                let Some(above) = above else { continue };
                if told.is_some_and(more) {
                    return Err(format!(
                        "{} goes on with {} of {} and was not asked for it, while {above} waits",
                        worker.id, lease.frames, lease.step
                    ));
                }
                self.tally.asked += 1;
            }
        }
        Ok(())
    }
}

/// What a worker would be told of its leases if it asked now.
fn told(core: &State, worker: WorkerId, tokens: &[LeaseToken]) -> Vec<Option<FrameRange>> {
    let leases = tokens.iter().map(|token| Pulse::of(*token)).collect();
    let ask = Command::Heartbeat { worker, leases };
    match core.clone().step(ask, platefarm_model::Timestamp(0)).reply {
        Ok(Reply::Beaten { leases, .. }) => leases.into_iter().map(|(_, keep)| keep).collect(),
        _ => Vec::new(),
    }
}
