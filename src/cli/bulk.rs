//! What is done to many jobs at once: to those that are named, or to all that
//! a filter finds. A filter finds only jobs that it changes anything of; they
//! are counted and shown, and somebody says yes, or said so before.

use super::jobs::JobState;
use crate::farm::Farm;
use crate::output::{Output, Progress};
use clap::ArgGroup;
use futures_util::stream::{self, StreamExt};
use platefarm_model::farm::{Control, Target};
use platefarm_model::job::{JobView, Phase};
use platefarm_model::query::JobQuery;
use platefarm_model::{Code, Fault, Outcome};
use std::collections::BTreeSet;
use std::io::{IsTerminal, Write, stdin};
use std::time::{Duration, Instant};

/// Calls under way at a time.
const AT_ONCE: usize = 16;
/// Jobs that are named in the question.
const NAMED: usize = 12;
/// How long a farm that is asked too much is waited for, and between two tries.
const PATIENCE: Duration = Duration::from_secs(120);
const PAUSE: Duration = Duration::from_millis(250);

/// Which jobs and steps.
#[derive(clap::Args)]
#[command(group(
    ArgGroup::new("which").args(["targets", "show", "find", "state", "all"]).required(true).multiple(true)
))]
pub(super) struct Many {
    /// Ids, e.g. j12, or j12.3 for a step.
    #[arg(conflicts_with_all = ["all", "show", "find", "state"])]
    targets: Vec<Target>,
    /// Instead of ids: every job of this show.
    #[arg(long)]
    show: Option<String>,
    /// Instead of ids: every job with this in its id, name, show or who handed it in, whatever the case.
    #[arg(long, value_name = "TEXT")]
    find: Option<String>,
    /// Instead of ids: every job in this state; again for more [default: every state that it changes]
    #[arg(long, value_name = "STATE")]
    state: Vec<JobState>,
    /// Instead of ids: every job.
    #[arg(long)]
    all: bool,
    /// Do it without asking.
    #[arg(long, short)]
    yes: bool,
}

/// Whether a filter takes a job: it would change something of it. What was
/// cancelled is taken up again only where that state is named.
fn changes(control: &Control, job: &JobView, named: &[JobState]) -> bool {
    let open = !job.phase.is_settled();
    match control {
        Control::Pause => open && !job.terms.paused,
        Control::Resume => open && job.terms.paused,
        Control::Retry(_) => {
            job.frames_failed > 0 && job.phase != Phase::Cancelled
                || job.phase == Phase::Cancelled && named.contains(&JobState::In(Phase::Cancelled))
        }
        Control::Priority { class, priority } => {
            open && (class.is_some_and(|class| class != job.terms.class)
                || priority.is_some_and(|number| number != job.priority))
        }
        _ => open,
    }
}

fn verb(control: &Control) -> &'static str {
    match control {
        Control::Pause => "pause",
        Control::Resume => "resume",
        Control::Cancel => "cancel",
        Control::Retry(_) => "retry",
        _ => "change",
    }
}

pub(super) fn plural(count: usize, word: &str) -> String {
    format!("{count} {word}{}", if count == 1 { "" } else { "s" })
}

/// How many jobs, of what, and which.
pub(super) fn summary(jobs: &[JobView]) -> String {
    let shows: BTreeSet<&str> = jobs.iter().map(|job| job.show.as_str()).collect();
    let left: u64 =
        jobs.iter().map(|j| j.frames_total.saturating_sub(j.frames_done + j.frames_failed)).sum();
    let failed: u64 = jobs.iter().map(|job| job.frames_failed).sum();
    let names = named(jobs.iter().map(|job| format!("{} {}", job.id, job.name)));
    let failed = if failed > 0 { format!(", {failed} failed") } else { String::new() };
    format!(
        "{} of {}, {left} frames to do{failed}: {names}",
        plural(jobs.len(), "job"),
        plural(shows.len(), "show")
    )
}

/// The first of many by name, and how many there are besides.
pub(super) fn named(names: impl ExactSizeIterator<Item = String>) -> String {
    let more = names.len().saturating_sub(NAMED);
    let mut some: Vec<String> = names.take(NAMED).collect();
    if more > 0 {
        some.push(format!("and {more} more"));
    }
    some.join(", ")
}

impl Many {
    /// What is to be steered; none: there is nothing.
    async fn find(
        self,
        farm: &mut Farm,
        control: &Control,
        out: &dyn Output,
    ) -> Outcome<Vec<Target>> {
        if !self.targets.is_empty() {
            return Ok(self.targets);
        }
        let text = Option::unwrap_or_default;
        let (show, find) = (text(self.show), text(self.find));
        let query = JobQuery { show, find, ..JobState::query(&self.state) };
        let (mut jobs, found) = farm.find_jobs(&query).await?;
        jobs.retain(|job| changes(control, job, &self.state));
        if jobs.is_empty() {
            out.note(&format!(
                "{} found, and none to {}",
                plural(found as usize, "job"),
                verb(control)
            ));
            return Ok(Vec::new());
        }
        if self.yes {
            out.note(&summary(&jobs));
        } else {
            ask(verb(control), &summary(&jobs), out)?;
        }
        Ok(jobs.iter().map(|job| Target::Job(job.id)).collect())
    }
}

/// Has a person say yes to what is done to many, which `summary` counts and names.
pub(super) fn ask(verb: &str, summary: &str, out: &dyn Output) -> Outcome<()> {
    let unsaid = |message: String| Err(Fault::new(Code::NotConfirmed, message));
    if !out.talks() || !stdin().is_terminal() {
        return unsaid(format!("this would {verb} {summary}"));
    }
    eprintln!("{summary}");
    eprint!("{}{} them? [y/N] ", verb[..1].to_uppercase(), &verb[1..]);
    let mut said = String::new();
    let heard = std::io::stderr().flush().and_then(|()| stdin().read_line(&mut said));
    if heard.is_ok() && matches!(said.trim().to_lowercase().as_str(), "y" | "yes") {
        return Ok(());
    }
    unsaid("no: they are left as they are".into())
}

/// What is said where there was nothing left to cancel: that is no error, and nothing was done.
fn had_ended(control: &Control, target: Target, job: &JobView) -> Option<String> {
    let phase = match target {
        Target::Job(_) => job.phase,
        Target::Step(id) => job.steps.get(id.index as usize)?.phase,
    };
    let by_itself = *control == Control::Cancel && phase != Phase::Cancelled;
    by_itself.then(|| format!("{target} had ended before ({}): nothing changed", phase.word()))
}

/// Does something to each of many. One that refuses does not keep the others
/// from it; the first refusal is the error that the verb ends with.
pub(super) async fn steer(
    farm: &mut Farm,
    many: Many,
    control: &Control,
    out: &dyn Output,
) -> Outcome<()> {
    let single = many.targets.len() == 1;
    let targets = many.find(farm, control, out).await?;
    if let ([target], true) = (targets.as_slice(), single) {
        let job = farm.control(*target, control).await?;
        out.job(&job);
        had_ended(control, *target, &job).into_iter().for_each(|told| out.note(&told));
        return Ok(());
    }
    let steered =
        each(farm, &targets, "jobs", out, async |farm, target| farm.control(target, control).await);
    let (mut jobs, mut told, mut refused) = (Vec::new(), Vec::new(), Vec::new());
    for (target, done) in targets.iter().zip(steered.await) {
        match done {
            Ok(job) => {
                told.extend(had_ended(control, *target, &job));
                jobs.push(job);
            }
            Err(fault) => refused.push(fault.within(target)),
        }
    }
    out.jobs(&jobs, jobs.len() as u64);
    told.iter().for_each(|told| out.note(told));
    first_of(refused, out)
}

/// Of what was refused, the first is what the verb ends with; the others are told before.
///
/// # Errors
/// The first of them.
pub(super) fn first_of(refused: Vec<Fault>, out: &dyn Output) -> Outcome<()> {
    refused.iter().skip(1).for_each(|fault| out.warn(fault));
    refused.into_iter().next().map_or(Ok(()), Err)
}

/// Does something to each of many, some at a time, and says how many are done.
/// What came of each, in their order.
pub(super) async fn each<I: Copy, T>(
    farm: &Farm,
    items: &[I],
    unit: &str,
    out: &dyn Output,
    call: impl AsyncFn(&mut Farm, I) -> Outcome<T>,
) -> Vec<Outcome<T>> {
    let progress = Progress::counting(out.talks() && items.len() > 2 * AT_ONCE, unit);
    let call = &call;
    let calls = items.iter().map(|item| {
        let mut farm = farm.clone();
        async move { patiently(async || call(&mut farm, *item).await).await }
    });
    let mut under_way = stream::iter(calls).buffered(AT_ONCE);
    let mut ended = Vec::with_capacity(items.len());
    while let Some(done) = under_way.next().await {
        ended.push(done);
        progress.at(ended.len() as u64, items.len() as u64);
    }
    progress.finish();
    ended
}

/// One of many: a farm that is asked too much at once is asked again.
async fn patiently<T>(mut call: impl AsyncFnMut() -> Outcome<T>) -> Outcome<T> {
    let begun = Instant::now();
    loop {
        match call().await {
            Err(fault) if fault.code == Code::TooMuch && begun.elapsed() < PATIENCE => {
                tokio::time::sleep(PAUSE).await;
            }
            done => return done,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use platefarm_model::farm::PriorityClass;
    use platefarm_model::{JobId, Timestamp};

    fn job(phase: Phase, paused: bool, failed: u64) -> JobView {
        let mut job = JobView {
            id: JobId(1),
            name: "n".into(),
            show: "atlas".into(),
            priority: 5,
            terms: Default::default(),
            phase,
            submitted: Timestamp(0),
            finished: None,
            frames_total: 10,
            frames_done: 0,
            frames_failed: failed,
            steps: Vec::new(),
        };
        job.terms.paused = paused;
        job
    }

    /// A filter takes what it changes: nothing settled is paused, nothing that was
    /// cancelled comes back unasked, and nothing is said twice.
    #[test]
    fn a_filter_takes_what_it_changes() {
        let (running, done) = (job(Phase::Running, false, 0), job(Phase::Done, false, 0));
        let held = job(Phase::Pending, true, 0);
        let (failed, cancelled) = (job(Phase::Failed, false, 2), job(Phase::Cancelled, false, 2));
        let takes = |control: &Control, job| changes(control, job, &[]);
        assert!(takes(&Control::Pause, &running) && !takes(&Control::Pause, &held));
        assert!(takes(&Control::Resume, &held) && !takes(&Control::Resume, &running));
        assert!(takes(&Control::Cancel, &held) && !takes(&Control::Cancel, &done));
        let retry = Control::Retry(None);
        assert!(takes(&retry, &failed) && !takes(&retry, &running) && !takes(&retry, &cancelled));
        assert!(changes(&retry, &cancelled, &[JobState::In(Phase::Cancelled)]));
        let level = |class, priority| Control::Priority { class, priority };
        assert!(takes(&level(Some(PriorityClass::Urgent), None), &running));
        assert!(!takes(&level(Some(PriorityClass::Normal), Some(5)), &running), "it has that");
        assert!(!takes(&level(Some(PriorityClass::Urgent), None), &done));
        // Those that are paused, by the word that the list has for them.
        let query = JobState::query(&["paused".parse().unwrap()]);
        assert!(
            query.holds(&held)
                && !query.holds(&running)
                && !query.holds(&job(Phase::Done, true, 0))
        );
    }

    #[test]
    fn what_had_ended_before_it_was_cancelled_is_told() {
        let told = |control: &Control, phase| {
            had_ended(control, Target::Job(JobId(1)), &job(phase, false, 0))
        };
        let said = told(&Control::Cancel, Phase::Done);
        assert_eq!(said.as_deref(), Some("j1 had ended before (done): nothing changed"));
        assert!(told(&Control::Cancel, Phase::Failed).is_some());
        assert_eq!(told(&Control::Cancel, Phase::Cancelled), None);
        assert_eq!(told(&Control::Pause, Phase::Done), None, "that is refused");
    }

    #[test]
    fn the_question_says_how_many_and_of_what() {
        let said = summary(&[job(Phase::Running, false, 0), job(Phase::Failed, false, 3)]);
        assert_eq!(said, "2 jobs of 1 show, 17 frames to do, 3 failed: j1 n, j1 n");
        let many: Vec<JobView> = (0..40).map(|_| job(Phase::Running, false, 0)).collect();
        assert!(summary(&many).starts_with("40 jobs of 1 show, 400 frames to do: "));
        assert!(summary(&many).ends_with("and 28 more"));
    }
}
