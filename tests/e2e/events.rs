//! The event log and webhooks as people use them: what is printed, what is
//! sent, and what is never said.

use crate::harness::{World, free_address, s, text, wait_until};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::mpsc;

/// Takes calls, one at a time: their headers and body.
fn receiver() -> (String, mpsc::Receiver<(String, String)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (to, taken) = mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut reader = BufReader::new(stream);
            let (mut head, mut length) = (String::new(), 0);
            loop {
                let mut line = String::new();
                if reader.read_line(&mut line).unwrap_or(0) == 0 || line == "\r\n" {
                    break;
                }
                if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
                head.push_str(&line);
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            let answer = b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n";
            reader.get_mut().write_all(answer).unwrap();
            if to.send((head, text(&body))).is_err() {
                return;
            }
        }
    });
    (address, taken)
}

#[test]
fn events_are_printed_followed_and_sent() {
    let world = World::new();
    let (address, (hook, taken)) = (free_address(), receiver());
    let url = format!("http://{address}");
    let store = format!("sqlite:{}", s(&world.path("farm.db")));
    let _scheduler = world.start(&[
        "scheduler",
        "--listen",
        &address,
        "--store",
        &store,
        "--webhook-allow",
        "127.0.0.1",
    ]);
    wait_until("the scheduler answers", || {
        world.run(&["farm", "status", "--farm", &url]).status.success().then_some(())
    });
    // Nowhere but where the operator said.
    for bad in ["http://169.254.169.254/", "http://localhost/"] {
        world.fails("F0516", &["webhooks", "add", bad, "--farm", &url]);
    }
    world.fails("F0508", &["webhooks", "add", "ftp://127.0.0.1/", "--farm", &url]);
    world.fails(
        "F0008",
        &["webhooks", "add", "http://127.0.0.1/", "--kind", "jobs", "--farm", &url],
    );
    world.fails("F0517", &["webhooks", "remove", "x", "--farm", &url]);
    let target = format!("http://{hook}/in?key=s3cr3t");
    let made = world.json(&["webhooks", "add", &target, "--kind", "farm", "--farm", &url]);
    let secret = made["secret"].as_str().unwrap().to_owned();
    assert!(secret.starts_with("whsec_") && secret.len() > 40);

    world.json(&["limits", "set", "nuke", "4", "--farm", &url]);
    let (head, body) = taken.recv_timeout(std::time::Duration::from_secs(60)).unwrap();
    assert!(head.starts_with("POST /in?key=s3cr3t HTTP/1.1"), "{head}");
    assert!(head.to_lowercase().contains("webhook-signature: v1,"), "{head}");
    let body: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!((&body["type"], &body["data"]["name"]), (&"farm.changed".into(), &"nuke".into()));

    // What people read, and what opens something is in none of it.
    let says = |args: &[&str]| {
        let output = world.run(&[args, &["--farm", &url]].concat());
        assert!(output.status.success(), "{args:?}: {}", text(&output.stderr));
        let said = text(&output.stdout) + &text(&output.stderr);
        assert!(!said.contains(&secret) && !said.contains("s3cr3t"), "{args:?}: {said}");
        said
    };
    says(&["webhooks", "list", "--json"]);
    let listed = says(&["webhooks", "list"]);
    assert!(listed.contains(&format!("http://{hook}/in")) && listed.contains("good"), "{listed}");
    let log = says(&["farm", "events"]);
    assert!(log.contains("farm.led") && log.contains("nuke  limit set"), "{log}");
    says(&["audit"]);
    says(&["audit", "--json"]);
    let cursors = text(&world.run(&["farm", "events", "--quiet", "--farm", &url]).stdout);
    let cursors: Vec<&str> = cursors.lines().collect();
    let rest = world.run(&["farm", "events", "--since", cursors[0], "--quiet", "--farm", &url]);
    assert_eq!(text(&rest.stdout).lines().collect::<Vec<_>>(), cursors[1..]);
    let ahead = (u64::MAX / 2).to_string();
    world.fails("F0515", &["farm", "events", "--since", &ahead, "--farm", &url]);
}
