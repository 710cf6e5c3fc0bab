//! Jobs that are followed over the event log: what they are is asked once, and
//! what becomes of them is read off what happened. So a pull of ten thousand
//! plates costs whoever waits for it some bytes a frame, not its whole list of
//! steps at every change, and any of the schedulers may be asked.

use super::{Farm, PATIENCE, PAUSE, any};
use platefarm_model::code::Owner;
use platefarm_model::event::{Event, EventFilter, EventKind};
use platefarm_model::job::{JobView, Phase, StepView};
use platefarm_model::{Code, Fault, JobId, Outcome};
use platefarm_proto::convert::{from_status, making};
use platefarm_proto::v1;
use std::time::{Duration, Instant};
use tonic::Streaming;

/// A scheduler that follows another answers with what was a moment ago: jobs
/// are asked for once more when what it knew at the start is old.
const SETTLED: Duration = Duration::from_millis(1500);

/// How often it is asked how far a package is: of what it is made of no event is told.
const MAKING: Duration = Duration::from_secs(1);

/// Jobs on their way, and how far the log was read.
struct Course {
    jobs: Vec<JobView>,
    cursor: u64,
    /// When the jobs are asked for once more.
    look: Option<Instant>,
}

impl Farm {
    /// Calls `seen` on every change of `jobs` until all of them are settled,
    /// and returns them then, in the same order. A scheduler that goes away is
    /// waited for, for a while: `away` is told, once, each time.
    pub(crate) async fn watch(
        &mut self,
        jobs: &[JobId],
        mut seen: impl FnMut(&[JobView]),
        mut away: impl FnMut(&Fault),
    ) -> Outcome<Vec<JobView>> {
        let mut silent: Option<Instant> = None;
        let mut course = None;
        loop {
            let gone = match self.follow(jobs, &mut course, &mut seen, &mut silent).await {
                Ok(Some(settled)) => return Ok(settled),
                Ok(None) => Fault::new(Code::NoScheduler, "the scheduler stopped answering"),
                // What was dropped of the log is not needed: what holds is asked for anew.
                Err(fault) if fault.code == Code::CursorTooOld => {
                    course = None;
                    continue;
                }
                Err(fault) if fault.owner() == Owner::Farm => fault,
                Err(fault) => return Err(fault),
            };
            let since = *silent.get_or_insert_with(|| {
                away(&gone);
                Instant::now()
            });
            if since.elapsed() >= PATIENCE {
                let names: Vec<String> = jobs.iter().map(ToString::to_string).collect();
                return Err(gone.remedy(format!(
                    "Jobs go on when the scheduler does; follow them again with `platefarm jobs watch {}`.",
                    names.join(" ")
                )));
            }
            tokio::time::sleep(PAUSE).await;
            if let Ok(clients) = any(&self.ways).await {
                self.take(clients);
            }
        }
    }

    /// Follows on one connection; none when that ends before the jobs do.
    async fn follow(
        &mut self,
        jobs: &[JobId],
        course: &mut Option<Course>,
        seen: &mut impl FnMut(&[JobView]),
        silent: &mut Option<Instant>,
    ) -> Outcome<Option<Vec<JobView>>> {
        let after = course.as_ref().map(|course| course.cursor);
        let mut log = self.job_log(jobs, after).await?;
        let course = match course {
            Some(course) => course,
            // What happens while the jobs are asked for is in the log already.
            None => course.insert(Course {
                cursor: next(&mut log).await?.map_or(0, |page| page.cursor),
                jobs: self.each(jobs).await?,
                look: Some(Instant::now() + SETTLED),
            }),
        };
        loop {
            *silent = None;
            seen(&course.jobs);
            if course.jobs.iter().all(|job| job.phase.is_settled()) {
                return Ok(Some(std::mem::take(&mut course.jobs)));
            }
            let due = course.look.map(tokio::time::Instant::from_std);
            let late = async {
                match due {
                    Some(due) => tokio::time::sleep_until(due).await,
                    None => std::future::pending().await,
                }
            };
            let packing = course.jobs.iter().any(packs);
            let soon = async {
                match packing {
                    true => tokio::time::sleep(MAKING).await,
                    false => std::future::pending().await,
                }
            };
            let page = tokio::select! {
                page = next(&mut log) => page?,
                () = soon => {
                    for job in course.jobs.iter_mut().filter(|job| packs(job)) {
                        self.look_at_package(job).await;
                    }
                    continue;
                }
                () = late => {
                    course.look = None;
                    course.jobs = self.each(jobs).await?;
                    continue;
                }
            };
            let Some(page) = page else { return Ok(None) };
            course.cursor = page.cursor;
            for event in page.events {
                let event: Event = event.try_into()?;
                let of_it = course.jobs.iter_mut().filter(|job| Some(job.id) == event.job);
                for job in of_it {
                    if !apply(job, &event) {
                        *job = self.after(job.id, &event).await?;
                    }
                }
            }
        }
    }

    /// How far a job's package is, as the scheduler that leads hears it; where nobody says so, it is not known.
    async fn look_at_package(&mut self, job: &mut JobView) {
        let request = v1::GetMakingRequest { job: job.id.0 };
        let asked = self.ask(async |farm| farm.get_making(request).await);
        let told = tokio::time::timeout(MAKING, asked).await;
        let mut steps = told.ok().and_then(Result::ok).map_or_else(Vec::new, |told| told.steps);
        for (index, step) in (0..).zip(&mut job.steps) {
            let said = steps.iter().position(|said| said.step == index);
            step.making = said.and_then(|place| making(steps.swap_remove(place).making));
        }
    }

    /// The jobs as they are.
    async fn each(&mut self, jobs: &[JobId]) -> Outcome<Vec<JobView>> {
        let mut views = Vec::with_capacity(jobs.len());
        for job in jobs {
            views.push(self.job(*job).await?);
        }
        Ok(views)
    }

    /// A job as it is after an event; of one that has ended, its end.
    async fn after(&mut self, job: JobId, event: &Event) -> Outcome<JobView> {
        let begun = Instant::now();
        loop {
            let view = self.job(job).await?;
            if view.phase.is_settled() || !event.kind.is_end() || begun.elapsed() >= SETTLED {
                return Ok(view);
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// The log of jobs; from now on, where no cursor is known.
    async fn job_log(
        &mut self,
        jobs: &[JobId],
        after: Option<u64>,
    ) -> Outcome<Streaming<v1::WatchEventsResponse>> {
        let filter = EventFilter { jobs: jobs.to_vec(), ..EventFilter::default() };
        let request = v1::WatchEventsRequest {
            after,
            oldest: false,
            once: false,
            filter: Some((&filter).into()),
        };
        let log = self.events.watch_events(request).await;
        Ok(log.map_err(|status| from_status(&status))?.into_inner())
    }
}

async fn next(
    log: &mut Streaming<v1::WatchEventsResponse>,
) -> Outcome<Option<v1::WatchEventsResponse>> {
    log.message().await.map_err(|status| from_status(&status))
}

/// Whether a package is all that is left to be made of a job.
fn packs(job: &JobView) -> bool {
    let (packages, others): (Vec<&StepView>, Vec<&StepView>) =
        job.steps.iter().partition(|step| step.is_package());
    !job.phase.is_settled()
        && packages.iter().any(|step| !step.phase.is_settled())
        && others.iter().all(|step| step.phase.is_settled())
}

/// Takes over what an event says; false: it does not say all, and the job is
/// to be asked for. What is said twice changes nothing.
fn apply(job: &mut JobView, event: &Event) -> bool {
    let step = event.step.and_then(|index| job.steps.get_mut(index as usize));
    let Some(step) = step else { return false };
    let before = (step.done.len(), step.failed.len());
    match event.kind {
        EventKind::FramesDone => {
            step.done.insert_all(&event.frames);
            step.failed.remove_all(&event.frames);
        }
        EventKind::FramesFailed => {
            step.failed.insert_all(&event.frames);
            step.first_fault = step.first_fault.take().or_else(|| event.fault.clone());
        }
        EventKind::FramesRetried => step.failed.remove_all(&event.frames),
        _ => return false,
    }
    step.leased.remove_all(&event.frames);
    step.phase = phase(step);
    step.making = None;
    job.frames_done = job.frames_done + step.done.len() - before.0;
    job.frames_failed = job.frames_failed + step.failed.len() - before.1;
    if !job.phase.is_settled() {
        job.phase = Phase::Running;
    }
    true
}

fn phase(step: &StepView) -> Phase {
    match step.frames.len().saturating_sub(step.done.len() + step.failed.len()) {
        0 if step.failed.is_empty() => Phase::Done,
        0 => Phase::Failed,
        _ => Phase::Running,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use platefarm_model::making::{Making, Stage};
    use platefarm_model::{FrameRange, FrameSet, StepId, Timestamp};

    fn job() -> JobView {
        let step = |index| StepView {
            id: StepId { job: JobId(1), index },
            name: format!("s{index}"),
            kind: "noop".into(),
            phase: Phase::Pending,
            frames: FrameRange::of_len(1001, 10),
            done: FrameSet::new(),
            leased: FrameSet::new(),
            failed: FrameSet::new(),
            first_fault: None,
            paused: false,
            level: None,
            making: None,
        };
        JobView {
            id: JobId(1),
            name: "n".into(),
            show: "s".into(),
            priority: 0,
            terms: Default::default(),
            phase: Phase::Pending,
            submitted: Timestamp(0),
            finished: None,
            frames_total: 20,
            frames_done: 0,
            frames_failed: 0,
            steps: vec![step(0), step(1)],
        }
    }

    fn event(kind: EventKind, first: i64, count: u64) -> Event {
        let frames = FrameSet::from(FrameRange::of_len(first, count));
        Event { job: Some(JobId(1)), step: Some(1), frames, ..Event::new(kind) }
    }

    /// A package that is all that is left is asked after, and what was said of it ends with it.
    #[test]
    fn a_package_is_looked_at_once_it_is_all_that_is_left() {
        let mut job = job();
        job.steps[1].kind = "package".into();
        assert!(!packs(&job));
        job.steps[0].phase = Phase::Done;
        assert!(packs(&job));
        job.steps[1].making = Some(Making::begin(Stage::Sealing, 9, 0));
        assert!(apply(&mut job, &event(EventKind::FramesDone, 1001, 10)));
        assert_eq!((job.steps[1].making, packs(&job)), (None, false));
        assert!(!packs(&JobView { phase: Phase::Done, ..job }));
    }

    /// Pages that were read twice, and what was in the answer already, are counted once.
    #[test]
    fn what_is_heard_twice_is_counted_once() {
        let mut job = job();
        for _ in 0..2 {
            assert!(apply(&mut job, &event(EventKind::FramesDone, 1001, 4)));
            assert!(apply(&mut job, &event(EventKind::FramesFailed, 1005, 2)));
        }
        assert_eq!((job.frames_done, job.frames_failed, job.phase), (4, 2, Phase::Running));
        assert!(apply(&mut job, &event(EventKind::FramesRetried, 1005, 2)));
        assert_eq!((job.frames_failed, job.steps[1].phase), (0, Phase::Running));
        assert!(apply(&mut job, &event(EventKind::FramesDone, 1003, 8)));
        assert_eq!((job.frames_done, job.steps[1].phase), (10, Phase::Done));
        assert_eq!(job.steps[0].phase, Phase::Pending);
        // What a person did, and an end, are asked for.
        assert!(!apply(&mut job, &Event { step: None, ..event(EventKind::JobDone, 0, 1) }));
        assert!(!apply(&mut job, &event(EventKind::JobChanged, 0, 1)));
    }
}
