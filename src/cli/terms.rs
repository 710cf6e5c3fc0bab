//! What a submission asks of the scheduler: its place among others, and what a
//! worker must have. People change the place later; what a worker must have
//! stays with the steps.

use super::typed::unread;
use super::when::When;
use platefarm_model::farm::{Dependency, Device, Needs, PriorityClass, Target};
use platefarm_model::job::{JobSpec, JobView};
use platefarm_model::utc::Utc;
use platefarm_model::{Code, Fault, Outcome, Timestamp};
use platefarm_scheduler::pulls;

#[derive(clap::Args)]
#[command(next_help_heading = "On the farm")]
pub(super) struct Terms {
    /// Background, normal or urgent: a higher class takes capacity from a lower one [default: normal]
    #[arg(long)]
    class: Option<PriorityClass>,
    /// Higher runs first within the class [default: 0]
    #[arg(long, allow_hyphen_values = true)]
    priority: Option<i32>,
    /// When it is wanted; within a class the earliest goes first: +2h, or 2026-12-24T18:00Z.
    #[arg(long, value_name = "TIME")]
    deadline: Option<When>,
    /// Nothing of it begins before.
    #[arg(long, value_name = "TIME")]
    start_after: Option<When>,
    /// A job or step that must be settled first, e.g. j12; may be given several times.
    #[arg(long, value_name = "ID")]
    after: Vec<Target>,
    /// Most tasks of it at a time.
    #[arg(long, value_name = "TASKS", value_parser = clap::value_parser!(u32).range(1..))]
    max_tasks: Option<u32>,
    /// Render on workers of this pool only.
    #[arg(long, value_name = "POOL")]
    pool: Option<String>,
    /// Render on workers with this label only; may be given several times.
    #[arg(long, value_name = "LABEL")]
    label: Vec<String>,
    /// Memory that a slot must have to render it, in MiB.
    #[arg(long, value_name = "MIB", default_value_t = 0)]
    memory: u64,
    /// Of a named limit, how much each task takes; may be given several times.
    #[arg(long, value_name = "NAME=COUNT", value_parser = counted)]
    limit: Vec<(String, u32)>,
    /// Longest time that one frame may take, in seconds [default: no limit]
    #[arg(long, value_name = "SECONDS", default_value_t = 0, hide_default_value = true)]
    frame_limit: u32,
    /// Longest time that a plate may take from its first lease, in seconds [default: no limit]
    #[arg(long, value_name = "SECONDS", default_value_t = 0, hide_default_value = true)]
    step_limit: u32,
}

fn counted(text: &str) -> Outcome<(String, u32)> {
    let split = text.split_once('=').and_then(|(name, count)| Some((name, count.parse().ok()?)));
    let said = split.filter(|(name, count)| !name.is_empty() && *count > 0);
    said.map(|(name, count)| (name.to_owned(), count))
        .ok_or_else(|| unread(text, "amount of a limit", "Write NAME=COUNT, as in resolve=1."))
}

impl Terms {
    /// Writes them into a job. Plates go where their clips were read before, if they can.
    pub(super) fn apply(&self, job: &mut JobSpec) {
        let terms = &mut job.terms;
        job.priority = self.priority.unwrap_or(job.priority);
        terms.class = self.class.unwrap_or(terms.class);
        terms.deadline = self.deadline.and_then(|when| when.0).or(terms.deadline);
        terms.start_after = self.start_after.and_then(|when| when.0).or(terms.start_after);
        terms.max_tasks = self.max_tasks.or(terms.max_tasks);
        terms.after.extend(self.after.iter().map(|on| Dependency { on: *on, same_frames: false }));
        let needs = Needs {
            pool: self.pool.clone(),
            labels: self.label.iter().cloned().collect(),
            memory_mib: self.memory,
            device: Device::default(),
            limits: self.limit.iter().cloned().collect(),
        };
        pulls::ask_of_workers(job, &needs, self.frame_limit, self.step_limit);
    }

    /// Says where a job that was handed in before has other terms than are said
    /// now: it keeps its own, which people may have changed since. `asked` is
    /// what would have been handed in, `job` what is there.
    pub(super) fn kept(&self, asked: &JobSpec, job: &JobView) -> Option<Fault> {
        let mut kept: Vec<String> = Vec::new();
        let mut hold = |what: &str, is_said: bool, has: String, asked: String| {
            if is_said && has != asked {
                kept.push(format!("{what} {has} and not {asked}"));
            }
        };
        let time = |at: Option<Timestamp>| {
            at.map_or_else(|| "none".to_owned(), |at| Utc::from(at).to_the_minute())
        };
        let (now, then) = (&asked.terms, &job.terms);
        let (has, wants) = (job.priority.to_string(), asked.priority.to_string());
        hold("priority", self.priority.is_some(), has, wants);
        hold("class", self.class.is_some(), then.class.to_string(), now.class.to_string());
        hold("deadline", self.deadline.is_some(), time(then.deadline), time(now.deadline));
        let (has, wants) = (time(then.start_after), time(now.start_after));
        hold("start", self.start_after.is_some(), has, wants);
        let most = |tasks: Option<u32>| tasks.map_or_else(|| "none".into(), |n| n.to_string());
        let (has, wants) = (most(then.max_tasks), most(now.max_tasks));
        hold("limit of tasks", self.max_tasks.is_some(), has, wants);
        for on in self.after.iter().filter(|on| then.after.iter().all(|after| after.on != **on)) {
            kept.push(format!("no wait for {on}"));
        }
        let of_steps = self.of_steps();
        if !of_steps.is_empty() {
            kept.push(format!("{} as first handed in", of_steps.join(", ")));
        }
        (!kept.is_empty()).then(|| {
            let message =
                format!("{} was handed in before and keeps its terms: {}", job.id, kept.join("; "));
            Fault::new(Code::TermsKept, message)
        })
    }

    /// What is said of the steps, which nobody changes later.
    fn of_steps(&self) -> Vec<&'static str> {
        let said = [
            ("--pool", self.pool.is_some()),
            ("--label", !self.label.is_empty()),
            ("--memory", self.memory > 0),
            ("--limit", !self.limit.is_empty()),
            ("--frame-limit", self.frame_limit > 0),
            ("--step-limit", self.step_limit > 0),
        ];
        said.into_iter().filter(|(_, is_said)| *is_said).map(|(name, _)| name).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;
    use platefarm_model::JobId;
    use platefarm_model::farm::JobTerms;
    use platefarm_model::job::Phase;

    #[derive(Parser)]
    struct Typed {
        #[command(flatten)]
        terms: Terms,
    }

    fn typed(words: &[&str]) -> Terms {
        Typed::parse_from([&["pull"][..], words].concat()).terms
    }

    fn spec(terms: &Terms) -> JobSpec {
        let mut spec = JobSpec {
            name: "n".into(),
            show: "s".into(),
            priority: 0,
            terms: JobTerms::default(),
            idempotency_key: None,
            steps: Vec::new(),
        };
        terms.apply(&mut spec);
        spec
    }

    /// The job that a first command made.
    fn job(words: &[&str]) -> JobView {
        let spec = spec(&typed(words));
        JobView {
            id: JobId(7),
            name: spec.name,
            show: spec.show,
            priority: spec.priority,
            terms: spec.terms,
            phase: Phase::Pending,
            submitted: Timestamp(0),
            finished: None,
            frames_total: 0,
            frames_done: 0,
            frames_failed: 0,
            steps: Vec::new(),
        }
    }

    fn kept(words: &[&str], job: &JobView) -> Option<String> {
        let terms = typed(words);
        terms.kept(&spec(&terms), job).map(|fault| {
            assert_eq!(fault.code, Code::TermsKept);
            fault.message
        })
    }

    /// Every term that is said and is not what the job has is named with both.
    #[test]
    fn terms_that_a_job_does_not_take_are_told() {
        let first = ["--priority", "5", "--class", "urgent", "--deadline", "2026-12-24T18:00Z"];
        let there = job(&first);
        assert_eq!(kept(&first, &there), None, "the same command again");
        assert_eq!(kept(&[], &there), None, "nothing is said, nothing is dropped");
        for (words, told) in [
            (&["--priority", "0"][..], "priority 5 and not 0"),
            (&["--class", "background"][..], "class urgent and not background"),
            (
                &["--deadline", "2026-12-25T18:00Z"][..],
                "deadline 2026-12-24T18:00Z and not 2026-12-25T18:00Z",
            ),
            (&["--start-after", "2026-12-01T08:00Z"][..], "start none and not 2026-12-01T08:00Z"),
            (&["--max-tasks", "3"][..], "limit of tasks none and not 3"),
            (&["--after", "j2"][..], "no wait for j2"),
            (&["--pool", "gpu", "--memory", "9"][..], "--pool, --memory as first handed in"),
        ] {
            let message = kept(words, &there).unwrap_or_default();
            let expected = format!("j7 was handed in before and keeps its terms: {told}");
            assert_eq!(message, expected, "{words:?}");
        }
        assert_eq!(kept(&["--after", "j2"], &job(&["--after", "j2"])), None);
        assert!(kept(&["--priority", "1", "--max-tasks", "3"], &there).unwrap().contains("; "));
    }
}
