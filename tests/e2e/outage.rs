//! What is not a crash: a network that carries nothing, a disk that is full, a
//! render process that dies, hangs or grows, a leader that is gone.

use crate::cable::Cable;
use crate::farm::{Farm, frames};
use crate::harness::{World, copy_clip, error_document, root, s, text, tree, wait_until};
use crate::postgres::Cluster;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// A pull of the motion clip, and what an undisturbed one makes of it.
struct Pull {
    media: PathBuf,
    edl: PathBuf,
}

impl Pull {
    fn new(world: &World) -> Self {
        let media = world.path("media");
        copy_clip("beachball", &media);
        Self { media, edl: root().join("tests/fixtures/pull/cut.edl") }
    }

    fn args<'a>(&'a self, out: &'a Path, more: &[&'a str]) -> Vec<&'a str> {
        let args = ["pull", "--edl", s(&self.edl), "--media", s(&self.media), "--out", s(out)];
        [&args[..], &["--handles", "2", "--backend", "cpu"], more].concat()
    }
}

fn done(world: &World, url: &str, job: &str) -> u64 {
    let output = world.run(&["jobs", "show", job, "--farm", url, "--json"]);
    let view: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    view["frames_done"].as_u64().unwrap_or(0)
}

/// Leases that the scheduler at `url` counted as ended with their worker, or not renewed.
fn ended(world: &World, url: &str) -> u64 {
    let status = world.json(&["farm", "status", "--farm", url]);
    let count = |name: &str| status["counts"][name].as_u64().expect("a count");
    count("lost") + count("expired")
}

/// Submits, and returns the job's id as people write it.
fn submit(world: &World, args: &[&str]) -> String {
    format!("j{}", world.json(args)["job"].as_u64().expect("a job"))
}

#[test]
fn a_worker_that_is_cut_off_and_comes_back_harms_nothing() {
    cut_off(|address| Ok(Cable::relay(address)));
}

#[test]
fn a_worker_whose_link_goes_down_and_comes_up_harms_nothing() {
    cut_off(Cable::link);
}

/// Nothing is tested here, and that is said past the harness, which keeps what a test prints
/// to itself when it passes.
fn skipped(why: &str, needs: &str) {
    let test = std::thread::current().name().unwrap_or_default().to_owned();
    writeln!(std::io::stderr(), "\nSKIPPED {test}: {why}; this needs {needs}").expect("stderr");
}

fn cut_off(cable: impl FnOnce(&str) -> Result<Cable, String>) {
    let world = World::new();
    let pull = Pull::new(&world);
    let quiet = world.path("undisturbed");
    world.json(&pull.args(&quiet, &["--local"]));
    let farm = Farm::with_ttl(&world, 1500);
    let _scheduler = farm.scheduler();
    let url = farm.url();
    let cable = match cable(url.trim_start_matches("http://")) {
        Ok(cable) => cable,
        Err(why) => return skipped(&why, "a network namespace: run as root, with iproute2"),
    };
    let _far = cable.worker(&world, "far");
    let out = world.path("out");
    let job = submit(&world, &pull.args(&out, &["--farm", &url]));
    wait_until("the far worker is at it", || (done(&world, &url, &job) >= 2).then_some(()));
    assert_eq!(ended(&world, &url), 0, "nothing is lost while the cable is whole");
    cable.cut(true);
    // Its leases end, and another does what it had.
    wait_until("its leases are lost", || (ended(&world, &url) >= 1).then_some(()));
    let before = done(&world, &url, &job);
    let _near = farm.worker("near");
    wait_until("another goes on", || (done(&world, &url, &job) > before).then_some(()));
    cable.cut(false);
    let watched = world.json(&["jobs", "watch", &job, "--farm", &url]);
    assert_eq!(watched["phase"], "done", "{watched}");
    assert_eq!(platefarm_media::mhl::verify(&out), vec![]);
    assert_eq!(frames(&out), frames(&quiet), "bit for bit the undisturbed plates");
    assert!(tree(&out).iter().all(|name| !name.contains(".platefarm")), "{:?}", tree(&out));
}

/// A store on a disk that fills up: nothing is promised that is not kept, and
/// it goes on when there is room again.
#[test]
fn a_full_disk_under_the_store_costs_time_and_nothing_else() {
    let world = World::new();
    let disk = world.path("disk");
    std::fs::create_dir_all(&disk).expect("a directory");
    let _disk = match SmallDisk::mount(&disk) {
        Ok(disk) => disk,
        Err(why) => return skipped(&why, "a disk of its own: run as root"),
    };
    let pull = Pull::new(&world);
    let quiet = world.path("undisturbed");
    world.json(&pull.args(&quiet, &["--local"]));
    let store = format!("sqlite://{}", disk.join("farm.db").display());
    let farm = Farm::on(&world, 3000, store, 1);
    let _scheduler = farm.scheduler();
    let (url, out) = (farm.url(), world.path("out"));
    let job = submit(&world, &pull.args(&out, &["--farm", &url]));
    let filler = disk.join("filler");
    let mut file = std::fs::File::create(&filler).expect("a file");
    while file.write_all(&[0; 4096]).is_ok() {}
    drop(file);
    let _workers = [farm.worker("a"), farm.worker("b")];
    let mut number = 0;
    wait_until("a commit fails, and whoever asked is told", || {
        number += 1;
        let text = number.to_string();
        let asked = ["jobs", "priority", &job, "--number", &text, "--farm", &url, "--json"];
        let output = world.run(&asked);
        let refused = !output.status.success();
        refused.then(|| assert_eq!(error_document(&output)["error"]["code"], "F0502"))
    });
    std::fs::remove_file(&filler).expect("room again");
    let watched = world.json(&["jobs", "watch", &job, "--farm", &url]);
    assert_eq!(watched["phase"], "done", "{watched}");
    assert_eq!(frames(&out), frames(&quiet), "bit for bit the undisturbed plates");
}

/// A file system of 4 MiB, unmounted with the test.
struct SmallDisk(PathBuf);

impl SmallDisk {
    /// A new one, or why there can be none here.
    fn mount(at: &Path) -> Result<Self, String> {
        let args = ["-t", "tmpfs", "-o", "size=4m", "tmpfs"];
        let mount = std::process::Command::new("mount").args(args).arg(at).output();
        let mount = mount.map_err(|e| format!("mount: {e}"))?;
        match mount.status.success() {
            true => Ok(Self(at.to_owned())),
            false => Err(text(&mount.stderr).trim().to_owned()),
        }
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

/// A slot whose memory is too small for any frame: the frames are told so, and the worker lives.
#[test]
fn a_frame_that_is_too_large_for_its_slot_is_told_so() {
    let world = World::new();
    let pull = Pull::new(&world);
    let farm = Farm::new(&world);
    let _scheduler = farm.scheduler();
    let (url, out) = (farm.url(), world.path("out"));
    let mut small = farm.worker_for("small", &url, &["--slot-memory", "1M"]);
    let job = submit(&world, &pull.args(&out, &["--farm", &url]));
    let fault = wait_until("a frame is given up", || {
        let view = world.json(&["jobs", "show", &job, "--farm", &url]);
        let fault = &view["steps"][0]["first_fault"];
        (!fault.is_null()).then(|| fault.clone())
    });
    assert_eq!(fault["code"], "F0408", "{fault}");
    assert!(small.ends("TERM").success(), "the worker itself is well");
}

/// Of two schedulers on one database the leader dies: within five seconds the
/// other leads, and the frames in hand are still the worker's.
#[test]
fn a_leader_that_is_killed_is_followed_within_five_seconds() {
    let Some(cluster) = Cluster::start() else { return };
    let world = World::new();
    let pull = Pull::new(&world);
    let farm = Farm::on(&world, 20_000, cluster.database(), 2);
    let mut leader = farm.scheduler_number(0);
    let _second = farm.scheduler_number(1);
    let (url, out) = (farm.url(), world.path("out"));
    let (_, second) = url.split_once(',').expect("two addresses");
    let leads = || {
        let output = world.run(&["farm", "status", "--farm", second, "--json"]);
        let status: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        status["leads"] == true
    };
    assert!(!leads(), "the first one leads");
    let _worker = farm.worker("w");
    let job = submit(&world, &pull.args(&out, &["--farm", &url]));
    wait_until("the pull is under way", || (done(&world, &url, &job) >= 2).then_some(()));
    leader.kill();
    let begun = Instant::now();
    wait_until("the second leads", || leads().then_some(()));
    let took = begun.elapsed();
    eprintln!("the second scheduler led {took:?} after the first was killed");
    assert!(took < Duration::from_secs(5), "{took:?}");
    let before = done(&world, second, &job);
    wait_until("it stores frames", || (done(&world, second, &job) > before).then_some(()));
    let watched = world.json(&["jobs", "watch", &job, "--farm", &url]);
    assert_eq!((&watched["phase"], &watched["frames_failed"]), (&"done".into(), &0.into()));
    assert_eq!(ended(&world, second), 0, "every lease in hand survived");
    assert_eq!(platefarm_media::mhl::verify(&out), vec![]);
}

#[test]
fn a_store_is_copied_while_its_farm_runs_and_put_back() {
    let world = World::new();
    let pull = Pull::new(&world);
    let (file, copy) = (world.path("farm.db"), world.path("copy.db"));
    let store = format!("sqlite://{}", file.display());
    let farm = Farm::on(&world, 3000, store.clone(), 1);
    let mut scheduler = farm.scheduler();
    let (url, out) = (farm.url(), world.path("out"));
    let job = submit(&world, &pull.args(&out, &["--farm", &url]));
    let status = world.json(&["farm", "status", "--farm", &url]);
    assert_eq!((&status["leads"], &status["leader"]), (&true.into(), &url.as_str().into()));
    assert_eq!(status["audit"]["broken"], 0, "{status}");
    let backup = ["store", "backup", "--store", &store, "--to", s(&copy)];
    let copied = world.json(&backup);
    assert_eq!((&copied["jobs"], &copied["copy"]), (&1.into(), &s(&copy).into()), "{copied}");
    world.fails("F0010", &backup);
    let restore = ["store", "restore", "--store", &store, "--from", s(&copy)];
    world.fails("F0510", &restore);
    scheduler.kill();
    std::fs::remove_file(&file).expect("the disk is lost");
    assert_eq!(world.json(&restore)["jobs"], 1);
    let _scheduler = farm.scheduler();
    let _worker = farm.worker("w");
    let watched = world.json(&["jobs", "watch", &job, "--farm", &url]);
    assert_eq!(watched["phase"], "done", "{watched}");
}
