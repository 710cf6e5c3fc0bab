//! Bugs planted on purpose, one in the domain of each checker: a checker that
//! never fails proves nothing. They only make the farm do wrong; who finds it
//! out are the checkers of every farm.

use super::world::World;
use platefarm_model::farm::{
    Control, JobTerms, Limit, PriorityClass, Setting, SettingKind, Share, Target,
};
use platefarm_model::job::FrameOutcome;
use platefarm_model::{Code, Fault, LeaseToken, Timestamp};
use platefarm_scheduler::core::{Changes, Command, Effects, Policy, Reply, State, Verdict};

/// What is done wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bug {
    /// A report under a stale token counts for whoever has the frame now.
    TokensUnchecked,
    /// Answers leave before the transaction is on disk.
    AnsweredBeforeStored,
    /// A transaction that was cut off leaves its first rows.
    TornCommit,
    /// A transaction leaves out a row.
    RowForgotten,
    /// A transaction leaves out the ends of frames that were given up.
    EndsForgotten,
    /// A scheduler that is deposed writes still.
    DeposedWrites,
    /// Nothing ever expires.
    TimeStandsStill,
    /// What lies behind the frame in hand counts as given back before its holder agrees.
    TakenUnasked,
    /// What holders were asked for is forgotten at once.
    AsksForgotten,
    /// The core thinks that there is more of a limit than there is.
    LimitsUncounted,
    /// The core takes shows to have no ceilings.
    CeilingsUncounted,
    /// Jobs are taken in without their caps.
    CapsForgotten,
    /// A job that is handed in again is taken for another one.
    KeysForgotten,
    /// Frames that were done are given up.
    GivenUpTooSoon,
    /// Who pauses a job ends it.
    PausedIsCancelled,
    /// The core takes all work to be of one class.
    ClassesForgotten,
    /// A frame that is leased is leased once more, behind the core's back.
    GivenTwice,
    /// A commit of which nothing is heard counts as done.
    SilenceIsYes,
    /// Who reports again what was refused is told that it is granted.
    SecondThoughts,
    /// Nothing is kept of a job that is forgotten, not even that its id was given out.
    MarksForgotten,
    /// With a job the older ones are forgotten, too.
    ForgetsOthers,
    /// A job is forgotten that has not ended.
    ForgetsOpen,
    /// What has ended is forgotten at once, whoever wants it.
    ForgetsUnasked,
    /// That a job is forgotten is not written.
    ForgettingUnwritten,
    /// A report under a lease of a forgotten job counts.
    LateHeeded,
}

impl World {
    /// What the core is told behind everybody's back.
    pub(crate) fn lie(&mut self) {
        let share = |show: &str| {
            let none = Setting::Share(Share::default());
            Command::Set(SettingKind::Share, show.into(), Some(none))
        };
        let lies = match self.bug {
            Some(Bug::LimitsUncounted) => {
                let limit = Setting::Limit(Limit { count: 99 });
                vec![Command::Set(SettingKind::Limit, "nuke".into(), Some(limit))]
            }
            Some(Bug::CeilingsUncounted) => vec![share("a"), share("b")],
            _ => Vec::new(),
        };
        if let Some(core) = self.core.as_mut() {
            lies.into_iter().for_each(|lie| drop(core.step(lie, Timestamp(0))));
        }
    }

    /// What comes of a decision, where it comes out wrong.
    pub(crate) fn spoil(&mut self, command: &Command, effects: &mut Effects) {
        let (policy, now) = (self.script.policy, self.time());
        let (core, changed) = (self.core.as_mut(), !effects.changes.is_empty());
        match (self.bug, command, &mut effects.reply) {
            (Some(Bug::GivenTwice), ..) => {
                if let Some(core) = core.filter(|_| changed) {
                    give_twice(core, policy, now);
                }
            }
            (Some(Bug::AsksForgotten), Command::Tick, _) => {
                let again = core.as_ref().map(|core| State::rebuild(policy, core.snapshot(), now));
                if let (Some(core), Some(Ok(again))) = (core, again) {
                    *core = again;
                }
            }
            (
                Some(Bug::SecondThoughts),
                Command::Report { token, outcomes, .. },
                Ok(Reply::Reported { verdicts, .. }),
            ) => {
                for (outcome, verdict) in outcomes.iter().zip(verdicts) {
                    let refused = *verdict == Verdict::Refused;
                    if refused && !self.refused.insert((*token, outcome.frame())) {
                        *verdict = Verdict::Granted;
                    }
                }
            }
            (
                Some(Bug::LateHeeded),
                Command::Report { token, .. },
                Ok(Reply::Reported { verdicts, .. }),
            ) if self.is_struck(*token) => verdicts.fill(Verdict::Granted),
            _ => {}
        }
    }

    /// What of a transaction is not written.
    pub(crate) fn omit(&self, turn: &mut Changes) {
        match self.bug {
            Some(Bug::RowForgotten) => drop(turn.leases.pop_last()),
            Some(Bug::EndsForgotten) => {
                turn.frames.retain(|row| matches!(row.outcome, FrameOutcome::Done(_)));
            }
            Some(Bug::ForgettingUnwritten) => turn.forgotten.clear(),
            _ => {}
        }
    }

    /// Whether the core is not what is stored because of the bug, which another checker is to find.
    pub(crate) fn is_lied_to(&self) -> bool {
        matches!(
            self.bug,
            Some(
                Bug::LimitsUncounted
                    | Bug::CeilingsUncounted
                    | Bug::TornCommit
                    | Bug::SilenceIsYes
                    | Bug::MarksForgotten
                    | Bug::ForgetsOthers
                    | Bug::ForgettingUnwritten
            )
        )
    }
}

/// What the core hears.
pub(crate) fn mistaken(bug: Option<Bug>, core: &mut State, command: Command) -> Command {
    match (bug, command) {
        (Some(Bug::TokensUnchecked), command @ Command::Report { .. }) => trusting(core, command),
        (Some(Bug::TakenUnasked), Command::Heartbeat { worker, mut leases }) => {
            leases.iter_mut().for_each(|pulse| pulse.last = pulse.in_hand.or(pulse.last));
            Command::Heartbeat { worker, leases }
        }
        (Some(Bug::ClassesForgotten), Command::Submit(mut spec)) => {
            spec.terms = JobTerms { class: PriorityClass::Normal, ..spec.terms };
            Command::Submit(spec)
        }
        (Some(Bug::CapsForgotten), Command::Submit(mut spec)) => {
            spec.terms.max_tasks = None;
            Command::Submit(spec)
        }
        (Some(Bug::KeysForgotten), Command::Submit(mut spec)) => {
            let number = core.snapshot().jobs.len();
            spec.idempotency_key = spec.idempotency_key.map(|key| format!("{key}, {number}"));
            Command::Submit(spec)
        }
        (Some(Bug::GivenUpTooSoon), Command::Report { worker, token, mut outcomes, last }) => {
            for outcome in outcomes.iter_mut().filter(|outcome| outcome.frame() % 7 == 0) {
                let fault = Fault::new(Code::BadRecipe, "planned");
                *outcome = FrameOutcome::Failed { frame: outcome.frame(), fault };
            }
            Command::Report { worker, token, outcomes, last }
        }
        (Some(Bug::PausedIsCancelled), Command::Control(target, Control::Pause)) => {
            Command::Control(target, Control::Cancel)
        }
        (Some(Bug::ForgetsOpen), Command::Forget(job)) => {
            let end = Command::Control(Target::Job(job), Control::Cancel);
            drop(core.step(end, Timestamp(0)));
            Command::Forget(job)
        }
        (_, command) => command,
    }
}

/// Gives the frames of a live lease out once more.
fn give_twice(core: &mut State, policy: Policy, now: Timestamp) {
    let mut rows = core.snapshot();
    let Some(mut twin) = rows.leases.values().find(|lease| !lease.keep.is_empty()).cloned() else {
        return;
    };
    let last = rows.leases.keys().next_back().copied().unwrap_or(twin.token);
    twin.token = LeaseToken(last.0 + 1);
    twin.done = Default::default();
    rows.leases.insert(twin.token, twin);
    if let Ok(forged) = State::rebuild(policy, rows, now) {
        *core = forged;
    }
}

/// A report counts for whoever holds its frames.
fn trusting(core: &State, command: Command) -> Command {
    let Command::Report { worker, token, outcomes, last } = command else { return command };
    let leases = core.snapshot().leases;
    let step = leases.get(&token).map(|lease| lease.step);
    let frame = outcomes.first().map(FrameOutcome::frame);
    let holder = leases.into_values().find(|lease| {
        Some(lease.step) == step && frame.is_some_and(|frame| lease.keep.contains(frame))
    });
    match holder {
        Some(holder) => {
            Command::Report { worker: holder.worker, token: holder.token, outcomes, last: None }
        }
        None => Command::Report { worker, token, outcomes, last },
    }
}
