//! A relay before the server, which breaks connections and answers as a busy
//! store does, when it is told to.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

/// What is still to go wrong.
#[derive(Default)]
struct Troubles {
    breaks: AtomicU32,
    refusals: AtomicU32,
    /// What is put under these names is put, once, and nobody hears of it.
    unheard: Mutex<Vec<String>>,
}

impl Troubles {
    /// Whether a question puts something that nobody is to hear of.
    fn is_unheard(&self, question: &[u8]) -> bool {
        let mut unheard = self.unheard.lock().unwrap();
        let line = question.split(|byte| *byte == b'\r').next().unwrap_or_default();
        let line = String::from_utf8_lossy(line);
        // The last call of an upload in parts puts something, too.
        let puts = line.starts_with("PUT ") || line.starts_with("POST ");
        let meant = unheard.iter().position(|name| puts && line.contains(name.as_str()));
        meant.map(|place| unheard.remove(place)).is_some()
    }
}

pub(crate) struct Relay {
    address: String,
    troubles: Arc<Troubles>,
}

fn take(counter: &AtomicU32) -> bool {
    counter.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1)).is_ok()
}

impl Relay {
    pub(crate) fn before(server: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let troubles = Arc::new(Troubles::default());
        let (server, known) = (server.to_owned(), Arc::clone(&troubles));
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Ok(server) = TcpStream::connect(&server) else { continue };
                pass(&client, &server, &known);
            }
        });
        Self { address, troubles }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The next answers break off in the middle.
    pub(crate) fn break_next(&self, count: u32) {
        self.troubles.breaks.store(count, Ordering::SeqCst);
    }

    /// The next questions are answered as a store that is too busy does.
    pub(crate) fn refuse_next(&self, count: u32) {
        self.troubles.refusals.store(count, Ordering::SeqCst);
    }

    /// The answer to the next question that puts something under such a name is lost.
    pub(crate) fn lose_the_answer_to(&self, name: &str) {
        self.troubles.unheard.lock().unwrap().push(name.to_owned());
    }

    /// Whether it was.
    pub(crate) fn has_lost(&self, name: &str) -> bool {
        !self.troubles.unheard.lock().unwrap().iter().any(|other| other == name)
    }
}

const BUSY: &[u8] = b"HTTP/1.1 503 Slow Down\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

/// Carries bytes both ways until either end closes.
fn pass(client: &TcpStream, server: &TcpStream, troubles: &Arc<Troubles>) {
    let clones = || (client.try_clone().unwrap(), server.try_clone().unwrap());
    let deaf = Arc::new(AtomicBool::new(false));
    let ((mut from, mut to), known) = (clones(), Arc::clone(troubles));
    let deafened = Arc::clone(&deaf);
    std::thread::spawn(move || {
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(count @ 1..) = from.read(&mut buffer) {
            if known.is_unheard(&buffer[..count]) {
                deafened.store(true, Ordering::SeqCst);
            }
            let asks = [&b"GET "[..], b"HEAD ", b"PUT ", b"POST "];
            let begins = asks.iter().any(|verb| buffer[..count].starts_with(verb));
            if begins && take(&known.refusals) {
                let _ = from.write_all(BUSY);
                break;
            }
            if to.write_all(&buffer[..count]).is_err() {
                break;
            }
        }
        let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
    });
    let ((mut to, mut from), known) = (clones(), Arc::clone(troubles));
    std::thread::spawn(move || {
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(count @ 1..) = from.read(&mut buffer) {
            if deaf.load(Ordering::SeqCst) {
                break;
            }
            let breaks = take(&known.breaks);
            let sent = if breaks { count / 2 } else { count };
            if to.write_all(&buffer[..sent]).is_err() || breaks {
                break;
            }
        }
        let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
    });
}

/// One request without a body, past the relay; the first line of its answer.
pub(crate) fn request(address: &str, line: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    let head =
        format!("{line}\r\nhost: {address}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let first = answer.lines().next().unwrap_or_default().to_owned();
    assert!(first.contains(" 200"), "{line}: {answer}");
    first
}
