//! A real PostgreSQL for tests: a private cluster on a socket in a temporary
//! directory, gone with the test. The tests of the whole program use it too.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use tempfile::TempDir;

/// A running server.
pub(crate) struct Cluster {
    dir: TempDir,
    bin: PathBuf,
    databases: AtomicU32,
    /// Whether it flushes what it writes, as a server does that is not for tests.
    flushes: bool,
}

/// Says that the tests may go without, on a machine that cannot have one.
const OPT_OUT: &str = "PLATEFARM_NO_POSTGRES_TESTS";

/// The newest server on this machine.
fn programs() -> Option<PathBuf> {
    let mut found: Vec<(u32, PathBuf)> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.join("bin/initdb").exists())
        .filter_map(|path| Some((path.file_name()?.to_str()?.parse().ok()?, path.join("bin"))))
        .collect();
    found.sort();
    found.pop().map(|(_, bin)| bin)
}

impl Cluster {
    /// A fresh server, which flushes nothing; `None` only where the opt-out is set.
    pub(crate) fn start() -> Option<Self> {
        Self::that_flushes(false)
    }

    /// As above; one to be killed flushes what it writes.
    pub(crate) fn that_flushes(flushes: bool) -> Option<Self> {
        if std::env::var_os(OPT_OUT).is_some_and(|value| value == "1") {
            return None;
        }
        let bin = programs().unwrap_or_else(|| {
            panic!("no PostgreSQL: apt-get install postgresql, or set {OPT_OUT}=1")
        });
        let dir = tempfile::Builder::new().prefix("pfpg").tempdir().unwrap();
        let cluster = Self { dir, bin, databases: AtomicU32::new(0), flushes };
        if is_root() {
            let path = cluster.dir.path();
            assert!(Command::new("chown").arg("postgres").arg(path).status().unwrap().success());
        }
        let data = cluster.data();
        cluster.run("initdb", &["-D", &data, "--no-sync", "-A", "trust", "-U", "postgres"]);
        cluster.up();
        Some(cluster)
    }

    fn data(&self) -> String {
        self.dir.path().join("data").to_str().unwrap().to_owned()
    }

    /// Starts the server.
    pub(crate) fn up(&self) {
        let socket = self.dir.path().display();
        let fsync = if self.flushes { "on" } else { "off" };
        let options = format!("-k {socket} -c listen_addresses='' -c fsync={fsync}");
        let log = self.dir.path().join("log");
        let log = log.to_str().unwrap();
        self.run("pg_ctl", &["-D", &self.data(), "-o", &options, "-l", log, "-w", "start"]);
        assert!(self.processes()[0] > 1, "it says where it is");
    }

    /// Ends it at once, by its own word: every connection breaks, nothing is written any more.
    pub(crate) fn crash(&self) {
        self.run("pg_ctl", &["-D", &self.data(), "-m", "immediate", "-w", "stop"]);
    }

    /// `kill -9` of every process of it, whatever they are at. It is started again before it is dropped.
    pub(crate) fn kill(&self) {
        let processes = self.processes();
        for id in &processes {
            // A child may have ended by itself.
            let _ = Command::new("kill").args(["-s", "KILL", &id.to_string()]).status();
        }
        while processes.iter().any(|id| runs(*id)) {
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        // Where nobody buries the dead, their numbers are taken and the next server would take them for alive.
        for name in ["data/postmaster.pid", ".s.PGSQL.5432.lock"] {
            let _ = std::fs::remove_file(self.dir.path().join(name));
        }
    }

    /// Its processes; the others are children of the first.
    pub(crate) fn processes(&self) -> Vec<u32> {
        let file = std::fs::read_to_string(format!("{}/postmaster.pid", self.data())).unwrap();
        let first = file.lines().next().and_then(|line| line.trim().parse().ok()).unwrap();
        [vec![first], children(first)].concat()
    }

    /// Runs a program of PostgreSQL's, which refuses to be root.
    fn run(&self, program: &str, arguments: &[&str]) {
        let program = self.bin.join(program);
        let mut command = if is_root() {
            let mut command = Command::new("runuser");
            command.args(["-u", "postgres", "--"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        let output = command.args(arguments).current_dir(self.dir.path()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// The address of a new, empty database.
    pub(crate) fn database(&self) -> String {
        let name = format!("farm{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let socket = self.dir.path().to_str().unwrap();
        self.run("createdb", &["-h", socket, "-U", "postgres", &name]);
        format!("postgres://postgres@localhost/{name}?host={}", socket.replace('/', "%2F"))
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.crash();
    }
}

/// A line of what the system says of a process, while it is there.
fn status(id: u32, line: &str) -> Option<String> {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    status.lines().find_map(|it| it.strip_prefix(line)).map(|value| value.trim().to_owned())
}

/// Whether a process is more than its end that nobody has heard of yet.
fn runs(id: u32) -> bool {
    status(id, "State:").is_some_and(|state| !state.starts_with('Z'))
}

/// Processes that a process has started.
pub(crate) fn children(of: u32) -> Vec<u32> {
    let all = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let ids = all.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    ids.filter(|id| status(*id, "PPid:") == Some(of.to_string())).collect()
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata(Path::new("/proc/self")).is_ok_and(|meta| meta.uid() == 0)
}
