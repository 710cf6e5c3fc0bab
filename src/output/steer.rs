//! What the queue answers, for people: why something waits, what more workers
//! would do, and what of the farm belongs to whom.

use super::table::{self, Align};
use super::{Settings, style};
use crate::farm::{ShowPage, Standing};
use platefarm_model::Timestamp;
use platefarm_model::explain::{Explanation, SettingsView, WhatIf, WhatIfAnswer};
use platefarm_model::farm::{PriorityClass, Target};
use platefarm_model::job::{JobView, StepView};
use platefarm_model::utc::Utc;

fn left(title: &str) -> (&str, Align) {
    (title, Align::Left)
}

fn key(title: &str) -> (&str, Align) {
    (title, Align::Key)
}

fn right(title: &str) -> (&str, Align) {
    (title, Align::Right)
}

fn or_dash(text: String) -> String {
    if text.is_empty() { "-".into() } else { text }
}

/// A class and a number as one word; the usual class is not said.
pub(super) fn level(class: PriorityClass, number: i32) -> String {
    match class {
        PriorityClass::Normal => number.to_string(),
        other if number == 0 => other.to_string(),
        other => format!("{other} {number}"),
    }
}

/// Where a job is in its life, or that a person holds it.
pub(super) fn job_state(job: &JobView) -> String {
    style::state(if job.is_held() { "paused" } else { job.phase.word() })
}

/// The same of a step, with its own level where that differs from the job's.
pub(super) fn step_state(step: &StepView) -> String {
    let held = step.paused && !step.phase.is_settled();
    let state = style::state(if held { "paused" } else { step.phase.word() });
    step.level
        .map_or(state.clone(), |(class, number)| format!("{state} ({})", level(class, number)))
}

/// What else people said of a job.
pub(super) fn terms(job: &JobView) {
    let terms = &job.terms;
    let mut said = Vec::new();
    said.extend(terms.max_tasks.map(|most| format!("at most {most} tasks")));
    said.extend(terms.deadline.map(|at| format!("wanted by {}", utc(at))));
    said.extend(terms.start_after.map(|at| format!("not before {}", utc(at))));
    if !terms.after.is_empty() {
        let after: Vec<String> = terms.after.iter().map(|after| after.on.to_string()).collect();
        said.push(format!("after {}", after.join(", ")));
    }
    if !said.is_empty() {
        say!("{}", said.join("; "));
    }
}

/// A time as `YYYY-MM-DDTHH:MMZ`.
pub(super) fn utc(at: Timestamp) -> String {
    Utc::from(at).to_the_minute()
}

pub(super) fn explained(it: &Explanation) {
    let tasks = match it.running {
        0 => "nothing of it runs".to_owned(),
        1 => "1 task of it runs".to_owned(),
        n => format!("{n} tasks of it run"),
    };
    say!("{}  {}  {tasks}", style::strong(&it.target.to_string()), style::state(&it.phase));
    let alone = matches!(it.target, Target::Step(_));
    for group in &it.groups {
        if !alone {
            let steps = match group.steps {
                1 => group.first.to_string(),
                n => format!("{n} steps, {}.{}", group.first.job, group.indices),
            };
            let frames = match group.frames_waiting {
                0 => String::new(),
                1 => "  1 frame waits".into(),
                n => format!("  {n} frames wait"),
            };
            say!("{}{}", style::strong(&steps), style::dim(&frames));
        }
        for reason in &group.reasons {
            say!("  {}  {}", style::caution(&reason.hold), reason.text);
            if !reason.remedy.is_empty() {
                say!("    remedy: {}", reason.remedy);
            }
        }
    }
}

pub(super) fn what_if(asked: &WhatIf, it: &WhatIfAnswer) {
    say!(
        "{} of {} more {} workers would get work: {} tasks; {} frames would still wait",
        style::strong(&it.busy_workers.to_string()),
        asked.workers,
        asked.class,
        it.tasks,
        it.frames_left
    );
    let rows: Vec<Vec<String>> = it
        .by_job
        .iter()
        .map(|task| {
            let (job, class) = (task.job.to_string(), task.class.to_string());
            vec![job, class, task.tasks.to_string(), task.show.clone(), task.name.clone()]
        })
        .collect();
    if !rows.is_empty() {
        let header = [key("JOB"), left("CLASS"), right("TASKS"), left("SHOW"), left("NAME")];
        table::print(&header, &rows);
    }
}

pub(super) fn settings(which: Settings, view: &SettingsView) {
    // What can be spared where there is little room, the first ones first.
    let mut spare: &[&str] = &[];
    let (header, rows, none): (Vec<_>, Vec<Vec<String>>, _) = match which {
        Settings::Pools => {
            let row = |p: &platefarm_model::explain::PoolView| {
                vec![
                    p.name.clone(),
                    p.workers.to_string(),
                    p.reserve.to_string(),
                    or_dash(p.labels.join(", ")),
                ]
            };
            let header = vec![key("POOL"), right("WORKERS"), right("RESERVE"), left("LABELS")];
            (header, view.pools.iter().map(row).collect(), "no pools")
        }
        Settings::Limits => {
            let row = |l: &platefarm_model::explain::LimitView| {
                let count = l.count.map_or_else(|| "removed".into(), |count| count.to_string());
                vec![l.name.clone(), l.used.to_string(), count]
            };
            let header = vec![key("LIMIT"), right("TAKEN"), right("OF")];
            (header, view.limits.iter().map(row).collect(), "no limits")
        }
        Settings::Shows => {
            spare = &["WARM", "UP TO", "GUARANTEE", "CEILING"];
            let row = |s: &platefarm_model::explain::ShareView| {
                let warm = match (s.share.warm_cpu, s.share.warm_gpu) {
                    (0, 0) => String::new(),
                    (cpu, gpu) => format!("{cpu} cpu, {gpu} gpu"),
                };
                vec![
                    or_dash(s.show.clone()),
                    s.share.weight.to_string(),
                    s.share.guarantee.to_string(),
                    s.share.ceiling.map_or_else(|| "-".into(), |most| most.to_string()),
                    warm,
                    s.share.highest_class.to_string(),
                    s.tasks.to_string(),
                    s.frames_waiting.to_string(),
                ]
            };
            let header = vec![
                key("SHOW"),
                right("WEIGHT"),
                right("GUARANTEE"),
                right("CEILING"),
                right("WARM"),
                right("UP TO"),
                right("TASKS"),
                right("WAITING"),
            ];
            (header, view.shares.iter().map(row).collect(), "no shows")
        }
        Settings::Nodes => {
            let row = |n: &platefarm_model::explain::NodeView| {
                let state = match (&n.quarantine, n.draining) {
                    (Some(q), _) => format!("quarantined: {}", q.reason),
                    (None, true) if n.drain_reason.is_empty() => "draining".into(),
                    (None, true) => format!("draining: {}", n.drain_reason),
                    (None, false) => "open".into(),
                };
                vec![
                    n.name.clone(),
                    or_dash(n.labels.join(", ")),
                    or_dash(n.without.join(", ")),
                    state,
                ]
            };
            let header = vec![key("NODE"), left("LABELS GIVEN"), left("TAKEN"), left("STATE")];
            (header, view.nodes.iter().map(row).collect(), "nothing is held against any node")
        }
    };
    if rows.is_empty() {
        say!("{none}");
    } else {
        table::print_without(spare, &header, &rows);
    }
}

/// A show: its share of the farm, what it has, and what holds for its pulls.
pub(super) fn show(page: &ShowPage) {
    say!("{}", style::strong(&page.show));
    match &page.standing {
        Some(standing) => stands(standing),
        None => say!("share      is the whole farm's to see, and the token is for some shows"),
    }
    let Some(pulls) = &page.pulls else {
        say!("pulls      the scheduler has no library, and so nothing that holds for them");
        return;
    };
    let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".into());
    let defaults = &pulls.defaults;
    say!("rate       {}", text(&defaults.rate.map(|rate| rate.to_string())));
    say!("spec       {}", text(&defaults.spec));
    say!("fdl        {}", text(&defaults.fdl));
    say!("amf        {}", text(&defaults.amf));
    say!("choices    {}", pulls.choices);
}

/// What a show has of the farm.
fn stands(standing: &Standing) {
    let share = &standing.share;
    say!("weight     {}", share.weight);
    say!("guarantee  {} tasks", share.guarantee);
    let ceiling = share.ceiling.map_or_else(|| "none".into(), |most| format!("{most} tasks"));
    say!("ceiling    {ceiling}");
    say!("warm       {} cpu, {} gpu", share.warm_cpu, share.warm_gpu);
    say!("class      up to {}", share.highest_class);
    say!("at work    {} tasks; {} frames wait", standing.tasks, standing.frames_waiting);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_said_by_the_calendar() {
        // Seconds by `date -u -d ... +%s`.
        for (seconds, text) in [
            (0, "1970-01-01T00:00Z"),
            (1_798_135_200, "2026-12-24T18:00Z"),
            (1_709_251_199, "2024-02-29T23:59Z"),
            (4_107_542_400, "2100-03-01T00:00Z"),
        ] {
            assert_eq!(utc(Timestamp(seconds * 1_000_000)), text);
        }
    }
}
