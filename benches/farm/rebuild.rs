//! How long a scheduler takes to lead: a store of many jobs is read again and the
//! core made of it, part by part in this process and as a whole in another.

use super::server::{Server, fill};
use super::{Result, empty, farm, job_of, noop_step, runtime, say};
use crate::support::{argument, cpu_seconds};
use platefarm_model::job::{JobSpec, StepKind};
use platefarm_model::{FrameRange, Timestamp};
use platefarm_scheduler::core::{Policy, State};
use platefarm_scheduler::store::{Jobs, Place, SqlStore, Store};
use serde_json::json;
use std::path::Path;
use std::time::Instant;

/// Wall and CPU seconds of a part.
type Took = [f64; 2];

/// What came of one store.
struct Seen {
    /// Read row by row, as the auditor reads.
    rows: Took,
    /// Read as a scheduler that begins reads.
    pages: Took,
    core: Took,
    /// On one thread.
    check: Took,
}

pub(crate) fn table() -> Result<()> {
    let most = argument("--rebuild", 1_000_000)?;
    println!("\nA store read again and the core made of it, wall (CPU) seconds:\n");
    println!(
        "| rebuild: jobs | a step | read row by row | read | core | its check | first answer after a restart, s | server peak MiB |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    let [noop, plate] = jobs()?;
    for count in [10_000, 100_000, 1_000_000].into_iter().filter(|count| *count <= most) {
        for (name, job) in [("no-op", &noop), ("plate", &plate)] {
            let store = empty()?;
            runtime()?.block_on(fill(&store, count, job))?;
            let seen = runtime()?.block_on(parts(&store))?;
            let begun = Instant::now();
            let server = Server::start(&store, 1)?;
            let workers = platefarm_proto::v1::ListWorkersRequest {};
            runtime()?.block_on(async {
                farm(&server.url).await?.list_workers(workers).await.map_err(say).map(drop)
            })?;
            let first = begun.elapsed().as_secs_f64();
            let peak = server.peak_mib()?;
            server.stop()?;
            let of = |[wall, cpu]: Took| format!("{wall:.2} ({cpu:.2})");
            println!(
                "| {count} | {name} | {} | {} | {} | {} | {first:.2} | {peak:.0} |",
                of(seen.rows),
                of(seen.pages),
                of(seen.core),
                of(seen.check)
            );
        }
    }
    Ok(())
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

async fn parts(store: &Path) -> Result<Seen> {
    let mut store = SqlStore::open(Place::Sqlite(store.into()), "bench").await.map_err(say)?;
    let clock = || Ok::<_, String>((Instant::now(), cpu_seconds()?));
    let took = |(wall, cpu): (Instant, f64)| {
        Ok::<_, String>([wall.elapsed().as_secs_f64(), cpu_seconds()? - cpu])
    };
    let begun = clock()?;
    drop(store.part(Jobs::ALL).await.map_err(say)?);
    let rows = took(begun)?;
    let begun = clock()?;
    let stored = store.load().await.map_err(say)?;
    let pages = took(begun)?;
    let begun = clock()?;
    let core = State::rebuild(Policy::default(), stored, Timestamp(1)).map_err(say)?;
    let core_took = took(begun)?;
    let begun = clock()?;
    core.check_invariants()?;
    let check = took(begun)?;
    drop(core);
    store.close().await.map_err(say)?;
    Ok(Seen { rows, pages, core: core_took, check })
}
