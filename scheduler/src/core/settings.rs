//! What people set up by name (pools, limits, shares of shows, nodes), and
//! what they and evidence say about nodes: drained, labelled, quarantined.

use super::command::Reply;
use super::fit::Standing;
use super::job::plain;
use super::queue::ShowId;
use super::rows::{SettingKey, Trouble};
use super::{Fx, State};
use platefarm_model::farm::{
    Node, NodeControl, Quarantine, Setting, SettingKind, Share, check_name,
};
use platefarm_model::{Code, Fault, JobId, Outcome, StepId, Timestamp, WorkerId};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// A show as the queue counts it.
#[derive(Clone, Debug)]
pub(super) struct Show {
    pub(super) name: String,
    pub(super) share: Share,
    /// Live leases.
    pub(super) tasks: u64,
}

/// What is known against a node, and for it. Lost with the process: a node
/// that is sick will show it again.
#[derive(Clone, Debug, Default)]
pub(super) struct Evidence {
    /// Frames that failed here and were done elsewhere.
    failed: VecDeque<(Timestamp, StepId)>,
    /// Frames that were done here since the first of those.
    done: u64,
    /// Frames that it did on trial.
    proved: u32,
    /// How often it was quarantined, in a row.
    strikes: u32,
}

/// Most events that are remembered against one node.
const REMEMBERED: usize = 64;

impl State {
    pub(super) fn setting(&self, kind: SettingKind, name: &str) -> Option<&Setting> {
        self.settings.get(&kind)?.get(name)
    }

    /// What a show may have of the farm.
    #[must_use]
    pub fn share_of(&self, show: &str) -> Share {
        match self.setting(SettingKind::Share, show) {
            Some(Setting::Share(share)) => *share,
            _ => Share::default(),
        }
    }

    /// Sets something up, or takes it away.
    pub(super) fn set(
        &mut self,
        kind: SettingKind,
        name: String,
        value: Option<Setting>,
        fx: &mut Fx,
    ) -> Outcome<Reply> {
        if kind == SettingKind::Node {
            let message = "nodes are set by what is done to their workers";
            return Err(Fault::new(Code::BadSpec, message));
        }
        if value.as_ref().is_some_and(|value| value.kind() != kind) {
            return Err(Fault::new(Code::BadSpec, format!("this is not a {kind}")).at("value"));
        }
        if kind == SettingKind::Share {
            plain(&name, "show")?
        } else {
            check_name(&name, "name")?
        }
        if let Some(Setting::Pool(pool)) = &value {
            pool.labels.iter().try_for_each(|label| check_name(label, "labels"))?;
        }
        if let Some(Setting::Share(share)) = &value {
            check_share(share)?;
        }
        if value.is_none() && self.setting(kind, &name).is_none() {
            return Err(not_set(kind, &name));
        }
        self.put_setting((kind, name), value, fx);
        Ok(Reply::Done)
    }

    /// Keeps a setting, and what follows from it.
    fn put_setting(&mut self, key: SettingKey, value: Option<Setting>, fx: &mut Fx) {
        fx.changes.settings.insert(key.clone(), value.clone());
        let of_kind = self.settings.entry(key.0).or_default();
        let before = match value.clone() {
            Some(value) => of_kind.insert(key.1.clone(), value),
            None => of_kind.remove(&key.1),
        };
        match (key.0, value) {
            (SettingKind::Share, value) => {
                // What is set of a show keeps it known, as a job of it does.
                let id = self.take_show(&key.1);
                let share = match value {
                    Some(Setting::Share(share)) => Some(share),
                    _ => None,
                };
                self.shows[id.0 as usize].share = share.unwrap_or_default();
                for _ in 0..u8::from(before.is_some()) + u8::from(share.is_none()) {
                    self.leave_show(id);
                }
            }
            (SettingKind::Pool | SettingKind::Node, _) => {
                self.workers.values_mut().for_each(|worker| worker.fits.clear());
                self.open_changed();
            }
            (SettingKind::Limit, _) => {}
        }
        fx.wake |= !self.queue.is_empty();
    }

    /// The number of a show, for a job of it or for what is set of it.
    pub(super) fn take_show(&mut self, name: &str) -> ShowId {
        let name = name.to_owned();
        let (number, is_new) = self.show_ids.take(&name);
        if is_new {
            let show = Show { share: self.share_of(&name), name, tasks: 0 };
            match self.shows.get_mut(number as usize) {
                Some(place) => *place = show,
                None => self.shows.push(show),
            }
        }
        ShowId(number)
    }

    /// A job of a show, or what was set of it, is gone.
    pub(super) fn leave_show(&mut self, id: ShowId) {
        self.show_ids.leave(id.0);
    }

    /// The shows that there is a job of, or something set of; with their numbers.
    pub(super) fn known_shows(&self) -> impl Iterator<Item = (usize, &Show)> {
        let known = |(id, _): &(usize, &Show)| self.show_ids.users(*id as u32) > 0;
        self.shows.iter().enumerate().filter(known)
    }

    fn put_node(&mut self, name: &str, node: Node, fx: &mut Fx) {
        let value = (node != Node::default()).then_some(Setting::Node(node));
        self.put_setting((SettingKind::Node, name.to_owned()), value, fx);
    }

    pub(super) fn control_node(
        &mut self,
        id: WorkerId,
        control: NodeControl,
        fx: &mut Fx,
    ) -> Outcome<Reply> {
        // A person asks: nothing registers again because of it.
        let unknown = || Fault::new(Code::NoSuchWorker, format!("there is no worker {id}"));
        let worker = self.workers.get(&id).ok_or_else(unknown)?;
        let name = worker.row.name.clone();
        let mut node = self.node(&name).cloned().unwrap_or_default();
        match control {
            NodeControl::Drain { reason } => {
                plain(&reason, "reason")?;
                (node.draining, node.drain_reason) = (true, reason);
            }
            NodeControl::Resume => {
                (node.draining, node.quarantine) = (false, None);
                node.drain_reason.clear();
                self.evidence.remove(&name);
            }
            NodeControl::Quarantine { reason } => {
                plain(&reason, "reason")?;
                let reason = if reason.is_empty() { "a person said so".into() } else { reason };
                let since = self.now;
                node.quarantine = Some(Quarantine { reason, since, retry_at: None, strikes: 0 });
            }
            NodeControl::Label { add, remove } => {
                add.iter().chain(&remove).try_for_each(|label| check_name(label, "label"))?;
                node.labels.extend(add.iter().cloned());
                node.labels.retain(|label| !remove.contains(label));
                node.without.extend(remove);
                node.without.retain(|label| !add.contains(label));
            }
            NodeControl::Remove => return self.leave(id, fx),
        }
        let shut = node.draining || node.quarantine.is_some();
        self.put_node(&name, node, fx);
        if shut {
            self.hand_back(&name);
        }
        Ok(Reply::Done)
    }

    /// What the workers of a node have leased and not begun goes to others.
    fn hand_back(&mut self, name: &str) {
        let of_node = self.workers.values().filter(|worker| worker.row.name == name);
        let tokens: Vec<_> = of_node.flat_map(|worker| worker.leases.iter().copied()).collect();
        tokens.into_iter().for_each(|token| self.ask_for_all(token, None));
    }

    /// A worker did a frame: it counts for its node.
    pub(super) fn did_well(&mut self, id: WorkerId, fx: &mut Fx) {
        if self.evidence.is_empty() && self.settings.is_empty() {
            return;
        }
        let Some(worker) = self.workers.get(&id) else { return };
        let (name, on_trial) = (worker.row.name.clone(), self.standing(worker) == Standing::Trial);
        let Some(evidence) = self.evidence.get_mut(&name) else {
            if on_trial {
                self.evidence.entry(name).or_default().proved = 1;
            }
            return;
        };
        evidence.done += 1;
        if !on_trial {
            return;
        }
        evidence.proved += 1;
        if evidence.proved >= self.policy.trial_frames {
            evidence.failed.clear();
            (evidence.proved, evidence.done) = (0, 0);
            let node = self.node(&name).cloned().unwrap_or_default();
            self.put_node(&name, Node { quarantine: None, ..node }, fx);
        }
    }

    /// A worker failed a frame: on trial, that is enough.
    pub(super) fn did_badly(&mut self, id: WorkerId, fx: &mut Fx) {
        let Some(worker) = self.workers.get(&id) else { return };
        if self.standing(worker) == Standing::Trial {
            let name = worker.row.name.clone();
            let reason = self.node(&name).and_then(|node| node.quarantine.as_ref());
            let reason = reason.map_or_else(String::new, |q| q.reason.clone());
            self.quarantine(&name, reason, fx);
        }
    }

    /// A frame was done that had failed elsewhere: those who failed it have that against them.
    pub(super) fn others_failed(
        &mut self,
        trouble: &Trouble,
        by: WorkerId,
        step: StepId,
        fx: &mut Fx,
    ) {
        let done_by = self.workers.get(&by).map(|worker| worker.row.name.clone());
        let failed: BTreeSet<String> = trouble
            .workers
            .iter()
            .filter_map(|id| self.workers.get(id))
            .map(|worker| worker.row.name.clone())
            .filter(|name| Some(name) != done_by.as_ref())
            .collect();
        for name in failed {
            self.note_against(name, step, fx);
        }
    }

    fn note_against(&mut self, name: String, step: StepId, fx: &mut Fx) {
        let (now, policy) = (self.now, self.policy);
        let evidence = self.evidence.entry(name.clone()).or_default();
        let old = |(at, _): &(Timestamp, StepId)| now.millis_since(*at) > policy.evidence_ms;
        while evidence.failed.front().is_some_and(old) || evidence.failed.len() >= REMEMBERED {
            evidence.failed.pop_front();
        }
        if evidence.failed.is_empty() {
            evidence.done = 0;
        }
        evidence.failed.push_back((now, step));
        let count = evidence.failed.len() as u64;
        let jobs: BTreeSet<JobId> = evidence.failed.iter().map(|(_, step)| step.job).collect();
        // One job alone proves less: its media may be at fault in a way that depends on the hour.
        let enough =
            if jobs.len() > 1 { policy.evidence_frames } else { 2 * policy.evidence_frames };
        let often = count * 4 >= evidence.done;
        let is_open = self.node(&name).is_none_or(|node| node.quarantine.is_none());
        if count >= u64::from(enough) && often && is_open {
            let many = jobs.len();
            let reason = format!(
                "{count} frames of {many} job{} failed here and were done elsewhere",
                if many == 1 { "" } else { "s" }
            );
            self.quarantine(&name, reason, fx);
        }
    }

    fn quarantine(&mut self, name: &str, reason: String, fx: &mut Fx) {
        let before = self.node(name).and_then(|node| node.quarantine.as_ref()).map(|q| q.strikes);
        let evidence = self.evidence.entry(name.to_owned()).or_default();
        evidence.failed.clear();
        (evidence.done, evidence.proved) = (0, 0);
        evidence.strikes = before.unwrap_or(evidence.strikes) + 1;
        let strikes = evidence.strikes;
        // Twice as long each time, up to 64 times.
        let pause = self.policy.quarantine_ms << (strikes - 1).min(6);
        let quarantine = Quarantine {
            reason,
            since: self.now,
            retry_at: Some(self.now.plus_millis(pause)),
            strikes,
        };
        self.counters.quarantined += 1;
        let node = self.node(name).cloned().unwrap_or_default();
        self.put_node(name, Node { quarantine: Some(quarantine), ..node }, fx);
        self.hand_back(name);
    }
}

/// A share has a part, and room for what it is promised.
fn check_share(share: &Share) -> Outcome<()> {
    let bad = |place, message: String, remedy| {
        Err(Fault::new(Code::BadSpec, message).at(place).remedy(remedy))
    };
    let guarantee = share.guarantee;
    match share.ceiling {
        _ if share.weight == 0 => {
            let remedy = "A weight is at least 1; a ceiling of 0 keeps a show from getting any.";
            bad("weight", "a weight of 0 is no part of the farm".into(), remedy)
        }
        Some(most) if most < guarantee => {
            let message = format!("the ceiling of {most} is below the guarantee of {guarantee}");
            bad("ceiling", message, "Set the ceiling to at least the guarantee, or to none.")
        }
        _ => Ok(()),
    }
}

/// What was to be taken away is not set up.
fn not_set(kind: SettingKind, name: &str) -> Fault {
    let unknown = |code, list: &str| {
        let remedy = format!("See `platefarm {list} list`.");
        Fault::new(code, format!("there is no {kind} '{name}' to take away")).remedy(remedy)
    };
    match kind {
        SettingKind::Share => {
            Fault::new(Code::NoShare, format!("show '{name}' has no share of its own"))
        }
        SettingKind::Pool => unknown(Code::UnknownPool, "pools"),
        _ => unknown(Code::UnknownLimit, "limits"),
    }
}

/// Settings by kind and name.
pub(super) type Settings = BTreeMap<SettingKind, BTreeMap<String, Setting>>;
