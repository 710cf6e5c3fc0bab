//! Everything is killed, at moments drawn from a seed, and what comes out is
//! what would have come out: every frame once, and the same bytes.

use crate::farm::{Farm, frames};
use crate::harness::{Running, World, s, text, tree, wait_until};
use crate::postgres::{Cluster, children};
use platefarm_media::hash::xxh128;
use platefarm_testclips::{ClipSpec, write_clip};
use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Plates of the list below, and their frames with one frame of handles.
const FRAMES: usize = 3 * 30;

const EDL: &str = "TITLE: CHAOS
FCM: NON-DROP FRAME

001  S001     V     C        10:00:00:02 10:00:01:06 01:00:00:00 01:00:01:04
* FROM CLIP NAME: S001_C001
* LOC: 01:00:00:00 RED     CH_010

002  S001     V     C        10:00:01:08 10:00:02:12 01:00:01:04 01:00:02:08
* FROM CLIP NAME: S001_C001
* LOC: 01:00:01:04 RED     CH_020

003  S001     V     C        10:00:02:10 10:00:03:14 01:00:02:08 01:00:03:12
* FROM CLIP NAME: S001_C001
* LOC: 01:00:02:08 RED     CH_030
";

/// A clip, a list, and what an undisturbed pull makes of them.
struct Stage {
    world: World,
    media: PathBuf,
    edl: PathBuf,
    quiet: BTreeMap<String, String>,
}

impl Stage {
    fn new() -> Self {
        let world = World::new();
        let (media, edl) = (world.path("media"), world.path("chaos.edl"));
        let spec = ClipSpec { frames: 96, width: 480, height: 270, ..ClipSpec::default() };
        write_clip(&media, &spec).expect("a clip");
        std::fs::write(&edl, EDL).expect("a list");
        let mut stage = Self { world, media, edl, quiet: BTreeMap::new() };
        let out = stage.world.path("undisturbed");
        stage.world.json(&strs(&stage.pull(&out, &["--local"])));
        stage.quiet = frames(&out);
        assert_eq!(stage.quiet.len(), FRAMES);
        stage
    }

    fn pull(&self, out: &Path, more: &[&str]) -> Vec<String> {
        let args = ["pull", "--edl", s(&self.edl), "--media", s(&self.media), "--out", s(out)];
        let always = ["--handles", "1", "--backend", "cpu"];
        [&args, &always[..], more].concat().iter().map(|arg| (*arg).to_owned()).collect()
    }

    /// What must be true of `out` in the end.
    fn check(&self, out: &Path) {
        assert_eq!(platefarm_media::mhl::verify(out), vec![]);
        assert_eq!(frames(out), self.quiet, "bit for bit the undisturbed plates");
        let hidden = find(out, &|name| name.starts_with('.'));
        assert_eq!(hidden, [""; 0], "nothing hidden is left");
    }
}

fn strs(args: &[String]) -> Vec<&str> {
    args.iter().map(String::as_str).collect()
}

/// Files and directories below `dir` whose own name is `wanted`.
fn find(dir: &Path, wanted: &dyn Fn(&str) -> bool) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if wanted(&name) {
            found.push(entry.path().display().to_string());
        }
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            found.extend(find(&entry.path(), wanted));
        }
    }
    found
}

/// Published frames as they were when they were first seen: inode and date.
/// A frame that is published again, or written to, is not what it was.
#[derive(Default)]
struct Seen(Mutex<BTreeMap<String, (u64, i64, i64)>>);

impl Seen {
    /// Looks once. Each frame must be whole and right the first time it is seen.
    fn look(&self, out: &Path, quiet: &BTreeMap<String, String>) {
        let mut seen = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        for (name, hash) in quiet {
            let path = out.join(name);
            let Ok(meta) = path.metadata() else {
                assert!(!seen.contains_key(name), "{name} was published and is gone");
                continue;
            };
            let now = (meta.ino(), meta.mtime(), meta.mtime_nsec());
            match seen.get(name) {
                Some(first) => assert_eq!(*first, now, "{name} was published twice"),
                None => {
                    assert_eq!(*hash, xxh128(&std::fs::read(&path).expect("a frame")), "{name}");
                    seen.insert(name.clone(), now);
                }
            }
        }
    }

    fn len(&self) -> usize {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).len()
    }
}

/// Marsaglia's xorshift64: the same seed, the same moments.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

/// The usual seed, or the one that is asked for to see other moments.
fn seed() -> u64 {
    let asked = std::env::var("PLATEFARM_SEED").ok().and_then(|text| text.parse().ok());
    let seed = asked.unwrap_or(20_261_121);
    eprintln!("PLATEFARM_SEED={seed}");
    seed
}

/// Everything of one farm that can be hit.
struct Crowd<'a> {
    farm: &'a Farm<'a>,
    database: Option<&'a Cluster>,
    schedulers: Vec<Running>,
    workers: Vec<Running>,
    names: u32,
}

impl<'a> Crowd<'a> {
    fn new(farm: &'a Farm<'a>, database: Option<&'a Cluster>, schedulers: Vec<Running>) -> Self {
        let mut crowd = Self { farm, database, schedulers, workers: Vec::new(), names: 0 };
        crowd.workers = (0..2).map(|_| crowd.worker()).collect();
        crowd
    }

    fn worker(&mut self) -> Running {
        self.names += 1;
        self.farm.worker(&format!("w{}", self.names))
    }

    /// One blow, as the dice fall.
    fn hit(&mut self, dice: &mut Dice) {
        let at = dice.roll(2) as usize;
        match dice.roll(9) {
            0 => {
                let at = at % self.schedulers.len();
                self.schedulers[at].kill();
                self.schedulers[at] = self.farm.scheduler_number(at);
            }
            1 => {
                assert!(self.workers[at].ends("TERM").success(), "it leaves in order");
                self.workers[at] = self.worker();
            }
            // Stopped for longer than its leases live, and back with what it had.
            2 => {
                self.workers[at].signal("STOP");
                std::thread::sleep(Duration::from_millis(u64::from(TTL_MS) + 500));
                self.workers[at].signal("CONT");
            }
            3 if self.kills_a_slot(at) => {}
            4 | 5 if self.database.is_some() => {
                let database = self.database.expect("there is one");
                database.kill();
                std::thread::sleep(Duration::from_millis(dice.roll(700)));
                database.up();
            }
            6 => self.stands_still(dice),
            _ => {
                self.workers[at].kill();
                self.workers[at] = self.worker();
            }
        }
    }

    /// The store answers nothing for a while, up to twice the life of a lease:
    /// PostgreSQL's processes are stopped, or the scheduler in whose process SQLite is.
    fn stands_still(&self, dice: &mut Dice) {
        let processes = match self.database {
            Some(database) => database.processes(),
            None => vec![self.schedulers[0].id()],
        };
        processes.iter().for_each(|id| signal("STOP", *id));
        std::thread::sleep(Duration::from_millis(100 + dice.roll(2 * u64::from(TTL_MS))));
        processes.iter().for_each(|id| signal("CONT", *id));
    }

    /// `kill -9` of the process that renders for a worker.
    fn kills_a_slot(&self, at: usize) -> bool {
        let slots = children(self.workers[at].id());
        slots.iter().for_each(|id| signal("KILL", *id));
        !slots.is_empty()
    }
}

fn signal(signal: &str, id: u32) {
    // It may have ended by itself.
    let _ = std::process::Command::new("kill").args(["-s", signal, &id.to_string()]).status();
}

/// Hits whatever the dice say, again and again, until the plates are there,
/// and the workers once more while they pack.
fn rage<'a>(mut crowd: Crowd<'a>, seen: &Seen, dice: &mut Dice) -> Crowd<'a> {
    let begun = Instant::now();
    let mut blows = 0;
    while blows < 12 {
        std::thread::sleep(Duration::from_millis(40 + dice.roll(300)));
        if seen.len() == FRAMES {
            break;
        }
        crowd.hit(dice);
        blows += 1;
    }
    eprintln!("{blows} blows in {:?}", begun.elapsed());
    wait_until("every frame is there", || (seen.len() == FRAMES).then_some(()));
    for at in 0..2 {
        std::thread::sleep(Duration::from_millis(dice.roll(80)));
        crowd.workers[at].kill();
        crowd.workers[at] = crowd.worker();
    }
    crowd
}

/// How long a lease lives here.
const TTL_MS: u32 = 1500;

#[test]
fn whatever_is_killed_each_frame_is_published_once_and_whole() {
    let stage = Stage::new();
    let farm = Farm::with_ttl(&stage.world, TTL_MS);
    survives(&stage, &farm, None, 1);
}

/// The same on PostgreSQL, with two schedulers, of which one leads; the database dies too.
#[test]
fn on_postgres_two_schedulers_and_the_database_are_killed_and_nothing_is_lost() {
    let Some(cluster) = Cluster::that_flushes(true) else { return };
    let stage = Stage::new();
    let farm = Farm::on(&stage.world, TTL_MS, cluster.database(), 2);
    survives(&stage, &farm, Some(&cluster), 2);
}

fn survives(stage: &Stage, farm: &Farm<'_>, database: Option<&Cluster>, schedulers: usize) {
    let out = stage.world.path("package");
    let (seen, over) = (Seen::default(), AtomicBool::new(false));
    // Workers come first here: a scheduler that is not there yet is waited for.
    let early = [farm.worker("early"), farm.worker("bird")];
    let schedulers = (0..schedulers).map(|number| farm.scheduler_number(number)).collect();
    drop(early);
    let url = farm.url();
    let args = stage.pull(&out, &["--farm", &url, "--wait", "--json"]);
    // The one who waits does so through everything, on one command.
    let mut pull = stage.world.platefarm(&strs(&args));
    pull.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let pull = pull.spawn().expect("the program starts");
    let begun = Instant::now();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                seen.look(&out, &stage.quiet);
                std::thread::sleep(Duration::from_millis(2));
            }
        });
        wait_until("the job is handed in", || {
            let listed = stage.world.run(&["jobs", "list", "--quiet", "--farm", &url]);
            (!listed.stdout.is_empty()).then_some(())
        });
        let living = rage(Crowd::new(farm, database, schedulers), &seen, &mut Dice(seed()));
        let ended = pull.wait_with_output().expect("it ends");
        over.store(true, Ordering::Relaxed);
        drop(living);
        assert!(ended.status.success(), "{}\n{}", text(&ended.stdout), text(&ended.stderr));
    });
    seen.look(&out, &stage.quiet);
    assert_eq!(seen.len(), FRAMES);
    stage.check(&out);
    eprintln!("{} frames through it all in {:?}", FRAMES, begun.elapsed());
}

#[test]
fn a_local_pull_that_was_killed_goes_on_where_it_was() {
    let stage = Stage::new();
    let out = stage.world.path("package");
    let args = stage.pull(&out, &["--local"]);
    let seen = Seen::default();
    let reach = |frames: usize| {
        wait_until("frames come", || {
            seen.look(&out, &stage.quiet);
            (seen.len() >= frames).then_some(())
        });
    };
    // Asked politely, it finishes what it has in hand and loses none of it.
    let mut first = stage.world.start(&strs(&args));
    reach(5);
    assert_eq!(first.ends("INT").code(), Some(5), "interrupted");
    assert_eq!(find(&out, &|name| name.starts_with('t')), [""; 0], "no frame in hand was lost");
    seen.look(&out, &stage.quiet);
    let polite = seen.len();
    assert!(polite < FRAMES, "it was in the middle");

    let mut second = stage.world.start(&strs(&args));
    reach(polite + 5);
    second.kill();
    seen.look(&out, &stage.quiet);
    assert!(seen.len() < FRAMES, "it was in the middle");

    let summary = stage.world.json(&strs(&args));
    assert_eq!((&summary["phase"], &summary["frames"]), (&"done".into(), &FRAMES.into()));
    seen.look(&out, &stage.quiet);
    stage.check(&out);
    assert_eq!(tree(&stage.world.path("state")), [""; 0], "its store is gone");

    // A directory that was cleared is another pull, whatever a store remembers.
    let mut third = stage.world.start(&strs(&stage.pull(&stage.world.path("p2"), &["--local"])));
    let cleared = stage.world.path("p2");
    wait_until("frames come", || (!frames(&cleared).is_empty()).then_some(()));
    third.kill();
    std::fs::remove_dir_all(&cleared).expect("it goes");
    stage.world.json(&strs(&stage.pull(&cleared, &["--local"])));
    stage.check(&cleared);
}
