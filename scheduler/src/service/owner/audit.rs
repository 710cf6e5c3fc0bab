//! The auditor: while the farm runs, some rows at a time are read from the store
//! and held against the core, and their books and caps are checked. With the last
//! steps come the workers, the settings, and what is counted over the whole farm.
//!
//! The core and the store say the same when a turn is written and the next is not.
//! So the core's rows are copied when a turn is handed over, and a connection of the
//! auditor's own begins to see the store when it is written; it is read, and the two are
//! compared, beside the owner, which goes on. What it costs the owner is bounded
//! by rows, however large a job or a farm is; the rest is paced by what it takes.

use crate::core::{Cap, Command, Over, Part, QueueAt, State, Steps};
use crate::store::{Store, View};
use platefarm_model::farm::{Control, SettingKind, Target};
use platefarm_model::status::Audit;
use platefarm_model::{JobId, Outcome, StepId};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// Rows of a look: two or three milliseconds of the owner's time.
const ROWS: usize = 2_048;
/// Least time between two looks. A farm of fewer rows is gone over that often.
const PERIOD: Duration = Duration::from_secs(5);
/// And between two looks of one round; but they take one of so many parts of the time at most.
/// A round over a million jobs takes half an hour.
const STEP: Duration = Duration::from_millis(500);
const RARE: u32 = 25;
/// How long a turn waits at most until a view of it has begun.
const HOLD: Duration = Duration::from_millis(100);
/// How long to wait before a store that could not be looked at is tried again.
const AGAIN: Duration = Duration::from_secs(5);

/// Where the findings are read.
#[derive(Clone, Debug, Default)]
pub(in crate::service) struct Findings(Arc<Mutex<Audit>>);

impl Findings {
    pub(in crate::service) fn read(&self) -> Audit {
        // Whoever panicked while holding it left whole numbers behind.
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Forgets what was found.
    #[cfg(test)]
    pub(in crate::service) fn clear(&self) {
        *self.0.lock().unwrap() = Audit::default();
    }

    fn note(&self, jobs: u64, lowered: Vec<String>, broken: Option<String>) {
        let mut audit = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        audit.looks += 1;
        audit.jobs += jobs;
        audit.lowered = lowered;
        if let Some(broken) = broken {
            tracing::error!(broken, "the auditor found a disagreement");
            audit.broken += 1;
            audit.first.get_or_insert(broken);
        }
    }
}

/// Where it is on its round, and what it knows of caps.
pub(super) struct Auditor<V> {
    /// The first step that it has not seen, and where it is in the queue.
    next: StepId,
    queue: Option<QueueAt>,
    due: Instant,
    pace: Pace,
    findings: Findings,
    /// Caps that people set below what was leased, and how much of each still runs: it only falls.
    lowered: BTreeMap<Cap, Over>,
    /// A view that is open; away while it is read.
    view: Option<V>,
    beside: JoinSet<Looked<V>>,
}

/// Pauses between looks.
#[derive(Clone, Copy)]
struct Pace {
    round: Duration,
    step: Duration,
    rare: u32,
}

/// What the core has of some steps, to be held against the store, and what it says of itself.
struct Expected {
    part: Part,
    lowered: Vec<String>,
    books: Result<(), String>,
}

/// A look that is under way.
pub(super) struct Look<V> {
    view: V,
    expected: Expected,
    /// Whether the view sees the store as it was when this was expected.
    held: bool,
}

/// A look that is over: the steps that were held against the store, and how long that took.
struct Looked<V> {
    view: V,
    of: Option<Steps>,
    took: Duration,
}

/// The cap that a command may lower.
pub(super) fn cap_of(command: &Command) -> Option<Cap> {
    match command {
        Command::Set(SettingKind::Limit, name, _) => Some(Cap::Limit(name.clone())),
        Command::Set(SettingKind::Share, name, _) => Some(Cap::Show(name.clone())),
        Command::Control(Target::Job(id), Control::MaxTasks(_)) => Some(Cap::Job(*id)),
        _ => None,
    }
}

impl<V: View> Auditor<V> {
    /// Of a core that begins to lead: what is over then is taken to have been lowered before, and
    /// that is said, since nothing that is stored tells it from a cap that was broken.
    pub(super) fn new(state: &State, view: V) -> Self {
        let over = state.over_caps(JobId(0), JobId(u64::MAX));
        for over in &over {
            tracing::warn!(%over, "more runs than a cap allows; it is taken to have been lowered under another leader");
        }
        let mut beside = JoinSet::new();
        beside.spawn(opened(view));
        Self {
            next: Steps::ALL.first,
            queue: None,
            due: Instant::now() + PERIOD,
            pace: Pace { round: PERIOD, step: STEP, rare: RARE },
            findings: Findings::default(),
            lowered: over.into_iter().map(|over| (over.cap.clone(), over)).collect(),
            view: None,
            beside,
        }
    }

    /// The core was made again from what is stored, where what was given back since is not: a cap
    /// that is known to be lowered may be over by more. One that nobody lowered is broken still.
    pub(super) fn restored(&mut self, state: &State) {
        for (cap, known) in &mut self.lowered {
            if let Some(over) = state.over(cap.clone()) {
                *known = over;
            }
        }
    }

    /// Has it look at every turn.
    #[cfg(test)]
    pub(super) fn hurry(&mut self) {
        (self.due, self.pace) =
            (Instant::now(), Pace { round: Duration::ZERO, step: Duration::ZERO, rare: 0 });
    }

    pub(super) fn findings(&self) -> Findings {
        self.findings.clone()
    }

    /// A person set this cap. One that holds by that is known until the next look: it may not be stored yet.
    pub(super) fn was_set(&mut self, cap: Cap, state: &State) {
        if let Some(over) = state.over(cap.clone()) {
            tracing::info!(%over, "a cap is below what runs; nothing is taken from it until it holds");
            self.lowered.insert(cap, over);
        }
    }

    /// What is to be looked at when the turn is stored that is handed over now, if it is time.
    pub(super) fn look(&mut self, state: &State) -> Option<Look<V>> {
        while let Some(looked) = self.beside.try_join_next() {
            match looked {
                Ok(looked) => self.looked(looked),
                Err(e) => self.findings.note(0, Vec::new(), Some(format!("a look broke off: {e}"))),
            }
        }
        if Instant::now() < self.due {
            return None;
        }
        let view = self.view.take()?;
        let expected = self.expected(state);
        Some(Look { view, expected, held: false })
    }

    fn looked(&mut self, looked: Looked<V>) {
        let Looked { view, of, took } = looked;
        self.view = Some(view);
        // What could not be looked at is looked at after a while.
        self.next = of.map_or(self.next, Steps::behind);
        let least = match of {
            Some(of) if !of.are_last() => self.pace.step,
            _ => self.pace.round,
        };
        self.due = Instant::now() + least.max(took * self.pace.rare);
    }

    /// Goes on with a look beside the owner, when its turn is stored.
    pub(super) fn go_on(&mut self, look: Look<V>) {
        self.beside.spawn(look.read(self.findings.clone()));
    }

    fn expected(&mut self, state: &State) -> Expected {
        let part = state.steps_from(self.next, ROWS);
        let books = state.check_part(part.of).and_then(|()| self.check_queue(state));
        let books = books.and_then(|()| self.check_caps(part.of, state));
        let lowered = self.lowered.values().map(ToString::to_string).collect();
        Expected { part, lowered, books }
    }

    /// The queue is gone over on a round of its own.
    fn check_queue(&mut self, state: &State) -> Result<(), String> {
        self.queue = state.check_queue_from(self.queue, ROWS)?;
        Ok(())
    }

    /// No cap is broken: what is over was lowered, and goes down.
    fn check_caps(&mut self, of: Steps, state: &State) -> Result<(), String> {
        self.lowered.retain(|cap, _| state.over(cap.clone()).is_some());
        for over in state.over_caps(of.first.job, of.last.job) {
            match self.lowered.get_mut(&over.cap) {
                Some(known) if over.used <= known.used => *known = over,
                _ => return Err(format!("more is leased than there is: {over}")),
            }
        }
        Ok(())
    }
}

/// Opens a view, however long the store is away.
async fn opened<V: View>(mut view: V) -> Looked<V> {
    while let Err(fault) = view.open().await {
        tracing::warn!(%fault, "the auditor cannot look at the store");
        tokio::time::sleep(AGAIN).await;
    }
    Looked { view, of: None, took: Duration::ZERO }
}

impl<V: View> Look<V> {
    /// The turn is stored: begins to see it. Where that takes long, nobody waits, and nothing is looked at.
    pub(super) async fn hold(&mut self, store: &mut impl Store<View = V>) {
        let held = tokio::time::timeout(HOLD, store.hold(&mut self.view)).await;
        self.held = matches!(held, Ok(Ok(())));
    }

    /// Holds what is stored against what is expected.
    async fn read(mut self, findings: Findings) -> Looked<V> {
        let (begun, of) = (Instant::now(), self.expected.part.of);
        let compared = if self.held { self.compare(&findings).await.is_ok() } else { false };
        let took = begun.elapsed();
        let Looked { view, .. } = opened(self.view).await;
        Looked { view, of: compared.then_some(of), took }
    }

    async fn compare(&mut self, findings: &Findings) -> Outcome<()> {
        let Expected { part, lowered, books } = &self.expected;
        let stored = self.view.part(part.of).await?;
        let broken = books.clone().err().or_else(|| part.differs(&stored));
        findings.note(part.rows.jobs.len() as u64, lowered.clone(), broken);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::{Policy, Snapshot};
    use crate::service::tests::noop;
    use crate::store::memory::{MemoryStore, MemoryView};
    use platefarm_model::Timestamp;
    use platefarm_model::farm::{Limit, Setting};

    fn limit(count: u32) -> Command {
        Command::Set(SettingKind::Limit, "nuke".into(), Some(Setting::Limit(Limit { count })))
    }

    fn register(name: &str) -> Command {
        Command::Register {
            name: name.into(),
            instance: name.into(),
            slots: 2,
            backend: "cpu".into(),
            traits: Default::default(),
        }
    }

    /// Two workers with a task each, of a limit of which there is as much as `count`.
    fn farm_of_two(count: u32) -> State {
        let mut state = State::new(Policy::default(), Timestamp(1));
        let mut job = noop("a", 8);
        job.steps[0].terms.needs.limits = [("nuke".to_owned(), 1)].into();
        let commands = [limit(count), Command::Submit(Box::new(job)), register("a"), register("b")];
        commands.into_iter().for_each(|command| {
            state.step(command, Timestamp(2)).reply.expect("it is accepted");
        });
        take(&mut state);
        state
    }

    /// Both workers take what they get.
    fn take(state: &mut State) {
        for worker in [1, 2].map(platefarm_model::WorkerId) {
            state.step(Command::Acquire { worker }, Timestamp(3)).reply.expect("an answer");
        }
    }

    fn auditor(state: &State) -> Auditor<MemoryView> {
        Auditor::new(state, MemoryStore::default().view())
    }

    /// A farm without a job has workers and settings all the same.
    #[tokio::test]
    async fn an_empty_farm_is_looked_at() {
        let mut state = State::new(Policy::default(), Timestamp(1));
        for command in [limit(2), register("a")] {
            state.step(command, Timestamp(2)).reply.expect("it is accepted");
        }
        let Expected { part, books, .. } = auditor(&state).expected(&state);
        assert_eq!((books, part.of), (Ok(()), Steps::ALL));
        let mut stored = state.snapshot();
        assert_eq!(part.differs(&stored), None);
        stored.workers.clear();
        let other = part.differs(&stored);
        assert_eq!(other.as_deref(), Some("worker w1 is not stored as it is"));
        stored = Snapshot { settings: Default::default(), ..state.snapshot() };
        assert!(part.differs(&stored).is_some());
    }

    /// A commit fails and the core is made again: that excuses nothing that nobody set.
    #[tokio::test]
    async fn a_cap_that_is_broken_is_found_when_the_core_was_made_again() {
        for lowered in [true, false] {
            let mut state = farm_of_two(2);
            let mut auditor = auditor(&state);
            state.step(limit(1), Timestamp(4)).reply.expect("it is set");
            if lowered {
                auditor.was_set(Cap::Limit("nuke".into()), &state);
            }
            let again = State::restore(Policy::default(), state.snapshot(), Timestamp(5));
            let again = again.expect("the rows agree");
            auditor.restored(&again);
            let Expected { books, .. } = auditor.expected(&again);
            assert_eq!(books.is_ok(), lowered, "{books:?}");
        }
    }

    #[tokio::test]
    async fn a_cap_that_is_broken_is_found_and_one_that_was_lowered_is_not() {
        let mut state = farm_of_two(2);
        let mut auditor = auditor(&state);
        let mut look = |state: &State, lower: bool| {
            if lower {
                auditor.was_set(Cap::Limit("nuke".into()), state);
            }
            let expected = auditor.expected(state);
            (expected.books, expected.lowered)
        };
        assert_eq!(look(&state, false), (Ok(()), vec![]));
        state.step(limit(1), Timestamp(4)).reply.expect("it is set");
        let (broken, _) = look(&state, false);
        assert!(broken.unwrap_err().contains("limit 'nuke': 2 of 1 are taken"), "nobody said so");
        let (kept, lowered) = look(&state, true);
        assert_eq!((kept, lowered), (Ok(()), vec!["limit 'nuke': 2 of 1 are taken".into()]));
        // A core that gives out more of it while it is over.
        let mut more = state.clone();
        more.step(limit(9), Timestamp(5)).reply.expect("it is set");
        take(&mut more);
        more.step(limit(1), Timestamp(6)).reply.expect("it is set");
        let (broken, _) = look(&more, false);
        assert!(broken.unwrap_err().contains("4 of 1"));
    }
}
