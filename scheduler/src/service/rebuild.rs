//! The core made of what is stored, beside the threads that answer: of a million
//! jobs it takes seconds. The books of jobs are checked on every core at once.

use crate::core::{Policy, Snapshot, State, torn};
use platefarm_model::{Code, Fault, JobId, Outcome, Timestamp};

/// Fewest jobs that are worth a thread.
const LEAST: usize = 4_096;

/// As [`State::restore`].
pub(super) async fn rebuild(policy: Policy, stored: Snapshot, now: Timestamp) -> Outcome<State> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let work = move || {
        let state = State::rebuild(policy, stored, now)?;
        check(&state, threads).map_err(torn)?;
        Ok(state)
    };
    let made = tokio::task::spawn_blocking(work).await;
    made.map_err(|e| Fault::new(Code::Internal, "the core was not made").because(&e))?
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

    fn farm() -> State {
        let mut state = State::new(Policy::default(), Timestamp(1));
        for number in 0..3 * LEAST {
            let job = noop(&format!("j{number}"), 2);
            state.step(Command::Submit(Box::new(job)), Timestamp(1)).reply.expect("it is accepted");
        }
        state
    }

    /// In parts it is made and checked as in one.
    #[tokio::test]
    async fn a_large_farm_is_what_it_was() {
        let farm = farm();
        let made = rebuild(Policy::default(), farm.snapshot(), Timestamp(1)).await.unwrap();
        assert!(made.snapshot() == farm.snapshot());
        // What contradicts itself in any part is found.
        for id in [1, LEAST as u64 + 1, 3 * LEAST as u64] {
            let mut stored = farm.snapshot();
            stored.jobs.get_mut(&JobId(id)).unwrap().finished = Some(Timestamp(1));
            let fault = rebuild(Policy::default(), stored, Timestamp(1)).await.unwrap_err();
            assert!(fault.message.contains(&format!("j{id} finished")), "{fault}");
        }
    }
}
