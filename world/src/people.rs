//! What breaks, and what people do to jobs and workers: they pause, cancel,
//! retry, re-prioritise, let wait, drain; and in the end they let everything go on.

use super::script::Break;
use super::world::{Event, World};
use platefarm_model::farm::{Control, Dependency, NodeControl, Pool, Setting, SettingKind, Target};
use platefarm_model::{StepId, WorkerId};
use platefarm_scheduler::core::Command;

impl World {
    pub(crate) fn breaks(&mut self, what: Break) -> Result<(), String> {
        match what {
            Break::SchedulerDies if self.core.is_some() || self.waits_for_store => {
                self.scheduler_dies(15_000)?;
            }
            Break::WorkerDies(at) if self.nodes[at].up => self.worker_dies(at),
            Break::Partition(at, millis) => {
                self.tally.partitions += 1;
                self.nodes[at].cut_off = self.now + millis;
            }
            Break::CommitFails(written) => self.next_commit = Some(written),
            Break::SlowDisk(millis) => self.slow = millis,
            Break::Person(at, step, control) => {
                let Some(job) = self.jobs.get(&at).copied() else { return Ok(()) };
                if control == Control::Cancel {
                    self.cancelled.insert(at);
                }
                self.tally.controls += 1;
                let target =
                    step.map_or(Target::Job(job), |index| Target::Step(StepId { job, index }));
                self.person(Command::Control(target, control));
                // A thing with a name of its own, to see that what was acknowledged stays.
                let name = format!("pool{}", self.number());
                let pool = Setting::Pool(Pool::default());
                self.person(Command::Set(SettingKind::Pool, name, Some(pool)));
            }
            Break::Operator(at, control) => {
                let name = format!("w{at}");
                self.operator(&name, &control);
            }
            Break::Depend(at, on, same_frames) => {
                let ids = self.jobs.get(&at).copied().zip(self.jobs.get(&on).copied());
                let Some((job, on)) = ids.filter(|(job, on)| job != on) else { return Ok(()) };
                self.tally.depended += 1;
                let after = Dependency { on: Target::Job(on), same_frames };
                self.person(Command::Control(Target::Job(job), Control::Depend(after)));
            }
            Break::WorkerLeaves(at) if self.nodes[at].up => self.worker_leaves(at),
            Break::ClockSteps(millis) => {
                self.tally.steps_back += 1;
                self.skew -= millis;
            }
            Break::StoreCutOff(millis) => {
                self.tally.store_cuts += 1;
                self.store_cut = self.store_cut.max(self.now + millis);
            }
            Break::Forget(at, again) => self.forgets(at, again),
            Break::SchedulerDies | Break::WorkerDies(_) | Break::WorkerLeaves(_) => {}
        }
        Ok(())
    }

    pub(crate) fn person(&mut self, command: Command) {
        let number = self.number();
        self.send_to_scheduler(None, number, command);
    }

    fn operator(&mut self, name: &str, control: &NodeControl) {
        let of_node = |(id, row): (&WorkerId, &platefarm_scheduler::core::WorkerRow)| {
            (row.name == name).then_some(*id)
        };
        let ids: Vec<WorkerId> = self.disk.rows.workers.iter().filter_map(of_node).collect();
        for id in ids {
            self.tally.controls += 1;
            self.person(Command::Node(id, control.clone()));
        }
    }

    /// When the storm is over people let everything go on; said again until it is so.
    pub(crate) fn people_relent(&mut self) {
        let mut said = false;
        for job in self.jobs.values().copied().collect::<Vec<_>>() {
            let Some(row) = self.disk.rows.jobs.get(&job) else { continue };
            if row.finished.is_some() {
                continue;
            }
            let mut targets = Vec::new();
            targets.extend(row.terms.paused.then_some(Target::Job(job)));
            let steps = self.disk.rows.steps.range(StepId { job, index: 0 }..);
            let steps = steps.take_while(|(id, _)| id.job == job);
            let paused = steps.filter(|(_, (_, state))| state.control.paused);
            targets.extend(paused.map(|(id, _)| Target::Step(*id)));
            for target in targets {
                said = true;
                self.person(Command::Control(target, Control::Resume));
            }
        }
        let shut = |(key, value): (&(SettingKind, String), &Setting)| match value {
            Setting::Node(node) if node.draining => Some(key.1.clone()),
            _ => None,
        };
        let nodes: Vec<String> = self.disk.rows.settings.iter().filter_map(shut).collect();
        for name in nodes {
            said = true;
            self.operator(&name, &NodeControl::Resume);
        }
        if said || self.now < self.script.calm + 60_000 {
            self.later(2_000, Event::PeopleRelent);
        }
    }
}
