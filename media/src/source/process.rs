//! Foreign decoders as processes of their own: what they say is read by
//! threads, so that nothing of ours ever waits without a limit; they end when
//! the value that stands for them is dropped; and the last words they said are
//! kept for the error.

use platefarm_model::{Code, Fault, Outcome};
use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// Lines of standard error that are kept.
const LAST_LINES: usize = 6;
/// Bytes of one line that are kept.
const LINE_BYTES: u64 = 400;

/// Environment variables that hold secrets of this process.
const SECRETS: [&str; 6] = [
    "PLATEFARM_TOKEN",
    "PLATEFARM_TOKEN_FILE",
    "PLATEFARM_KEY",
    "PLATEFARM_STORE",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
];

/// How long one that ends may take to end, and to say why.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// A running decoder.
pub(super) struct Process {
    name: String,
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: Option<ChildStdout>,
    last: Arc<Mutex<VecDeque<String>>>,
    listener: Option<thread::JoinHandle<()>>,
}

impl Process {
    /// Starts `command`. Every line of its standard error is shown to `hear`, which says whether the
    /// line was meant for it; the others are kept as the decoder's last words.
    ///
    /// # Errors
    /// [`Code::NoDecoder`] when there is no such program; [`Code::DecoderFailed`].
    pub(super) fn start(
        mut command: Command,
        mut hear: impl FnMut(&str) -> bool + Send + 'static,
    ) -> Outcome<Self> {
        let name = command.get_program().to_string_lossy().into_owned();
        // What opens the farm or its stores is not a decoder's to know.
        for word in SECRETS {
            command.env_remove(word);
        }
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|e| not_started(&name, &e))?;
        let last = Arc::new(Mutex::new(VecDeque::new()));
        let listener = child.stderr.take().map(|stderr| {
            let last = Arc::clone(&last);
            thread::spawn(move || {
                let mut stderr = BufReader::new(stderr);
                while let Some(line) = bounded_line(&mut stderr) {
                    if !hear(&line) && !line.trim().is_empty() {
                        let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
                        if last.len() == LAST_LINES {
                            last.pop_front();
                        }
                        last.push_back(line.trim().to_owned());
                    }
                }
            })
        });
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        Ok(Self { name, child, stdin, stdout, last, listener })
    }

    /// Its standard input.
    pub(super) fn take_stdin(&mut self) -> Option<ChildStdin> {
        self.stdin.take()
    }

    /// Its standard output.
    pub(super) fn take_stdout(&mut self) -> Option<ChildStdout> {
        self.stdout.take()
    }

    /// A fault of this decoder, with its last words. Ends it.
    pub(super) fn fault(&mut self, code: Code, what: &str) -> Fault {
        let status = self.end();
        // Ended, so its standard error ends too, unless a child of its own holds it open.
        wait_for(LAST_WORDS, || {
            self.listener.as_ref().is_none_or(|l| l.is_finished()).then_some(())
        });
        let words = self.last_words();
        let ended = status.filter(|s| !s.success()).map(|s| format!(" ({s})")).unwrap_or_default();
        let said = if words.is_empty() { String::new() } else { format!("; it said: {words}") };
        Fault::new(code, format!("{}{ended} {what}{said}", self.name))
    }

    /// What it said last on standard error.
    pub(super) fn last_words(&self) -> String {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.iter().map(String::as_str).collect::<Vec<_>>().join(" | ")
    }

    /// Ends it: by itself if that is near, as when its output has ended, else by force. How it ended
    /// by itself, if it did.
    fn end(&mut self) -> Option<ExitStatus> {
        drop(self.stdin.take());
        let status = wait_for(LAST_WORDS, || self.child.try_wait().ok().flatten());
        if status.is_none() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
        status
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.stdin.take());
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Looks again, often, until there is an answer or the time is over.
fn wait_for<T>(limit: Duration, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let begun = Instant::now();
    loop {
        let found = look();
        if found.is_some() || begun.elapsed() > limit {
            return found;
        }
        thread::sleep(Duration::from_millis(5));
    }
}

/// Why a program does not start.
fn not_started(name: &str, error: &std::io::Error) -> Fault {
    if error.kind() == std::io::ErrorKind::NotFound {
        return Fault::new(Code::NoDecoder, format!("there is no program '{name}'"));
    }
    Fault::new(Code::NoDecoder, format!("the program '{name}' cannot be started")).because(error)
}

/// A line of at most [`LINE_BYTES`]; the rest of a longer one is passed over.
fn bounded_line(from: &mut impl BufRead) -> Option<String> {
    let mut line = Vec::new();
    let read = from.by_ref().take(LINE_BYTES).read_until(b'\n', &mut line).ok()?;
    if read == 0 {
        return None;
    }
    if line.last() != Some(&b'\n') && read as u64 == LINE_BYTES {
        skip_line(from);
    }
    Some(String::from_utf8_lossy(&line).trim_end_matches(['\n', '\r']).to_owned())
}

fn skip_line(from: &mut impl BufRead) {
    loop {
        let (used, ended) = match from.fill_buf() {
            Ok([]) | Err(_) => return,
            Ok(bytes) => match bytes.iter().position(|b| *b == b'\n') {
                Some(at) => (at + 1, true),
                None => (bytes.len(), false),
            },
        };
        from.consume(used);
        if ended {
            return;
        }
    }
}

/// Runs `work` on a thread of its own, which hands over what it has through a channel that holds
/// `ahead` values, and stops when nobody listens any more.
pub(super) fn on_thread<T: Send + 'static>(
    ahead: usize,
    work: impl FnOnce(&SyncSender<T>) + Send + 'static,
) -> Receiver<T> {
    let (sender, receiver) = sync_channel(ahead);
    thread::spawn(move || work(&sender));
    receiver
}

/// What comes next, if it comes within `limit`. `None`: nothing will come any more.
///
/// # Errors
/// [`Code::DecoderHung`], with the process ended.
pub(super) fn next<T>(
    process: &mut Process,
    from: &Receiver<T>,
    limit: Duration,
) -> Outcome<Option<T>> {
    match from.recv_timeout(limit) {
        Ok(value) => Ok(Some(value)),
        Err(RecvTimeoutError::Disconnected) => Ok(None),
        Err(RecvTimeoutError::Timeout) => {
            let what = format!("gave no answer within {} seconds", limit.as_secs());
            Err(process.fault(Code::DecoderHung, &what))
        }
    }
}

/// Runs a program to its end and returns what it wrote on standard output.
///
/// # Errors
/// [`Code::NoDecoder`]; [`Code::DecoderHung`] after `limit`; [`Code::TooLarge`] for more than
/// `most` bytes; [`Code::DecoderFailed`] when it fails, with its last words.
pub(crate) fn run(command: Command, limit: Duration, most: u64) -> Outcome<Vec<u8>> {
    let mut process = Process::start(command, |_| false)?;
    let stdout = process.take_stdout();
    let output = on_thread(1, move |to| {
        let mut bytes = Vec::new();
        if let Some(stdout) = stdout {
            let _ = stdout.take(most + 1).read_to_end(&mut bytes);
        }
        let _ = to.send(bytes);
    });
    let bytes = next(&mut process, &output, limit)?.unwrap_or_default();
    if bytes.len() as u64 > most {
        let message = format!("{} answers with more than {most} bytes", process.name);
        return Err(Fault::new(Code::TooLarge, message));
    }
    match process.end() {
        Some(status) if status.success() => Ok(bytes),
        _ => Err(process.fault(Code::DecoderFailed, "failed")),
    }
}
