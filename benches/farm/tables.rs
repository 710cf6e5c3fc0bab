//! What is measured and how it is printed: rates, the wait for a lease with
//! many jobs pending, a large submission, crowds of workers, and the peers.

use super::client::{self, Crew, Work};
use super::server::{Server, fill};
use super::{Case, Run, empty, farm, job, job_of, noop_step, run, runtime, say, submit, waits};
use crate::support::{
    Result, argument, cpu_seconds, json_of, machine, median, option, python, script,
};
use platefarm_model::FrameRange;
use platefarm_model::job::{JobSpec, StepKind, StepSpec};
use platefarm_scheduler::store::Place;
use serde_json::json;
use std::io::Write;
use std::time::{Duration, Instant};

pub(crate) fn all() -> Result<()> {
    println!("SQLite, durable, gRPC on the loopback, on {}", machine());
    floor()?;
    let only = option("--only")?;
    let wanted = |name: &str| only.as_deref().is_none_or(|only| only == name);
    if wanted("rates") {
        rates()?;
    }
    if wanted("pending") {
        pending()?;
    }
    if wanted("rebuild") {
        super::rebuild::table()?;
    }
    if wanted("submit") {
        submission()?;
    }
    if wanted("crowd") {
        crowd()?;
    }
    if wanted("peers") && option("--peers")?.as_deref() != Some("no") {
        peers();
    }
    Ok(())
}

/// What no durable answer can be faster than: a flush of this disk.
fn floor() -> Result<()> {
    let path = empty()?.with_extension("flush");
    let mut file = std::fs::File::create(&path).map_err(say)?;
    let mut times = Vec::new();
    for _ in 0..100 {
        file.write_all(&[7; 16 * 1024]).map_err(say)?;
        let begun = Instant::now();
        file.sync_data().map_err(say)?;
        times.push(begun.elapsed().as_secs_f64() * 1000.0);
    }
    times.sort_by(f64::total_cmp);
    println!(
        "A flush of 16 KiB to this disk: P50 {:.2} ms, P99 {:.2} ms\n",
        percentile(&times, 0.5),
        percentile(&times, 0.99)
    );
    Ok(())
}

fn percentile(sorted: &[f64], part: f64) -> f64 {
    let at = (sorted.len() as f64 * part) as usize;
    sorted.get(at).or(sorted.last()).copied().unwrap_or(f64::NAN)
}

fn rates() -> Result<()> {
    let frames = argument("--frames", 200_000)?.max(super::STEP);
    let rounds = argument("--rounds", 3)?.max(1);
    let case = |workers, slots, rendered, lease, frames| Case {
        crew: Crew { workers, slots, ahead: true, rendered },
        agents: false,
        lease,
        frames,
    };
    let mut cases = vec![
        case(4, 16, false, 1, frames / 4),
        case(16, 16, false, 1, frames / 4),
        case(16, 16, false, 4, frames),
        case(16, 16, true, 4, frames),
        case(16, 16, false, 0, frames),
        case(64, 4, false, 4, frames),
    ];
    cases.push(Case { agents: true, ..case(4, 4, false, 0, frames) });
    println!("No-op frames, medians of {rounds} rounds:\n");
    println!(
        "| workers x slots | a frame reports | most frames a lease | frames/s | leases/s | free slot to lease P50 ms | P99 ms | server CPU us/frame | clients CPU us/frame |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    for case in cases {
        let runs: Vec<Run> =
            (0..rounds).map(|_| runtime()?.block_on(run(case))).collect::<Result<_>>()?;
        print(case, &runs);
    }
    Ok(())
}

fn print(case: Case, runs: &[Run]) {
    let of = |what: &dyn Fn(&Run) -> f64| median(runs.iter().map(what));
    let frames = case.frames as f64;
    let (kind, seen) = if case.agents { ("agents", false) } else { ("clients", true) };
    let or_dash = |value: String| if seen { value } else { "-".to_owned() };
    let lease = if case.lease == 0 { "policy".to_owned() } else { case.lease.to_string() };
    let reports = if case.crew.rendered { "as rendered" } else { "a number" };
    println!(
        "| {} x {} {kind} | {reports} | {lease} | {:.0} | {} | {} | {} | {:.1} | {:.1} |",
        case.crew.workers,
        case.crew.slots,
        of(&|r| frames / r.seconds),
        or_dash(format!("{:.0}", of(&|r| r.leases as f64 / r.seconds))),
        or_dash(format!("{:.2}", of(&|r| percentile(&r.waits, 0.5)))),
        or_dash(format!("{:.2}", of(&|r| percentile(&r.waits, 0.99)))),
        of(&|r| r.server_cpu * 1e6 / frames),
        of(&|r| r.clients_cpu * 1e6 / frames),
    );
}

/// The wait for a lease and its cost, as ever more jobs are pending.
fn pending() -> Result<()> {
    let most = argument("--pending", 1_000_000)?.max(1000);
    println!("\nJobs pending, leases of one frame, 4 workers of one slot:\n");
    println!(
        "| jobs pending | filled in s | first answer after a restart, s | server peak MiB | free slot to lease P50 ms | P99 ms | server CPU us/lease |"
    );
    println!("|---|---|---|---|---|---|---|");
    let counts = std::iter::successors(Some(1000), |n| Some(n * 10)).take_while(|n| *n <= most);
    for count in counts {
        let one = job_of(vec![noop_step("plate".into(), 1)]);
        let store = empty()?;
        let place = Place::Sqlite(store.clone());
        let filled = runtime()?.block_on(fill(&place, count, &one))?.as_secs_f64();
        let begun = Instant::now();
        let server = Server::start(&store, 1)?;
        let crew = Crew { workers: 4, slots: 1, ahead: false, rendered: false };
        let row = runtime()?.block_on(async {
            let mut farm = farm(&server.url).await?;
            farm.list_workers(platefarm_proto::v1::ListWorkersRequest {}).await.map_err(say)?;
            let ready = begun.elapsed().as_secs_f64();
            let before = server.cpu()?;
            let enrolled = client::enrol(&server.url, crew).await?;
            let seen = client::work(enrolled, crew, &Work::of(1000)).await?;
            let leases: usize = seen.iter().map(|seen| seen.leases).sum();
            let cpu = (server.cpu()? - before) * 1e6 / leases as f64;
            let waits = waits(seen);
            Ok::<_, String>((ready, percentile(&waits, 0.5), percentile(&waits, 0.99), cpu))
        });
        let (ready, p50, p99, cpu) = row?;
        let peak = server.peak_mib()?;
        server.stop()?;
        println!(
            "| {count} | {filled:.1} | {ready:.2} | {peak:.0} | {p50:.2} | {p99:.2} | {cpu:.0} |"
        );
    }
    Ok(())
}

/// A pull of ten thousand plates, and how soon its first frame is leased.
fn submission() -> Result<()> {
    let render = json!({
        "kind": "render", "source": "/shows/demo/ocf/A001_C001_1108XX", "clip_name": null,
        "source_first": 86_400, "frames": "1001-1048", "out_dir": "/shows/demo/pulls/0001/CH_010",
        "naming": { "stem": "CH_010_PL01_v001", "padding": 4 },
    });
    let kind: StepKind = serde_json::from_value(render).map_err(say)?;
    let step = |n: usize| StepSpec {
        name: format!("CH_{n:05}"),
        kind: kind.clone(),
        frames: FrameRange::of_len(1001, 48),
        after: Vec::new(),
        max_attempts: 3,
        terms: Default::default(),
    };
    let pull: JobSpec = job_of((0..10_000).map(step).collect());
    let mut times = Vec::new();
    for _ in 0..argument("--rounds", 3)?.max(1) {
        let server = Server::start(&empty()?, 1)?;
        times.push(runtime()?.block_on(submit_and_lease(&server.url, &pull))?);
        server.stop()?;
    }
    println!(
        "\nA pull of 10,000 plates: accepted and stored in {:.0} ms, the first frame leased {:.0} ms after it was handed in and {:.1} ms after it was accepted. A job of one plate: leased {:.1} ms after it was handed in.",
        median(times.iter().map(|t| t[0])),
        median(times.iter().map(|t| t[1])),
        median(times.iter().map(|t| t[2])),
        median(times.iter().map(|t| t[3])),
    );
    Ok(())
}

/// Milliseconds: accepted; leased since handed in, since accepted; a small job leased.
async fn submit_and_lease(url: &str, pull: &JobSpec) -> Result<[f64; 4]> {
    let crew = Crew { workers: 16, slots: 1, ahead: false, rendered: false };
    let mut farm = farm(url).await?;
    let millis = |time: Duration| time.as_secs_f64() * 1000.0;
    let mut first = async |job: &JobSpec| {
        let work = Work::of(16);
        let enrolled = client::enrol(url, crew).await?;
        let waiting = tokio::spawn(async move { client::work(enrolled, crew, &work).await });
        // The workers wait before the job comes.
        tokio::time::sleep(Duration::from_millis(200)).await;
        let begun = Instant::now();
        submit(&mut farm, job).await?;
        let accepted = begun.elapsed();
        let seen = waiting.await.map_err(say)??;
        let leased = seen.iter().filter_map(|seen| seen.first).min().ok_or("no lease")?;
        let leased = leased.duration_since(begun);
        Ok::<_, String>((accepted, leased))
    };
    let (_, small) = first(&job(16)).await?;
    let (accepted, leased) = first(pull).await?;
    let after = leased.as_secs_f64() - accepted.as_secs_f64();
    Ok([millis(accepted), millis(leased), after * 1000.0, millis(small)])
}

/// What a task costs when ever more workers are connected.
fn crowd() -> Result<()> {
    let most = argument("--crowd", 10_000)?;
    println!("\nWorkers of one slot, leases of one frame:\n");
    println!(
        "| workers | leases/s | server CPU us/lease | clients CPU us/lease | free slot to lease P50 ms | P99 ms | server peak MiB |"
    );
    println!("|---|---|---|---|---|---|---|");
    for workers in [10, 1000, 10_000].into_iter().filter(|n| *n <= most) {
        let tasks = (workers * 4).max(4000);
        let server = Server::start(&empty()?, 1)?;
        let crew = Crew { workers, slots: 1, ahead: false, rendered: false };
        let row = runtime()?.block_on(async {
            let mut farm = farm(&server.url).await?;
            let enrolled = client::enrol(&server.url, crew).await?;
            submit(&mut farm, &job(tasks)).await?;
            let (server_before, own, begun) = (server.cpu()?, cpu_seconds()?, Instant::now());
            let seen = client::work(enrolled, crew, &Work::of(tasks as u64)).await?;
            let seconds = begun.elapsed().as_secs_f64();
            let leases: usize = seen.iter().map(|seen| seen.leases).sum();
            let per = |seconds: f64| seconds * 1e6 / leases as f64;
            let cpu = (per(server.cpu()? - server_before), per(cpu_seconds()? - own));
            Ok::<_, String>((leases as f64 / seconds, cpu, waits(seen)))
        });
        let (rate, cpu, waits) = row?;
        println!(
            "| {workers} | {rate:.0} | {:.0} | {:.0} | {:.1} | {:.1} | {:.0} |",
            cpu.0,
            cpu.1,
            percentile(&waits, 0.5),
            percentile(&waits, 0.99),
            server.peak_mib()?
        );
        server.stop()?;
    }
    Ok(())
}

/// Other people's schedulers in this run, each with the cheapest task that it has.
fn peers() {
    let tasks = "10000";
    println!("\nPeers, {tasks} tasks each:\n");
    println!("| peer | workers, task | tasks/s |");
    println!("|---|---|---|");
    let peers: [(&str, &[&str], &str); 3] = [
        ("hyperqueue", &["hyperqueue"], "hyperqueue_true.py"),
        ("dask", &["dask", "distributed"], "dask_noop.py"),
        ("ray", &["ray"], "ray_noop.py"),
    ];
    for (name, packages, program) in peers {
        let report = python(&format!("bench-venv-{name}"), packages)
            .and_then(|python| json_of(script(&python, program).args(["--tasks", tasks])));
        match report {
            Ok(report) => println!(
                "| {name} {} | {} | {:.0} |",
                report["version"].as_str().unwrap_or_default(),
                report["what"].as_str().unwrap_or_default(),
                report["tasks_per_second"].as_f64().unwrap_or_default()
            ),
            Err(message) => {
                println!("| {name} | not measured: {} | - |", message.replace('\n', " "))
            }
        }
    }
}
