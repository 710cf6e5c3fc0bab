//! One slot: takes the next task that waits, runs it, in a process of its own
//! where it has one, and takes the next. What is finished goes to the outbox,
//! which a slot does not wait for.

use super::Shared;
use super::backoff::Backoff;
use super::outbox::Outbox;
use super::session::{self, Taken};
use super::trace::Trace;
use crate::child::{Asking, Child};
use crate::kinds::{self, JobKind, Ledger, StepFrames};
use crate::leash::Leash;
use crate::still::Still;
use platefarm_media::publish;
use platefarm_model::job::{FrameOutcome, Lease};
use platefarm_model::{JobId, Outcome};
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tracing::Instrument;

/// Most frames in one report.
const BATCH: usize = 512;

/// Works until the process leaves.
pub(super) async fn work(shared: Arc<Shared>) {
    let mut leaving = shared.leaving.subscribe();
    let here = Arc::clone(&shared);
    let mut child = shared.child().map(|it| it.showing(move |still| show(&here, still)));
    let mut trouble = Backoff::new();
    loop {
        // What waits is looked at even by one who leaves, to be given back.
        let taken = tokio::select! {
            biased;
            taken = shared.next_task() => taken,
            _ = leaving.wait_for(|l| *l) => return,
        };
        let Ok(place) = Arc::clone(&shared.outboxes).acquire_owned().await else { return };
        // Whatever is logged on the way says whose it is.
        let (step, token) = (taken.lease.step, taken.lease.token);
        let named = tracing::error_span!("task", job = %step.job, %step, %token);
        let well = run_lease(&shared, child.as_mut(), taken, place).instrument(named).await;
        shared.room_changed(|places| places.taken -= 1);
        if well {
            trouble.reset();
        } else {
            shared.rest(trouble.next()).await;
        }
    }
}

/// Shows the farm a picture. One that does not arrive is not missed.
fn show(shared: &Arc<Shared>, still: Still) {
    let here = Arc::clone(shared);
    tokio::spawn(async move {
        let Some((worker, _)) = here.standing().worker() else { return };
        if let Err(fault) = here.wire.show(worker, still).await {
            tracing::debug!(%fault, "a picture was not shown");
        }
    });
}

/// Runs a lease to its end. Returns false when this machine was at fault.
async fn run_lease(
    shared: &Arc<Shared>,
    child: Option<&mut Child>,
    taken: Taken,
    place: OwnedSemaphorePermit,
) -> bool {
    let Taken { lease, leash } = taken;
    let trace = Trace::of(&lease, &shared.name);
    let (finished, outcomes) = mpsc::unbounded_channel();
    let delivery = deliver(Arc::clone(shared), lease.clone(), Arc::clone(&leash), outcomes, place);
    tokio::spawn(delivery.in_current_span());
    let mut well = true;
    match child {
        Some(child) => {
            let here = Arc::clone(shared);
            let ledger: &Asking = &move |job| {
                let here = Arc::clone(&here);
                Box::pin(async move { here.wire.frames(job).await })
            };
            let sink = |outcome: FrameOutcome| {
                well &= !is_the_machines(&outcome);
                trace.frame(&outcome);
                // The outbox lives until this ends.
                let _ = finished.send(outcome);
            };
            well &= child.run(&lease, &leash, ledger, sink).await.is_ok();
        }
        None => {
            let (here, runtime) = (Arc::clone(shared), tokio::runtime::Handle::current());
            let token = lease.token;
            let frames = trace.clone();
            let task = tokio::task::spawn_blocking(move || {
                let mut well = true;
                let ledger = Here { shared: &here, runtime };
                let mut sink = |outcome: FrameOutcome| {
                    well &= !is_the_machines(&outcome);
                    frames.frame(&outcome);
                    let _ = finished.send(outcome);
                };
                drop(kinds::run(here.kinds, &lease, &leash, &here.env, &ledger, &mut sink));
                well
            });
            match task.await {
                Ok(was_well) => well = was_well,
                Err(error) => tracing::error!(%token, %error, "a task ended badly"),
            }
        }
    }
    well
}

/// Reports what comes of a lease, and gives back the rest.
async fn deliver(
    shared: Arc<Shared>,
    lease: Lease,
    leash: Arc<Leash>,
    mut outcomes: mpsc::UnboundedReceiver<FrameOutcome>,
    place: OwnedSemaphorePermit,
) {
    let token = lease.token;
    let mut outbox = Outbox::new(&shared, &lease, &leash);
    let mut batch = Vec::new();
    while outcomes.recv_many(&mut batch, BATCH).await > 0 {
        outbox.send(std::mem::take(&mut batch)).await;
    }
    // Nothing more is begun under it, whatever was allowed.
    leash.stop();
    tidy(shared.kinds, &lease);
    let left = lease.frames.iter().any(|f| !outbox.settled().contains(f));
    if left && !outbox.is_lost() {
        // The scheduler may have shortened the lease to nothing by now; then this says nothing new.
        session::release(&shared, token);
    }
    shared.standing().ended(token);
    drop(place);
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

/// The farm as a task sees it that runs in this process, on a thread that may block.
struct Here<'a> {
    shared: &'a Arc<Shared>,
    runtime: tokio::runtime::Handle,
}

impl Ledger for Here<'_> {
    fn frames(&self, job: JobId) -> Outcome<Vec<StepFrames>> {
        self.runtime.block_on(self.shared.wire.frames(job))
    }

    fn show(&self, still: Still) {
        let _inside = self.runtime.enter();
        show(self.shared, still);
    }
}

fn is_the_machines(outcome: &FrameOutcome) -> bool {
    matches!(outcome, FrameOutcome::Failed { fault, .. } if crate::render::is_the_machines(fault))
}
