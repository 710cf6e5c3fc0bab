//! An object store that is away for a while. The endpoint is the whole
//! process's, hence alone here.

use platefarm_media::storage;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

/// Calls that are hung up on, before the store is there.
const AWAY: usize = 14;
const OBJECT: &[u8] = b"whole";

/// The head of a question.
fn question(client: &mut TcpStream) -> String {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") && client.read(&mut byte).is_ok_and(|count| count == 1) {
        head.push(byte[0]);
    }
    String::from_utf8_lossy(&head).into_owned()
}

/// What S3 says of the one object, and its bytes where they are asked for.
fn answer(client: &mut TcpStream, question: &str) {
    let (size, last) = (OBJECT.len(), OBJECT.len() - 1);
    let (status, body) = match question.starts_with("GET ") {
        true => (format!("206 Partial Content\r\ncontent-range: bytes 0-{last}/{size}"), OBJECT),
        false => ("200 OK".to_owned(), &[][..]),
    };
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-length: {size}\r\netag: \"1\"\r\n\
         last-modified: Mon, 02 Nov 2026 10:00:00 GMT\r\nconnection: close\r\n\r\n"
    );
    let _ = client.write_all(&[head.as_bytes(), body].concat());
}

#[test]
fn a_store_that_is_away_for_a_while_is_waited_for() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for (number, mut client) in listener.incoming().flatten().enumerate() {
            let question = question(&mut client);
            if number >= AWAY {
                answer(&mut client, &question);
            }
        }
    });
    storage::configure(&[
        ("AWS_ENDPOINT_URL", url.as_str()),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_REGION", "us-east-1"),
    ]);
    assert_eq!(storage::read("s3://ocf/frame.dng").unwrap(), OBJECT);
}
