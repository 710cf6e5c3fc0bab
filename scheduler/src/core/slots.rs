//! Slots for work of a higher class: those that come free by themselves, and
//! those that leases of a lower class are asked for.
//!
//! A worker begins its leases in the order in which it got them, as many as it
//! has slots; the others wait there. So a slot is had by asking what runs in it,
//! and whatever waits for it below the class goes back whole: it would begin next.

use super::State;
use super::fit::Standing;
use super::lease::LeaseCell;
use super::queue::NeedId;
use super::worker::Worker;
use platefarm_model::farm::PriorityClass;
use platefarm_model::{LeaseToken, Timestamp, WorkerId};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// Tasks that a class could have now, by what they need.
pub(super) type Demand = BTreeMap<NeedId, u64>;

/// A lease that could be shortened: the lowest class goes first, then the latest end.
pub(super) type Victim = (PriorityClass, Reverse<Timestamp>, LeaseToken);

/// What a lease of a lower class could give.
pub(super) enum Below {
    /// Something, were it asked.
    Asked(Victim),
    /// All: the frame in hand is its last, or it is asked already.
    Ends,
}

/// A worker as a class sees it.
struct Place<'s> {
    worker: &'s Worker,
    /// Slots that are free, or come free by themselves, and are for nobody yet.
    coming: u64,
    /// What runs below the class.
    running: Vec<Victim>,
    /// What waits for a slot here below the class, in the order in which it would begin.
    waiting: Vec<LeaseToken>,
    /// Leases of the class or above that wait for a slot here, and how many of `waiting` stand before them.
    own: usize,
    before_own: usize,
}

impl Place<'_> {
    /// So many slots that come free are wanted: nothing below begins in them.
    fn take(&mut self, slots: u64, asked: &mut BTreeSet<LeaseToken>) {
        if slots > 0 {
            self.coming -= slots;
            asked.extend(self.waiting.drain(..));
        }
    }

    /// What waits here of the class gets its slots.
    fn serve_own(&mut self, asked: &mut BTreeSet<LeaseToken>) {
        asked.extend(self.waiting.drain(..self.before_own));
        let coming = self.coming.min(self.own as u64);
        self.coming -= coming;
        let short = (self.own - coming as usize).min(self.running.len());
        self.running.sort_unstable();
        asked.extend(self.running.drain(..short).map(|(.., token)| token));
    }
}

/// Whether a lease waits for a slot that its worker was given after so many others, and is not
/// known to have begun.
fn waits_behind(before: usize, worker: &Worker, cell: &LeaseCell) -> bool {
    before >= worker.row.slots as usize && cell.in_hand.is_none()
}

impl State {
    /// The live leases of a worker, each with whether it waits for a slot there.
    pub(super) fn leases_of<'s>(
        &'s self,
        worker: &'s Worker,
    ) -> impl Iterator<Item = (&'s LeaseCell, bool)> {
        let held = worker.leases.iter().filter_map(|token| self.leases.get(token));
        held.enumerate().map(move |(before, cell)| (cell, waits_behind(before, worker, cell)))
    }

    /// Whether a lease waits for a slot of its worker.
    pub(super) fn waits(&self, cell: &LeaseCell) -> bool {
        let before = |worker: &Worker| worker.leases.range(..cell.row.token).count();
        // Where nobody waits nobody has to be counted.
        let waits = |worker: &Worker| {
            worker.leases.len() > worker.row.slots as usize
                && waits_behind(before(worker), worker, cell)
        };
        self.workers.get(&cell.row.worker).is_some_and(waits)
    }

    /// What the slots of a worker are being taken for, by its leases.
    pub(super) fn yields_of(&self, worker: &Worker) -> Option<PriorityClass> {
        self.leases_of(worker).filter_map(|(cell, _)| cell.yields).max()
    }

    /// What a lease below `class` could give; none: it is not below.
    pub(super) fn below(&self, cell: &LeaseCell, class: PriorityClass) -> Option<Below> {
        let held = self.class_of(cell).filter(|held| *held < class)?;
        Some(match cell.listed {
            Some(end) => Below::Asked((held, Reverse(end), cell.row.token)),
            None => Below::Ends,
        })
    }

    fn class_of(&self, cell: &LeaseCell) -> Option<PriorityClass> {
        let (job, step) = self.step_of(cell.row.step)?;
        Some(step.level(&job.row).class)
    }

    fn place<'s>(&'s self, worker: &'s Worker, class: PriorityClass) -> Place<'s> {
        let (running, waiting) = (Vec::new(), Vec::new());
        let mut place = Place { worker, coming: 0, running, waiting, own: 0, before_own: 0 };
        let mut stay = 0;
        for (cell, waits) in self.leases_of(worker) {
            match (self.below(cell, class), waits) {
                (Some(Below::Asked((.., token))), true) => place.waiting.push(token),
                (Some(Below::Asked(victim)), false) => {
                    place.running.push(victim);
                    stay += 1;
                }
                (Some(Below::Ends), _) => {}
                (None, true) => {
                    place.own += 1;
                    place.before_own = place.waiting.len();
                }
                (None, false) => stay += 1,
            }
        }
        place.coming = u64::from(worker.row.slots).saturating_sub(stay);
        place
    }

    /// What waits for a slot of a worker below a class.
    pub(super) fn waits_below(&self, worker: &Worker, class: PriorityClass) -> Vec<LeaseToken> {
        self.place(worker, class).waiting
    }

    /// Leases below `class` to be asked for all that is not begun, until as many slots come
    /// free as are wanted: by what waits at a worker already, and by what workers fit.
    pub(super) fn slots_for(&self, class: PriorityClass, demand: &Demand) -> BTreeSet<LeaseToken> {
        let takes = |worker: &&Worker| worker.alive && self.standing(worker) == Standing::Open;
        let workers = self.workers.values().filter(takes);
        let mut places: Vec<Place> = workers.map(|worker| self.place(worker, class)).collect();
        let mut asked = BTreeSet::new();
        places.iter_mut().for_each(|place| place.serve_own(&mut asked));
        let of_place = |(at, place): (usize, &Place)| {
            place.running.iter().map(|victim| (*victim, at)).collect::<Vec<_>>()
        };
        let mut victims: Vec<(Victim, usize)> =
            places.iter().enumerate().flat_map(of_place).collect();
        victims.sort_unstable();
        // Those who fit few workers choose first.
        let fitting = |need| places.iter().filter(|place| self.fits(need, place.worker)).count();
        let mut wanted: Vec<(usize, NeedId, u64)> =
            demand.iter().map(|(need, tasks)| (fitting(*need), *need, *tasks)).collect();
        wanted.sort_unstable();
        for (_, need, mut tasks) in wanted {
            for place in places.iter_mut().filter(|place| self.fits(need, place.worker)) {
                let got = tasks.min(place.coming);
                place.take(got, &mut asked);
                tasks -= got;
            }
            victims.retain(|((.., token), at)| {
                let place = &mut places[*at];
                let goes = tasks > 0 && self.fits(need, place.worker);
                if goes {
                    tasks -= 1;
                    asked.insert(*token);
                    asked.extend(place.waiting.drain(..));
                }
                !goes
            });
        }
        asked
    }

    /// A worker whose slots are full was given work of a class: what is below it there makes way.
    pub(super) fn make_way(&mut self, worker: WorkerId, class: PriorityClass) {
        let mut asked = BTreeSet::new();
        if let Some(worker) = self.workers.get(&worker) {
            self.place(worker, class).serve_own(&mut asked);
        }
        asked.into_iter().for_each(|token| self.ask_for_all(token, Some(class)));
    }
}
