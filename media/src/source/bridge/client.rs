//! One bridge process and the talk with it: a request, an answer, a limit on
//! the time and on every size. What comes late or wrong ends the process.

use super::folder::Folder;
use super::protocol::{Head, Hello, MAX_LINE_BYTES, Opened, Probed, VERSIONS};
use crate::source::process::{self, Process};
use platefarm_model::{Code, Fault, Outcome, limits};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::ffi::OsString;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{ChildStdin, Command};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender};
use std::time::Duration;

/// How a bridge is started, and how long its answers may take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BridgeCommand {
    /// What to call it in messages.
    pub name: String,
    /// The program, and its arguments.
    pub command: Vec<OsString>,
    /// Limit of each answer.
    pub limit: Duration,
}

/// An answer: its line, and the pixels that came with it.
pub(super) struct Answer {
    pub(super) body: Value,
    pub(super) pixels: Vec<u8>,
}

/// Requests, less their numbers.
pub(super) mod request {
    use serde_json::{Value, json};
    use std::path::Path;

    /// Opens a clip.
    pub(in super::super) fn open(path: &Path) -> Value {
        json!({"op": "open", "path": path.to_string_lossy()})
    }

    /// Asks for a frame.
    pub(in super::super) fn frame(clip: u64, index: i64) -> Value {
        json!({"op": "frame", "clip": clip, "index": index})
    }
}

/// What the reading thread has.
enum Heard {
    Answer(Answer),
    /// Something that is no answer.
    Noise(String),
}

/// A running bridge that said hello.
pub(super) struct Bridge {
    process: Process,
    stdin: Option<ChildStdin>,
    answers: Receiver<Heard>,
    /// Bytes that the next answer may bring along.
    allowed: Arc<AtomicU64>,
    last_id: u64,
    limit: Duration,
    /// Where it may leave frames; none where there is no room for one. After the process, so that
    /// it is removed when nobody writes to it any more.
    folder: Option<Folder>,
    pub(super) hello: Hello,
}

impl Bridge {
    /// Starts a bridge and agrees on the protocol.
    ///
    /// # Errors
    /// [`Code::NoDecoder`], [`Code::DecoderHung`], [`Code::BadBridge`], naming the bridge.
    pub(super) fn start(command: &BridgeCommand) -> Outcome<Self> {
        let mut bridge = Self::launch(command)?;
        let request = bridge.greeting(VERSIONS);
        let hello: Hello = bridge.ask(request, 0)?.read(&mut bridge)?;
        if !VERSIONS.contains(&hello.protocol) {
            let what = format!("speaks protocol {}, which was not offered", hello.protocol);
            return Err(bridge.broken(&what));
        }
        bridge.hello = hello;
        Ok(bridge)
    }

    /// The first request, with the versions that are offered and the folder for frames.
    pub(super) fn greeting(&self, versions: &[u32]) -> Value {
        let client = concat!("platefarm ", env!("CARGO_PKG_VERSION"));
        let folder = self.folder.as_ref().map(|folder| folder.path().to_string_lossy());
        json!({"op": "hello", "protocol": versions, "client": client, "folder": folder})
    }

    /// Starts the process; nothing is said yet.
    pub(super) fn launch(command: &BridgeCommand) -> Outcome<Self> {
        let [program, arguments @ ..] = command.command.as_slice() else {
            return Err(Fault::new(Code::BadConfig, "a bridge without a command"));
        };
        let mut process = Command::new(program);
        process.args(arguments);
        let mut process = Process::start(process, |_| false)?;
        let (stdin, stdout) = (process.take_stdin(), process.take_stdout());
        let allowed = Arc::new(AtomicU64::new(0));
        let most = Arc::clone(&allowed);
        let answers = process::on_thread(0, move |to| {
            if let Some(stdout) = stdout {
                listen(BufReader::new(stdout), &most, to);
            }
        });
        let hello = Hello { protocol: 0, name: String::new(), version: String::new() };
        let (folder, limit) = (Folder::new().ok(), command.limit);
        Ok(Self { process, stdin, answers, allowed, last_id: 0, limit, folder, hello })
    }

    /// Whether it reads the file.
    pub(super) fn probe(&mut self, path: &Path) -> Outcome<bool> {
        let request = json!({"op": "probe", "path": path.to_string_lossy()});
        let answer = self.ask(request, 0)?;
        Ok(answer.read::<Probed>(self)?.reads)
    }

    /// Opens a clip.
    pub(super) fn open(&mut self, path: &Path) -> Outcome<Opened> {
        let answer = self.ask(request::open(path), 0)?;
        answer.read(self)
    }

    /// A frame of `bytes` bytes.
    pub(super) fn frame(&mut self, clip: u64, index: i64, bytes: u64) -> Outcome<Vec<u8>> {
        let answer = self.ask(request::frame(clip, index), bytes)?;
        let head: Head = answer.read(self)?;
        if head.bytes != Some(bytes) {
            let given = head.bytes.map_or_else(|| "no".into(), |given| given.to_string());
            let what = format!("gives {given} bytes for a frame of {bytes}");
            return Err(self.broken(&what));
        }
        match (head.via.as_deref(), head.path) {
            (None | Some("pipe"), _) => Ok(answer.pixels),
            (Some("file"), Some(path)) => self.shared(Path::new(&path), bytes),
            (via, _) => {
                let what = format!("gives a frame via {}", via.unwrap_or("nothing"));
                Err(self.broken(&what))
            }
        }
    }

    /// A frame that the bridge left in a file of the folder.
    fn shared(&mut self, path: &Path, bytes: u64) -> Outcome<Vec<u8>> {
        let taken = match &self.folder {
            Some(folder) => folder.take(path, bytes),
            None => Err(std::io::Error::other("it was given no folder")),
        };
        taken.map_err(|error| {
            let fault = self.broken("names a file that is not taken for a frame");
            fault.at(path.display().to_string()).because(&error)
        })
    }

    /// Sends a request and waits for its answer, which may bring `bytes` bytes along. A refusal is
    /// an error that leaves the bridge as it is.
    pub(super) fn ask(&mut self, request: Value, bytes: u64) -> Outcome<Answer> {
        self.put(request, bytes)?
    }

    /// As [`Self::ask`], with refusals, which a bridge may answer with, apart from its faults: the
    /// inner error is a refusal.
    pub(super) fn put(&mut self, mut request: Value, bytes: u64) -> Outcome<Outcome<Answer>> {
        self.last_id += 1;
        let id = self.last_id;
        request["id"] = json!(id);
        let answer = self.exchange(&request.to_string(), bytes)?;
        let head: Head = match serde_json::from_value(answer.body.clone()) {
            Ok(head) => head,
            Err(error) => {
                return Err(self.broken("answers without 'ok'").because(&error));
            }
        };
        if head.id != Some(id) {
            let said = head.id.map_or_else(|| "without 'id'".into(), |said| said.to_string());
            let what = format!("answers {said} when asked {id}");
            return Err(self.broken(&what));
        }
        if !head.ok {
            let refusal = head.error.map(|e| e.fault());
            return Ok(Err(refusal.unwrap_or_else(|| {
                Fault::new(Code::DecoderFailed, "it refuses and does not say why")
            })));
        }
        Ok(Ok(answer))
    }

    /// Sends a line as it is and waits for whatever comes.
    pub(super) fn exchange(&mut self, line: &str, bytes: u64) -> Outcome<Answer> {
        self.allowed.store(bytes, Ordering::SeqCst);
        let sent = self.stdin.as_mut().is_some_and(|stdin| {
            stdin.write_all(format!("{line}\n").as_bytes()).and_then(|()| stdin.flush()).is_ok()
        });
        if !sent {
            return Err(self.process.fault(Code::DecoderFailed, "takes no more requests"));
        }
        match process::next(&mut self.process, &self.answers, self.limit)? {
            Some(Heard::Answer(answer)) => Ok(answer),
            Some(Heard::Noise(what)) => Err(self.broken(&what)),
            None => Err(self.process.fault(Code::DecoderFailed, "ended")),
        }
    }

    /// Closes its input and says whether it ends in time, as it must.
    pub(super) fn ends(mut self) -> Outcome<bool> {
        drop(self.stdin.take());
        Ok(process::next(&mut self.process, &self.answers, self.limit)?.is_none())
    }

    /// A fault that says how it breaks the protocol. Ends it.
    fn broken(&mut self, what: &str) -> Fault {
        self.process.fault(Code::BadBridge, what)
    }
}

impl Answer {
    /// Its line as the answer that is expected.
    fn read<T: DeserializeOwned>(&self, bridge: &mut Bridge) -> Outcome<T> {
        serde_json::from_value(self.body.clone())
            .map_err(|e| bridge.broken("gives an answer that lacks something").because(&e))
    }
}

/// Reads answers until the bridge ends or breaks the protocol.
fn listen(mut from: impl BufRead, allowed: &AtomicU64, to: &SyncSender<Heard>) {
    loop {
        let mut line = Vec::new();
        match from.by_ref().take(MAX_LINE_BYTES).read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        let heard = answer(&line, &mut from, allowed);
        let is_noise = matches!(heard, Heard::Noise(_));
        if to.send(heard).is_err() || is_noise {
            return;
        }
    }
}

fn answer(line: &[u8], from: &mut impl BufRead, allowed: &AtomicU64) -> Heard {
    let shown: String = String::from_utf8_lossy(line).chars().take(60).collect();
    let Some(body) = serde_json::from_slice::<Value>(line).ok().filter(Value::is_object) else {
        return Heard::Noise(format!("writes a line that is no JSON object: {}", shown.trim()));
    };
    let claimed = body["bytes"].as_u64().unwrap_or(0);
    let by_pipe = claimed > 0 && body["via"].as_str().is_none_or(|via| via == "pipe");
    if !by_pipe {
        return Heard::Answer(Answer { body, pixels: Vec::new() });
    }
    let most = allowed.load(Ordering::SeqCst).min(limits::MAX_FRAME_FILE_BYTES);
    if claimed > most {
        return Heard::Noise(format!("sends {claimed} bytes where {most} are expected"));
    }
    let mut pixels = Vec::with_capacity(claimed as usize);
    match from.by_ref().take(claimed).read_to_end(&mut pixels) {
        Ok(read) if read as u64 == claimed => Heard::Answer(Answer { body, pixels }),
        _ => Heard::Noise(format!("ends within a frame of {claimed} bytes")),
    }
}
