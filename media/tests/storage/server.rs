//! moto's server, started once for all tests of this binary, and gone with it.

use super::relay::{self, Relay};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// Says that the tests may go without, on a machine that cannot have one.
const OPT_OUT: &str = "PLATEFARM_NO_S3_TESTS";

pub(crate) struct Server {
    relay: Relay,
    buckets: AtomicU32,
    address: String,
    _child: Guard,
}

/// Ends the server with the tests: it watches a pipe that closes when they end.
struct Guard(Child);

/// The server's program: where `cargo xtask setup` puts it, or on the path.
fn program() -> PathBuf {
    let tools =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target/tools/python/bin/python3");
    let named = std::env::var_os("PLATEFARM_TOOLS_PYTHON").map(PathBuf::from);
    named.unwrap_or(if tools.exists() { tools } else { "python3".into() })
}

/// Ends with its standard input, so that no server outlives a test that was killed.
const SCRIPT: &str = "
import os, sys, threading
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import run_simple
def watch():
    sys.stdin.buffer.read()
    os._exit(0)
threading.Thread(target=watch, daemon=True).start()
moto = DomainDispatcherApplication(create_backend_app)
# A store answers each call as if it came alone; moto's threads would not.
one = threading.Lock()
def app(environ, start):
    with one:
        return list(moto(environ, start))
run_simple('127.0.0.1', int(sys.argv[1]), app, threaded=True)
";

impl Server {
    /// The server; `None` only where the opt-out is set.
    pub(crate) fn shared() -> Option<&'static Self> {
        static SERVER: OnceLock<Option<Server>> = OnceLock::new();
        SERVER.get_or_init(Self::start).as_ref()
    }

    fn start() -> Option<Self> {
        if std::env::var_os(OPT_OUT).is_some_and(|value| value == "1") {
            return None;
        }
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap().to_string();
        drop(free);
        let port = address.rsplit(':').next().unwrap();
        let child = Command::new(program())
            .args(["-c", SCRIPT, port])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|e| panic!("no S3 server: cargo xtask setup, or set {OPT_OUT}=1: {e}"));
        let mut guard = Guard(child);
        let begun = Instant::now();
        while TcpStream::connect(&address).is_err() {
            let ended = guard.0.try_wait().unwrap();
            assert!(
                ended.is_none() && begun.elapsed() < Duration::from_secs(60),
                "no S3 server: cargo xtask setup, or set {OPT_OUT}=1"
            );
            std::thread::sleep(Duration::from_millis(50));
        }
        let server = Self {
            relay: Relay::before(&address),
            buckets: AtomicU32::new(0),
            address,
            _child: guard,
        };
        let settings = server.environment();
        let settings = settings.each_ref().map(|(name, value)| (*name, value.as_str()));
        platefarm_media::storage::configure(&settings);
        Some(server)
    }

    /// What a program that uses it finds in its environment.
    pub(crate) fn environment(&self) -> [(&'static str, String); 4] {
        [
            ("AWS_ENDPOINT_URL", self.relay.url()),
            ("AWS_ACCESS_KEY_ID", "test".into()),
            ("AWS_SECRET_ACCESS_KEY", "test".into()),
            ("AWS_REGION", "us-east-1".into()),
        ]
    }

    pub(crate) fn relay(&self) -> &Relay {
        &self.relay
    }

    /// A new, empty bucket.
    pub(crate) fn bucket(&self) -> String {
        let number = self.buckets.fetch_add(1, Ordering::Relaxed);
        let name = format!("bucket-{number}");
        relay::request(&self.address, &format!("PUT /{name} HTTP/1.1"));
        name
    }
}
