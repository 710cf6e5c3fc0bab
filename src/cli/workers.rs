//! `platefarm workers ...`: see and steer workers: those that are named, or all
//! that a filter finds of which something changes, once somebody said yes.

use crate::cli::bulk::{ask, each, first_of, named, plural};
use crate::cli::{Global, runtime};
use crate::farm::Farm;
use crate::output::Output;
use clap::ArgGroup;
use platefarm_model::farm::NodeControl;
use platefarm_model::job::WorkerView;
use platefarm_model::{Code, Fault, Outcome, WorkerId};
use std::str::FromStr;

/// States of a worker.
const STATES: [&str; 5] = ["alive", "draining", "quarantined", "trial", "lost"];

#[derive(clap::Subcommand)]
pub(super) enum Verb {
    /// List workers and what they hold.
    List {
        /// Only in this state: alive, draining, quarantined, trial, lost.
        #[arg(long, value_parser = STATES)]
        state: Option<String>,
        /// Only in this pool.
        #[arg(long)]
        pool: Option<String>,
        /// Only with this label.
        #[arg(long)]
        label: Option<String>,
    },
    /// Show a worker: its tasks, labels and pools, and what is said against it.
    Show {
        /// Id, e.g. w4, or name.
        worker: Called,
    },
    /// Give the nodes of workers nothing new; they finish the frames in hand.
    #[command(arg_required_else_help = true)]
    Drain {
        #[command(flatten)]
        which: Which,
        /// Why, for whoever wonders later.
        #[arg(long, default_value = "", hide_default_value = true)]
        reason: String,
    },
    /// Give the nodes of workers work again, drained or quarantined.
    #[command(arg_required_else_help = true)]
    Resume(Which),
    /// Keep the nodes of workers from work until they are resumed.
    #[command(arg_required_else_help = true)]
    Quarantine {
        #[command(flatten)]
        which: Which,
        /// Why.
        #[arg(long, default_value = "", hide_default_value = true)]
        reason: String,
    },
    /// Give the nodes of workers labels, or take them away.
    #[command(
        arg_required_else_help = true,
        group(ArgGroup::new("labels").args(["add", "remove"]).required(true).multiple(true))
    )]
    Label {
        #[command(flatten)]
        which: Which,
        /// A label to give; again for more.
        #[arg(long, value_name = "LABEL")]
        add: Vec<String>,
        /// A label to take away; again for more.
        #[arg(long, value_name = "LABEL")]
        remove: Vec<String>,
    },
    /// Strike workers from the list; what they have goes to others. A process that lives registers again.
    #[command(arg_required_else_help = true)]
    Remove(Which),
}

/// A worker as people call it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Called {
    /// By its id.
    Id(WorkerId),
    /// By the name of its node.
    Name(String),
}

impl FromStr for Called {
    type Err = Fault;

    fn from_str(text: &str) -> Outcome<Self> {
        Ok(text.parse().map_or_else(|_| Self::Name(text.into()), Self::Id))
    }
}

impl Called {
    fn is(&self, worker: &WorkerView) -> bool {
        match self {
            Self::Id(id) => *id == worker.id,
            Self::Name(name) => *name == worker.name,
        }
    }

    /// Those that are called so.
    ///
    /// # Errors
    /// `F0518` where there is none.
    fn among<'w>(&self, there: &'w [WorkerView]) -> Outcome<Vec<&'w WorkerView>> {
        let found: Vec<&WorkerView> = there.iter().filter(|worker| self.is(worker)).collect();
        if found.is_empty() {
            let message = match self {
                Self::Id(id) => format!("there is no worker {id}"),
                Self::Name(name) => format!("there is no worker '{name}'"),
            };
            return Err(Fault::new(Code::NoSuchWorker, message));
        }
        Ok(found)
    }
}

/// Which workers.
#[derive(clap::Args)]
#[command(group(
    ArgGroup::new("which").args(["workers", "pool", "label", "node"]).required(true).multiple(true)
))]
pub(super) struct Which {
    /// Ids, e.g. w4, or names.
    #[arg(value_name = "WORKER", conflicts_with_all = ["pool", "label", "node"])]
    workers: Vec<Called>,
    /// Instead: every worker in this pool.
    #[arg(long)]
    pool: Option<String>,
    /// Instead: every worker with this label; again for those that have all.
    #[arg(long)]
    label: Vec<String>,
    /// Instead: every worker of this node, by the name that lists have for it.
    #[arg(long, value_name = "NAME")]
    node: Option<String>,
    /// Say which they are, and do nothing.
    #[arg(long)]
    dry_run: bool,
    /// Do it without asking.
    #[arg(long, short)]
    yes: bool,
}

impl Which {
    /// Those that are named, or of those that the filter takes the ones that `control` changes.
    fn among(&self, there: &[WorkerView], control: &NodeControl) -> Outcome<Vec<WorkerView>> {
        let mut chosen: Vec<&WorkerView> = Vec::new();
        for called in &self.workers {
            chosen.extend(called.among(there)?);
        }
        if self.workers.is_empty() {
            let taken = there.iter().filter(|worker| self.takes(worker));
            chosen.extend(taken.filter(|worker| changes(control, worker)));
        }
        chosen.sort_by_key(|worker| worker.id);
        chosen.dedup_by_key(|worker| worker.id);
        Ok(chosen.into_iter().cloned().collect())
    }

    fn takes(&self, worker: &WorkerView) -> bool {
        self.pool.as_ref().is_none_or(|pool| worker.pools.contains(pool))
            && self.label.iter().all(|label| worker.labels.contains(label))
            && self.node.as_ref().is_none_or(|node| *node == worker.name)
    }
}

/// Whether a filter takes a worker: something of it would change.
fn changes(control: &NodeControl, worker: &WorkerView) -> bool {
    let has = |label: &String| worker.labels.contains(label);
    let by_a_person = worker.quarantine.as_ref().is_some_and(|it| it.retry_at.is_none());
    match control {
        NodeControl::Drain { .. } => worker.state != "draining",
        NodeControl::Resume => worker.quarantine.is_some() || worker.state == "draining",
        NodeControl::Quarantine { .. } => !by_a_person,
        NodeControl::Label { add, remove } => !add.iter().all(has) || remove.iter().any(has),
        NodeControl::Remove => true,
    }
}

/// What is done to a worker, and what was.
fn words(control: &NodeControl) -> (&'static str, &'static str) {
    match control {
        NodeControl::Drain { .. } => ("drain", "drained"),
        NodeControl::Resume => ("resume", "resumed"),
        NodeControl::Quarantine { .. } => ("quarantine", "quarantined"),
        NodeControl::Label { .. } => ("label", "labelled"),
        NodeControl::Remove => ("remove", "removed"),
    }
}

/// How many, and which.
fn summary(workers: &[WorkerView]) -> String {
    let names = named(workers.iter().map(|worker| format!("{} {}", worker.id, worker.name)));
    format!("{}: {names}", plural(workers.len(), "worker"))
}

pub(super) fn run(verb: Verb, global: &Global, out: &dyn Output) -> Outcome<()> {
    runtime()?.block_on(async {
        let mut farm = Farm::connect(global.dial()?).await?;
        let (which, control) = match verb {
            Verb::List { state, pool, label } => {
                let mut workers = farm.workers().await?;
                workers.retain(|worker| {
                    state.as_ref().is_none_or(|state| *state == worker.state)
                        && pool.as_ref().is_none_or(|pool| worker.pools.contains(pool))
                        && label.as_ref().is_none_or(|label| worker.labels.contains(label))
                });
                out.workers(&workers);
                return Ok(());
            }
            Verb::Show { worker } => {
                let workers = farm.workers().await?;
                worker.among(&workers)?.into_iter().take(1).for_each(|found| out.worker(found));
                return Ok(());
            }
            Verb::Drain { which, reason } => (which, NodeControl::Drain { reason }),
            Verb::Resume(which) => (which, NodeControl::Resume),
            Verb::Quarantine { which, reason } => (which, NodeControl::Quarantine { reason }),
            Verb::Label { which, add, remove } => {
                let (add, remove) = (add.into_iter().collect(), remove.into_iter().collect());
                (which, NodeControl::Label { add, remove })
            }
            Verb::Remove(which) => (which, NodeControl::Remove),
        };
        steer(&mut farm, &which, &control, out).await
    })
}

/// Does something to each of many. One that refuses does not keep the others from it; the first
/// refusal is the error that the verb ends with.
async fn steer(
    farm: &mut Farm,
    which: &Which,
    control: &NodeControl,
    out: &dyn Output,
) -> Outcome<()> {
    let chosen = which.among(&farm.workers().await?, control)?;
    let (verb, past) = words(control);
    if chosen.is_empty() || which.dry_run {
        let found = if chosen.is_empty() { "no worker".into() } else { summary(&chosen) };
        out.workers(&chosen);
        out.note(&format!("this would {verb} {found}"));
        return Ok(());
    }
    if which.workers.is_empty() && !which.yes {
        ask(verb, &summary(&chosen), out)?;
    }
    let ids: Vec<WorkerId> = chosen.iter().map(|worker| worker.id).collect();
    let steered = each(farm, &ids, "workers", out, async |farm, id| {
        farm.control_worker(id, control.clone()).await
    });
    let (mut done, mut left, mut refused) = (Vec::new(), Vec::new(), Vec::new());
    for (worker, steered) in chosen.into_iter().zip(steered.await) {
        match steered {
            Ok(now) => {
                left.extend(now);
                done.push(worker);
            }
            Err(fault) => refused.push(fault.within(worker.id)),
        }
    }
    out.workers(&left);
    if !done.is_empty() {
        out.note(&format!("{past} {}", summary(&done)));
    }
    first_of(refused, out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;
    use platefarm_model::Timestamp;

    #[derive(Parser)]
    struct Typed {
        #[command(flatten)]
        which: Which,
    }

    fn worker(id: u64, name: &str, state: &str, labels: &[&str], pools: &[&str]) -> WorkerView {
        let all = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        WorkerView {
            id: WorkerId(id),
            name: name.into(),
            state: state.into(),
            slots: 1,
            backend: "cpu".into(),
            last_seen: Timestamp(0),
            leases: Vec::new(),
            frames_done: 0,
            labels: all(labels),
            pools: all(pools),
            memory_mib: 0,
            quarantine: None,
            drain_reason: String::new(),
        }
    }

    fn chosen(words: &[&str], control: &NodeControl) -> Outcome<Vec<u64>> {
        let there = [
            worker(1, "rack-1", "alive", &["fast", "rack=1"], &["night"]),
            worker(2, "rack-1", "draining", &["fast"], &["night"]),
            worker(3, "rack-2", "alive", &["rack=1"], &[]),
            worker(4, "w1", "lost", &[], &["night"]),
        ];
        let typed = Typed::try_parse_from([&["drain"], words].concat()).expect("it is understood");
        let chosen = typed.which.among(&there, control)?;
        Ok(chosen.iter().map(|worker| worker.id.0).collect())
    }

    #[test]
    fn workers_are_chosen_by_id_by_name_and_by_what_they_are() {
        let remove = |words: &[&str]| chosen(words, &NodeControl::Remove);
        assert_eq!(remove(&["w3", "1", "w3"]), Ok(vec![1, 3]), "each once");
        assert_eq!(remove(&["rack-1", "w3"]), Ok(vec![1, 2, 3]), "all of a node");
        assert_eq!(remove(&["w1"]), Ok(vec![1]), "an id goes before a name");
        assert_eq!(remove(&["--node", "w1"]), Ok(vec![4]));
        assert_eq!(remove(&["--pool", "night"]), Ok(vec![1, 2, 4]));
        assert_eq!(remove(&["--pool", "night", "--label", "fast"]), Ok(vec![1, 2]));
        assert_eq!(remove(&["--label", "fast", "--label", "rack=1"]), Ok(vec![1]));
        for unknown in ["w9", "rack-9"] {
            assert_eq!(remove(&["w1", unknown]).unwrap_err().code, Code::NoSuchWorker);
        }
        for bad in [&[] as &[&str], &["w1", "--pool", "night"]] {
            assert!(Typed::try_parse_from([&["drain"], bad].concat()).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_filter_takes_what_it_changes() {
        let by = |control: &NodeControl| chosen(&["--pool", "night"], control);
        assert_eq!(by(&NodeControl::Drain { reason: String::new() }), Ok(vec![1, 4]));
        assert_eq!(by(&NodeControl::Resume), Ok(vec![2]));
        let label = |add: &[&str], remove: &[&str]| {
            let all = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
            by(&NodeControl::Label { add: all(add), remove: all(remove) })
        };
        assert_eq!(label(&["fast"], &[]), Ok(vec![4]));
        assert_eq!(label(&[], &["rack=1"]), Ok(vec![1]));
        // Who is named is meant, whatever it changes.
        assert_eq!(chosen(&["w2"], &NodeControl::Drain { reason: String::new() }), Ok(vec![2]));
    }
}
