//! The store out of the scheduler's reach: a commit under way is not heard of,
//! and whether it happened is known when the store is read again. Until then
//! everybody is refused, and nothing is promised.

use super::bugs::Bug;
use super::world::{Answer, Event, Place, World};
use platefarm_model::{Code, Fault};
use platefarm_scheduler::core::Changes;

/// Longest time between two tries to reach the store. Milliseconds.
const RETRY: i64 = 250;

impl World {
    /// Whether the store cannot be reached yet; then it is tried again.
    pub(crate) fn must_wait_for_store(&mut self) -> bool {
        if self.now >= self.store_cut {
            self.waits_for_store = false;
            return false;
        }
        self.waits_for_store = true;
        let millis = self.store_cut - self.now + self.rng.between(0, RETRY);
        self.later(millis, Event::SchedulerStarts);
        true
    }

    /// A question that comes meanwhile.
    pub(crate) fn refuse(&mut self, to: Place, number: u64) {
        let incarnation = to.map_or(0, |at| self.nodes[at].incarnation);
        if number > 0 {
            let failed = Err(Fault::new(Code::StoreFailed, "planned"));
            self.send_to_place(to, incarnation, number, &failed);
        }
    }

    /// Nothing was promised to those whose answers wait, or are gathered for the next turn.
    pub(crate) fn refuse_all(&mut self, answers: Vec<Answer>) {
        let failed = Err(Fault::new(Code::StoreFailed, "planned"));
        let gathered = std::mem::take(&mut self.answers);
        for (to, incarnation, number, ..) in answers.into_iter().chain(gathered) {
            self.send_to_place(to, incarnation, number, &failed);
        }
    }

    /// The store does not say whether a transaction happened: it did, or it never
    /// will, or it is under way still and comes about when the store is reached again.
    pub(crate) fn commit_unheard(&mut self) -> Result<(), String> {
        let Some((turn, answers)) = self.writing.take() else { return Ok(()) };
        match self.rng.below(3) {
            0 => {
                self.tally.unheard += 1;
                self.disk.commit(&turn)?;
            }
            1 => {
                let (epoch, left) = (self.led, self.store_cut - self.now);
                let millis = self.rng.between(0, left + 2 * RETRY);
                self.later(millis, Event::LateCommit(epoch, Box::new(turn)));
            }
            _ => self.tally.undone += 1,
        }
        if self.bug == Some(Bug::SilenceIsYes) {
            for (to, incarnation, number, command, reply) in &answers {
                self.say(*to, *incarnation, *number, command, reply);
            }
            if self.turn_is_new() {
                self.later(0, Event::Flush(self.epoch));
            }
            return Ok(());
        }
        self.refuse_all(answers);
        self.core = None;
        self.turn = Changes::default();
        self.epoch += 1;
        self.scheduler_starts()
    }
}
