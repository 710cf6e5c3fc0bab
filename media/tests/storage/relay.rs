//! A relay before the server, which breaks connections and answers as a busy
//! store does, when it is told to.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// What is still to go wrong.
#[derive(Default)]
struct Troubles {
    breaks: AtomicU32,
    refusals: AtomicU32,
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
}

const BUSY: &[u8] = b"HTTP/1.1 503 Slow Down\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

/// Carries bytes both ways until either end closes.
fn pass(client: &TcpStream, server: &TcpStream, troubles: &Arc<Troubles>) {
    let clones = || (client.try_clone().unwrap(), server.try_clone().unwrap());
    let ((mut from, mut to), known) = (clones(), Arc::clone(troubles));
    std::thread::spawn(move || {
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(count @ 1..) = from.read(&mut buffer) {
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
