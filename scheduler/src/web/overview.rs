//! The farm in one document, said anew on a stream whenever it has changed;
//! lists of jobs, and what happened lately. All of it is cut to what the
//! caller sees.

use super::recent::Moment;
use super::samples::Sample;
use super::{Glance, Shared, Site, Who, answer, deeds, refused};
use crate::core::Sums;
use crate::trust::Caller;
use axum::extract::{Query, State};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router};
use platefarm_model::Outcome;
use platefarm_model::job::Phase;
use platefarm_model::query::JobQuery;
use serde::Deserialize;
use serde_json::{Value, json};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

/// Between two looks of a stream: what a person can follow.
const PAUSE: Duration = Duration::from_secs(1);
/// Jobs at work that an overview has.
const FRONT: usize = 40;
/// Most jobs of a page of a list.
const MOST: u32 = 500;
/// Most events of the feed.
const EVENTS: usize = 200;

pub(super) fn data<G: Glance>() -> Router<Arc<Shared<G>>> {
    Router::new()
        .route("/api/me", get(me))
        .route("/api/stream", get(stream))
        .route("/api/jobs", get(list))
        .route("/api/activity", get(activity))
}

/// Who asks, and what they may do.
async fn me<G: Glance>(State(shared): Site<G>, Extension(caller): Who) -> Response {
    answer(Ok(json!({
        "name": caller.name,
        "role": caller.role,
        "shows": caller.shows,
        "local": caller.token.is_empty(),
        "deeds": deeds::open_to(&shared.pages.gate, &caller),
    })))
}

fn overview(moment: &Moment, caller: &Caller) -> Value {
    let mut sums = Sums::default();
    let mine = moment.sums.iter().filter(|(show, _)| caller.sees(show));
    mine.for_each(|(_, of_show)| sums.add(of_show));
    // Those that run, by urgency; then those that wait.
    let mut front: Vec<_> = moment.seen(caller).filter(|job| !job.phase.is_settled()).collect();
    front.sort_by_key(|job| {
        (job.phase != Phase::Running, std::cmp::Reverse((job.terms.class, job.priority)), job.id)
    });
    front.truncate(FRONT);
    let shares = moment.settings.shares.iter();
    let shares: Vec<_> = shares.filter(|share| caller.sees(&share.show)).collect();
    json!({
        "counts": {
            "jobs": sums.all_jobs(), "running": sums.jobs_in(Phase::Running),
            "waiting": sums.jobs_waiting(), "frames_waiting": sums.open.waiting,
            "frames_leased": sums.open.leased, "frames_held": sums.open.held(),
        },
        "jobs": front,
        "shows": shares,
        "workers": moment.workers(caller),
    })
}

/// Shows that are not the caller's are one.
fn samples(samples: &[Sample], caller: &Caller) -> Value {
    let cut = |sample: &Sample| {
        let mut shows = serde_json::Map::new();
        for (show, tasks) in &sample.shows {
            let name = if caller.sees(show) { show.as_str() } else { "other shows" };
            let sum = shows.get(name).and_then(Value::as_u64).unwrap_or(0) + tasks;
            shows.insert(name.to_owned(), json!(sum));
        }
        json!({
            "at_us": sample.at_us, "slots": sample.slots, "leases": sample.leases,
            "accepted": sample.accepted, "waiting": sample.waiting, "shows": shows,
        })
    };
    samples.iter().map(cut).collect()
}

async fn stream<G: Glance>(State(shared): Site<G>, Extension(caller): Who) -> Response {
    let permit = match shared.pages.gate.stream(&caller) {
        Ok(permit) => permit,
        Err(fault) => return refused(&fault),
    };
    let (to, events) = mpsc::channel(2);
    tokio::spawn(async move {
        let _held = permit;
        tokio::select! {
            () = speak(&shared, &caller, &to) => {}
            // The page asks anew, and is told why not.
            _ = shared.pages.gate.end_of(&caller) => {}
        }
    });
    Sse::new(ReceiverStream::new(events)).keep_alive(KeepAlive::default()).into_response()
}

/// Says what has changed until nobody listens: the farm, and the samples of the last hour.
async fn speak<G: Glance>(
    shared: &Shared<G>,
    caller: &Caller,
    to: &mpsc::Sender<Result<Event, Infallible>>,
) {
    let mut closing = shared.pages.closing.clone();
    let (mut last, mut drawn_at) = (String::new(), None);
    loop {
        let drawn = shared.samples.drawn();
        let at = drawn.last().map(|sample| sample.at_us);
        if at != drawn_at || last.is_empty() {
            drawn_at = at;
            let event = Event::default().event("samples");
            let event = event.data(samples(&drawn, caller).to_string());
            if to.send(Ok(event)).await.is_err() {
                return;
            }
        }
        if let Ok(moment) = shared.recent.get(&shared.pages.farm).await {
            let document = overview(&moment, caller).to_string();
            if document != last {
                let event = Event::default().event("farm").data(document.clone());
                if to.send(Ok(event)).await.is_err() {
                    return;
                }
                last = document;
            }
        }
        tokio::select! {
            () = tokio::time::sleep(PAUSE) => {}
            () = to.closed() => return,
            _ = closing.wait_for(|closing| *closing) => return,
        }
    }
}

/// Which jobs are wanted.
#[derive(Debug, Deserialize)]
#[serde(default)]
struct Wanted {
    find: String,
    show: String,
    /// A phase; `active`: not settled; `paused`: held by a person.
    only: String,
    skip: u32,
    most: u32,
}

impl Default for Wanted {
    fn default() -> Self {
        let text = String::new;
        Self { find: text(), show: text(), only: text(), skip: 0, most: 100 }
    }
}

async fn list<G: Glance>(
    State(shared): Site<G>,
    Extension(caller): Who,
    Query(wanted): Query<Wanted>,
) -> Response {
    let moment = match shared.recent.get(&shared.pages.farm).await {
        Ok(moment) => moment,
        Err(fault) => return refused(&fault),
    };
    let query = JobQuery {
        show: wanted.show,
        find: wanted.find,
        phases: Phase::parse(&wanted.only).into_iter().collect(),
        paused: wanted.only == "paused",
        unsettled_only: wanted.only == "active",
        skip: wanted.skip,
        most: wanted.most.clamp(1, MOST),
        ..JobQuery::default()
    };
    let (picked, found) = query.pick(moment.seen(&caller));
    answer(Ok(json!({ "all": moment.seen(&caller).count(), "found": found, "jobs": picked })))
}

/// What happened to jobs, newest first: what people ask who only want to know whether it is done.
async fn activity<G: Glance>(State(shared): Site<G>, Extension(caller): Who) -> Response {
    let events = async {
        let moment = shared.recent.get(&shared.pages.farm).await?;
        let mut events = Vec::new();
        for job in moment.seen(&caller) {
            events.push((job.submitted, "submitted", job));
            events.extend(job.finished.map(|at| (at, job.phase.word(), job)));
        }
        events.sort_by_key(|(at, ..)| std::cmp::Reverse(*at));
        events.truncate(EVENTS);
        let events: Vec<Value> = events
            .into_iter()
            .map(|(at, what, job)| {
                json!({
                    "at_us": at, "what": what, "job": job.id, "name": job.name, "show": job.show,
                    "frames_done": job.frames_done, "frames_failed": job.frames_failed,
                    "took_us": job.finished.map(|end| end.0 - job.submitted.0),
                })
            })
            .collect();
        Outcome::Ok(json!({ "events": events }))
    };
    answer(events.await)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::tests::one_step;
    use crate::core::{Command, Policy, State as Farm};
    use platefarm_model::farm::{Control, Target};
    use platefarm_model::job::{LeaseView, WorkerView};
    use platefarm_model::trust::Role;
    use platefarm_model::{FrameSet, JobId, LeaseToken, StepId, Timestamp, WorkerId};

    fn job(show: &str) -> Command {
        Command::Submit(Box::new(one_step(show, 24)))
    }

    /// What a person holds does not stand among what waits for a worker.
    #[test]
    fn frames_that_are_held_do_not_wait() {
        let mut farm = Farm::new(Policy::default(), Timestamp(1));
        for command in [
            job("atlas"),
            job("atlas"),
            job("zeus"),
            Command::Control(Target::Job(JobId(1)), Control::Pause),
        ] {
            farm.step(command, Timestamp(2)).reply.unwrap();
        }
        let counts = |shows: &[&str]| {
            let shows = shows.iter().map(|show| (*show).to_owned()).collect();
            let caller = Caller { name: "n".into(), token: "t".into(), role: Role::Viewer, shows };
            let counts = &overview(&Moment::of(farm.jobs(false), &farm), &caller)["counts"];
            let of = |name: &str| counts[name].as_u64().unwrap();
            (of("frames_waiting"), of("frames_held"), of("frames_leased"))
        };
        assert_eq!(counts(&[]), (48, 24, 0));
        assert_eq!(counts(&["atlas"]), (24, 24, 0));
    }

    /// Workers are everybody's; what they have in hand is of a show.
    #[test]
    fn what_workers_do_for_other_shows_is_left_out() {
        let mut farm = Farm::new(Policy::default(), Timestamp(1));
        farm.step(job("atlas"), Timestamp(2)).reply.unwrap();
        farm.step(job("zeus"), Timestamp(2)).reply.unwrap();
        let mut moment = Moment::of(farm.jobs(false), &farm);
        let leases = [1, 2].map(|number| LeaseView {
            token: LeaseToken(number),
            step: StepId { job: JobId(number), index: 0 },
            frames: FrameSet::new(),
        });
        moment.workers = vec![WorkerView {
            id: WorkerId(1),
            name: "w".into(),
            state: "alive".into(),
            slots: 2,
            backend: "cpu".into(),
            last_seen: Timestamp(2),
            leases: leases.into(),
            frames_done: 0,
            labels: vec![],
            pools: vec![],
            memory_mib: 0,
            quarantine: None,
            drain_reason: String::new(),
        }];
        for (shows, held) in [(vec![], 2), (vec!["zeus".to_owned()], 1), (vec!["x".into()], 0)] {
            let caller = Caller { name: "n".into(), token: "t".into(), role: Role::Viewer, shows };
            let seen = overview(&moment, &caller);
            assert_eq!(seen["workers"][0]["leases"].as_array().unwrap().len(), held, "{seen}");
        }
    }
}
