//! Running the program as a person would: own directories, own ports, and
//! everything stopped when the test ends.

use serde_json::Value;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

/// How long anything may take before the test gives up. Generous: the machine
/// may be busy, and nothing waits for it when all is well.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// A directory of its own, with the state directory of its farms inside.
pub(crate) struct World {
    dir: tempfile::TempDir,
}

impl World {
    pub(crate) fn new() -> Self {
        Self { dir: tempfile::tempdir().expect("a temporary directory") }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The program, with its state kept in this world.
    pub(crate) fn platefarm(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_platefarm"));
        command
            .args(args)
            .env("XDG_STATE_HOME", self.path("state"))
            .env("NO_COLOR", "1")
            .env_remove("PLATEFARM_FARM")
            .env_remove("PLATEFARM_TOKEN")
            .stdin(Stdio::null());
        command
    }

    /// Runs to the end.
    pub(crate) fn run(&self, args: &[&str]) -> Output {
        self.platefarm(args).output().expect("the program starts")
    }

    /// Runs with `--json`, expects success, and reads the document on standard output.
    pub(crate) fn json(&self, args: &[&str]) -> Value {
        let output = self.run(&[args, &["--json"]].concat());
        assert!(
            output.status.success(),
            "{args:?} failed:\n{}\n{}",
            text(&output.stdout),
            text(&output.stderr)
        );
        document(&output)
    }

    /// Plans a pull, which ends as it would itself: with 2 where events are rejected.
    pub(crate) fn planned(&self, args: &[&str]) -> Value {
        let output = self.run(&[args, &["--json"]].concat());
        let plan = document(&output);
        let is_whole = plan["rejected"].as_array().is_none_or(Vec::is_empty);
        let wanted = if is_whole { 0 } else { 2 };
        assert_eq!(output.status.code(), Some(wanted), "{args:?}: {}", text(&output.stderr));
        assert!(is_whole || error_document(&output)["error"]["code"] == "F0513", "{plan}");
        plan
    }

    /// Runs with `--json`, expects an error with this code, and returns it.
    pub(crate) fn fails(&self, code: &str, args: &[&str]) -> Value {
        let output = self.run(&[args, &["--json"]].concat());
        let document = error_document(&output);
        assert_eq!(
            document["error"]["code"],
            code,
            "{args:?}: {document}\n{}",
            text(&output.stderr)
        );
        assert!(!output.status.success());
        assert!(document["error"]["message"].as_str().is_some_and(|t| !t.is_empty()), "{document}");
        assert!(
            document["remedy"].as_str().is_some_and(|t| !t.is_empty()),
            "an error says what to do: {document}"
        );
        document["error"].clone()
    }

    /// Starts something that stays.
    pub(crate) fn start(&self, args: &[&str]) -> Running {
        Running::of(self.platefarm(args))
    }
}

/// A process that is killed when the test ends.
pub(crate) struct Running {
    child: Child,
}

impl Running {
    /// Starts it.
    pub(crate) fn of(mut command: Command) -> Self {
        let child = command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program starts");
        Self { child }
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Whether it has not ended by itself.
    pub(crate) fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, signal: &str) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args(["-s", signal, &id]).status();
        assert!(sent.is_ok_and(|status| status.success()), "{signal} to {id}");
    }

    /// Asks it to end with a signal, and returns how it did.
    pub(crate) fn ends(&mut self, signal: &str) -> std::process::ExitStatus {
        self.signal(signal);
        wait_until("it ends as it was asked to", || self.child.try_wait().ok().flatten())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Looks again until there is an answer.
pub(crate) fn wait_until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A loopback address nobody listens on.
pub(crate) fn free_address() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address").to_string()
}

/// A page of a scheduler on this machine, as JSON.
pub(crate) fn page(address: &str, path: &str) -> Value {
    let mut stream = std::net::TcpStream::connect(address).expect("the pages answer");
    let head = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).expect("it listens");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
    assert!(head.starts_with("HTTP/1.1 200"), "{path}: {answer}");
    serde_json::from_str(body).expect("JSON")
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The one document on standard output.
pub(crate) fn document(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|e| panic!("{e}: {}\n{}", text(&output.stdout), text(&output.stderr)))
}

/// The error: the document, or a line of standard error where there is another document.
pub(crate) fn error_document(output: &Output) -> Value {
    let document = document(output);
    if document.get("error").is_some() {
        return document;
    }
    let lines = text(&output.stderr);
    let error =
        lines.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()).next_back();
    error.unwrap_or_else(|| panic!("no error: {document}\n{lines}"))
}

/// The project's root.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A real test clip's directory, copied into `to` so that a test may damage it.
pub(crate) fn copy_clip(name: &str, to: &Path) {
    std::fs::create_dir_all(to).expect("a directory");
    for entry in std::fs::read_dir(root().join("testclips/clips").join(name))
        .expect("the test clip")
        .flatten()
    {
        std::fs::copy(entry.path(), to.join(entry.file_name())).expect("a copy");
    }
}

/// Files below `dir`, relative, sorted; hidden ones too.
pub(crate) fn tree(dir: &Path) -> Vec<String> {
    fn walk(dir: &Path, base: &Path, found: &mut Vec<String>) {
        for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                walk(&path, base, found);
            } else {
                found.push(path.strip_prefix(base).expect("below").display().to_string());
            }
        }
    }
    let mut found = Vec::new();
    walk(dir, dir, &mut found);
    found.sort();
    found
}

/// The Python of `cargo xtask setup`, with the packages that tests use; none where `opt_out` is set.
pub(crate) fn tools_python(opt_out: &str) -> Option<PathBuf> {
    if std::env::var_os(opt_out).is_some_and(|value| value == "1") {
        return None;
    }
    let python = root().join("target/tools/python/bin/python3");
    let python = std::env::var_os("PLATEFARM_TOOLS_PYTHON").map_or(python, PathBuf::from);
    assert!(python.exists(), "cargo xtask setup, or set {opt_out}=1");
    Some(python)
}

/// `&str` of a path.
pub(crate) fn s(path: &Path) -> &str {
    path.to_str().expect("a UTF-8 path")
}

/// How a pull of the fixtures' cut with their frame lines begins, with so many frames of handles.
pub(crate) fn pull_of_the_fixtures(handles: &str) -> [&str; 9] {
    static LISTS: LazyLock<[String; 2]> = LazyLock::new(|| {
        let fixtures = root().join("tests/fixtures/pull");
        ["cut.edl", "show.fdl"].map(|name| s(&fixtures.join(name)).to_owned())
    });
    let [edl, fdl] = &*LISTS;
    ["pull", "--edl", edl, "--fdl", fdl, "--template", "VFX_PULL", "--handles", handles]
}
