//! Leases that were lost with their worker: nobody is charged, but a frame that
//! takes one worker after another down is isolated and then given up; and a
//! worker that is heard again did not go down.

use super::policy::Policy;
use super::rows::Loss;
use super::{Fx, State};
use platefarm_model::{Code, Fault, FrameRange, LeaseToken, StepId, WorkerId};

impl State {
    /// Ends the leases of a worker that went away. What it took ahead of its
    /// slots it had not begun, and that is charged with nothing.
    pub(super) fn lose_leases(&mut self, worker: WorkerId, fx: &mut Fx) {
        let held = self.workers.get(&worker).into_iter().flat_map(|w| self.leases_of(w));
        let held: Vec<(LeaseToken, StepId, bool)> =
            held.map(|(cell, waits)| (cell.row.token, cell.row.step, waits)).collect();
        for (token, id, waits) in held {
            if waits {
                self.counters.lost += 1;
                self.end_lease(token, fx);
            } else {
                self.lose_lease(worker, token, fx);
            }
            self.refresh(id, fx);
        }
    }

    /// Ends a lease whose worker went away with the frames outstanding.
    fn lose_lease(&mut self, worker: WorkerId, token: LeaseToken, fx: &mut Fx) {
        let Some(cell) = self.leases.get(&token) else { return };
        let (id, outstanding) = (cell.row.step, cell.row.keep.clone());
        self.counters.lost += 1;
        self.end_lease(token, fx);
        if let Some(worker) = self.workers.get_mut(&worker) {
            worker
                .went_with
                .extend(outstanding.first().filter(|_| outstanding.len() == 1).map(|f| (id, f)));
        }
        let Some(job) = self.jobs.get_mut(&id.job) else { return };
        let step = &mut job.steps[id.index as usize];
        let count = outstanding.len();
        for range in outstanding.ranges() {
            let before = step.state.losses.at(range.first()).map(|(_, loss)| *loss);
            step.state.losses.set(*range, Policy::after_loss(count, before));
        }
        fx.touched.insert(id);
        let spent = |frame: i64| {
            let loss = step.state.losses.at(frame)?.1;
            self.policy.is_spent(loss).then(|| {
                step.state.troubles.get(&frame).map_or_else(
                    || taken_down(frame, loss.alone + loss.away),
                    |trouble| trouble.fault.clone(),
                )
            })
        };
        if let Some((frame, fault)) =
            outstanding.first().filter(|_| count == 1).and_then(|f| Some((f, spent(f)?)))
        {
            step.pending.remove(FrameRange::single(frame));
            self.give_up(token, id, frame, fault, fx);
        }
    }

    /// A worker that was lost is heard again: it did not go down, so the frames
    /// that it had are not what took it down.
    pub(super) fn acquit(&mut self, frames: Vec<(StepId, i64)>, fx: &mut Fx) {
        for (id, frame) in frames {
            let Some(job) = self.jobs.get_mut(&id.job) else { continue };
            let Some(step) = job.steps.get_mut(id.index as usize) else { continue };
            let Some(loss) = step.state.losses.at(frame).map(|(_, loss)| *loss) else { continue };
            let one = FrameRange::single(frame);
            let (alone, away) = (loss.alone.saturating_sub(1), loss.away + 1);
            step.state.losses.set(one, Loss { alone, away, ..loss });
            fx.touched.insert(id);
            fx.wake = true;
        }
    }
}

fn taken_down(frame: i64, times: u32) -> Fault {
    Fault::new(
        Code::AttemptsSpent,
        format!("frame {frame} was in hand when its worker went away, {times} times"),
    )
    .remedy(
        "Render this frame alone with `platefarm render` and watch what happens to the process.",
    )
}
