//! The owner without its store: everybody is refused until it is back, or
//! until another scheduler has it.

use super::{Ask, Ended, Owner, Parked, RETRY};
use crate::service::rebuild::rebuild;
use crate::service::seats::{Said, SeatId, Word};
use crate::store::{Store, parts};
use platefarm_model::{Code, Fault};
use std::time::Duration;
use tokio::time::Instant;

impl<S: Store> Owner<S> {
    pub(super) fn end_session(&mut self, id: SeatId, fault: &Fault) {
        drop(self.seats.say(id, Said { end: Some(fault.clone()), ..Said::default() }));
    }

    /// Makes the core again from what the store holds, however long that
    /// takes; who asks meanwhile is told that the store failed. It ends when
    /// another scheduler has the store, or nobody can ask any more.
    pub(super) async fn recover(&mut self) -> Result<(), Ended> {
        loop {
            let Some(store) = &mut self.store else { return Err(Ended::Over) };
            let (to, taken) = parts();
            let restored = match rebuild(self.policy, self.clock, taken, store.read(to)).await {
                Ok(state) => store.log_end().await.map(|end| (state, end)),
                Err(fault) => Err(fault),
            };
            match restored {
                Ok((state, end)) => {
                    self.state = state;
                    self.auditor.restored(&self.state);
                    self.log.reopen(end, self.clock.now());
                    self.watched.values().for_each(|s| s.send_modify(|version| *version += 1));
                    tracing::info!("the store is back");
                    return Ok(());
                }
                Err(fault) if matches!(fault.code, Code::StoreInUse | Code::NotLeader) => {
                    return Err(Ended::Deposed);
                }
                Err(fault) => {
                    tracing::error!(%fault, "the store cannot be read");
                    if self.refuse_for(RETRY, &fault).await {
                        return Err(Ended::Over);
                    }
                }
            }
        }
    }

    /// Refuses what is asked for a while. True when nobody can ask any more.
    async fn refuse_for(&mut self, time: Duration, fault: &Fault) -> bool {
        let fault = Fault { code: Code::StoreFailed, ..fault.clone() };
        for parked in self.parked.drain(..) {
            drop(parked.told.send(Err(fault.clone())));
        }
        let end = Instant::now() + time;
        loop {
            match tokio::time::timeout_at(end, self.asks.recv()).await {
                Err(_) => return false,
                Ok(None) => return true,
                Ok(Some(Ask::Do(_, told) | Ask::Acquire(Parked { told, .. }))) => {
                    drop(told.send(Err(fault.clone())));
                }
                Ok(Some(Ask::Seat(id, word))) => match word {
                    Word::Open { to, .. } => {
                        drop(to.send(Said { end: Some(fault.clone()), ..Said::default() }));
                    }
                    Word::Say { .. } => self.end_session(id, &fault),
                    Word::HungUp => self.seats.close(id),
                },
                // Dropping the question says that there is no answer.
                Ok(Some(Ask::Look(_) | Ask::Watch(..) | Ask::Log(_))) => {}
            }
        }
    }
}
