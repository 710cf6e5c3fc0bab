//! Keeps the worker's standing: registers, beats, and registers again when the
//! scheduler forgot it. Beside that, and waiting for nobody, it ends the leases
//! that were not renewed in time.

use super::Shared;
use super::backoff::Backoff;
use platefarm_model::{Code, Fault, WorkerId};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Until the process leaves. It goes on while the slots finish, so that their
/// leases live until the last frame is reported.
pub(super) async fn keep(shared: Arc<Shared>) {
    tokio::join!(renew(&shared), expire(&shared));
}

/// Registers, and beats. The period counts from beat to beat and not from an
/// answer, so that leases are kept by a scheduler that takes its time.
async fn renew(shared: &Shared) {
    let mut backoff = Backoff::new();
    let mut last = Instant::now();
    loop {
        let standing = shared.standing().worker();
        let Some((worker, terms)) = standing else {
            let at = shared.wire.at();
            match shared.wire.register(shared).await {
                Ok((worker, terms)) => {
                    backoff.reset();
                    last = Instant::now();
                    tracing::info!(%worker, "registered");
                    shared.standing().registered(worker, terms);
                    shared.room_changed(|_| {});
                    shared.worker.send_replace(Some(worker));
                }
                Err(fault) => {
                    tracing::warn!(%fault, "cannot register yet");
                    shared.wire.elsewhere(at, &fault);
                    sleep(backoff.next()).await;
                }
            }
            continue;
        };
        let period = Duration::from_millis(terms.heartbeat_ms);
        tokio::select! {
            () = sleep(period.saturating_sub(last.elapsed())) => {}
            () = shared.wake.notified() => if shared.standing().worker().is_none() { continue },
        }
        last = Instant::now();
        // An answer that takes longer than a third of a lease is as good as none.
        let limit = period.max(Duration::from_millis(terms.lease_ttl_ms / 3));
        beat(shared, worker, limit).await;
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
}

/// Ends each lease at the moment when it is overdue, whatever a beat is waiting for.
async fn expire(shared: &Shared) {
    let mut registered = shared.worker.subscribe();
    loop {
        let now = shared.now();
        let (dropped, look) = {
            let mut standing = shared.standing();
            (standing.expire(now), standing.next_look(now))
        };
        for token in dropped {
            tracing::warn!(%token, "no renewal for two thirds of the lease; it is dropped");
        }
        let overdue = async {
            match look {
                Some(look) => sleep(Duration::from_millis(look.saturating_sub(now))).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = overdue => {}
            _ = registered.changed() => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::state::Terms;
    use crate::agent::{AgentConfig, prepare};
    use crate::leash::Leash;
    use platefarm_model::LeaseToken;
    use platefarm_model::recipe::Backend;

    /// The farm's own terms, in virtual time, and a scheduler that takes connections and then
    /// never says a word: beats hang for 3.3 s each, and the end falls into one of them.
    #[tokio::test(start_paused = true)]
    async fn a_worker_whose_beats_hang_has_stopped_when_its_lease_ends() {
        let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", silent.local_addr().unwrap());
        let config = AgentConfig { backend: Backend::Cpu, ..AgentConfig::new(url) };
        let shared = Arc::new(prepare(config).await.unwrap());
        let terms = Terms { heartbeat_ms: 2000, lease_ttl_ms: 10_000 };
        let leash = Arc::new(Leash::new(10));
        {
            let mut standing = shared.standing();
            standing.registered(WorkerId(1), terms);
            standing.granted(WorkerId(1), LeaseToken(7), &leash, shared.now());
        }
        let granted = Instant::now();
        let keeper = tokio::spawn(keep(Arc::clone(&shared)));
        let stopped = async {
            while !leash.is_stopped() {
                leash.shortened().await;
            }
        };
        let ttl = Duration::from_millis(terms.lease_ttl_ms);
        tokio::time::timeout(ttl, stopped).await.expect("it stops before its lease ends");
        let held = granted.elapsed().as_millis();
        assert!((6_666..6_700).contains(&held), "two thirds of ten seconds, and not {held} ms");
        keeper.abort();
    }
}
