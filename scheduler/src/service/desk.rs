//! Where the services ask: the owner of the core where this scheduler leads,
//! what is committed where it follows.

use super::gone;
use super::owner::{Ask, Look, Parked};
use super::role::{Role, Roles};
use super::seats::{SeatId, Word};
use crate::core::{Command, Granted, Reply, State};
use platefarm_model::status::{Audit, Counts, FarmStatus};
use platefarm_model::{JobId, Outcome, WorkerId};
use std::time::Duration;
use tokio::sync::{oneshot, watch};
use tokio::time::Instant;

/// A place to ask, for any service.
#[derive(Clone)]
pub(super) struct Desk {
    roles: Roles,
}

impl Desk {
    pub(super) fn new(roles: Roles) -> Self {
        Self { roles }
    }

    /// Who leads, what was counted, and whether the books agree.
    pub(super) async fn status(&self, here: &str) -> Outcome<FarmStatus> {
        match self.roles.now() {
            Role::Leads(_, findings) => {
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
                let audit = findings.read();
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
            Role::Leads(_, findings) => Some(findings.read()),
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

    /// What `look` sees of the farm as it is stored.
    pub(super) async fn look<T: Send + 'static>(
        &self,
        look: impl FnOnce(&State) -> T + Send + 'static,
    ) -> Outcome<T> {
        if let Role::Follows(following) = self.roles.now() {
            return Ok(look(following.state().await?.as_ref()));
        }
        let (told, answer) = oneshot::channel();
        let look: Look = Box::new(move |state: &State| {
            let seen = look(state);
            Box::new(move || drop(told.send(seen)))
        });
        self.roles.leader().await?.send(Ask::Look(look)).await.map_err(gone)?;
        answer.await.map_err(gone)
    }

    /// Something of a session.
    pub(super) async fn seat(&self, id: SeatId, word: Word) -> Outcome<()> {
        self.roles.leader().await?.send(Ask::Seat(id, word)).await.map_err(gone)
    }

    /// Where the event log ends, at every change; none where another scheduler writes it.
    pub(super) async fn log(&self) -> Option<watch::Receiver<u64>> {
        let Role::Leads(asks, _) = self.roles.now() else { return None };
        let (told, answer) = oneshot::channel();
        asks.send(Ask::Log(told)).await.ok()?;
        answer.await.ok()
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
