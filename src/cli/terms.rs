//! What a submission asks of the scheduler: its place among others, and what a
//! worker must have. People change the place later; what a worker must have
//! stays with the steps.

use super::typed::unread;
use super::when::When;
use platefarm_model::farm::{Dependency, Device, PriorityClass, Target};
use platefarm_model::job::{JobSpec, StepKind};
use platefarm_model::recipe::Backend;
use platefarm_model::{Outcome, limits};

#[derive(clap::Args)]
#[command(next_help_heading = "On the farm")]
pub(super) struct Terms {
    /// Background, normal or urgent: a higher class takes capacity from a lower one [default: normal]
    #[arg(long)]
    class: Option<PriorityClass>,
    /// Higher runs first within the class.
    #[arg(long, default_value_t = 0, allow_hyphen_values = true)]
    pub(super) priority: i32,
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
        job.priority = self.priority;
        terms.class = self.class.unwrap_or(terms.class);
        terms.deadline = self.deadline.and_then(|when| when.0).or(terms.deadline);
        terms.start_after = self.start_after.and_then(|when| when.0).or(terms.start_after);
        terms.max_tasks = self.max_tasks.or(terms.max_tasks);
        terms.after.extend(self.after.iter().map(|on| Dependency { on: *on, same_frames: false }));
        for step in &mut job.steps {
            let StepKind::Render(render) = &step.kind else { continue };
            let (near, backend) = (render.source.clone(), render.backend);
            let needs = &mut step.terms.needs;
            needs.pool.clone_from(&self.pool);
            needs.labels.extend(self.label.iter().cloned());
            needs.memory_mib = self.memory;
            needs.limits.extend(self.limit.iter().cloned());
            if backend == Backend::Gpu {
                needs.device = Device::Gpu;
            }
            step.terms.frame_limit_s = self.frame_limit;
            step.terms.step_limit_s = self.step_limit;
            // A name that the scheduler would refuse is not worth a pull.
            if near.len() <= limits::MAX_NAME_BYTES && !near.chars().any(char::is_control) {
                step.terms.near.push(near);
            }
        }
    }
}
