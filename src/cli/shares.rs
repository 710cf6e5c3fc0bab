//! `platefarm pools|limits|shows ...`: what of the farm belongs to whom, and what holds for the
//! pulls of a show. What is not said of a thing that is set up stays as it is, and what changes is
//! told, old and new.

use crate::cli::defaults::DefaultTerms;
use crate::cli::{Global, runtime, typed};
use crate::farm::{Farm, Pulls};
use crate::output::{Output, Settings};
use platefarm_model::farm::{Pool, PriorityClass, Share};
use platefarm_model::{Fault, Outcome};
use std::str::FromStr;

#[derive(clap::Subcommand)]
pub(super) enum Pools {
    /// List pools and the workers in them.
    List,
    /// Set a pool up, or change it: workers with all of its labels belong to it, and those that say so
    /// themselves. What is not said stays as it is.
    Set(PoolTerms),
    /// Take a pool away.
    Remove {
        /// Its name.
        name: String,
    },
}

/// What is said of a pool.
#[derive(clap::Args)]
pub(super) struct PoolTerms {
    /// Its name.
    name: String,
    /// A label that its workers have; again for more. They stand instead of those that it had.
    #[arg(long = "label", value_name = "LABEL")]
    labels: Vec<String>,
    /// Take its labels away: only workers that say so themselves belong to it.
    #[arg(long, conflicts_with = "labels")]
    no_labels: bool,
    /// Workers of it that are kept where capacity is scaled, though nothing waits [a new pool: 0]
    #[arg(long, value_name = "WORKERS")]
    reserve: Option<u32>,
}

impl PoolTerms {
    /// The pool as it is to be.
    fn over(&self, before: &Pool) -> Pool {
        let kept = self.labels.is_empty() && !self.no_labels;
        Pool {
            labels: if kept {
                before.labels.clone()
            } else {
                self.labels.iter().cloned().collect()
            },
            reserve: self.reserve.unwrap_or(before.reserve),
        }
    }
}

#[derive(clap::Subcommand)]
pub(super) enum Limits {
    /// List limits and how much of them is taken.
    List,
    /// Set a limit up, or change how much there is.
    Set {
        /// Its name: a licence, a volume's bandwidth.
        name: String,
        /// How much of it there is.
        count: u32,
    },
    /// Take a limit away. Steps that need it wait until it is there again.
    Remove {
        /// Its name.
        name: String,
    },
}

#[derive(clap::Subcommand)]
pub(super) enum Shows {
    /// List shows with their shares, what they have and what waits.
    List,
    /// Everything that is said of a show: its share, what it has and what waits, and what holds for its pulls.
    Show {
        /// The show.
        name: String,
    },
    /// Give a show a share of the farm, or change it. What is not said stays as it is.
    Set(ShareTerms),
    /// Say what holds for all pulls of a show: its rate, delivery spec, framing and look. What is not said
    /// stays as it is; without anything said, it is shown.
    Defaults {
        /// The show.
        name: String,
        #[command(flatten)]
        terms: DefaultTerms,
    },
    /// Take a show's share away: it counts as any other.
    Remove {
        /// The show.
        show: String,
    },
}

/// What is said of a show's share.
#[derive(clap::Args)]
pub(super) struct ShareTerms {
    /// The show.
    show: String,
    /// Its part, against the parts of the others [a new share: 1]
    #[arg(long)]
    weight: Option<u32>,
    /// Tasks that it gets before others get more than theirs, within a class [a new share: 0]
    #[arg(long, value_name = "TASKS")]
    guarantee: Option<u32>,
    /// Most tasks at a time, or none: as many as there are [a new share: none]
    #[arg(long, value_name = "TASKS")]
    ceiling: Option<Ceiling>,
    /// Workers without a GPU that it is to have where capacity is scaled, at work for it or idle [a new share: 0]
    #[arg(long, value_name = "WORKERS")]
    warm_cpu: Option<u32>,
    /// Workers with a GPU, likewise.
    #[arg(long, value_name = "WORKERS")]
    warm_gpu: Option<u32>,
    /// Highest class that its submitters may ask for: background, normal or urgent; a higher one is for operators [a new share: urgent]
    #[arg(long, value_name = "CLASS")]
    highest_class: Option<PriorityClass>,
}

impl ShareTerms {
    /// The share as it is to be.
    fn over(&self, before: Share) -> Share {
        Share {
            weight: self.weight.unwrap_or(before.weight),
            guarantee: self.guarantee.unwrap_or(before.guarantee),
            ceiling: self.ceiling.map_or(before.ceiling, |ceiling| ceiling.0),
            warm_cpu: self.warm_cpu.unwrap_or(before.warm_cpu),
            warm_gpu: self.warm_gpu.unwrap_or(before.warm_gpu),
            highest_class: self.highest_class.unwrap_or(before.highest_class),
        }
    }
}

/// A number of tasks, or that there is no bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Ceiling(Option<u32>);

impl FromStr for Ceiling {
    type Err = Fault;

    fn from_str(text: &str) -> Outcome<Self> {
        if text == "none" {
            return Ok(Self(None));
        }
        let bad = |_| typed::unread(text, "ceiling", "Write a number of tasks, or none.");
        text.parse().map(|most| Self(Some(most))).map_err(bad)
    }
}

/// A field of something that is set up, as it was and as it is.
type Field = (&'static str, String, String);

/// What became of `what`, in words, where it was there before or is new.
fn told_of(is_new: bool, what: &str, fields: &[Field]) -> String {
    match is_new && fields.iter().all(|(_, old, new)| old == new) {
        true => format!("{what} is set up, as a new one is"),
        false => told(what, fields),
    }
}

/// What changed of `what`, in words.
fn told(what: &str, fields: &[Field]) -> String {
    let changed = fields.iter().filter(|(_, old, new)| old != new);
    let changed = changed.map(|(name, old, new)| format!("{name} {old} → {new}"));
    let changed: Vec<String> = changed.collect();
    if changed.is_empty() {
        return format!("{what} stays as it was");
    }
    format!("{what}: {}", changed.join(", "))
}

fn of_pool(old: &Pool, new: &Pool) -> [Field; 2] {
    let labels = |pool: &Pool| match pool.labels.is_empty() {
        true => "none".to_owned(),
        false => pool.labels.iter().map(String::as_str).collect::<Vec<_>>().join(" "),
    };
    [
        ("labels", labels(old), labels(new)),
        ("reserve", old.reserve.to_string(), new.reserve.to_string()),
    ]
}

fn of_share(old: Share, new: Share) -> [Field; 6] {
    let field = |name, of: fn(&Share) -> u32| (name, of(&old).to_string(), of(&new).to_string());
    [
        field("weight", |share| share.weight),
        field("guarantee", |share| share.guarantee),
        ("ceiling", or_none(old.ceiling), or_none(new.ceiling)),
        field("warm CPU", |share| share.warm_cpu),
        field("warm GPU", |share| share.warm_gpu),
        ("highest class", old.highest_class.to_string(), new.highest_class.to_string()),
    ]
}

fn of_pulls(old: &Pulls, new: &Pulls) -> [Field; 5] {
    let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "none".into());
    let rate = |of: &Pulls| text(&of.defaults.rate.map(|rate| rate.to_string()));
    [
        ("rate", rate(old), rate(new)),
        ("spec", text(&old.defaults.spec), text(&new.defaults.spec)),
        ("fdl", text(&old.defaults.fdl), text(&new.defaults.fdl)),
        ("amf", text(&old.defaults.amf), text(&new.defaults.amf)),
        ("choices", old.choices.to_string(), new.choices.to_string()),
    ]
}

fn or_none(count: Option<u32>) -> String {
    count.map_or_else(|| "none".into(), |count| count.to_string())
}

pub(super) fn pools(verb: Pools, global: &Global, out: &dyn Output) -> Outcome<()> {
    runtime()?.block_on(async {
        let mut farm = Farm::connect(global.dial()?).await?;
        match verb {
            Pools::List => {}
            Pools::Set(terms) => {
                let there = farm.settings().await?.pools;
                let before = there.into_iter().find(|pool| pool.name == terms.name);
                let is_new = before.is_none();
                let before = before.map_or_else(Pool::default, |pool| Pool {
                    labels: pool.labels.into_iter().collect(),
                    reserve: pool.reserve,
                });
                let pool = terms.over(&before);
                farm.set_pool(terms.name.clone(), Some(&pool)).await?;
                let what = format!("pool '{}'", terms.name);
                out.note(&told_of(is_new, &what, &of_pool(&before, &pool)));
            }
            Pools::Remove { name } => farm.set_pool(name, None).await?,
        }
        out.settings(Settings::Pools, &farm.settings().await?);
        Ok(())
    })
}

pub(super) fn limits(verb: Limits, global: &Global, out: &dyn Output) -> Outcome<()> {
    runtime()?.block_on(async {
        let mut farm = Farm::connect(global.dial()?).await?;
        match verb {
            Limits::List => {}
            Limits::Set { name, count } => {
                let there = farm.settings().await?.limits;
                let before = there.into_iter().find(|it| it.name == name).and_then(|it| it.count);
                farm.set_limit(name.clone(), Some(count)).await?;
                let fields = [("count", or_none(before), count.to_string())];
                out.note(&told(&format!("limit '{name}'"), &fields));
            }
            Limits::Remove { name } => farm.set_limit(name, None).await?,
        }
        out.settings(Settings::Limits, &farm.settings().await?);
        Ok(())
    })
}

pub(super) fn shows(verb: Shows, global: &Global, out: &dyn Output) -> Outcome<()> {
    runtime()?.block_on(async {
        let mut farm = Farm::connect(global.dial()?).await?;
        match verb {
            Shows::List => {}
            Shows::Show { name } => {
                out.show(&farm.show(&name).await?);
                return Ok(());
            }
            Shows::Defaults { name, terms } => {
                let change = terms.change()?;
                if change.is_empty() {
                    out.show(&farm.show(&name).await?);
                    return Ok(());
                }
                let before = farm.pulls_of(&name).await?;
                let after = farm.set_pulls(&name, change).await?;
                out.note(&told(&format!("show '{name}'"), &of_pulls(&before, &after)));
                out.show(&farm.show_with(&name, Some(after)).await?);
                return Ok(());
            }
            Shows::Set(terms) => {
                let there = farm.settings().await?.shares;
                let before = there.into_iter().find(|share| share.show == terms.show);
                let is_new = before.is_none();
                let before = before.map_or_else(Share::default, |share| share.share);
                let share = terms.over(before);
                farm.set_share(terms.show.clone(), Some(share)).await?;
                let what = format!("show '{}'", terms.show);
                out.note(&told_of(is_new, &what, &of_share(before, share)));
            }
            Shows::Remove { show } => farm.set_share(show, None).await?,
        }
        out.settings(Settings::Shows, &farm.settings().await?);
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct TypedPool {
        #[command(flatten)]
        terms: PoolTerms,
    }

    #[derive(Parser)]
    struct TypedShare {
        #[command(flatten)]
        terms: ShareTerms,
    }

    fn pool(words: &[&str], before: &Pool) -> Pool {
        TypedPool::parse_from([&["set", "night"], words].concat()).terms.over(before)
    }

    fn share(words: &[&str], before: Share) -> Share {
        TypedShare::parse_from([&["set", "atlas"], words].concat()).terms.over(before)
    }

    #[test]
    fn what_is_not_said_of_a_pool_stays() {
        let labels = |all: &[&str]| all.iter().map(|label| (*label).to_owned()).collect();
        let before = Pool { labels: labels(&["nvme", "rack=3"]), reserve: 2 };
        assert_eq!(pool(&[], &before), before);
        assert_eq!(pool(&["--reserve", "3"], &before), Pool { reserve: 3, ..before.clone() });
        assert_eq!(pool(&["--reserve", "0"], &before), Pool { reserve: 0, ..before.clone() });
        let other = Pool { labels: labels(&["fast"]), ..before.clone() };
        assert_eq!(pool(&["--label", "fast"], &before), other);
        let none = Pool { labels: labels(&[]), ..before.clone() };
        assert_eq!(pool(&["--no-labels"], &before), none);
        assert_eq!(
            told("pool 'night'", &of_pool(&before, &pool(&["--reserve", "3"], &before))),
            "pool 'night': reserve 2 → 3"
        );
        assert_eq!(told("it", &of_pool(&before, &none)), "it: labels nvme rack=3 → none");
        let same = of_pool(&before, &before);
        assert_eq!(told_of(false, "it", &same), "it stays as it was");
        assert_eq!(told_of(true, "it", &same), "it is set up, as a new one is");
        assert_eq!(told_of(true, "it", &of_pool(&before, &none)), "it: labels nvme rack=3 → none");
        assert_eq!(told("it", &of_pool(&before, &before)), "it stays as it was");
    }

    #[test]
    fn what_is_not_said_of_a_share_stays() {
        let before = Share {
            weight: 3,
            guarantee: 4,
            ceiling: Some(9),
            warm_cpu: 1,
            warm_gpu: 2,
            highest_class: PriorityClass::Normal,
        };
        assert_eq!(share(&[], before), before);
        assert_eq!(share(&["--guarantee", "1"], before), Share { guarantee: 1, ..before });
        assert_eq!(share(&["--ceiling", "none"], before), Share { ceiling: None, ..before });
        assert_eq!(share(&["--warm-gpu", "0"], before), Share { warm_gpu: 0, ..before });
        let raised = Share { highest_class: PriorityClass::Urgent, ..before };
        assert_eq!(share(&["--highest-class", "urgent"], before), raised);
        assert_eq!(share(&["--weight", "2"], Share::default()).weight, 2);
        let after = share(&["--guarantee", "1", "--ceiling", "none"], before);
        assert_eq!(
            told("show 'atlas'", &of_share(before, after)),
            "show 'atlas': guarantee 4 → 1, ceiling 9 → none"
        );
        assert!("many".parse::<Ceiling>().is_err());
    }
}
