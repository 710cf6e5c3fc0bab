//! The owner and the workers: what they say, and who gets a task.

use super::{Owner, Parked};
use crate::core::{Command, Granted, Reply, Verdict};
use crate::service::late::Late;
use crate::service::seats::{Answered, Place, Report, Said, SeatId, Word};
use crate::store::Store;
use std::collections::{BTreeMap, VecDeque};
use tokio::time::Instant;

impl<S: Store> Owner<S> {
    /// What a worker says on its session. True when somebody may get work by it.
    pub(super) fn hear(&mut self, id: SeatId, word: Word) -> bool {
        let mut wake = false;
        match word {
            Word::Open { worker, holds, to } => match self.state.held_by(worker) {
                Ok(held) => {
                    self.seats.open(id, worker, to);
                    for token in held.into_iter().filter(|token| !holds.contains(token)) {
                        wake |= self.decided(Command::Release { worker, token }).1;
                    }
                }
                Err(fault) => drop(to.send(Said { end: Some(fault), ..Said::default() })),
            },
            Word::Say { room, reports, releases } => {
                let Some(worker) = self.seats.worker(id) else { return false };
                for report in reports {
                    let Report { number, token, step, outcomes, last } = report;
                    let late = Late::of(step, token, &outcomes);
                    let command = Command::Report { worker, token, outcomes, last };
                    let (reply, wakes) = self.decided(command);
                    wake |= wakes;
                    if let Ok(Reply::Reported { verdicts, keep }) = reply {
                        let late = late.filter(|_| verdicts.contains(&Verdict::Refused));
                        let answer = Answered { number, token, verdicts, keep, late };
                        self.turn.said.entry(id).or_default().answers.push(answer);
                    }
                }
                for token in releases {
                    wake |= self.decided(Command::Release { worker, token }).1;
                }
                if let Some(room) = room {
                    self.seats.room(id, room);
                }
            }
            Word::HungUp => self.seats.close(id),
        }
        wake
    }

    /// Tasks for those who have room, one at a time and in turn: first for
    /// every idle slot, and only when none is left idle for places to wait.
    pub(super) fn serve(&mut self, everybody: bool) {
        let mut hungry = self.seats.hungry(everybody);
        let mut fed = VecDeque::new();
        let mut early: BTreeMap<SeatId, Said> = BTreeMap::new();
        for place in [Place::Idle, Place::Ahead] {
            let mut left_idle = false;
            while let Some(id) = hungry.pop_front() {
                let Some(worker) = self.seats.worker(id) else { continue };
                if !self.seats.has(id, place) {
                    fed.push_back(id);
                    continue;
                }
                match self.decide(Command::Acquire { worker }) {
                    Ok(Reply::Acquired(Some(granted))) => {
                        self.seats.fill(id, place);
                        let said =
                            if self.may_go(&granted) { &mut early } else { &mut self.turn.said };
                        said.entry(id).or_default().leases.push(granted);
                        hungry.push_back(id);
                    }
                    Err(fault) => self.turn.said.entry(id).or_default().end = Some(fault),
                    Ok(_) => {
                        left_idle = true;
                        fed.push_back(id);
                    }
                }
            }
            std::mem::swap(&mut hungry, &mut fed);
            if left_idle || !self.parked.is_empty() {
                break;
            }
        }
        self.seats.wait(hungry);
        early.into_iter().for_each(|(id, said)| self.say(id, said));
    }

    /// Whether a lease may be heard of before it is stored.
    fn may_go(&self, granted: &Granted) -> bool {
        let unstored =
            |job| self.turn.changes.jobs.contains_key(&job) || self.writing.contains(&job);
        self.state.may_go(granted, unstored)
    }

    /// A task for a worker that waits, or it goes on waiting.
    pub(super) fn try_acquire(&mut self, parked: Parked) {
        if parked.told.is_closed() {
            return;
        }
        match self.decide(Command::Acquire { worker: parked.worker }) {
            Ok(Reply::Acquired(None)) => self.parked.push_back(parked),
            reply => self.turn.answers.push((Some(parked.worker), parked.told, reply)),
        }
    }

    /// Tells those who have waited long enough that there is nothing to do.
    pub(super) fn send_home(&mut self) {
        let (now, closing) = (Instant::now(), *self.closing.borrow());
        for parked in std::mem::take(&mut self.parked) {
            if closing || parked.until <= now {
                self.turn.answers.push((None, parked.told, Ok(Reply::Acquired(None))));
            } else if !parked.told.is_closed() {
                self.parked.push_back(parked);
            }
        }
    }

    pub(super) fn say(&mut self, id: SeatId, said: Said) {
        if let Err(back) = self.seats.say(id, said) {
            let (worker, unsaid) = *back;
            self.unheard.extend(unsaid.leases.into_iter().map(|lease| (worker, lease.token)));
        }
    }
}
