//! Frames that crash, hang and eat memory, in a process of their own. The
//! test is its own render process: with an argument it serves a slot, without
//! one it runs the cases (so it has no harness, which would speak on the pipe).

use platefarm_model::job::{FrameOutcome, FrameResult, Lease, StageMillis, StepKind, StepSpec};
use platefarm_model::recipe::Backend;
use platefarm_model::{Code, FrameRange, JobId, LeaseToken, Outcome, StepId};
use platefarm_worker::child::{Child, Limits, Program, serve};
use platefarm_worker::kinds::{JobKind, StepFrames, Task};
use platefarm_worker::leash::Leash;
use std::path::Path;
use std::pin::Pin;
use std::time::{Duration, Instant};

/// What a frame does, by its number.
const ABORTS: i64 = 3;
const HANGS: i64 = 20;
const EATS: i64 = 40;
const ABORTS_ONCE: i64 = 60;
const ASKS: i64 = 80;
/// Starts a decoder that eats the memory, as FFmpeg or a bridge could.
const DECODER_EATS: i64 = 90;
const LONG: i64 = 100;

struct Evil;

impl JobKind for Evil {
    fn name(&self) -> &'static str {
        "noop"
    }

    fn run(&self, task: &Task<'_>, sink: &mut dyn FnMut(FrameOutcome)) -> Outcome<()> {
        // Frames are begun ahead of each other, as a pipeline does.
        let ahead = task.env.flight.frames.min(4) as i64 - 1;
        let mut next = task.lease.frames.first();
        let mut end = task.lease.frames.last() + 1;
        for frame in task.lease.frames.iter() {
            while next < end && next <= frame + ahead {
                if task.leash.begin(next) {
                    doom(task, next)?;
                    next += 1;
                } else {
                    end = next;
                }
            }
            if frame < end && task.leash.allows(frame) {
                sink(done(frame));
            }
        }
        Ok(())
    }
}

fn doom(task: &Task<'_>, frame: i64) -> Outcome<()> {
    match frame {
        ABORTS => std::process::abort(),
        HANGS => loop {
            std::thread::sleep(Duration::from_secs(1));
        },
        EATS => {
            let mut held: Vec<Vec<u8>> = Vec::new();
            loop {
                held.push(vec![1; 16 << 20]);
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        DECODER_EATS => {
            let words = "echo $$ > \"$0\"; head -c 900000000 /dev/zero | tail; sleep 600";
            let mark = Path::new(&task.lease.spec.name).join("decoder");
            let mut decoder = std::process::Command::new("sh");
            decoder.args(["-c", words]).arg(mark).stdout(std::process::Stdio::null());
            decoder.status().unwrap();
        }
        ABORTS_ONCE => {
            let mark = Path::new(&task.lease.spec.name).join("mark");
            if !mark.exists() {
                std::fs::write(mark, "").unwrap();
                std::process::abort();
            }
        }
        ASKS => {
            let steps = task.ledger.frames(JobId(9))?;
            assert_eq!(steps[0].step, 77);
        }
        LONG.. => std::thread::sleep(Duration::from_millis(5)),
        _ => {}
    }
    Ok(())
}

fn done(frame: i64) -> FrameOutcome {
    FrameOutcome::Done(Box::new(FrameResult {
        frame,
        staged: String::new(),
        published: String::new(),
        xxh128: String::new(),
        bytes: u64::from(std::process::id()),
        backend: "evil".into(),
        millis: StageMillis::new(),
        non_finite: 0,
    }))
}

fn lease(dir: &Path, first: i64, last: i64) -> Lease {
    let frames = FrameRange::new(first, last).unwrap();
    let spec = StepSpec {
        name: dir.to_str().unwrap().into(),
        kind: StepKind::Noop { millis_per_frame: 0 },
        frames,
        after: vec![],
        max_attempts: 3,
        terms: Default::default(),
    };
    let step = StepId { job: JobId(9), index: 0 };
    Lease { token: LeaseToken(5), step, frames, ttl_ms: 1000, spec }
}

fn child() -> Child {
    let program = Program { path: std::env::current_exe().unwrap(), args: vec!["slot".into()] };
    let limits = Limits { memory_bytes: 400 << 20, stuck: Duration::from_millis(1200) };
    Child::new(program, limits, Backend::Cpu, Vec::new(), 2, u64::MAX)
}

/// What the farm answers.
fn knows(_: JobId) -> Pin<Box<dyn Future<Output = Outcome<Vec<StepFrames>>> + Send>> {
    Box::pin(async { Ok(vec![StepFrames { step: 77, ..StepFrames::default() }]) })
}

/// Runs frames in `child`; the frames that failed with their codes, and the processes that did the others.
async fn run(child: &mut Child, lease: &Lease) -> (Vec<(i64, Code)>, Vec<u64>, usize) {
    let (mut failed, mut processes, mut ended) = (Vec::new(), Vec::new(), 0);
    let leash = Leash::new(lease.frames.last());
    let outcome = child.run(lease, &leash, &knows, |outcome| {
        ended += 1;
        match outcome {
            FrameOutcome::Done(result) => processes.push(result.bytes),
            FrameOutcome::Failed { frame, fault } => failed.push((frame, fault.code)),
        }
    });
    outcome.await.unwrap();
    processes.dedup();
    (failed, processes, ended)
}

async fn cases() {
    let dir = tempfile::tempdir().unwrap();
    let mut child = child();
    let mut check = async |name: &str, first, last, expected: &[(i64, Code)]| {
        let (failed, processes, ended) = run(&mut child, &lease(dir.path(), first, last)).await;
        assert_eq!(failed, expected, "{name}: only the frame itself is charged");
        assert_eq!(ended as i64, last - first + 1, "{name}: each frame has one outcome");
        eprintln!("child: {name}: ok");
        processes
    };
    let first = check("nothing happens", 10, 15, &[]).await;
    assert_eq!(check("the process stays", 10, 15, &[]).await, first);
    check("a frame aborts", 1, 8, &[(ABORTS, Code::ProcessDied)]).await;
    check("a frame hangs", 18, 23, &[(HANGS, Code::FrameStuck)]).await;
    check("a frame eats the memory", 38, 42, &[(EATS, Code::MemoryExceeded)]).await;
    check("a decoder eats the memory", 88, 92, &[(DECODER_EATS, Code::MemoryExceeded)]).await;
    decoder_is_gone(dir.path());
    check("a frame aborts once", 58, 63, &[]).await;
    check("a task asks the farm", 78, 81, &[]).await;

    stops_in_time(&mut child, dir.path()).await;
    cannot_start(dir.path()).await;
}

/// What a process started went with it.
fn decoder_is_gone(dir: &Path) {
    let id = std::fs::read_to_string(dir.join("decoder")).unwrap();
    let begun = Instant::now();
    loop {
        // One that nobody has waited for yet is `Z`.
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", id.trim()));
        if stat.is_err() || stat.is_ok_and(|stat| stat.contains(") Z ")) {
            return;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "the decoder lives on");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A lease that gets shorter, and one that is lost.
async fn stops_in_time(child: &mut Child, dir: &Path) {
    let lease = lease(dir, LONG, LONG + 10_000);
    for stop in [false, true] {
        let leash = Leash::new(lease.frames.last());
        let mut ended = Vec::new();
        let begun = Instant::now();
        let work = child.run(&lease, &leash, &knows, |outcome| {
            ended.push(outcome.frame());
            if ended.len() == 5 && stop {
                leash.stop();
            } else if ended.len() == 5 {
                leash.shorten(LONG + 40);
            }
        });
        work.await.unwrap();
        let last = leash.pulse().last;
        if stop {
            assert!(ended.len() < 1000, "{}", ended.len());
        } else {
            let expected: Vec<i64> = (LONG..=LONG + 40).collect();
            assert_eq!((ended, last), (expected, Some(LONG + 40)), "and it said so");
        }
        assert!(begun.elapsed() < Duration::from_secs(20));
    }
    eprintln!("child: leases get shorter and end: ok");
}

/// A program that is not there says so, once.
async fn cannot_start(dir: &Path) {
    let program = Program { path: dir.join("nothing"), args: Vec::new() };
    let limits = Limits { memory_bytes: 0, stuck: Duration::from_secs(9) };
    let mut child = Child::new(program, limits, Backend::Cpu, Vec::new(), 2, u64::MAX);
    let lease = lease(dir, 10, 20);
    let mut said = Vec::new();
    let leash = Leash::new(20);
    let fault = child.run(&lease, &leash, &knows, |outcome| said.push(outcome)).await;
    assert_eq!(fault.unwrap_err().code, Code::ProcessDied);
    assert!(matches!(&said[..], [FrameOutcome::Failed { frame: 10, .. }]), "{said:?}");
    eprintln!("child: a program that is not there: ok");
}

fn main() {
    if std::env::args().nth(1).is_some_and(|arg| arg == "slot") {
        serve(&[&Evil]).unwrap();
        return;
    }
    if std::env::args().any(|arg| arg == "--list") {
        println!("child: test");
        return;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(cases());
}
