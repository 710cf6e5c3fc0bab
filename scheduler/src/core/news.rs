//! What is told of a command: its events, read off what it changed. The core
//! decides as if nobody listened; nothing here decides.
//!
//! Frames of a step that end in one turn are one event, so that a farm at full
//! speed writes a line for each step and turn, not for each frame.

use super::State;
use super::command::{Command, Effects, Reply};
use super::rows::{Changes, FrameRow};
use platefarm_model::event::{Event, EventKind, Sums};
use platefarm_model::farm::{Control, Node, Setting, SettingKind, Target, WorkerClass};
use platefarm_model::job::FrameOutcome;
use platefarm_model::{FrameRange, JobId, StepId, WorkerId};
use std::collections::HashMap;

/// What of a command is told, which has to be looked at before it is carried out.
#[derive(Clone, Debug)]
pub enum Asked {
    /// A job is handed in.
    Submit,
    /// A person changes a job or step.
    Control(Target, String),
    /// A worker says something; whether it was lost.
    Worker(WorkerId, bool),
    /// Nothing is kept of a job: its show and name.
    Forget(JobId, String, String),
    /// Anything else.
    Else,
}

impl Asked {
    /// Of a command, before it is carried out.
    #[must_use]
    pub fn of(command: &Command, state: &State) -> Self {
        match command {
            Command::Submit(_) => Self::Submit,
            Command::Control(target, control) => Self::Control(*target, words(control)),
            Command::Acquire { worker }
            | Command::Report { worker, .. }
            | Command::Heartbeat { worker, .. }
            | Command::Release { worker, .. } => {
                Self::Worker(*worker, state.workers.get(worker).is_some_and(|w| !w.alive))
            }
            Command::Forget(id) => match state.jobs.get(id) {
                Some(job) => Self::Forget(*id, job.row.show.clone(), job.row.name.clone()),
                None => Self::Else,
            },
            _ => Self::Else,
        }
    }
}

/// What a person did to a job, as a person reads it.
fn words(control: &Control) -> String {
    match control {
        Control::Pause => "paused".into(),
        Control::Resume => "resumed".into(),
        Control::Cancel => "cancelled".into(),
        Control::Retry(None) => "failed frames are tried again".into(),
        Control::Retry(Some(frames)) => format!("frames {frames} are tried again"),
        Control::Priority { class, priority } => {
            let class = class.map(|class| class.to_string());
            let number = priority.map(|number| number.to_string());
            let both: Vec<String> = class.into_iter().chain(number).collect();
            format!("priority {}", both.join(" "))
        }
        Control::Deadline(at) => timed("deadline", at.is_some()),
        Control::StartAfter(at) => timed("start time", at.is_some()),
        Control::MaxTasks(None) => "no limit of tasks".into(),
        Control::MaxTasks(Some(most)) => format!("at most {most} tasks"),
        Control::Depend(after) => format!("waits for {}", after.on),
        Control::Undepend(on) => format!("does not wait for {on}"),
    }
}

fn timed(what: &str, set: bool) -> String {
    format!("{what} {}", if set { "set" } else { "taken away" })
}

fn node_words(node: Option<&Node>) -> String {
    let Some(node) = node else { return "put to work again".into() };
    if let Some(quarantine) = &node.quarantine {
        return format!("quarantined: {}", quarantine.reason);
    }
    let mut words = vec![if node.draining { "draining" } else { "at work" }.to_owned()];
    if !node.drain_reason.is_empty() {
        words[0].push_str(&format!(": {}", node.drain_reason));
    }
    words.extend(node.labels.iter().map(|label| format!("+{label}")));
    words.extend(node.without.iter().map(|label| format!("-{label}")));
    words.join(" ")
}

/// The events of a turn, as they gather.
#[derive(Debug, Default)]
pub struct News {
    events: Vec<Event>,
    /// Of a step, the event that more of its done frames are added to.
    open: HashMap<StepId, usize>,
}

impl News {
    /// What was told so far.
    #[must_use]
    pub fn gathered(&self) -> &[Event] {
        &self.events
    }

    /// What was told, and nothing is left.
    #[must_use]
    pub fn take(&mut self) -> Vec<Event> {
        self.open.clear();
        std::mem::take(&mut self.events)
    }

    /// Another event.
    pub fn push(&mut self, event: Event) {
        if let Some(job) = event.job.filter(|_| !self.open.is_empty()) {
            self.open.retain(|step, _| step.job != job);
        }
        self.events.push(event);
    }

    /// Tells what a command changed. `state` is as the command left it.
    pub fn tell(&mut self, asked: Asked, effects: &Effects, state: &State) {
        let changes = &effects.changes;
        match asked {
            Asked::Submit => {
                if let Ok(Reply::Submitted { job, existed: false }) = effects.reply {
                    self.push(Event {
                        sums: state.sums(job),
                        ..of_job(EventKind::JobSubmitted, job, state)
                    });
                }
                return;
            }
            Asked::Control(target, detail) if effects.reply.is_ok() => {
                let step = match target {
                    Target::Job(_) => None,
                    Target::Step(step) => Some(step.index),
                };
                let event = of_job(EventKind::JobChanged, target.job(), state);
                self.push(Event { step, detail, ..event });
            }
            Asked::Forget(job, show, name) if effects.reply.is_ok() => {
                let event = Event::new(EventKind::JobForgotten);
                self.push(Event { job: Some(job), show, name, ..event });
            }
            Asked::Worker(worker, true) if state.workers.get(&worker).is_some_and(|w| w.alive) => {
                self.push(of_worker(EventKind::WorkerBack, worker, state));
            }
            _ => {}
        }
        for worker in &effects.lost {
            self.push(of_worker(EventKind::WorkerLost, *worker, state));
        }
        for (step, frames) in &changes.reopened {
            let event = of_job(EventKind::FramesRetried, step.job, state);
            self.push(Event { step: Some(step.index), frames: frames.clone(), ..event });
        }
        changes.frames.iter().for_each(|row| self.frame(row, state));
        self.ended(changes, state);
        self.workers(changes);
        self.settings(changes);
    }

    fn frame(&mut self, row: &FrameRow, state: &State) {
        let range = FrameRange::single(row.outcome.frame());
        match &row.outcome {
            FrameOutcome::Done(_) => {
                if let Some(event) = self.open.get(&row.step).and_then(|i| self.events.get_mut(*i))
                {
                    event.frames.insert(range);
                    return;
                }
                let event = of_step(EventKind::FramesDone, row.step, state);
                self.open.insert(row.step, self.events.len());
                self.events.push(Event { frames: range.into(), ..event });
            }
            FrameOutcome::Failed { fault, .. } => {
                let event = of_step(EventKind::FramesFailed, row.step, state);
                self.push(Event { frames: range.into(), fault: Some(fault.clone()), ..event });
            }
        }
    }

    /// A job's row is written when it is handed in, when a person changes it, and when it ends.
    fn ended(&mut self, changes: &Changes, state: &State) {
        for row in changes.jobs.values().filter(|row| row.finished.is_some()) {
            let Some(job) = state.jobs.get(&row.id) else { continue };
            let kind = match job.phase() {
                platefarm_model::job::Phase::Done => EventKind::JobDone,
                platefarm_model::job::Phase::Cancelled => EventKind::JobCancelled,
                _ => EventKind::JobFailed,
            };
            let first = job.steps.iter().find_map(|step| step.state.first_fault.clone());
            let fault = first.filter(|_| kind == EventKind::JobFailed);
            let event = of_job(kind, row.id, state);
            self.push(Event { sums: state.sums(row.id), fault, ..event });
        }
    }

    fn workers(&mut self, changes: &Changes) {
        for row in changes.workers.values() {
            let class = WorkerClass::of_backend(&row.backend);
            let detail = format!("{class}, slots: {}", row.slots);
            let (worker, name) = (Some(row.id), row.name.clone());
            self.push(Event { worker, name, detail, ..Event::new(EventKind::WorkerJoined) });
        }
        for (id, name) in &changes.departed {
            let (worker, name) = (Some(*id), name.clone());
            self.push(Event { worker, name, ..Event::new(EventKind::WorkerLeft) });
        }
    }

    fn settings(&mut self, changes: &Changes) {
        for ((kind, name), value) in &changes.settings {
            let event = match (kind, value) {
                (SettingKind::Node, value) => {
                    let node = match value {
                        Some(Setting::Node(node)) => Some(node),
                        _ => None,
                    };
                    Event { detail: node_words(node), ..Event::new(EventKind::NodeChanged) }
                }
                (kind, value) => {
                    let how = if value.is_some() { "set" } else { "taken away" };
                    let detail = format!("{kind} {how}");
                    Event { detail, ..Event::new(EventKind::FarmChanged) }
                }
            };
            self.push(Event { name: name.clone(), ..event });
        }
    }
}

fn of_job(kind: EventKind, job: JobId, state: &State) -> Event {
    let mut event = Event { job: Some(job), ..Event::new(kind) };
    if let Some(job) = state.jobs.get(&job) {
        event.show.clone_from(&job.row.show);
        event.name.clone_from(&job.row.name);
    }
    event
}

/// What there may be many of: without the job's name.
fn of_step(kind: EventKind, step: StepId, state: &State) -> Event {
    let show = state.jobs.get(&step.job).map(|job| job.row.show.clone()).unwrap_or_default();
    Event { show, job: Some(step.job), step: Some(step.index), ..Event::new(kind) }
}

fn of_worker(kind: EventKind, worker: WorkerId, state: &State) -> Event {
    let name = state.workers.get(&worker).map(|w| w.row.name.clone()).unwrap_or_default();
    Event { worker: Some(worker), name, ..Event::new(kind) }
}

impl State {
    fn sums(&self, job: JobId) -> Option<Sums> {
        let job = self.jobs.get(&job)?;
        Some(Sums { total: job.frames_total, done: job.frames_done, failed: job.frames_failed })
    }
}
