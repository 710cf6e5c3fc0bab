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
    /// A fresh server; `None` only where the opt-out is set.
    pub(crate) fn start() -> Option<Self> {
        if std::env::var_os(OPT_OUT).is_some_and(|value| value == "1") {
            return None;
        }
        let bin = programs().unwrap_or_else(|| {
            panic!("no PostgreSQL: apt-get install postgresql, or set {OPT_OUT}=1")
        });
        let dir = tempfile::Builder::new().prefix("pfpg").tempdir().unwrap();
        let cluster = Self { dir, bin, databases: AtomicU32::new(0) };
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
        let options = format!("-k {socket} -c listen_addresses='' -c fsync=off");
        let log = self.dir.path().join("log");
        let log = log.to_str().unwrap();
        self.run("pg_ctl", &["-D", &self.data(), "-o", &options, "-l", log, "-w", "start"]);
        assert!(self.process() > 1, "it says where it is");
    }

    /// Ends it as a crash does: every connection breaks, nothing is written any more.
    pub(crate) fn crash(&self) {
        self.run("pg_ctl", &["-D", &self.data(), "-m", "immediate", "-w", "stop"]);
    }

    /// The process that the others are children of.
    pub(crate) fn process(&self) -> u32 {
        let file = std::fs::read_to_string(format!("{}/postmaster.pid", self.data())).unwrap();
        file.lines().next().and_then(|line| line.trim().parse().ok()).unwrap()
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

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata(Path::new("/proc/self")).is_ok_and(|meta| meta.uid() == 0)
}
