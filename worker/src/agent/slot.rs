//! One slot: asks for a task, runs it, sees to it that it is reported, and
//! asks again.

use super::Shared;
use super::backoff::Backoff;
use super::outbox::Outbox;
use super::wire::{Acquired, RemoteLedger};
use crate::kinds::{self, JobKind, Task};
use crate::leash::Leash;
use platefarm_media::publish;
use platefarm_model::code::Owner;
use platefarm_model::job::{FrameOutcome, Lease};
use platefarm_model::{Code, Fault, FrameSet, Outcome, WorkerId};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

/// How long to rest when the scheduler wants no more tasks to be taken.
const DRAINED: Duration = Duration::from_secs(1);
/// Most frames in one report.
const BATCH: usize = 512;

/// Works until the process leaves.
pub(super) async fn work(shared: Arc<Shared>) {
    let mut leaving = shared.leaving.subscribe();
    let mut registered = shared.worker.subscribe();
    let mut backoff = Backoff::new();
    // Apart, because a machine that cannot do its work fails on good connections too.
    let mut trouble = Backoff::new();
    loop {
        let acquired = tokio::select! {
            _ = leaving.wait_for(|l| *l) => return,
            acquired = acquire(&shared, &mut registered) => acquired,
        };
        match acquired {
            (worker, Ok(Acquired::Lease(lease))) => {
                backoff.reset();
                if run_lease(&shared, worker, *lease).await {
                    trouble.reset();
                } else {
                    shared.rest(trouble.next()).await;
                }
            }
            (worker, Ok(Acquired::Unreadable(token, fault))) => {
                tracing::error!(%token, %fault, "a lease cannot be read; it is given back");
                let _ = shared.wire.release(worker, token).await;
                shared.rest(trouble.next()).await;
            }
            (_, Ok(Acquired::Nothing)) => backoff.reset(),
            (_, Ok(Acquired::Drain)) => shared.rest(DRAINED).await,
            (worker, Err(fault)) if fault.code == Code::UnknownWorker => shared.forgotten(worker),
            (_, Err(fault)) => {
                tracing::debug!(%fault, "no task");
                shared.rest(backoff.next()).await;
            }
        }
    }
}

async fn acquire(
    shared: &Shared,
    registered: &mut tokio::sync::watch::Receiver<Option<WorkerId>>,
) -> (WorkerId, Outcome<Acquired>) {
    loop {
        let worker = registered.wait_for(Option::is_some).await.ok().and_then(|w| *w);
        let Some(worker) = worker else { continue };
        if !shared.standing().wants_work() {
            return (worker, Ok(Acquired::Drain));
        }
        return (worker, shared.wire.acquire(worker).await);
    }
}

/// Runs a lease to its end. Returns false when this machine was at fault.
async fn run_lease(shared: &Arc<Shared>, worker: WorkerId, lease: Lease) -> bool {
    let token = lease.token;
    tracing::info!(%token, step = %lease.step, frames = %lease.frames, name = lease.spec.name, "task");
    let leash = Arc::new(Leash::new(lease.frames.last()));
    shared.standing().granted(worker, token, &leash, shared.now());

    let (tx, mut rx) = mpsc::unbounded_channel();
    let task = {
        let (shared, leash, lease) = (Arc::clone(shared), Arc::clone(&leash), lease.clone());
        let runtime = tokio::runtime::Handle::current();
        tokio::task::spawn_blocking(move || run_task(&shared, runtime, &lease, &leash, &tx))
    };
    let mut outbox = Outbox::new(shared, token);
    let mut machine_is_well = true;
    let mut batch = Vec::new();
    while rx.recv_many(&mut batch, BATCH).await > 0 {
        machine_is_well &= !batch.iter().any(is_the_machines);
        outbox.send(std::mem::take(&mut batch)).await;
    }
    if let Err(error) = task.await {
        tracing::error!(%token, %error, "a task ended badly");
    }
    tidy(shared.kinds, &lease);
    let left = lease.frames.iter().any(|f| !outbox.settled().contains(f));
    if left && !outbox.is_lost() {
        // The scheduler may have shortened the lease to nothing by now; then this says nothing new.
        if let Err(fault) = shared.wire.release(worker, token).await {
            tracing::debug!(%token, %fault, "not released; the lease runs out by itself");
        }
    }
    shared.standing().ended(token);
    machine_is_well
}

/// Removes what the task made to stage its files in, if nothing is left there.
/// Files whose frames were never answered for stay: the package step judges them.
fn tidy(kinds: &[&'static dyn JobKind], lease: &Lease) {
    let kind = kinds::find(kinds, lease.spec.kind.name());
    let Some(out_dir) = kind.and_then(|kind| kind.out_dir(lease)) else { return };
    if let Err(fault) = publish::tidy_attempt(out_dir, &lease.token.to_string()) {
        tracing::debug!(token = %lease.token, %fault, "not tidied");
    }
}

fn is_the_machines(outcome: &FrameOutcome) -> bool {
    matches!(outcome, FrameOutcome::Failed { fault, .. } if crate::render::is_the_machines(fault))
}

/// Runs the kind on this thread. Whatever happens, the frames that the leash
/// still allows have an outcome or are not begun.
fn run_task(
    shared: &Shared,
    runtime: tokio::runtime::Handle,
    lease: &Lease,
    leash: &Leash,
    outcomes: &mpsc::UnboundedSender<FrameOutcome>,
) {
    let mut spoken = FrameSet::new();
    let result = catch_unwind(AssertUnwindSafe(|| {
        let name = lease.spec.kind.name();
        let kind = kinds::find(shared.kinds, name).ok_or_else(|| {
            Fault::new(Code::BadSpec, format!("this worker does not know the kind '{name}'"))
        })?;
        let ledger = RemoteLedger { wire: &shared.wire, runtime };
        let task = Task { lease, leash, env: &shared.env, ledger: &ledger };
        kind.run(&task, &mut |outcome| {
            spoken.insert(platefarm_model::FrameRange::single(outcome.frame()));
            // The receiver lives until this thread is done.
            let _ = outcomes.send(outcome);
        })
    }));
    let fault = match result {
        Ok(Ok(())) => return,
        Ok(Err(fault)) => fault,
        Err(panic) => crate::render::panicked_with(panic.as_ref()),
    };
    tracing::error!(token = %lease.token, %fault, "the task failed");
    for frame in lease.frames.iter().filter(|f| !spoken.contains(*f)) {
        if !leash.allows(frame) {
            break;
        }
        let _ = outcomes.send(FrameOutcome::Failed { frame, fault: fault.clone() });
        // What is wrong with this machine or the farm is said once, and the rest given back.
        if matches!(fault.owner(), Owner::Worker | Owner::Farm) {
            break;
        }
    }
}
