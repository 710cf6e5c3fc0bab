//! Work that is long is done aside, on threads that may be busy: the runtime
//! has few of its own, and on them every lease is renewed. It goes on to its end
//! when its caller has hung up, so there is room for so much of it at a time.

use platefarm_model::{Code, Fault, Outcome};
use std::future::Future;
use std::sync::Arc;
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinError;

/// Room for work of one kind.
#[derive(Clone, Debug)]
pub(crate) struct Aside {
    room: Arc<Semaphore>,
    most: usize,
}

impl Aside {
    /// Room for so much at a time.
    pub(crate) fn new(most: usize) -> Self {
        Self { room: Arc::new(Semaphore::new(most)), most }
    }

    /// Does work that is short enough to wait its turn; whoever hangs up before loses it.
    ///
    /// # Errors
    /// Those of the work.
    pub(crate) async fn in_turn<T: Send + 'static>(
        &self,
        work: impl Future<Output = Outcome<T>> + Send + 'static,
    ) -> Outcome<T> {
        let permit = Arc::clone(&self.room).acquire_owned().await;
        let permit =
            permit.map_err(|e| Fault::new(Code::Internal, "nothing is done aside").because(&e))?;
        done(permit, work).await
    }

    /// Does work that takes long and holds much: at once, or not at all. `what` names it.
    ///
    /// # Errors
    /// [`Code::TooMuch`] where there is no room; those of the work.
    pub(crate) async fn at_once<T: Send + 'static>(
        &self,
        what: &str,
        work: impl Future<Output = Outcome<T>> + Send + 'static,
    ) -> Outcome<T> {
        let Ok(permit) = Arc::clone(&self.room).try_acquire_owned() else {
            let message = format!("{} {what} are being made, and no more are at a time", self.most);
            return Err(Fault::new(Code::TooMuch, message).remedy("Ask again in a moment."));
        };
        done(permit, work).await
    }
}

/// The work, on a thread of its own: what it waits for (a database) it waits for there.
async fn done<T: Send + 'static>(
    permit: OwnedSemaphorePermit,
    work: impl Future<Output = Outcome<T>> + Send + 'static,
) -> Outcome<T> {
    let runtime = Handle::current();
    let work = move || {
        let done = runtime.block_on(work);
        drop(permit);
        done
    };
    let broke = |e: JoinError| Fault::new(Code::Internal, "what was asked broke off").because(&e);
    tokio::task::spawn_blocking(work).await.map_err(broke)?
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use tokio::sync::oneshot;

    /// Whatever is done aside holds up nobody, on a runtime of one thread.
    #[tokio::test]
    async fn others_go_on_meanwhile() {
        let aside = Aside::new(1);
        let (go, gone) = std::sync::mpsc::channel::<()>();
        let long = aside.in_turn(async move {
            let went = gone.recv_timeout(Duration::from_secs(60));
            went.map_err(|e| Fault::new(Code::Internal, "nobody went on").because(&e))
        });
        let other = async move {
            tokio::time::sleep(Duration::from_millis(1)).await;
            go.send(()).unwrap();
        };
        let (done, ()) = tokio::join!(long, other);
        done.unwrap();
    }

    #[tokio::test]
    async fn what_is_long_is_refused_and_what_is_short_waits() {
        let aside = Aside::new(1);
        let (end, ended) = oneshot::channel();
        let first = tokio::spawn({
            let aside = aside.clone();
            async move { aside.at_once("plans", async move { Ok(ended.await.unwrap()) }).await }
        });
        while aside.room.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        let refused = aside.at_once("plans", async { Ok(()) }).await.unwrap_err();
        assert_eq!(refused.code, Code::TooMuch);
        assert!(refused.message.contains("1 plans"), "{refused}");
        let waiting = aside.in_turn(async { Ok(2) });
        let free = async {
            end.send(1).unwrap();
            first.await.unwrap()
        };
        let (second, first) = tokio::join!(waiting, free);
        assert_eq!((first.unwrap(), second.unwrap()), (1, 2));
        // Whoever hangs up does not end what was begun, and the room is had again.
        aside.at_once("plans", async { Ok(()) }).await.unwrap();
    }
}
