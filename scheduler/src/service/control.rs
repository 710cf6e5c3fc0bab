//! What people do to jobs, workers and shares, and what they ask about the
//! queue, as commands and looks. The calls of the `Farm` service lead here, and
//! the deeds of the page: a question has one meaning, whichever way it came.

use super::desk::Desk;
use crate::core::{Command, Reply, State, Study};
use crate::trust::Caller;
use platefarm_model::explain::{WhatIf, WhatIfAnswer};
use platefarm_model::farm::{Control, Limit, Setting, SettingKind, Target};
use platefarm_model::{JobId, Outcome, WorkerId};
use platefarm_proto::convert::needed;
use platefarm_proto::v1;
use prost::Message;

/// A question of the `Farm` service that changes something.
pub(crate) trait Change: Message + Sized {
    /// The method that it is asked of, as gRPC calls it.
    const METHOD: &'static str;

    /// What the core is told.
    ///
    /// # Errors
    /// `F0508` for a question that lacks something.
    fn command(self) -> Outcome<Command>;
}

impl Change for v1::ControlJobRequest {
    const METHOD: &'static str = "/platefarm.v1.Farm/ControlJob";

    fn command(self) -> Outcome<Command> {
        let (target, control): (Target, Control) = self.try_into()?;
        Ok(Command::Control(target, control))
    }
}

impl Change for v1::ForgetJobRequest {
    const METHOD: &'static str = "/platefarm.v1.Farm/ForgetJob";

    fn command(self) -> Outcome<Command> {
        Ok(Command::Forget(JobId(self.job)))
    }
}

impl Change for v1::ControlWorkerRequest {
    const METHOD: &'static str = "/platefarm.v1.Farm/ControlWorker";

    fn command(self) -> Outcome<Command> {
        let action = needed(self.action, "action")?;
        Ok(Command::Node(WorkerId(self.worker), action.into()))
    }
}

impl Change for v1::SetPoolRequest {
    const METHOD: &'static str = "/platefarm.v1.Farm/SetPool";

    fn command(self) -> Outcome<Command> {
        let pool = self.pool.map(|pool| Setting::Pool(pool.into()));
        Ok(Command::Set(SettingKind::Pool, self.name, pool))
    }
}

impl Change for v1::SetLimitRequest {
    const METHOD: &'static str = "/platefarm.v1.Farm/SetLimit";

    fn command(self) -> Outcome<Command> {
        let limit = self.count.map(|count| Setting::Limit(Limit { count }));
        Ok(Command::Set(SettingKind::Limit, self.name, limit))
    }
}

impl Change for v1::SetShareRequest {
    const METHOD: &'static str = "/platefarm.v1.Farm/SetShare";

    fn command(self) -> Outcome<Command> {
        let share = self.share.map(|share| Setting::Share(share.into()));
        Ok(Command::Set(SettingKind::Share, self.show, share))
    }
}

/// Does what a question asks.
pub(super) async fn change(desk: &Desk, question: impl Change) -> Outcome<()> {
    desk.ask(question.command()?).await.map(drop)
}

/// Has a command of `caller`'s carried out, if the class that it asks for is theirs to ask for.
/// Who leads is asked about that, too: one who follows may come to lead in between.
pub(super) async fn ask(desk: &Desk, caller: &Caller, command: Command) -> Outcome<Reply> {
    if command.class().is_none() || caller.runs_the_farm() {
        return desk.ask(command).await;
    }
    let caller = caller.clone();
    let judge = move |state: &State| caller.may_rank(state, &command).map(|()| command);
    let command = desk.live(judge).await??;
    desk.ask(command).await
}

pub(super) async fn job(
    desk: &Desk,
    caller: &Caller,
    request: v1::ControlJobRequest,
) -> Outcome<v1::ControlJobResponse> {
    let id = JobId(request.target.as_ref().map_or(0, |target| target.job));
    ask(desk, caller, request.command()?).await?;
    let job = desk.look(move |state| state.job(id)).await??;
    Ok(v1::ControlJobResponse { job: Some((&job).into()) })
}

/// Keeps nothing of a job that has ended; answers what it was.
pub(super) async fn forget(
    desk: &Desk,
    request: v1::ForgetJobRequest,
) -> Outcome<v1::ForgetJobResponse> {
    let id = JobId(request.job);
    let job = desk.look(move |state| state.job(id)).await??;
    change(desk, request).await?;
    Ok(v1::ForgetJobResponse { job: Some((&job).into()) })
}

pub(super) async fn worker(
    desk: &Desk,
    request: v1::ControlWorkerRequest,
) -> Outcome<v1::ControlWorkerResponse> {
    let id = WorkerId(request.worker);
    change(desk, request).await?;
    let workers = desk.live(|state| state.workers()).await?;
    let worker = workers.iter().find(|worker| worker.id == id).map(Into::into);
    Ok(v1::ControlWorkerResponse { worker })
}

pub(super) async fn settings(desk: &Desk) -> Outcome<v1::ListSettingsResponse> {
    desk.look(|state| state.settings()).await.map(Into::into)
}

pub(super) async fn explain(
    desk: &Desk,
    request: v1::ExplainRequest,
) -> Outcome<v1::ExplainResponse> {
    let target: Target = needed(request.target, "target")?.into();
    desk.live(move |state| state.explain(target)).await?.map(Into::into)
}

pub(super) async fn what_if(
    desk: &Desk,
    request: v1::WhatIfRequest,
) -> Outcome<v1::WhatIfResponse> {
    let imagined: WhatIf = request.try_into()?;
    what_would(desk, imagined).await.map(Into::into)
}

/// What imagined workers would be given: who is there besides, only the leader knows.
pub(super) async fn what_would(desk: &Desk, imagined: WhatIf) -> Outcome<WhatIfAnswer> {
    desk.must_lead().await?;
    desk.study(imagined, Vec::new(), Study::what_if).await
}
