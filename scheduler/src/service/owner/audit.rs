//! The auditor: while the farm runs, a few jobs at a time are read from the
//! store and held against the core, and their books and caps are checked. It
//! reads in the wake of a commit, when both must say the same. With the last
//! jobs, or where there is none, come the workers, the settings, and what is
//! counted over the whole farm.

use crate::core::{Cap, Command, Over, Snapshot, State};
use crate::store::{Jobs, Store};
use platefarm_model::farm::{Control, SettingKind, Target};
use platefarm_model::status::Audit;
use platefarm_model::{JobId, Outcome};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// How often it looks.
const PERIOD: Duration = Duration::from_secs(5);
/// Jobs that it looks at at a time.
const JOBS: usize = 64;

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
pub(super) struct Auditor {
    /// The first job that it has not seen.
    next: JobId,
    due: Instant,
    period: Duration,
    findings: Findings,
    /// Caps that people set below what was leased, and how much of each still runs: it only falls.
    lowered: BTreeMap<Cap, Over>,
}

/// Rows as the core has them, to be held against the store's.
pub(super) struct Expected {
    of: Jobs,
    rows: Snapshot,
    /// Whether `rows` has the workers and settings.
    with_last: bool,
    lowered: Vec<String>,
    books: Result<(), String>,
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

impl Auditor {
    /// Of a core that begins to lead: what is over then is taken to have been lowered before, and
    /// that is said, since nothing that is stored tells it from a cap that was broken.
    pub(super) fn new(state: &State) -> Self {
        let over = state.over_caps(Jobs::ALL.first, Jobs::ALL.last);
        for over in &over {
            tracing::warn!(%over, "more runs than a cap allows; it is taken to have been lowered under another leader");
        }
        Self {
            next: JobId(0),
            due: Instant::now() + PERIOD,
            period: PERIOD,
            findings: Findings::default(),
            lowered: over.into_iter().map(|over| (over.cap.clone(), over)).collect(),
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

    /// Has it look more often.
    #[cfg(test)]
    pub(super) fn every(&mut self, period: Duration) {
        (self.period, self.due) = (period, Instant::now());
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

    /// What is to be looked at after the next commit, if it is time.
    pub(super) fn expected(&mut self, state: &State) -> Option<Expected> {
        if Instant::now() < self.due {
            return None;
        }
        self.due = Instant::now() + self.period;
        let first = self.next;
        let last = state.last_of(first, JOBS);
        // From the beginning again when the end is reached.
        self.next = last.map_or(JobId(0), |last| JobId(last.0 + 1));
        let of = match last {
            Some(last) => Jobs { first, last },
            None if first == Jobs::ALL.first => Jobs::ALL,
            None => return None,
        };
        let books = state.check_between(of.first, of.last);
        let books = books.and_then(|()| self.check_caps(of, state));
        let lowered = self.lowered.values().map(ToString::to_string).collect();
        let rows = state.rows_between(of.first, of.last);
        let behind = JobId(of.last.0.saturating_add(1));
        let with_last = state.last_of(behind, 1).is_none();
        Some(Expected { of, rows, with_last, lowered, books })
    }

    /// No cap is broken: what is over was lowered, and goes down.
    fn check_caps(&mut self, of: Jobs, state: &State) -> Result<(), String> {
        self.lowered.retain(|cap, _| state.over(cap.clone()).is_some());
        for over in state.over_caps(of.first, of.last) {
            match self.lowered.get_mut(&over.cap) {
                Some(known) if over.used <= known.used => *known = over,
                _ => return Err(format!("more is leased than there is: {over}")),
            }
        }
        Ok(())
    }
}

/// Holds the store against what is expected.
pub(super) async fn look(
    store: &mut impl Store,
    expected: Expected,
    findings: &Findings,
) -> Outcome<()> {
    let Expected { of, rows, with_last, lowered, books } = expected;
    let stored = store.part(of).await?;
    let broken = books.err().or_else(|| differs(&rows, &stored, with_last));
    findings.note(rows.jobs.len() as u64, lowered, broken);
    Ok(())
}

fn differs(core: &Snapshot, stored: &Snapshot, with_last: bool) -> Option<String> {
    let of_jobs = first_other(&core.jobs, &stored.jobs)
        .map(|id| id.to_string())
        .or_else(|| first_other(&core.steps, &stored.steps).map(|id| format!("step {id}")))
        .or_else(|| first_other(&core.leases, &stored.leases).map(|id| format!("lease {id}")));
    let of_farm = || {
        let worker = first_other(&core.workers, &stored.workers).map(|id| format!("worker {id}"));
        let setting = || {
            let setting = first_other(&core.settings, &stored.settings);
            setting.map(|(kind, name)| format!("{kind} '{name}'"))
        };
        let marks = || (core.marks != stored.marks).then(|| "the highest id".to_owned());
        worker.or_else(setting).or_else(marks)
    };
    let what = of_jobs.or_else(|| with_last.then(of_farm).flatten())?;
    Some(format!("{what} is not stored as it is"))
}

/// The first key of which the two have not the same.
fn first_other<'a, K: Ord, V: PartialEq>(
    ours: &'a BTreeMap<K, V>,
    theirs: &'a BTreeMap<K, V>,
) -> Option<&'a K> {
    ours.keys().chain(theirs.keys()).find(|key| ours.get(key) != theirs.get(key))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::Policy;
    use crate::service::tests::noop;
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

    /// A farm without a job has workers and settings all the same.
    #[test]
    fn an_empty_farm_is_looked_at() {
        let mut state = State::new(Policy::default(), Timestamp(1));
        let mut auditor = Auditor::new(&state);
        auditor.every(Duration::ZERO);
        for command in [limit(2), register("a")] {
            state.step(command, Timestamp(2)).reply.expect("it is accepted");
        }
        let expected = auditor.expected(&state).expect("it is time");
        assert_eq!(expected.books, Ok(()));
        let mut stored = state.snapshot();
        assert_eq!(differs(&expected.rows, &stored, expected.with_last), None);
        stored.workers.clear();
        let other = differs(&expected.rows, &stored, expected.with_last);
        assert_eq!(other.as_deref(), Some("worker w1 is not stored as it is"));
        stored = Snapshot { settings: Default::default(), ..state.snapshot() };
        assert!(differs(&expected.rows, &stored, expected.with_last).is_some());
    }

    /// A commit fails and the core is made again: that excuses nothing that nobody set.
    #[tokio::test]
    async fn a_cap_that_is_broken_is_found_when_the_core_was_made_again() {
        for lowered in [true, false] {
            let mut state = farm_of_two(2);
            let mut auditor = Auditor::new(&state);
            auditor.every(Duration::ZERO);
            state.step(limit(1), Timestamp(4)).reply.expect("it is set");
            if lowered {
                auditor.was_set(Cap::Limit("nuke".into()), &state);
            }
            let again = State::restore(Policy::default(), state.snapshot(), Timestamp(5));
            let again = again.expect("the rows agree");
            auditor.restored(&again);
            let expected = auditor.expected(&again).expect("it is time");
            assert_eq!(expected.books.is_ok(), lowered, "{:?}", expected.books);
        }
    }

    #[tokio::test]
    async fn a_cap_that_is_broken_is_found_and_one_that_was_lowered_is_not() {
        let mut state = farm_of_two(2);
        let mut auditor = Auditor::new(&state);
        auditor.every(Duration::ZERO);
        let mut look = |state: &State, lower: bool| {
            if lower {
                auditor.was_set(Cap::Limit("nuke".into()), state);
            }
            auditor.next = JobId(0);
            let expected = auditor.expected(state).expect("it is time");
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
