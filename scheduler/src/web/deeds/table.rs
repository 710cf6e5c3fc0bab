//! The one table of what people do from the page, under the verbs of the
//! command line. Buttons, forms and the route follow from it; who may is the
//! gate's table to say, by the method that a deed is a question of.

use super::deed::{Act, Deed, Field, Kind, When, deed, field};
use super::said::Said;
use crate::library::ShowChange;
use platefarm_model::farm::{Control, Dependency, NodeControl, Pool, Share};
use platefarm_model::{Code, Fault, Outcome};

const PRIORITY: &[Field] = &[
    field("class", "Class", Kind::Class).of("terms.class").kept(),
    field("number", "Number", Kind::Number).of("priority").kept(),
];
const DEADLINE: &[Field] =
    &[field("when", "Wanted by", Kind::Moment).of("terms.deadline").hint("Empty: no deadline.")];
const START: &[Field] = &[field("when", "Not before", Kind::Moment)
    .of("terms.start_after")
    .hint("Empty: as soon as it is its turn.")];
const TASKS: &[Field] = &[field("tasks", "At a time", Kind::Count)
    .of("terms.max_tasks")
    .hint("Empty: as many as there are.")];
const DEPEND: &[Field] = &[
    field("on", "For this job or step", Kind::Text).hint("j12, or j12.3 for a step."),
    field("same_frames", "each frame for the same frame only", Kind::Flag),
    field("not_on", "No more for", Kind::Known).of("terms.after"),
];
const RETRY: &[Field] =
    &[field("frames", "Frames", Kind::Text).hint("1001-1010,1050. Empty: all that were given up.")];
const REASON: &[Field] = &[field("reason", "Why", Kind::Text)];
const LABELS: &[Field] = &[
    field("add", "Labels to give", Kind::Text).hint("Several with blanks between."),
    field("remove", "Labels to take away", Kind::Text),
];
const POOL: &[Field] = &[
    field("labels", "Labels", Kind::Text)
        .of("labels")
        .hint("Workers with all of them belong to it. Empty: only those that say so themselves."),
    field("reserve", "Workers kept", Kind::Count)
        .of("reserve")
        .hint("Where capacity is scaled, though nothing waits."),
];
const COUNT: &[Field] = &[field("count", "How much there is", Kind::Count).of("count").needed()];
const SHARE: &[Field] = &[
    field("weight", "Weight", Kind::Count)
        .of("share.weight")
        .hint("Its part, against the parts of the others."),
    field("guarantee", "Guarantee", Kind::Count)
        .of("share.guarantee")
        .hint("Tasks that it gets before others get more than theirs."),
    field("ceiling", "Ceiling", Kind::Count)
        .of("share.ceiling")
        .hint("Most tasks at a time. Empty: as many as there are."),
    field("warm_cpu", "Workers kept without a GPU", Kind::Count).of("share.warm_cpu"),
    field("warm_gpu", "Workers kept with a GPU", Kind::Count).of("share.warm_gpu"),
    field("highest_class", "Highest class", Kind::Class)
        .of("share.highest_class")
        .hint("That its submitters may ask for; a higher one is for operators.")
        .needed(),
];
const DEFAULTS: &[Field] = &[
    field("rate", "Rate", Kind::Text)
        .of("defaults.rate")
        .hint("Of its edit lists: 24, 23.976. Empty, here and below: none.")
        .kept(),
    field("spec", "Delivery spec", Kind::Text)
        .of("defaults.spec")
        .hint("A shipped profile's name, or the whole path of a file.")
        .kept(),
    field("fdl", "FDL", Kind::Text)
        .of("defaults.fdl")
        .hint("The whole path of a file, as every machine has it.")
        .kept(),
    field("amf", "AMF", Kind::Text).of("defaults.amf").kept(),
    field("forget_choices", "forget which clips were chosen", Kind::Flag),
];

/// All of them, in the order of their buttons.
pub(super) const DEEDS: &[Deed] = &[
    deed("jobs pause", "Pause", "paused", Act::Job(|_| Ok(Control::Pause)))
        .says("Frames in hand are finished.")
        .when(When::Going)
        .for_steps(),
    deed("jobs resume", "Resume", "resumed", Act::Job(|_| Ok(Control::Resume)))
        .when(When::Held)
        .for_steps(),
    deed("jobs priority", "Priority", "changed", Act::Job(priority))
        .says(
            "A higher class takes capacity from a lower one at the next frame; within a class \
             the higher number goes first.",
        )
        .asks("Set", PRIORITY)
        .when(When::Open)
        .for_steps(),
    deed(
        "jobs deadline",
        "Deadline",
        "changed",
        Act::Job(|it| it.time("when").map(Control::Deadline)),
    )
    .says("Within a class the earliest goes first.")
    .asks("Set", DEADLINE)
    .when(When::Open),
    deed("jobs start", "Start", "changed", Act::Job(|it| it.time("when").map(Control::StartAfter)))
        .says("Nothing of it begins before.")
        .asks("Set", START)
        .when(When::Open),
    deed("jobs limit", "Most tasks", "changed", Act::Job(max_tasks))
        .asks("Set", TASKS)
        .when(When::Open),
    deed("jobs depend", "Wait for", "changed", Act::Job(depend))
        .says("Settled is enough: done, given up or cancelled.")
        .asks("Set", DEPEND)
        .when(When::Open)
        .for_steps(),
    deed(
        "jobs retry",
        "Retry failed",
        "tried again",
        Act::Job(|it| it.read("frames").map(Control::Retry)),
    )
    .says("With all their attempts.")
    .asks("", RETRY)
    .when(When::Failed)
    .for_steps(),
    deed("jobs cancel", "Cancel", "cancelled", Act::Job(|_| Ok(Control::Cancel)))
        .says("What is done stays done; nothing more is begun.")
        .when(When::Open)
        .for_steps()
        .destroys(),
    deed("jobs forget", "Forget", "forgotten", Act::Forget)
        .says("Nothing is kept of it but its files, which stay where they are.")
        .when(When::Ended)
        .destroys()
        .gone(),
    deed("workers drain", "Drain", "drained", Act::Worker(drain))
        .says("It finishes the frames in hand and gets nothing new.")
        .asks("", REASON)
        .when(When::Going),
    deed("workers resume", "Resume", "resumed", Act::Worker(|_| Ok(NodeControl::Resume)))
        .says("It gets work again.")
        .when(When::Held),
    deed("workers label", "Labels", "labelled", Act::Worker(label))
        .asks("Set", LABELS)
        .when(When::Open),
    deed("workers quarantine", "Quarantine", "quarantined", Act::Worker(quarantine))
        .says("Its node gets no work until somebody resumes it.")
        .asks("", REASON)
        .when(When::Open)
        .destroys(),
    deed("workers remove", "Remove", "removed", Act::Worker(|_| Ok(NodeControl::Remove)))
        .says(
            "It is struck from the list, and what it has goes to others. A process that lives \
             registers again.",
        )
        .destroys()
        .gone(),
    deed("shows set", "Share", "set", Act::Share(share))
        .says("Ceiling and guarantee count tasks, within a class.")
        .asks("Set", SHARE),
    deed("shows defaults", "Defaults", "set", Act::Defaults(defaults))
        .says("They hold for its pulls from the next one on.")
        .asks("Set", DEFAULTS),
    deed("shows remove", "Remove", "without a share of its own", Act::Share(|_| Ok(None)))
        .says("It counts as any other show.")
        .when(When::Own)
        .destroys(),
    deed("pools set", "Pool", "set", Act::Pool(pool)).asks("Set", POOL),
    deed("pools remove", "Remove", "removed", Act::Pool(|_| Ok(None)))
        .says("Steps that need it wait until it is there again.")
        .when(When::Own)
        .destroys(),
    deed("limits set", "Limit", "set", Act::Limit(count))
        .says("A counted resource that tasks take of: licences, a volume's bandwidth.")
        .asks("Set", COUNT),
    deed("limits remove", "Remove", "removed", Act::Limit(|_| Ok(None)))
        .says("Steps that need it wait until it is there again.")
        .when(When::Own)
        .destroys(),
];

fn unsaid(place: &str, message: &str) -> Fault {
    Fault::new(Code::UnknownOption, message).at(place)
}

fn priority(said: &Said) -> Outcome<Control> {
    match (said.read("class")?, said.number("number")?) {
        (None, None) => Err(unsaid("class", "neither class nor number changes")
            .remedy("Choose another class, or write another number.")),
        (class, priority) => Ok(Control::Priority { class, priority }),
    }
}

fn max_tasks(said: &Said) -> Outcome<Control> {
    Ok(Control::MaxTasks(said.number::<u32>("tasks")?.filter(|most| *most > 0)))
}

fn depend(said: &Said) -> Outcome<Control> {
    match (said.read("on")?, said.read("not_on")?) {
        (Some(on), None) => {
            Ok(Control::Depend(Dependency { on, same_frames: said.flag("same_frames") }))
        }
        (None, Some(on)) => Ok(Control::Undepend(on)),
        (Some(_), Some(_)) => Err(unsaid("not_on", "two things are asked at once")
            .remedy("Say what it waits for, or what it waits for no more, one after the other.")),
        (None, None) => Err(unsaid("on", "it is not said what it waits for")
            .remedy("Name a job or step: j12, j12.3.")),
    }
}

fn label(said: &Said) -> Outcome<NodeControl> {
    let (add, remove) = (said.words("add"), said.words("remove"));
    if add.is_empty() && remove.is_empty() {
        return Err(unsaid("add", "no label is named").remedy("Name labels to give or take away."));
    }
    Ok(NodeControl::Label { add, remove })
}

fn drain(said: &Said) -> Outcome<NodeControl> {
    Ok(NodeControl::Drain { reason: reason(said) })
}

fn quarantine(said: &Said) -> Outcome<NodeControl> {
    Ok(NodeControl::Quarantine { reason: reason(said) })
}

fn reason(said: &Said) -> String {
    said.text("reason").unwrap_or_default().to_owned()
}

fn pool(said: &Said) -> Outcome<Option<Pool>> {
    let reserve = said.number("reserve")?.unwrap_or_default();
    Ok(Some(Pool { labels: said.words("labels"), reserve }))
}

fn count(said: &Said) -> Outcome<Option<u32>> {
    let unsaid = || unsaid("count", "it is not said how much there is").remedy("Write a number.");
    said.number("count")?.ok_or_else(unsaid).map(Some)
}

fn share(said: &Said) -> Outcome<Option<Share>> {
    let new = Share::default();
    let unsaid = || {
        unsaid("highest_class", "it is not said which class is the highest")
            .remedy("Choose one; urgent lets its submitters ask for any.")
    };
    Ok(Some(Share {
        weight: said.number("weight")?.unwrap_or(new.weight),
        guarantee: said.number("guarantee")?.unwrap_or(new.guarantee),
        ceiling: said.number("ceiling")?,
        warm_cpu: said.number("warm_cpu")?.unwrap_or(new.warm_cpu),
        warm_gpu: said.number("warm_gpu")?.unwrap_or(new.warm_gpu),
        highest_class: said.read("highest_class")?.ok_or_else(unsaid)?,
    }))
}

fn defaults(said: &Said) -> Outcome<ShowChange> {
    let change = ShowChange {
        rate: said.change("rate"),
        spec: said.change("spec"),
        fdl: said.change("fdl"),
        amf: said.change("amf"),
        forget_choices: said.flag("forget_choices"),
    };
    if change.is_empty() {
        return Err(unsaid("rate", "nothing of them changes").remedy("Write what is to hold."));
    }
    Ok(change)
}

#[cfg(test)]
mod tests {
    use super::super::deed::Task;
    use super::*;
    use crate::core::Command;
    use platefarm_model::farm::{Setting, SettingKind};
    use std::collections::BTreeSet;

    fn task(verb: &str, on: &str, said: &str) -> Outcome<Task> {
        let deed = DEEDS.iter().find(|deed| deed.verb == verb).unwrap();
        let said: Said = serde_json::from_str(said).unwrap();
        deed.order(on, &said).map(|order| order.task)
    }

    fn command(verb: &str, on: &str, said: &str) -> Outcome<Command> {
        task(verb, on, said).map(|task| match task {
            Task::Farm(command) => command,
            other => panic!("{verb}: {other:?}"),
        })
    }

    fn control(verb: &str, said: &str) -> Outcome<Control> {
        command(verb, "j3.1", said).map(|command| match command {
            Command::Control(target, control) if target.to_string() == "j3.1" => control,
            other => panic!("{verb}: {other:?}"),
        })
    }

    #[test]
    fn each_has_a_verb_and_a_form_of_its_own() {
        let verbs: BTreeSet<&str> = DEEDS.iter().map(|deed| deed.verb).collect();
        assert_eq!(verbs.len(), DEEDS.len());
        for deed in DEEDS {
            let (names, count) = (deed.fields().collect::<BTreeSet<_>>(), deed.fields().count());
            assert_eq!(names.len(), count, "{}", deed.verb);
        }
    }

    #[test]
    fn a_form_becomes_what_the_command_line_would_ask() {
        assert_eq!(control("jobs pause", "{}"), Ok(Control::Pause));
        let frames = Some("4,6-9".parse().unwrap());
        assert_eq!(control("jobs retry", r#"{"frames":"6-9, 4"}"#), Ok(Control::Retry(frames)));
        assert_eq!(control("jobs retry", r#"{"frames":""}"#), Ok(Control::Retry(None)));
        let raised = Control::Priority { class: None, priority: Some(-7) };
        assert_eq!(control("jobs priority", r#"{"class":"","number":"-7"}"#), Ok(raised));
        assert!(control("jobs priority", r#"{"class":"","number":""}"#).is_err());
        assert_eq!(control("jobs deadline", "{}"), Ok(Control::Deadline(None)));
        assert_eq!(control("jobs limit", r#"{"tasks":"0"}"#), Ok(Control::MaxTasks(None)));
        let after = Dependency { on: "j7.2".parse().unwrap(), same_frames: true };
        let said = r#"{"on":"j7.2","same_frames":"true","not_on":""}"#;
        assert_eq!(control("jobs depend", said), Ok(Control::Depend(after)));
        let free = Control::Undepend("j7".parse().unwrap());
        assert_eq!(control("jobs depend", r#"{"on":"","not_on":"j7"}"#), Ok(free));
        for said in [r#"{"on":"j1","not_on":"j2"}"#, "{}", r#"{"on":"x"}"#] {
            assert!(control("jobs depend", said).is_err(), "{said}");
        }
        assert!(command("jobs forget", "j3.1", "{}").is_err(), "a step is not forgotten");
        assert!(command("workers label", "w1", "{}").is_err());
        let drain = NodeControl::Drain { reason: "a new kernel".into() };
        let said = r#"{"reason":" a new kernel "}"#;
        let drained = Command::Node(platefarm_model::WorkerId(1), drain);
        assert_eq!(command("workers drain", "w1", said), Ok(drained));
    }

    /// What is not said of a show's pulls stays, and a blank takes it back.
    #[test]
    fn of_what_holds_for_pulls_only_changes_are_said() {
        let change = |said: &str| match task("shows defaults", "atlas", said) {
            Ok(Task::Library(show, change)) if show == "atlas" => change,
            other => panic!("{:?}", other.err()),
        };
        assert!(task("shows defaults", "atlas", "{}").is_err(), "nothing is not said to be done");
        let text = |text: &str| Some(text.to_owned());
        let said = r#"{"rate":" 25 ","spec":"","forget_choices":"true"}"#;
        let (rate, spec) = (text("25"), text(""));
        let wanted = ShowChange { rate, spec, forget_choices: true, ..ShowChange::default() };
        assert_eq!(change(said), wanted);
        let (fdl, amf) = (text("/a.fdl"), text("/b.amf"));
        let wanted = ShowChange { fdl, amf, ..ShowChange::default() };
        assert_eq!(change(r#"{"fdl":"/a.fdl","amf":"/b.amf"}"#), wanted);
    }

    #[test]
    fn what_is_set_up_is_set_whole() {
        let set = |verb: &str, said: &str| match command(verb, "night", said) {
            Ok(Command::Set(kind, name, value)) if name == "night" => (kind, value),
            other => panic!("{verb}: {other:?}"),
        };
        let limit = Setting::Limit(platefarm_model::farm::Limit { count: 4 });
        assert_eq!(set("limits set", r#"{"count":"4"}"#), (SettingKind::Limit, Some(limit)));
        assert_eq!(set("limits remove", "{}"), (SettingKind::Limit, None));
        assert!(command("limits set", "night", "{}").is_err(), "nothing said is not nothing there");
        let share = Share { weight: 3, ceiling: None, ..Share::default() };
        let said = r#"{"weight":"3","guarantee":"","ceiling":"","highest_class":"urgent"}"#;
        assert_eq!(set("shows set", said), (SettingKind::Share, Some(Setting::Share(share))));
        let labels = ["fast", "nvme"].map(str::to_owned).into();
        let pool = Setting::Pool(Pool { labels, reserve: 2 });
        let said = r#"{"labels":"nvme fast","reserve":"2"}"#;
        assert_eq!(set("pools set", said), (SettingKind::Pool, Some(pool)));
        assert!(command("shows set", "night", r#"{"weight":"-1"}"#).is_err());
        // As good as none would be the highest that there is.
        let unsaid = command("shows set", "night", r#"{"weight":"3","highest_class":""}"#);
        assert_eq!(unsaid.unwrap_err().place.as_deref(), Some("highest_class"));
    }
}
