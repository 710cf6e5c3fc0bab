//! Where the services ask: the owner of the core where this scheduler leads,
//! what is committed where it follows.

use super::gone;
use super::owner::{Ask, Look, Parked};
use super::role::{Role, Roles};
use super::seats::{SeatId, Word};
use crate::aside::Aside;
use crate::core::{Command, Granted, Listed, Reply, State, Study, unknown_job};
use crate::store::Reign;
use platefarm_model::explain::WhatIf;
use platefarm_model::query::JobQuery;
use platefarm_model::status::{Audit, Counts, FarmStatus};
use platefarm_model::{JobId, Outcome, WorkerId};
use std::time::Duration;
use tokio::sync::{oneshot, watch};
use tokio::time::Instant;

/// Jobs that a list looks at before others are answered: a millisecond or two.
const JOBS: usize = 4_096;

/// A place to ask, for any service.
#[derive(Clone)]
pub(super) struct Desk {
    roles: Roles,
    /// Room for one study.
    studies: Aside,
}

impl Desk {
    pub(super) fn new(roles: Roles) -> Self {
        Self { roles, studies: Aside::new(1) }
    }

    /// Who leads, what was counted, and whether the books agree.
    pub(super) async fn status(&self, here: &str) -> Outcome<FarmStatus> {
        match self.roles.now() {
            Role::Leads(leading) => {
                let (counted, load) = self.look(|state| (state.counters(), state.load())).await?;
                let counts = Counts {
                    leases: counted.leases,
                    granted: counted.granted,
                    duplicates: counted.duplicates,
                    refused: counted.refused,
                    lost: counted.lost,
                    expired: counted.expired,
                };
                let leader = Some(here.to_owned());
                let audit = leading.findings.read();
                let (load, certificate_until) = (Some(load), None);
                Ok(FarmStatus { leads: true, leader, counts, audit, certificate_until, load })
            }
            Role::Follows(following) => {
                Ok(FarmStatus { leader: following.leader().await, ..FarmStatus::default() })
            }
            Role::Ends => Err(gone(())),
        }
    }

    /// What the auditor found, where this scheduler leads.
    pub(super) fn findings(&self) -> Option<Audit> {
        match self.roles.now() {
            Role::Leads(leading) => Some(leading.findings.read()),
            Role::Follows(_) | Role::Ends => None,
        }
    }

    /// Nobody can ask any more.
    pub(super) fn close(&self) {
        self.roles.set(Role::Ends);
    }

    /// Has a command carried out; the answer is durable.
    pub(super) async fn ask(&self, command: Command) -> Outcome<Reply> {
        let (told, answer) = oneshot::channel();
        self.roles.leader().await?.send(Ask::Do(command, told)).await.map_err(gone)?;
        answer.await.map_err(gone)?
    }

    /// A task for `worker`, if one comes up within `wait`.
    pub(super) async fn acquire(
        &self,
        worker: WorkerId,
        wait: Duration,
    ) -> Outcome<Option<Granted>> {
        let (told, answer) = oneshot::channel();
        let parked = Parked { worker, until: Instant::now() + wait, told };
        self.roles.leader().await?.send(Ask::Acquire(parked)).await.map_err(gone)?;
        match answer.await.map_err(gone)?? {
            Reply::Acquired(granted) => Ok(granted),
            _ => Self::unexpected(),
        }
    }

    /// What `look` sees of the farm as it is stored. Where another scheduler leads it is some
    /// moments old, and every worker in it seems alive.
    pub(super) async fn look<T: Send + 'static>(
        &self,
        look: impl FnOnce(&State) -> T + Send + 'static,
    ) -> Outcome<T> {
        if let Role::Follows(following) = self.roles.now() {
            return Ok(look(following.state().await?.as_ref()));
        }
        self.live(look).await
    }

    /// As [`Self::look`], at one job: where another scheduler leads no more than that is read.
    pub(super) async fn look_at<T: Send + 'static>(
        &self,
        job: JobId,
        look: impl FnOnce(&State) -> T + Send + 'static,
    ) -> Outcome<T> {
        if let Role::Follows(following) = self.roles.now() {
            return Ok(look(&following.job(job).await?));
        }
        self.live(look).await
    }

    /// What `look` sees of the farm as it is: who is alive, and what keeps work from them, only
    /// the scheduler knows that leads.
    ///
    /// # Errors
    /// `F0514` where another does; it is named.
    pub(super) async fn live<T: Send + 'static>(
        &self,
        look: impl FnOnce(&State) -> T + Send + 'static,
    ) -> Outcome<T> {
        let (told, answer) = oneshot::channel();
        let look: Look = Box::new(move |state: &State| {
            let seen = look(state);
            Box::new(move || drop(told.send(seen)))
        });
        self.roles.leader().await?.send(Ask::Look(look)).await.map_err(gone)?;
        answer.await.map_err(gone)
    }

    /// The jobs that a question holds of, of the shows that are seen, newest first. They are
    /// looked at in parts, each as it is then.
    pub(super) async fn jobs(
        &self,
        query: JobQuery,
        sees: impl Fn(&str) -> bool + Clone + Send + 'static,
    ) -> Outcome<Listed> {
        let mut listed = Listed::begin();
        while listed.behind.is_some() {
            let (query, sees) = (query.clone(), sees.clone());
            listed = self.look(move |state| state.list(&query, sees, listed, JOBS)).await?;
        }
        Ok(listed)
    }

    /// The show of a job.
    pub(super) async fn show_of(&self, job: JobId) -> Outcome<String> {
        if let Role::Follows(following) = self.roles.now() {
            return following.show_of(job).await?.ok_or_else(|| unknown_job(job));
        }
        self.live(move |state| state.show_of(job)).await?
    }

    /// What a study of the farm comes to, worked out beside it: the farm goes on meanwhile. One at
    /// a time, since each goes on to its end, and keeps a thread busy, though its caller hung up.
    pub(super) async fn study<T: Send + 'static>(
        &self,
        imagined: WhatIf,
        before: Vec<WhatIf>,
        answer: impl FnOnce(Study) -> T + Send + 'static,
    ) -> Outcome<T> {
        let desk = self.clone();
        let work = async move {
            let study = desk.look(move |state| state.study(imagined, before)).await??;
            Ok(answer(study))
        };
        self.studies.in_turn(work).await
    }

    /// Something of a session.
    pub(super) async fn seat(&self, id: SeatId, word: Word) -> Outcome<()> {
        self.roles.leader().await?.send(Ask::Seat(id, word)).await.map_err(gone)
    }

    /// Where the event log ends, at every change; none where another scheduler writes it.
    pub(super) async fn log(&self) -> Option<watch::Receiver<u64>> {
        let Role::Leads(leading) = self.roles.now() else { return None };
        let (told, answer) = oneshot::channel();
        leading.asks.send(Ask::Log(told)).await.ok()?;
        answer.await.ok()
    }

    /// Whether somebody is here who answers: the owner, or who follows.
    pub(super) fn lives(&self) -> bool {
        match self.roles.now() {
            Role::Leads(leading) => !leading.asks.is_closed(),
            Role::Follows(_) => true,
            Role::Ends => false,
        }
    }

    /// Returns when a question would be answered: by the owner, or by the store of who follows.
    pub(super) async fn ready(&self) -> Outcome<()> {
        match self.roles.now() {
            Role::Follows(following) => following.answers().await,
            Role::Leads(..) | Role::Ends => self.look(|_| ()).await,
        }
    }

    /// In whose name is written beside the owner, where this scheduler leads.
    pub(super) fn reign(&self) -> Option<Reign> {
        match self.roles.now() {
            Role::Leads(leading) => Some(leading.reign),
            Role::Follows(_) | Role::Ends => None,
        }
    }

    /// Refuses what only the scheduler knows that leads, and names it.
    ///
    /// # Errors
    /// `F0514`.
    pub(super) async fn must_lead(&self) -> Outcome<()> {
        self.roles.leader().await.map(drop)
    }

    /// Whether this scheduler decides.
    pub(super) fn leads(&self) -> bool {
        matches!(self.roles.now(), Role::Leads(..))
    }

    /// A signal at every change of a job from now on.
    pub(super) async fn watch(&self, job: JobId) -> Outcome<watch::Receiver<u64>> {
        let (told, answer) = oneshot::channel();
        self.roles.leader().await?.send(Ask::Watch(job, told)).await.map_err(gone)?;
        answer.await.map_err(gone)
    }
}
