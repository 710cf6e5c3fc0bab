//! A deed as a value: what it is called, when it is offered, what is asked
//! first, and the question of the gRPC side that it becomes.

use super::said::Said;
use crate::core::Command;
use crate::library::ShowChange;
use crate::service::Change;
use platefarm_model::farm::{Control, NodeControl, Pool, PriorityClass, Share, Target};
use platefarm_model::{JobId, Outcome, WorkerId};
use platefarm_proto::v1;
use prost::Message;
use serde::Serialize;
use serde_json::{Value, json};

/// A deed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deed {
    /// As the command line has it; its first word is what it is done to.
    pub(super) verb: &'static str,
    /// What its button says.
    title: &'static str,
    /// What the button says that carries it out, where that is another word.
    yes: &'static str,
    /// What became of what it was done to: `paused`.
    done: &'static str,
    /// What follows from it.
    says: &'static str,
    when: When,
    /// Whether it is for steps, too.
    steps: bool,
    /// Whether it is asked about first.
    destroys: bool,
    /// Whether what it was done to is not there any more.
    gone: bool,
    form: &'static [Field],
    act: Act,
}

/// To what a deed is offered.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum When {
    Always,
    /// It has not ended, or been lost.
    Open,
    /// It is open, and nobody holds it.
    Going,
    /// It is open, and held.
    Held,
    /// Something of it may be tried again.
    Failed,
    Ended,
    /// Somebody set it up.
    Own,
}

/// What is asked before.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field {
    /// As the command line has it.
    name: &'static str,
    title: &'static str,
    kind: Kind,
    /// Where its value stands in what the page knows of the thing.
    of: &'static str,
    hint: &'static str,
    needed: bool,
    /// What is not said of it stays as it is, so that only a change is said.
    kept: bool,
}

#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    Text,
    /// Any whole number.
    Number,
    /// A whole number from 0 on.
    Count,
    Flag,
    /// A time; the page asks for it by the clock of whoever looks, and sends UTC.
    Moment,
    /// A class of priority.
    Class,
    /// One of those that are waited for.
    Known,
}

/// What it becomes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Act {
    Job(fn(&Said) -> Outcome<Control>),
    Forget,
    Worker(fn(&Said) -> Outcome<NodeControl>),
    Pool(fn(&Said) -> Outcome<Option<Pool>>),
    Limit(fn(&Said) -> Outcome<Option<u32>>),
    Share(fn(&Said) -> Outcome<Option<Share>>),
    Defaults(fn(&Said) -> Outcome<ShowChange>),
}

/// The question of the gRPC side, and what is to be done for it.
pub(super) struct Order {
    pub(super) question: Vec<u8>,
    pub(super) task: Task,
}

/// What is to be done.
#[derive(Debug)]
pub(super) enum Task {
    /// The core is told.
    Farm(Command),
    /// What holds for the pulls of a show is changed in the library.
    Library(String, ShowChange),
}

pub(super) const fn field(name: &'static str, title: &'static str, kind: Kind) -> Field {
    Field { name, title, kind, of: "", hint: "", needed: false, kept: false }
}

pub(super) const fn deed(
    verb: &'static str,
    title: &'static str,
    done: &'static str,
    act: Act,
) -> Deed {
    Deed {
        verb,
        title,
        yes: "",
        done,
        says: "",
        when: When::Always,
        steps: false,
        destroys: false,
        gone: false,
        form: &[],
        act,
    }
}

impl Field {
    pub(super) const fn of(self, of: &'static str) -> Self {
        Self { of, ..self }
    }

    pub(super) const fn hint(self, hint: &'static str) -> Self {
        Self { hint, ..self }
    }

    pub(super) const fn needed(self) -> Self {
        Self { needed: true, ..self }
    }

    pub(super) const fn kept(self) -> Self {
        Self { kept: true, ..self }
    }

    fn shown(&self) -> Value {
        let choices: Vec<&str> = match self.kind {
            Kind::Class => PriorityClass::ALL.iter().map(|class| class.word()).collect(),
            _ => Vec::new(),
        };
        json!({
            "name": self.name, "title": self.title, "kind": self.kind, "choices": choices,
            "of": self.of, "hint": self.hint, "needed": self.needed, "kept": self.kept,
        })
    }
}

impl Deed {
    pub(super) const fn says(self, says: &'static str) -> Self {
        Self { says, ..self }
    }

    pub(super) const fn asks(self, yes: &'static str, form: &'static [Field]) -> Self {
        Self { yes, form, ..self }
    }

    pub(super) const fn when(self, when: When) -> Self {
        Self { when, ..self }
    }

    pub(super) const fn for_steps(self) -> Self {
        Self { steps: true, ..self }
    }

    pub(super) const fn destroys(self) -> Self {
        Self { destroys: true, ..self }
    }

    pub(super) const fn gone(self) -> Self {
        Self { gone: true, ..self }
    }

    /// The names of its fields.
    pub(super) fn fields(&self) -> impl Iterator<Item = &'static str> {
        self.form.iter().map(|field| field.name)
    }

    /// As the page has it.
    pub(super) fn shown(&self) -> Value {
        let fields: Vec<Value> = self.form.iter().map(Field::shown).collect();
        json!({
            "verb": self.verb, "title": self.title, "yes": self.yes, "done": self.done,
            "says": self.says, "when": self.when, "steps": self.steps,
            "destroys": self.destroys, "gone": self.gone, "fields": fields,
        })
    }

    /// The method of the gRPC side that it is a question of.
    pub(super) fn method(&self) -> &'static str {
        match self.act {
            Act::Job(_) => v1::ControlJobRequest::METHOD,
            Act::Forget => v1::ForgetJobRequest::METHOD,
            Act::Worker(_) => v1::ControlWorkerRequest::METHOD,
            Act::Pool(_) => v1::SetPoolRequest::METHOD,
            Act::Limit(_) => v1::SetLimitRequest::METHOD,
            Act::Share(_) => v1::SetShareRequest::METHOD,
            Act::Defaults(_) => "/platefarm.v1.Library/SetShow",
        }
    }

    /// What is asked and done where it is done to `on`.
    ///
    /// # Errors
    /// `F0004` for an id that cannot be read, `F0008` and others for what the form says.
    pub(super) fn order(&self, on: &str, said: &Said) -> Outcome<Order> {
        match self.act {
            Act::Job(control) => {
                let target: Target = on.parse()?;
                Order::of(v1::ControlJobRequest::from((target, &control(said)?)))
            }
            Act::Forget => Order::of(v1::ForgetJobRequest { job: on.parse::<JobId>()?.0 }),
            Act::Worker(control) => {
                let worker: WorkerId = on.parse()?;
                let action = Some(control(said)?.into());
                Order::of(v1::ControlWorkerRequest { worker: worker.0, action })
            }
            Act::Pool(pool) => {
                let pool = pool(said)?.as_ref().map(Into::into);
                Order::of(v1::SetPoolRequest { name: on.into(), pool })
            }
            Act::Limit(count) => {
                Order::of(v1::SetLimitRequest { name: on.into(), count: count(said)? })
            }
            Act::Share(share) => {
                let share = share(said)?.map(Into::into);
                Order::of(v1::SetShareRequest { show: on.into(), share })
            }
            Act::Defaults(change) => Ok(Order::of_show(change(said)?.question(on))),
        }
    }
}

impl Order {
    fn of<C: Change>(question: C) -> Outcome<Self> {
        let bytes = question.encode_to_vec();
        Ok(Self { question: bytes, task: Task::Farm(question.command()?) })
    }

    fn of_show(question: v1::SetShowRequest) -> Self {
        let bytes = question.encode_to_vec();
        let (show, change) = ShowChange::of(question);
        Self { question: bytes, task: Task::Library(show, change) }
    }
}
