//! Whether this scheduler leads. Of several on one database one leads, by a
//! lock that lives with its connection; the others answer questions from what
//! is committed, name the leader to who wants more (to change something, or to
//! hear who is alive), and try the lock four times a second. When the leader is
//! gone one of them has it, reads the store, and every lease goes on under its
//! token.

use super::clock::Clock;
use super::owner::{Ask, Ended, Leading, Owner};
use super::rebuild::rebuild;
use super::{Config, gone};
use crate::core::State;
use crate::store::{Follower, Place, SqlStore, parts};
use crate::web::Metrics;
use platefarm_model::{Code, Fault, JobId, Outcome};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};
use tokio::sync::{Mutex, mpsc, watch};

/// How often one who follows tries to lead.
const TRY: Duration = Duration::from_millis(250);
/// How old the farm may be as one who follows sees it.
const STALE: Duration = Duration::from_secs(1);
/// And of a large farm, so many times as old as it takes to read it.
const RARE: u32 = 20;

/// What this scheduler is now.
#[derive(Clone)]
pub(super) enum Role {
    /// It decides.
    Leads(Leading),
    /// Another does.
    Follows(Arc<Following>),
    /// It ends.
    Ends,
}

/// What one who follows knows.
pub(super) struct Following {
    store: Follower,
    config: Config,
    clock: Clock,
    /// The farm as it was read last, and until when it is good.
    seen: Mutex<Option<(Instant, Arc<State>)>>,
}

impl Following {
    /// The farm as it is committed, a second old at most; a large one is older.
    pub(super) async fn state(&self) -> Outcome<Arc<State>> {
        let mut seen = self.seen.lock().await;
        if let Some((_, state)) = seen.as_ref().filter(|(until, _)| Instant::now() < *until) {
            return Ok(Arc::clone(state));
        }
        let begun = Instant::now();
        let (to, taken) = parts();
        let read = self.store.read(to);
        let state = Arc::new(rebuild(self.config.policy, self.clock, taken, read).await?);
        let until = Instant::now() + STALE.max(begun.elapsed() * RARE);
        *seen = Some((until, Arc::clone(&state)));
        Ok(state)
    }

    /// One job as it is committed, in a farm of nothing else but what it waits for.
    pub(super) async fn job(&self, id: JobId) -> Outcome<State> {
        let stored = self.store.job(id).await?;
        let (policy, now) = (self.config.policy, self.clock.now());
        let made = tokio::task::spawn_blocking(move || State::rebuild(policy, stored, now)).await;
        made.map_err(|e| Fault::new(Code::Internal, "the job was not made").because(&e))?
    }

    /// The show of a job, if there is one.
    pub(super) async fn show_of(&self, job: JobId) -> Outcome<Option<String>> {
        self.store.show_of(job).await
    }

    /// Whether the store answers, without a look at the farm.
    pub(super) async fn answers(&self) -> Outcome<()> {
        self.store.leader().await.map(drop)
    }

    /// Gives back what it saw, for who begins to lead: of a large farm a gigabyte, and a while.
    fn forget(&self) {
        // What is being read just now goes with the last who waits for it.
        let seen = self.seen.try_lock().ok().and_then(|mut seen| seen.take());
        if seen.is_some() {
            tokio::task::spawn_blocking(move || drop(seen));
        }
    }

    /// Where the leader is reached, as far as is known.
    pub(super) async fn leader(&self) -> Option<String> {
        self.store.leader().await.ok().flatten()
    }

    /// The refusal of what only the leader does; it names the leader.
    pub(super) async fn not_leader(&self) -> Fault {
        let fault = Fault::new(Code::NotLeader, "this scheduler follows another");
        match self.leader().await {
            Some(address) => fault.at(address),
            None => fault,
        }
    }
}

/// The role, for those who ask and for the one who changes it.
#[derive(Clone)]
pub(super) struct Roles(Arc<RwLock<Role>>);

impl Roles {
    pub(super) fn of(role: Role) -> Self {
        Self(Arc::new(RwLock::new(role)))
    }

    pub(super) fn now(&self) -> Role {
        // Whoever panicked while holding it left a whole role behind.
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn set(&self, role: Role) {
        let mut now = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut *now, role);
        drop(now);
        // What a follower still has of a large farm is given back while others see the new role.
        drop(before);
    }

    /// Where the one who decides is asked.
    pub(super) async fn leader(&self) -> Outcome<mpsc::Sender<Ask>> {
        match self.now() {
            Role::Leads(leading) => Ok(leading.asks),
            Role::Follows(following) => Err(following.not_leader().await),
            Role::Ends => Err(gone(())),
        }
    }
}

/// Leads whenever it can, until the scheduler stops.
pub(super) struct Govern {
    pub(super) config: Config,
    pub(super) address: String,
    pub(super) roles: Roles,
    pub(super) closing: watch::Receiver<bool>,
    /// Where what was accepted is counted.
    pub(super) metrics: Arc<Metrics>,
}

impl Govern {
    /// A scheduler that leads or follows from now on.
    ///
    /// # Errors
    /// As [`SqlStore::open`], but for a database that others share: there it follows.
    pub(super) async fn begin(
        config: Config,
        address: String,
        closing: watch::Receiver<bool>,
        metrics: Arc<Metrics>,
    ) -> Outcome<(Self, Option<Owner<SqlStore>>)> {
        let govern = Self { config, address, roles: Roles::of(Role::Ends), closing, metrics };
        match govern.open().await {
            Ok(owner) => Ok((govern, Some(owner))),
            Err(fault)
                if matches!(fault.code, Code::StoreInUse | Code::NotLeader)
                    && govern.may_follow() =>
            {
                govern.follow()?;
                Ok((govern, None))
            }
            Err(fault) => Err(fault),
        }
    }

    fn may_follow(&self) -> bool {
        matches!(self.config.store, Place::Postgres(_))
    }

    async fn open(&self) -> Outcome<Owner<SqlStore>> {
        let store = SqlStore::open(self.config.store.clone(), &self.address).await?;
        if let Role::Follows(following) = self.roles.now() {
            following.forget();
        }
        let policy = self.config.policy;
        let (leading, mut owner) = Owner::open(store, policy, self.closing.clone()).await?;
        owner.count_in(Arc::clone(&self.metrics));
        if self.config.alone {
            owner.dismiss_all().await?;
        }
        self.roles.set(Role::Leads(leading));
        Ok(owner)
    }

    fn follow(&self) -> Outcome<()> {
        let following = Following {
            store: Follower::new(&self.config.store)?,
            config: self.config.clone(),
            clock: Clock::new(),
            seen: Mutex::new(None),
        };
        self.roles.set(Role::Follows(Arc::new(following)));
        Ok(())
    }

    /// Until the scheduler stops.
    pub(super) async fn run(mut self, mut owner: Option<Owner<SqlStore>>) {
        loop {
            if let Some(leads) = owner.take() {
                tracing::info!(store = %self.config.store, "this scheduler leads");
                let ended = leads.run().await;
                if ended == Ended::Over || *self.closing.borrow() {
                    self.roles.set(Role::Ends);
                    return;
                }
                tracing::warn!("another scheduler leads now; this one follows");
                if let Err(fault) = self.follow() {
                    tracing::error!(%fault, "cannot follow");
                }
            }
            tokio::select! {
                () = tokio::time::sleep(TRY) => {}
                _ = self.closing.wait_for(|closing| *closing) => {
                    self.roles.set(Role::Ends);
                    return;
                }
            }
            match self.open().await {
                Ok(leads) => owner = Some(leads),
                Err(fault) if fault.code == Code::StoreInUse => {}
                Err(fault) => tracing::warn!(%fault, "cannot lead"),
            }
        }
    }
}
