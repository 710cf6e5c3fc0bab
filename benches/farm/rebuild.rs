//! How long a scheduler takes to lead: a store of many jobs is read again and the
//! core made of it, part by part in this process and as a whole in another.

use super::server::{Server, fill};
use super::{Result, empty, farm, job_of, noop_step, runtime, say};
use crate::support::{argument, cpu_seconds, option};
use platefarm_model::job::{JobSpec, StepKind};
use platefarm_model::{Fault, FrameRange, Timestamp};
use platefarm_proto::v1;
use platefarm_scheduler::core::{Policy, Rebuild, Steps};
use platefarm_scheduler::store::{self, Place, SqlStore, Store, View};
use serde_json::json;
use std::time::{Duration, Instant};

/// A database frees what a connection held a moment after it was closed.
const MOMENT: Duration = Duration::from_millis(500);

/// Wall and CPU seconds of a part.
type Took = [f64; 2];

/// What came of one store.
struct Seen {
    /// Read row by row, as the auditor reads.
    rows: Took,
    /// Read as a scheduler that begins reads.
    read: Took,
    /// Read, and a core made of it meanwhile.
    made: Took,
    /// On one thread.
    check: Took,
}

pub(crate) fn table() -> Result<()> {
    let most = argument("--rebuild", 1_000_000)?;
    println!("\nA store read again and the core made of it, wall (CPU) seconds:\n");
    println!(
        "| rebuild: jobs | a step | read row by row | read | read and made a core | its check | first answer after a restart, s | server peak MiB | another leads after a kill, s |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    let [noop, plate] = jobs()?;
    if let Some(url) = option("--postgres")? {
        return row(&url, most, "no-op, PostgreSQL", &noop);
    }
    for count in [10_000, 100_000, 1_000_000].into_iter().filter(|count| *count <= most) {
        for (name, job) in [("no-op", &noop), ("plate", &plate)] {
            row(&empty()?.display().to_string(), count, name, job)?;
        }
    }
    Ok(())
}

/// One store, which is empty.
fn row(store: &str, count: usize, name: &str, job: &JobSpec) -> Result<()> {
    let place: Place = store.parse().map_err(say)?;
    runtime()?.block_on(fill(&place, count, job))?;
    std::thread::sleep(MOMENT);
    let seen = runtime()?.block_on(parts(&place))?;
    std::thread::sleep(MOMENT);
    let begun = Instant::now();
    let server = Server::start(store, 1)?;
    runtime()?.block_on(async {
        let workers = v1::ListWorkersRequest {};
        farm(&server.url).await?.list_workers(workers).await.map_err(say).map(drop)
    })?;
    let first = begun.elapsed().as_secs_f64();
    let peak = server.peak_mib()?;
    let over = match place {
        Place::Sqlite(_) => server.stop().map(|()| "-".to_owned())?,
        Place::Postgres(_) => format!("{:.2}", take_over(store, server)?.as_secs_f64()),
    };
    let of = |[wall, cpu]: Took| format!("{wall:.2} ({cpu:.2})");
    println!(
        "| {count} | {name} | {} | {} | {} | {} | {first:.2} | {peak:.0} | {over} |",
        of(seen.rows),
        of(seen.read),
        of(seen.made),
        of(seen.check)
    );
    Ok(())
}

/// How long a farm is without a leader when `first` is killed and another waits.
fn take_over(store: &str, first: Server) -> Result<Duration> {
    let second = Server::start(store, 1)?;
    let took = runtime()?.block_on(async {
        let mut farm = farm(&second.url).await?;
        let mut leads = async || {
            let status = farm.get_farm(v1::GetFarmRequest {}).await.map_err(say)?;
            Ok::<_, String>(status.into_inner().leads)
        };
        if leads().await? {
            return Err("two schedulers lead".to_owned());
        }
        let begun = Instant::now();
        first.kill()?;
        while !leads().await? {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(begun.elapsed())
    })?;
    second.stop()?;
    Ok(took)
}

/// Jobs of one step: a no-op, and one that says as much as a plate does.
fn jobs() -> Result<[JobSpec; 2]> {
    let render = json!({
        "kind": "render", "source": "/shows/demo/ocf/A001_C001_1108XX", "clip_name": null,
        "source_first": 86_400, "frames": "1001-1048", "out_dir": "/shows/demo/pulls/0001/CH_010",
        "naming": { "stem": "CH_010_PL01_v001", "padding": 4 },
    });
    let kind: StepKind = serde_json::from_value(render).map_err(say)?;
    let noop = noop_step("plate".into(), 1);
    let mut plate = noop.clone();
    (plate.kind, plate.frames) = (kind, FrameRange::of_len(1001, 48));
    Ok([job_of(vec![noop]), job_of(vec![plate])])
}

async fn parts(place: &Place) -> Result<Seen> {
    let mut store = SqlStore::open(place.clone(), "bench").await.map_err(say)?;
    let clock = || Ok::<_, String>((Instant::now(), cpu_seconds()?));
    let took = |(wall, cpu): (Instant, f64)| {
        Ok::<_, String>([wall.elapsed().as_secs_f64(), cpu_seconds()? - cpu])
    };
    let begun = clock()?;
    let mut view = store.view();
    view.open().await.map_err(say)?;
    store.hold(&mut view).await.map_err(say)?;
    drop(view.part(Steps::ALL).await.map_err(say)?);
    let rows = took(begun)?;
    let begun = clock()?;
    let (to, mut taken) = store::parts();
    let take = async { while taken.recv().await.is_some() {} };
    let (ended, ()) = tokio::join!(store.read(to), take);
    ended.map_err(say)?;
    let read = took(begun)?;
    let begun = clock()?;
    let (to, mut taken) = store::parts();
    let making = tokio::task::spawn_blocking(move || {
        let mut core = Rebuild::begin(Policy::default(), Timestamp(1));
        while let Some(part) = taken.blocking_recv() {
            core.take(part)?;
        }
        Ok::<_, Fault>(core.end(Timestamp(1)))
    });
    store.read(to).await.map_err(say)?;
    let core = making.await.map_err(say)?.map_err(say)?;
    let made = took(begun)?;
    let begun = clock()?;
    core.check_invariants()?;
    let check = took(begun)?;
    drop(core);
    store.close().await.map_err(say)?;
    Ok(Seen { rows, read, made, check })
}
