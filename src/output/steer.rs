//! What the queue answers, for people: why something waits, what more workers
//! would do, and what of the farm belongs to whom.

use super::table::{self, Align};
use super::{Settings, style};
use platefarm_model::explain::{Explanation, SettingsView, WhatIf, WhatIfAnswer};
use platefarm_model::farm::Target;

fn left(title: &str) -> (&str, Align) {
    (title, Align::Left)
}

fn right(title: &str) -> (&str, Align) {
    (title, Align::Right)
}

fn or_dash(text: String) -> String {
    if text.is_empty() { "-".into() } else { text }
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
        let header = [left("JOB"), left("CLASS"), right("TASKS"), left("SHOW"), left("NAME")];
        table::print(&header, &rows);
    }
}

pub(super) fn settings(which: Settings, view: &SettingsView) {
    let (header, rows, none): (Vec<_>, Vec<Vec<String>>, _) = match which {
        Settings::Pools => {
            let row = |p: &platefarm_model::explain::PoolView| {
                vec![p.name.clone(), p.workers.to_string(), or_dash(p.labels.join(", "))]
            };
            let header = vec![left("POOL"), right("WORKERS"), left("LABELS")];
            (header, view.pools.iter().map(row).collect(), "no pools")
        }
        Settings::Limits => {
            let row = |l: &platefarm_model::explain::LimitView| {
                let count = l.count.map_or_else(|| "removed".into(), |count| count.to_string());
                vec![l.name.clone(), l.used.to_string(), count]
            };
            let header = vec![left("LIMIT"), right("TAKEN"), right("OF")];
            (header, view.limits.iter().map(row).collect(), "no limits")
        }
        Settings::Shows => {
            let row = |s: &platefarm_model::explain::ShareView| {
                vec![
                    or_dash(s.show.clone()),
                    s.share.weight.to_string(),
                    s.share.guarantee.to_string(),
                    s.share.ceiling.map_or_else(|| "-".into(), |most| most.to_string()),
                    s.tasks.to_string(),
                    s.frames_waiting.to_string(),
                ]
            };
            let header = vec![
                left("SHOW"),
                right("WEIGHT"),
                right("GUARANTEE"),
                right("CEILING"),
                right("TASKS"),
                right("FRAMES WAITING"),
            ];
            (header, view.shares.iter().map(row).collect(), "no shows")
        }
        Settings::Nodes => {
            let row = |n: &platefarm_model::explain::NodeView| {
                let state = match (&n.quarantine, n.draining) {
                    (Some(q), _) => format!("quarantined: {}", q.reason),
                    (None, true) => "draining".into(),
                    (None, false) => "open".into(),
                };
                vec![
                    n.name.clone(),
                    or_dash(n.labels.join(", ")),
                    or_dash(n.without.join(", ")),
                    state,
                ]
            };
            let header = vec![left("NODE"), left("LABELS GIVEN"), left("TAKEN"), left("STATE")];
            (header, view.nodes.iter().map(row).collect(), "nothing is held against any node")
        }
    };
    if rows.is_empty() {
        say!("{none}");
    } else {
        table::print(&header, &rows);
    }
}
