//! What people do to jobs, workers and shares, and what they ask about the
//! queue, of the farm behind an address.

use super::{Farm, view};
use platefarm_model::explain::{Explanation, SettingsView, WhatIf, WhatIfAnswer};
use platefarm_model::farm::{Control, NodeControl, Pool, Share, Target};
use platefarm_model::job::{JobView, WorkerView};
use platefarm_model::{JobId, Outcome, WorkerId};
use platefarm_proto::dial::Line;
use platefarm_proto::{FarmClient, v1};

impl Farm {
    /// Does something to a job or step; the job as it is then.
    pub(crate) async fn control(&mut self, target: Target, control: &Control) -> Outcome<JobView> {
        let request = v1::ControlJobRequest::from((target, control));
        let call = async |farm: &mut FarmClient<Line>| farm.control_job(request.clone()).await;
        view(self.ask(call).await?.job)
    }

    /// Keeps nothing of a job that has ended; the job as it was.
    pub(crate) async fn forget(&mut self, job: JobId) -> Outcome<JobView> {
        let request = v1::ForgetJobRequest { job: job.0 };
        let call = async |farm: &mut FarmClient<Line>| farm.forget_job(request).await;
        view(self.ask(call).await?.job)
    }

    /// Does something to a worker's node; the worker as it is then, unless it was removed.
    pub(crate) async fn control_worker(
        &mut self,
        worker: WorkerId,
        control: NodeControl,
    ) -> Outcome<Option<WorkerView>> {
        let action = Some(control.into());
        let request = v1::ControlWorkerRequest { worker: worker.0, action };
        let call = async |farm: &mut FarmClient<Line>| farm.control_worker(request.clone()).await;
        self.ask(call).await?.worker.map(TryInto::try_into).transpose()
    }

    /// Sets a pool up, or takes it away.
    pub(crate) async fn set_pool(&mut self, name: String, pool: Option<&Pool>) -> Outcome<()> {
        let request = v1::SetPoolRequest { name, pool: pool.map(Into::into) };
        let call = async |farm: &mut FarmClient<Line>| farm.set_pool(request.clone()).await;
        self.ask(call).await.map(drop)
    }

    /// Sets a limit up, or takes it away.
    pub(crate) async fn set_limit(&mut self, name: String, count: Option<u32>) -> Outcome<()> {
        let request = v1::SetLimitRequest { name, count };
        let call = async |farm: &mut FarmClient<Line>| farm.set_limit(request.clone()).await;
        self.ask(call).await.map(drop)
    }

    /// Gives a show a share, or takes it away.
    pub(crate) async fn set_share(&mut self, show: String, share: Option<Share>) -> Outcome<()> {
        let request = v1::SetShareRequest { show, share: share.map(Into::into) };
        let call = async |farm: &mut FarmClient<Line>| farm.set_share(request.clone()).await;
        self.ask(call).await.map(drop)
    }

    /// What people set up, and how much of it is in use.
    pub(crate) async fn settings(&mut self) -> Outcome<SettingsView> {
        let request = v1::ListSettingsRequest {};
        let call = async |farm: &mut FarmClient<Line>| farm.list_settings(request).await;
        Ok(self.ask(call).await?.into())
    }

    /// Why a job or step does or does not run.
    pub(crate) async fn explain(&mut self, target: Target) -> Outcome<Explanation> {
        let request = v1::ExplainRequest { target: Some(target.into()) };
        let call = async |farm: &mut FarmClient<Line>| farm.explain(request).await;
        self.ask(call).await?.try_into()
    }

    /// What imagined workers would get.
    pub(crate) async fn what_if(&mut self, imagined: &WhatIf) -> Outcome<WhatIfAnswer> {
        let request = v1::WhatIfRequest::from(imagined);
        let call = async |farm: &mut FarmClient<Line>| farm.what_if(request.clone()).await;
        Ok(self.ask(call).await?.into())
    }
}
