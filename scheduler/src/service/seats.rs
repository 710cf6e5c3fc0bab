//! The workers that are connected, as the owner sees them: how much room each
//! has, what is to be said to it at the end of a turn, and who is served first.
//!
//! Room is told as a state and not as a wish: a worker says how many places
//! are free and how many leases it had heard of by then, so that a message
//! that is lost, late or repeated cannot make it drown or starve. A slot that
//! does nothing anywhere goes before any place to wait.

use super::late::Late;
use crate::core::{Granted, Verdict};
use platefarm_model::job::FrameOutcome;
use platefarm_model::{Fault, FrameRange, LeaseToken, StepId, WorkerId};
use std::collections::{HashMap, VecDeque};
use tokio::sync::mpsc::UnboundedSender;

/// Names one session for as long as the process lives.
pub(super) type SeatId = u64;

/// Something that came over a session.
pub(super) enum Word {
    /// A worker begins.
    Open {
        worker: WorkerId,
        /// Leases that it has in hand.
        holds: Vec<LeaseToken>,
        to: UnboundedSender<Said>,
    },
    /// It speaks.
    Say { room: Option<Room>, reports: Vec<Report>, releases: Vec<LeaseToken> },
    /// It is gone.
    HungUp,
}

/// Places for tasks that are free, when `seen` leases had been heard of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Room {
    pub(super) seen: u64,
    pub(super) idle: u32,
    pub(super) ahead: u32,
}

/// Frames of one lease.
pub(super) struct Report {
    pub(super) number: u64,
    pub(super) token: LeaseToken,
    /// Of the lease; older workers do not say it.
    pub(super) step: Option<StepId>,
    pub(super) outcomes: Vec<FrameOutcome>,
    /// The last frame that the worker will do of it.
    pub(super) last: Option<i64>,
}

/// What is said to a worker when a turn is stored.
#[derive(Debug, Default)]
pub(super) struct Said {
    pub(super) leases: Vec<Granted>,
    pub(super) answers: Vec<Answered>,
    /// Why the session ends with this.
    pub(super) end: Option<Fault>,
}

/// The answer to a report.
#[derive(Debug)]
pub(super) struct Answered {
    pub(super) number: u64,
    pub(super) token: LeaseToken,
    pub(super) verdicts: Vec<Verdict>,
    pub(super) keep: Option<FrameRange>,
    /// Where frames were refused: whether they had been accepted is still to be asked.
    pub(super) late: Option<Late>,
}

/// A connected worker.
pub(super) struct Seat {
    pub(super) worker: WorkerId,
    to: UnboundedSender<Said>,
    /// Leases given on this session.
    given: u64,
    /// Of those, how many could still come.
    idle: u32,
    ahead: u32,
    /// Whether it stands in the queue, and whether it has just asked.
    queued: bool,
    asked: bool,
}

impl Seat {
    const fn has_room(&self) -> bool {
        self.idle > 0 || self.ahead > 0
    }
}

/// Which places are being filled.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Slots that do nothing.
    Idle,
    /// Places to wait.
    Ahead,
}

/// Every connected worker.
#[derive(Default)]
pub(super) struct Seats {
    seats: HashMap<SeatId, Seat>,
    of_worker: HashMap<WorkerId, SeatId>,
    /// Who has room, in the order of asking.
    queue: VecDeque<SeatId>,
    /// Who has just asked.
    fresh: VecDeque<SeatId>,
}

impl Seats {
    pub(super) fn worker(&self, id: SeatId) -> Option<WorkerId> {
        self.seats.get(&id).map(|seat| seat.worker)
    }

    /// Seats a worker; an earlier seat of it is empty from now on.
    pub(super) fn open(&mut self, id: SeatId, worker: WorkerId, to: UnboundedSender<Said>) {
        if let Some(old) = self.of_worker.insert(worker, id) {
            self.seats.remove(&old);
        }
        let seat = Seat { worker, to, given: 0, idle: 0, ahead: 0, queued: false, asked: false };
        self.seats.insert(id, seat);
    }

    /// Takes a seat away.
    pub(super) fn close(&mut self, id: SeatId) {
        if let Some(seat) = self.seats.remove(&id)
            && self.of_worker.get(&seat.worker) == Some(&id)
        {
            self.of_worker.remove(&seat.worker);
        }
    }

    /// Takes every seat away.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Notes how much room a worker has. Leases that were under way when it
    /// counted take idle slots first.
    pub(super) fn room(&mut self, id: SeatId, room: Room) {
        let Some(seat) = self.seats.get_mut(&id) else { return };
        let under_way = u32::try_from(seat.given.saturating_sub(room.seen)).unwrap_or(u32::MAX);
        seat.idle = room.idle.saturating_sub(under_way);
        seat.ahead = room.ahead.saturating_sub(under_way.saturating_sub(room.idle));
        if seat.has_room() && !seat.asked {
            seat.asked = true;
            self.fresh.push_back(id);
        }
    }

    /// Who is to be served: everybody with room, or, when nothing new came up, who has just asked.
    pub(super) fn hungry(&mut self, everybody: bool) -> VecDeque<SeatId> {
        let mut hungry = VecDeque::new();
        if everybody {
            for id in self.queue.drain(..) {
                let Some(seat) = self.seats.get_mut(&id) else { continue };
                seat.queued = false;
                if !seat.asked {
                    hungry.push_back(id);
                }
            }
        }
        for id in self.fresh.drain(..) {
            let Some(seat) = self.seats.get_mut(&id) else { continue };
            seat.asked = false;
            hungry.push_back(id);
        }
        hungry
    }

    /// Whether a place of this kind is free at a seat.
    pub(super) fn has(&self, id: SeatId, place: Place) -> bool {
        self.seats.get(&id).is_some_and(|seat| match place {
            Place::Idle => seat.idle > 0,
            Place::Ahead => seat.ahead > 0,
        })
    }

    /// A lease was given for a place.
    pub(super) fn fill(&mut self, id: SeatId, place: Place) {
        let Some(seat) = self.seats.get_mut(&id) else { return };
        seat.given += 1;
        match place {
            Place::Idle => seat.idle -= 1,
            Place::Ahead => seat.ahead -= 1,
        }
    }

    /// Puts who still has room back in the queue.
    pub(super) fn wait(&mut self, ids: impl IntoIterator<Item = SeatId>) {
        for id in ids {
            let Some(seat) = self.seats.get_mut(&id) else { continue };
            if seat.has_room() && !seat.queued {
                seat.queued = true;
                self.queue.push_back(id);
            }
        }
    }

    /// Says something. What could not be said any more comes back.
    pub(super) fn say(&mut self, id: SeatId, said: Said) -> Result<(), Box<(WorkerId, Said)>> {
        let Some(seat) = self.seats.get(&id) else { return Ok(()) };
        let (worker, ends) = (seat.worker, said.end.is_some());
        let sent = seat.to.send(said).map_err(|unsaid| Box::new((worker, unsaid.0)));
        if ends || sent.is_err() {
            self.close(id);
        }
        sent
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::sync::mpsc::unbounded_channel;

    #[test]
    fn room_counts_what_is_under_way() {
        let mut seats = Seats::default();
        let (to, _heard) = unbounded_channel();
        seats.open(1, WorkerId(7), to);
        seats.room(1, Room { seen: 0, idle: 2, ahead: 1 });
        assert_eq!(seats.hungry(false), [1]);
        seats.fill(1, Place::Idle);
        seats.fill(1, Place::Idle);
        // It had heard of one of the two when it said that a slot was idle.
        seats.room(1, Room { seen: 1, idle: 1, ahead: 1 });
        assert!(!seats.has(1, Place::Idle) && seats.has(1, Place::Ahead));
        seats.room(1, Room { seen: 0, idle: 1, ahead: 1 });
        assert!(!seats.has(1, Place::Idle) && !seats.has(1, Place::Ahead));
        seats.room(1, Room { seen: 2, idle: 2, ahead: 1 });
        assert!(seats.has(1, Place::Idle) && seats.has(1, Place::Ahead));
    }

    /// Whatever a worker says, it is said to have that: sums of what it says are not made.
    #[test]
    fn a_worker_may_say_any_number() {
        let most = u32::MAX;
        for (idle, ahead) in [(most, most), (most, 1), (1, most)] {
            let mut seats = Seats::default();
            let (to, _heard) = unbounded_channel();
            seats.open(1, WorkerId(7), to);
            seats.room(1, Room { seen: u64::MAX, idle, ahead });
            assert_eq!(seats.hungry(false), [1], "{idle} idle, {ahead} ahead");
            seats.fill(1, Place::Idle);
            seats.wait([1]);
            assert_eq!(seats.hungry(true), [1], "{idle} idle, {ahead} ahead");
        }
    }

    #[test]
    fn a_worker_has_one_seat_and_asking_twice_is_standing_in_line_once() {
        let mut seats = Seats::default();
        let (to, _heard) = unbounded_channel();
        seats.open(1, WorkerId(7), to.clone());
        seats.room(1, Room { seen: 0, idle: 1, ahead: 0 });
        seats.room(1, Room { seen: 0, idle: 2, ahead: 0 });
        assert_eq!(seats.hungry(true), [1]);
        seats.open(2, WorkerId(7), to);
        assert_eq!((seats.worker(1), seats.worker(2)), (None, Some(WorkerId(7))));
        seats.close(1);
        seats.room(2, Room { seen: 0, idle: 1, ahead: 0 });
        seats.hungry(true);
        seats.wait([1, 2]);
        // One that waits and asks again is heard, and stands in line once.
        assert!(seats.hungry(false).is_empty(), "nobody has just asked");
        seats.room(2, Room { seen: 0, idle: 2, ahead: 0 });
        assert_eq!(seats.hungry(false), [2]);
        seats.wait([2]);
        assert_eq!(seats.hungry(true), [2]);
        assert!(seats.hungry(true).is_empty());
    }
}
