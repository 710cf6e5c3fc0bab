//! What people do to jobs, workers and shares, and what they ask about the
//! queue, as commands and looks. The calls of the `Farm` service lead here.

use super::desk::Desk;
use crate::core::{Command, State};
use crate::trust::Caller;
use platefarm_model::explain::WhatIf;
use platefarm_model::farm::{
    Control, Limit, NodeControl, PriorityClass, Setting, SettingKind, Target,
};
use platefarm_model::{Code, Fault, JobId, Outcome, WorkerId};
use platefarm_proto::v1;

fn missing(place: &str) -> Fault {
    Fault::new(Code::BadSpec, "a field is missing in the message").at(place)
}

/// Refuses a class that is not the caller's to ask for. One who follows need not look: it refuses by itself.
pub(super) async fn may_rank(
    desk: &Desk,
    caller: &Caller,
    class: PriorityClass,
    show: impl FnOnce(&State) -> Outcome<String> + Send + 'static,
) -> Outcome<()> {
    if caller.runs_the_farm() || !desk.leads() {
        return Ok(());
    }
    let caller = caller.clone();
    desk.look(move |state| caller.may_rank(state, class, &show(state)?)).await?
}

pub(super) async fn job(
    desk: &Desk,
    caller: &Caller,
    request: v1::ControlJobRequest,
) -> Outcome<v1::ControlJobResponse> {
    let (target, control): (Target, Control) = request.try_into()?;
    if let Control::Priority { class: Some(class), .. } = control {
        let show = move |state: &State| state.show_of(target.job());
        may_rank(desk, caller, class, show).await?;
    }
    desk.ask(Command::Control(target, control)).await?;
    let job = desk.look(move |state| state.job(target.job())).await??;
    Ok(v1::ControlJobResponse { job: Some((&job).into()) })
}

/// Keeps nothing of a job that has ended; answers what it was.
pub(super) async fn forget(desk: &Desk, id: JobId) -> Outcome<v1::ForgetJobResponse> {
    let job = desk.look(move |state| state.job(id)).await??;
    desk.ask(Command::Forget(id)).await?;
    Ok(v1::ForgetJobResponse { job: Some((&job).into()) })
}

pub(super) async fn worker(
    desk: &Desk,
    request: v1::ControlWorkerRequest,
) -> Outcome<v1::ControlWorkerResponse> {
    let id = WorkerId(request.worker);
    let control: NodeControl = request.action.ok_or_else(|| missing("action"))?.into();
    desk.ask(Command::Node(id, control)).await?;
    let workers = desk.look(|state| state.workers()).await?;
    let worker = workers.iter().find(|worker| worker.id == id).map(Into::into);
    Ok(v1::ControlWorkerResponse { worker })
}

/// Sets something up, or takes it away.
pub(super) async fn set(
    desk: &Desk,
    kind: SettingKind,
    name: String,
    value: Option<Setting>,
) -> Outcome<()> {
    desk.ask(Command::Set(kind, name, value)).await.map(drop)
}

pub(super) fn limit(count: Option<u32>) -> Option<Setting> {
    count.map(|count| Setting::Limit(Limit { count }))
}

pub(super) async fn settings(desk: &Desk) -> Outcome<v1::ListSettingsResponse> {
    desk.look(|state| state.settings()).await.map(Into::into)
}

pub(super) async fn explain(
    desk: &Desk,
    request: v1::ExplainRequest,
) -> Outcome<v1::ExplainResponse> {
    let target: Target = request.target.ok_or_else(|| missing("target"))?.into();
    desk.look(move |state| state.explain(target)).await?.map(Into::into)
}

pub(super) async fn what_if(
    desk: &Desk,
    request: v1::WhatIfRequest,
) -> Outcome<v1::WhatIfResponse> {
    let imagined: WhatIf = request.try_into()?;
    desk.look(move |state| state.what_if(&imagined)).await?.map(Into::into)
}
