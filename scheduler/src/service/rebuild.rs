//! The core made of what is stored, while it is read and beside the threads that answer:
//! of a million jobs it takes seconds. The books of jobs are checked on every core at once.

use super::clock::Clock;
use crate::core::{Policy, Rebuild, Snapshot, State, torn};
use platefarm_model::{Code, Fault, JobId, Outcome};
use std::future::Future;
use tokio::sync::mpsc;

/// Fewest jobs that are worth a thread.
const LEAST: usize = 4_096;

/// As [`State::restore`], of the parts that `read` hands over.
pub(super) async fn rebuild(
    policy: Policy,
    clock: Clock,
    mut parts: mpsc::Receiver<Snapshot>,
    read: impl Future<Output = Outcome<()>>,
) -> Outcome<State> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let work = move || {
        let begun = clock.now();
        let mut core = Rebuild::begin(policy, begun);
        while let Some(part) = parts.blocking_recv() {
            core.take(part)?;
        }
        let read = clock.now();
        let state = core.end(read);
        check(&state, threads).map_err(torn)?;
        let (read_ms, check_ms) = (read.millis_since(begun), clock.now().millis_since(read));
        tracing::debug!(read_ms, check_ms, "a core was made of the store");
        Ok(state)
    };
    let making = tokio::task::spawn_blocking(work);
    // What could not be read is why the core is not whole, and said first.
    read.await?;
    making.await.map_err(|e| Fault::new(Code::Internal, "the core was not made").because(&e))?
}

/// Checks everything, a part of the jobs on each thread.
fn check(state: &State, threads: usize) -> Result<(), String> {
    let all = state.last_of(JobId(0), usize::MAX).map_or(0, |last| last.0);
    let part = usize::try_from(all).unwrap_or(usize::MAX).div_ceil(threads.max(1)).max(LEAST);
    let mut bounds = Vec::new();
    let mut first = JobId(0);
    while let Some(last) = state.last_of(first, part) {
        bounds.push((first, last));
        first = JobId(last.0 + 1);
    }
    std::thread::scope(|scope| {
        let check = |(first, last)| scope.spawn(move || state.check_jobs(first, last));
        let parts: Vec<_> = bounds.into_iter().map(check).collect();
        state.check_farm()?;
        let ended = |part: std::thread::ScopedJoinHandle<'_, _>| {
            part.join().unwrap_or_else(|_| Err("a check of its books panicked".to_owned()))
        };
        parts.into_iter().try_for_each(ended)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::Command;
    use crate::service::tests::noop;
    use crate::store::parts;
    use platefarm_model::{StepId, Timestamp};

    fn farm() -> State {
        let mut state = State::new(Policy::default(), Timestamp(1));
        for number in 0..3 * LEAST {
            let job = noop(&format!("j{number}"), 2);
            state.step(Command::Submit(Box::new(job)), Timestamp(1)).reply.expect("it is accepted");
        }
        state
    }

    /// What is made of rows that come in two parts, by a reading that ends as `read`.
    async fn made_of(mut stored: Snapshot, read: Outcome<()>) -> Outcome<State> {
        let (to, taken) = parts();
        let job = JobId(LEAST as u64);
        let rest = Snapshot {
            jobs: stored.jobs.split_off(&job),
            steps: stored.steps.split_off(&StepId { job, index: 0 }),
            ..Snapshot::default()
        };
        let read = async move {
            for part in [stored, rest] {
                drop(to.send(part).await);
            }
            read
        };
        rebuild(Policy::default(), Clock::new(), taken, read).await
    }

    /// In parts it is made and checked as in one.
    #[tokio::test]
    async fn a_large_farm_is_what_it_was() {
        let farm = farm();
        let made = made_of(farm.snapshot(), Ok(())).await.unwrap();
        assert!(made.snapshot() == farm.snapshot());
        // What contradicts itself in any part is found.
        for id in [1, LEAST as u64 + 1, 3 * LEAST as u64] {
            let mut stored = farm.snapshot();
            stored.jobs.get_mut(&JobId(id)).unwrap().finished = Some(Timestamp(1));
            let fault = made_of(stored, Ok(())).await.unwrap_err();
            assert!(fault.message.contains(&format!("j{id} finished")), "{fault}");
        }
    }

    /// Of a store that cannot be read to its end nothing is said that follows from it.
    #[tokio::test]
    async fn what_was_read_in_part_is_no_core() {
        let gone = Fault::new(Code::StoreFailed, "gone");
        let mut torn = farm().snapshot();
        assert_eq!(made_of(torn.clone(), Err(gone.clone())).await.unwrap_err(), gone);
        torn.steps.clear();
        assert_eq!(made_of(torn, Err(gone.clone())).await.unwrap_err(), gone);
    }
}
