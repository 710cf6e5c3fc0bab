//! What people do to jobs, workers and shares, and what the farm answers
//! about its queue.

use super::farm::{micros, time};
use super::{needed, ranges, set};
use crate::v1;
use crate::v1::control_job_request::Action as JobAction;
use crate::v1::control_worker_request::Action as WorkerAction;
use platefarm_model::explain::{
    Explained, Explanation, LimitView, NodeView, PoolView, Reason, SettingsView, ShareView, WhatIf,
    WhatIfAnswer, WhatIfTask,
};
use platefarm_model::farm::{Control, NodeControl, Pool, Share, Target};
use platefarm_model::{Fault, JobId, Outcome, StepId};

impl From<Target> for v1::Target {
    fn from(target: Target) -> Self {
        match target {
            Target::Job(job) => Self { job: job.0, step: None },
            Target::Step(id) => Self { job: id.job.0, step: Some(id.index) },
        }
    }
}

impl From<v1::Target> for Target {
    fn from(wire: v1::Target) -> Self {
        let job = JobId(wire.job);
        wire.step.map_or(Self::Job(job), |index| Self::Step(StepId { job, index }))
    }
}

impl From<(Target, &Control)> for v1::ControlJobRequest {
    fn from((target, control): (Target, &Control)) -> Self {
        let action = match control {
            Control::Pause => JobAction::Pause(v1::Pause {}),
            Control::Resume => JobAction::Resume(v1::Resume {}),
            Control::Cancel => JobAction::Cancel(v1::Cancel {}),
            Control::Retry(frames) => {
                JobAction::Retry(v1::Retry { frames: frames.iter().flat_map(ranges).collect() })
            }
            Control::Priority { class, priority } => JobAction::Priority(v1::SetPriority {
                class: class.map_or(v1::PriorityClass::Unspecified, Into::into).into(),
                priority: *priority,
            }),
            Control::Deadline(at) => JobAction::Deadline(v1::SetTime { at_us: micros(*at) }),
            Control::StartAfter(at) => JobAction::StartAfter(v1::SetTime { at_us: micros(*at) }),
            Control::MaxTasks(most) => {
                JobAction::MaxTasks(v1::SetMaxTasks { most: most.unwrap_or(0) })
            }
            Control::Depend(after) => JobAction::Depend((*after).into()),
            Control::Undepend(on) => JobAction::Undepend((*on).into()),
        };
        Self { target: Some(target.into()), action: Some(action) }
    }
}

impl TryFrom<v1::ControlJobRequest> for (Target, Control) {
    type Error = Fault;

    fn try_from(request: v1::ControlJobRequest) -> Outcome<Self> {
        let target = needed(request.target, "target")?.into();
        let control = match needed(request.action, "action")? {
            JobAction::Pause(_) => Control::Pause,
            JobAction::Resume(_) => Control::Resume,
            JobAction::Cancel(_) => Control::Cancel,
            JobAction::Retry(retry) if retry.frames.is_empty() => Control::Retry(None),
            JobAction::Retry(retry) => Control::Retry(Some(set(retry.frames)?)),
            JobAction::Priority(to) => {
                let said = to.class() != v1::PriorityClass::Unspecified;
                let class = said.then(|| to.class().into());
                Control::Priority { class, priority: to.priority }
            }
            JobAction::Deadline(at) => Control::Deadline(time(at.at_us)),
            JobAction::StartAfter(at) => Control::StartAfter(time(at.at_us)),
            JobAction::MaxTasks(to) => Control::MaxTasks((to.most > 0).then_some(to.most)),
            JobAction::Depend(after) => Control::Depend(after.into()),
            JobAction::Undepend(on) => Control::Undepend(on.into()),
        };
        Ok((target, control))
    }
}

impl From<NodeControl> for WorkerAction {
    fn from(control: NodeControl) -> Self {
        match control {
            NodeControl::Drain { reason } => Self::Drain(v1::Drain { reason }),
            NodeControl::Resume => Self::Resume(v1::Resume {}),
            NodeControl::Quarantine { reason } => Self::Quarantine(v1::QuarantineWorker { reason }),
            NodeControl::Label { add, remove } => Self::Label(v1::Label {
                add: add.into_iter().collect(),
                remove: remove.into_iter().collect(),
            }),
            NodeControl::Remove => Self::Remove(v1::RemoveWorker {}),
        }
    }
}

impl From<WorkerAction> for NodeControl {
    fn from(action: WorkerAction) -> Self {
        match action {
            WorkerAction::Drain(to) => Self::Drain { reason: to.reason },
            WorkerAction::Resume(_) => Self::Resume,
            WorkerAction::Quarantine(to) => Self::Quarantine { reason: to.reason },
            WorkerAction::Label(to) => Self::Label {
                add: to.add.into_iter().collect(),
                remove: to.remove.into_iter().collect(),
            },
            WorkerAction::Remove(_) => Self::Remove,
        }
    }
}

impl From<&Pool> for v1::Pool {
    fn from(pool: &Pool) -> Self {
        Self { labels: pool.labels.iter().cloned().collect(), reserve: pool.reserve }
    }
}

impl From<v1::Pool> for Pool {
    fn from(wire: v1::Pool) -> Self {
        Self { labels: wire.labels.into_iter().collect(), reserve: wire.reserve }
    }
}

impl From<Share> for v1::Share {
    fn from(share: Share) -> Self {
        Self {
            weight: Some(share.weight),
            guarantee: share.guarantee,
            ceiling: share.ceiling,
            warm_cpu: share.warm_cpu,
            warm_gpu: share.warm_gpu,
            highest_class: v1::PriorityClass::from(share.highest_class).into(),
        }
    }
}

impl From<v1::Share> for Share {
    fn from(wire: v1::Share) -> Self {
        let highest_class = match wire.highest_class() {
            v1::PriorityClass::Unspecified => Self::default().highest_class,
            said => said.into(),
        };
        Self {
            highest_class,
            weight: wire.weight.unwrap_or(1),
            guarantee: wire.guarantee,
            ceiling: wire.ceiling,
            warm_cpu: wire.warm_cpu,
            warm_gpu: wire.warm_gpu,
        }
    }
}

impl From<SettingsView> for v1::ListSettingsResponse {
    fn from(view: SettingsView) -> Self {
        let pool = |p: PoolView| v1::PoolView {
            name: p.name,
            labels: p.labels,
            workers: p.workers,
            reserve: p.reserve,
        };
        let limit = |l: LimitView| v1::LimitView { name: l.name, count: l.count, used: l.used };
        let share = |s: ShareView| v1::ShareView {
            show: s.show,
            share: Some(s.share.into()),
            tasks: s.tasks,
            frames_waiting: s.frames_waiting,
        };
        let node = |n: NodeView| v1::NodeView {
            name: n.name,
            draining: n.draining,
            quarantine: n.quarantine.as_ref().map(Into::into),
            labels: n.labels,
            without: n.without,
            drain_reason: n.drain_reason,
        };
        Self {
            pools: view.pools.into_iter().map(pool).collect(),
            limits: view.limits.into_iter().map(limit).collect(),
            shares: view.shares.into_iter().map(share).collect(),
            nodes: view.nodes.into_iter().map(node).collect(),
        }
    }
}

impl From<v1::ListSettingsResponse> for SettingsView {
    fn from(wire: v1::ListSettingsResponse) -> Self {
        let pool = |p: v1::PoolView| PoolView {
            name: p.name,
            labels: p.labels,
            workers: p.workers,
            reserve: p.reserve,
        };
        let limit = |l: v1::LimitView| LimitView { name: l.name, count: l.count, used: l.used };
        let share = |s: v1::ShareView| ShareView {
            show: s.show,
            share: s.share.unwrap_or_default().into(),
            tasks: s.tasks,
            frames_waiting: s.frames_waiting,
        };
        let node = |n: v1::NodeView| NodeView {
            name: n.name,
            draining: n.draining,
            quarantine: n.quarantine.map(Into::into),
            labels: n.labels,
            without: n.without,
            drain_reason: n.drain_reason,
        };
        Self {
            pools: wire.pools.into_iter().map(pool).collect(),
            limits: wire.limits.into_iter().map(limit).collect(),
            shares: wire.shares.into_iter().map(share).collect(),
            nodes: wire.nodes.into_iter().map(node).collect(),
        }
    }
}

impl From<Explanation> for v1::ExplainResponse {
    fn from(it: Explanation) -> Self {
        let reason = |r: Reason| v1::Reason { hold: r.hold, text: r.text, remedy: r.remedy };
        let group = |g: Explained| v1::Explained {
            first: Some(g.first.into()),
            steps: g.steps,
            indices: ranges(&g.indices),
            frames_waiting: g.frames_waiting,
            reasons: g.reasons.into_iter().map(reason).collect(),
        };
        Self {
            target: Some(it.target.into()),
            phase: it.phase,
            running: it.running,
            groups: it.groups.into_iter().map(group).collect(),
        }
    }
}

impl TryFrom<v1::ExplainResponse> for Explanation {
    type Error = Fault;

    fn try_from(wire: v1::ExplainResponse) -> Outcome<Self> {
        let reason = |r: v1::Reason| Reason { hold: r.hold, text: r.text, remedy: r.remedy };
        let group = |g: v1::Explained| {
            Ok(Explained {
                first: needed(g.first, "groups.first")?.into(),
                steps: g.steps,
                indices: set(g.indices)?,
                frames_waiting: g.frames_waiting,
                reasons: g.reasons.into_iter().map(reason).collect(),
            })
        };
        Ok(Self {
            target: needed(wire.target, "target")?.into(),
            phase: wire.phase,
            running: wire.running,
            groups: wire.groups.into_iter().map(group).collect::<Outcome<_>>()?,
        })
    }
}

impl From<&WhatIf> for v1::WhatIfRequest {
    fn from(it: &WhatIf) -> Self {
        Self {
            workers: it.workers,
            class: it.class.word().into(),
            slots: it.slots,
            traits: Some((&it.traits).into()),
        }
    }
}

impl TryFrom<v1::WhatIfRequest> for WhatIf {
    type Error = Fault;

    fn try_from(wire: v1::WhatIfRequest) -> Outcome<Self> {
        let class = if wire.class.is_empty() { "cpu" } else { &wire.class };
        Ok(Self {
            workers: wire.workers,
            class: class.parse()?,
            slots: wire.slots.max(1),
            traits: wire.traits.map(Into::into).unwrap_or_default(),
        })
    }
}

impl From<WhatIfAnswer> for v1::WhatIfResponse {
    fn from(it: WhatIfAnswer) -> Self {
        let task = |t: WhatIfTask| v1::WhatIfTask {
            job: t.job.0,
            name: t.name,
            show: t.show,
            class: v1::PriorityClass::from(t.class).into(),
            tasks: t.tasks,
            frames: t.frames,
        };
        Self {
            busy_workers: it.busy_workers,
            tasks: it.tasks,
            by_job: it.by_job.into_iter().map(task).collect(),
            frames_left: it.frames_left,
        }
    }
}

impl From<v1::WhatIfResponse> for WhatIfAnswer {
    fn from(wire: v1::WhatIfResponse) -> Self {
        let task = |t: v1::WhatIfTask| WhatIfTask {
            job: JobId(t.job),
            class: t.class().into(),
            name: t.name,
            show: t.show,
            tasks: t.tasks,
            frames: t.frames,
        };
        Self {
            busy_workers: wire.busy_workers,
            tasks: wire.tasks,
            by_job: wire.by_job.into_iter().map(task).collect(),
            frames_left: wire.frames_left,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use platefarm_model::Timestamp;
    use platefarm_model::farm::{Dependency, PriorityClass, WorkerClass, WorkerTraits};

    #[test]
    fn what_people_do_travels_unchanged() {
        let target: Target = "j12.3".parse().unwrap();
        let after = Dependency { on: "j4".parse().unwrap(), same_frames: true };
        let all = [
            Control::Pause,
            Control::Resume,
            Control::Cancel,
            Control::Retry(None),
            Control::Retry(Some("1-4,9".parse().unwrap())),
            Control::Priority { class: None, priority: Some(-4) },
            Control::Priority { class: Some(PriorityClass::Background), priority: None },
            Control::Deadline(Some(Timestamp(7))),
            Control::StartAfter(None),
            Control::MaxTasks(Some(3)),
            Control::MaxTasks(None),
            Control::Depend(after),
            Control::Undepend("j4.1".parse().unwrap()),
        ];
        for control in all {
            let wire = v1::ControlJobRequest::from((target, &control));
            assert_eq!(<(Target, Control)>::try_from(wire).unwrap(), (target, control));
        }
        let labels = |all: &[&str]| all.iter().map(|l| (*l).to_owned()).collect();
        for control in [
            NodeControl::Drain { reason: "a new kernel".into() },
            NodeControl::Resume,
            NodeControl::Quarantine { reason: "x".into() },
            NodeControl::Label { add: labels(&["a"]), remove: labels(&["b", "c"]) },
            NodeControl::Remove,
        ] {
            assert_eq!(NodeControl::from(WorkerAction::from(control.clone())), control);
        }
    }

    #[test]
    fn answers_about_the_queue_travel_unchanged() {
        let reason = Reason { hold: "limit".into(), text: "t".into(), remedy: "r".into() };
        let explanation = Explanation {
            target: "j1".parse().unwrap(),
            phase: "pending".into(),
            running: 2,
            groups: vec![Explained {
                first: "j1.4".parse().unwrap(),
                steps: 3,
                indices: "4-6".parse().unwrap(),
                frames_waiting: 9,
                reasons: vec![reason],
            }],
        };
        let wire = v1::ExplainResponse::from(explanation.clone());
        assert_eq!(Explanation::try_from(wire).unwrap(), explanation);

        let what_if = WhatIf {
            workers: 4,
            class: WorkerClass::Gpu,
            slots: 2,
            traits: WorkerTraits { memory_mib: 5, ..WorkerTraits::default() },
        };
        assert_eq!(WhatIf::try_from(v1::WhatIfRequest::from(&what_if)).unwrap(), what_if);
        let task = WhatIfTask {
            job: JobId(3),
            name: "n".into(),
            show: "s".into(),
            class: PriorityClass::Urgent,
            tasks: 2,
            frames: 2,
        };
        let answer = WhatIfAnswer { busy_workers: 2, tasks: 2, by_job: vec![task], frames_left: 8 };
        assert_eq!(WhatIfAnswer::from(v1::WhatIfResponse::from(answer.clone())), answer);

        let settings = SettingsView {
            pools: vec![PoolView {
                name: "p".into(),
                labels: vec!["l".into()],
                workers: 2,
                reserve: 7,
            }],
            limits: vec![LimitView { name: "n".into(), count: None, used: 3 }],
            shares: vec![ShareView {
                show: "s".into(),
                share: Share {
                    weight: 2,
                    guarantee: 1,
                    ceiling: Some(4),
                    warm_cpu: 5,
                    warm_gpu: 6,
                    highest_class: PriorityClass::Normal,
                },
                tasks: 5,
                frames_waiting: 6,
            }],
            nodes: vec![NodeView {
                name: "n".into(),
                draining: true,
                drain_reason: "a new kernel".into(),
                quarantine: None,
                labels: vec!["a".into()],
                without: vec!["b".into()],
            }],
        };
        let wire = v1::ListSettingsResponse::from(settings.clone());
        assert_eq!(SettingsView::from(wire), settings);
        // What is not said is usual; what is said stays as it is, to be judged.
        assert_eq!(Share::from(v1::Share::default()), Share::default());
        let none = v1::Share { weight: Some(0), ..Default::default() };
        assert_eq!(Share::from(none).weight, 0);
    }
}
