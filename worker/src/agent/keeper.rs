//! Keeps the worker's standing: registers, beats, and registers again when the
//! scheduler forgot it.

use super::Shared;
use super::backoff::Backoff;
use platefarm_model::{Code, Fault, WorkerId};
use std::sync::Arc;
use std::time::Duration;

/// Until the process leaves. It goes on while the slots finish, so that their
/// leases live until the last frame is reported.
pub(super) async fn keep(shared: Arc<Shared>) {
    let mut backoff = Backoff::new();
    loop {
        let standing = shared.standing().worker();
        let Some((worker, terms)) = standing else {
            let at = shared.wire.at();
            match shared.wire.register(&shared).await {
                Ok((worker, terms)) => {
                    backoff.reset();
                    tracing::info!(%worker, "registered");
                    shared.standing().registered(worker, terms);
                    shared.room_changed(|_| {});
                    shared.worker.send_replace(Some(worker));
                }
                Err(fault) => {
                    tracing::warn!(%fault, "cannot register yet");
                    shared.wire.elsewhere(at, &fault);
                    tokio::time::sleep(backoff.next()).await;
                }
            }
            continue;
        };
        let period = Duration::from_millis(terms.heartbeat_ms);
        tokio::select! {
            () = tokio::time::sleep(period) => {}
            () = shared.wake.notified() => if shared.standing().worker().is_none() { continue },
        }
        // An answer that takes longer than a third of a lease is as good as none.
        let limit = period.max(Duration::from_millis(terms.lease_ttl_ms / 3));
        beat(&shared, worker, limit).await;
    }
}

async fn beat(shared: &Shared, worker: WorkerId, limit: Duration) {
    let sent = shared.now();
    let at = shared.wire.at();
    let pulses = shared.standing().pulses();
    let call = shared.wire.heartbeat(worker, pulses, limit);
    // The limit also holds while the connection is being made.
    let answer = tokio::time::timeout(limit, call).await;
    match answer {
        Ok(Ok(beat)) => {
            let mut standing = shared.standing();
            let mut asked_back = false;
            for (token, keep) in beat.leases {
                asked_back |= standing.kept(token, keep, Some(sent));
            }
            standing.drain(beat.drain);
            drop(standing);
            if asked_back {
                // Others wait to hear how far we go.
                shared.wake.notify_one();
            }
            shared.room_changed(|_| {});
        }
        Ok(Err(fault)) if fault.code == Code::UnknownWorker => shared.forgotten(worker),
        Ok(Err(fault)) => {
            tracing::warn!(%fault, "heartbeat failed");
            shared.wire.elsewhere(at, &fault);
        }
        Err(_) => {
            let fault =
                Fault::new(Code::Timeout, format!("no heartbeat was answered in {limit:?}"));
            tracing::warn!(%fault);
            shared.wire.elsewhere(at, &fault);
        }
    }
    let dropped = shared.standing().expire(shared.now());
    for token in dropped {
        tracing::warn!(%token, "no renewal for two thirds of the lease; it is dropped");
    }
}
