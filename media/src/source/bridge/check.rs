//! The conformance kit: every rule of the protocol as a case that a bridge
//! passes or fails, each with a process of its own so that one failure does
//! not hide the next.

use super::client::{Bridge, BridgeCommand, request};
use super::protocol::Opened;
use platefarm_model::{Code, Fault, Outcome};
use serde::Serialize;
use serde_json::{Value, json};
use std::path::Path;

/// How one rule went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RuleResult {
    /// The rule, as docs/bridge.md numbers it.
    pub rule: &'static str,
    /// What it asks for.
    pub asks: &'static str,
    /// Whether the bridge does so.
    pub passed: bool,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<Fault>,
}

/// How a bridge did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CheckReport {
    /// What was run.
    pub command: Vec<String>,
    /// The name that it gives itself.
    pub name: Option<String>,
    /// Every rule that was tried, in order.
    pub rules: Vec<RuleResult>,
}

impl CheckReport {
    /// Whether it keeps to the protocol.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.rules.iter().all(|rule| rule.passed)
    }
}

type Case = fn(&BridgeCommand, &Path) -> Outcome<()>;

/// Rules that need no file of the bridge's format.
const GENERAL: &[(&str, &str, Case)] = &[
    ("1", "answers hello with a version that was offered", hello),
    ("2", "refuses a version that it does not speak", other_version),
    ("3", "refuses a request that it does not know, and goes on", unknown_request),
    ("4", "refuses a line that is no JSON, with id null, and goes on", no_json),
    ("5", "says that it does not read a file that is not there", probe_nothing),
    ("6", "refuses to open a file that is not there, and goes on", open_nothing),
    ("7", "refuses a frame of a clip that was not opened", frame_of_nothing),
    ("8", "ends when its input ends", ends),
];

/// Rules about a file that it reads.
const WITH_FILE: &[(&str, &str, Case)] = &[
    ("9", "says that it reads the file", probe_file),
    ("10", "opens the file with a layout that agrees with itself", open_file),
    ("11", "gives the first and the last frame, whole", frames),
    ("12", "gives the same frame twice alike, and in a process of its own", same_frame),
    ("13", "refuses a frame behind the last, and one before the first, and goes on", outside),
    ("14", "opens a clip twice, each by its own number", two_clips),
    ("15", "refuses frames of a clip that was closed", closed),
];

/// Tries every rule on a bridge; those about a file only with `file`.
#[must_use]
pub fn check(command: &BridgeCommand, file: Option<&Path>) -> CheckReport {
    let absent = Path::new("/nonexistent/platefarm-bridge-check.raw");
    let general = GENERAL.iter().map(|rule| (rule, absent));
    let with_file = file.into_iter().flat_map(|file| WITH_FILE.iter().map(move |r| (r, file)));
    let rules = general
        .chain(with_file)
        .map(|(&(rule, asks, case), path)| {
            let fault = case(command, path).err().map(advised);
            RuleResult { rule, asks, passed: fault.is_none(), fault }
        })
        .collect();
    CheckReport {
        command: command.command.iter().map(|a| a.to_string_lossy().into_owned()).collect(),
        name: Bridge::start(command).ok().map(|bridge| bridge.hello.name.clone()),
        rules,
    }
}

/// The kit's own advice: the code's is to run the kit.
fn advised(fault: Fault) -> Fault {
    if fault.code != Code::BadBridge {
        return fault;
    }
    fault.remedy("Correct the bridge; docs/bridge.md says what an answer must hold.")
}

fn wrong(what: impl Into<String>) -> Fault {
    Fault::new(Code::BadBridge, what)
}

/// A refusal is what is wanted: an answer that says so. One that dies, or was never there, has not
/// refused.
fn refused(bridge: &mut Bridge, what: &str, request: Value, bytes: u64) -> Outcome<()> {
    match bridge.put(request, bytes)? {
        Ok(_) => Err(wrong(format!("answers {what} as if all were well"))),
        Err(_) => Ok(()),
    }
}

/// Whether it still answers, as one that goes on does.
fn goes_on(bridge: &mut Bridge, absent: &Path) -> Outcome<()> {
    bridge.probe(absent).map(|_| ())
}

fn hello(command: &BridgeCommand, _: &Path) -> Outcome<()> {
    let bridge = Bridge::start(command)?;
    if bridge.hello.name.is_empty() {
        return Err(wrong("gives itself no name"));
    }
    Ok(())
}

fn other_version(command: &BridgeCommand, _: &Path) -> Outcome<()> {
    let mut bridge = Bridge::launch(command)?;
    let request = bridge.greeting(&[9999]);
    refused(&mut bridge, "an offer of version 9999 alone", request, 0)
}

fn unknown_request(command: &BridgeCommand, path: &Path) -> Outcome<()> {
    let mut bridge = Bridge::start(command)?;
    refused(&mut bridge, "an unknown request", json!({"op": "juggle"}), 0)?;
    goes_on(&mut bridge, path)
}

fn no_json(command: &BridgeCommand, path: &Path) -> Outcome<()> {
    let mut bridge = Bridge::start(command)?;
    let answer = bridge.exchange("{this is no JSON", 0)?.body;
    if answer["ok"] != false || !answer["id"].is_null() {
        return Err(wrong(format!("answers {answer}")));
    }
    goes_on(&mut bridge, path)
}

fn probe_nothing(command: &BridgeCommand, path: &Path) -> Outcome<()> {
    match Bridge::start(command)?.probe(path)? {
        true => Err(wrong("says that it reads a file that is not there")),
        false => Ok(()),
    }
}

fn open_nothing(command: &BridgeCommand, path: &Path) -> Outcome<()> {
    let mut bridge = Bridge::start(command)?;
    refused(&mut bridge, "opening a file that is not there", request::open(path), 0)?;
    goes_on(&mut bridge, path)
}

fn frame_of_nothing(command: &BridgeCommand, path: &Path) -> Outcome<()> {
    let mut bridge = Bridge::start(command)?;
    refused(&mut bridge, "a frame of clip 424242", request::frame(424_242, 0), 16)?;
    goes_on(&mut bridge, path)
}

fn ends(command: &BridgeCommand, _: &Path) -> Outcome<()> {
    match Bridge::start(command)?.ends()? {
        true => Ok(()),
        false => Err(wrong("says something instead of ending")),
    }
}

/// A bridge with the file open.
struct Open {
    bridge: Bridge,
    opened: Opened,
    bytes: u64,
}

impl Open {
    fn new(command: &BridgeCommand, path: &Path) -> Outcome<Self> {
        let mut bridge = Bridge::start(command)?;
        let opened = bridge.open(path)?;
        let (_, bytes) = opened.layout()?;
        Ok(Self { bridge, opened, bytes })
    }

    fn frame(&mut self, index: i64) -> Outcome<Vec<u8>> {
        self.bridge.frame(self.opened.clip, index, self.bytes)
    }
}

fn probe_file(command: &BridgeCommand, path: &Path) -> Outcome<()> {
    match Bridge::start(command)?.probe(path)? {
        true => Ok(()),
        false => Err(wrong("says that it does not read the file")),
    }
}

fn open_file(command: &BridgeCommand, path: &Path) -> Outcome<()> {
    Open::new(command, path).map(|_| ())
}

fn frames(command: &BridgeCommand, path: &Path) -> Outcome<()> {
    let mut open = Open::new(command, path)?;
    open.frame(0)?;
    open.frame(open.opened.frames as i64 - 1).map(|_| ())
}

fn same_frame(command: &BridgeCommand, path: &Path) -> Outcome<()> {
    let mut open = Open::new(command, path)?;
    let first = open.frame(0)?;
    if first != open.frame(0)? {
        return Err(wrong("gives frame 0 differently the second time"));
    }
    if first != Open::new(command, path)?.frame(0)? {
        return Err(wrong("gives frame 0 differently in another process"));
    }
    Ok(())
}

fn outside(command: &BridgeCommand, path: &Path) -> Outcome<()> {
    let mut open = Open::new(command, path)?;
    for index in [open.opened.frames as i64, -1] {
        let request = request::frame(open.opened.clip, index);
        refused(&mut open.bridge, &format!("frame {index}"), request, open.bytes)?;
    }
    open.frame(0).map(|_| ())
}

fn two_clips(command: &BridgeCommand, path: &Path) -> Outcome<()> {
    let mut open = Open::new(command, path)?;
    let second = open.bridge.open(path)?;
    if second.clip == open.opened.clip {
        return Err(wrong(format!("calls two open clips {}", second.clip)));
    }
    let (first, again) = (open.frame(0)?, open.bridge.frame(second.clip, 0, open.bytes)?);
    if first != again {
        return Err(wrong("gives frame 0 differently in the second clip"));
    }
    Ok(())
}

fn closed(command: &BridgeCommand, path: &Path) -> Outcome<()> {
    let mut open = Open::new(command, path)?;
    open.bridge.ask(json!({"op": "close", "clip": open.opened.clip}), 0)?;
    let request = request::frame(open.opened.clip, 0);
    refused(&mut open.bridge, "a frame of a closed clip", request, open.bytes)?;
    goes_on(&mut open.bridge, path)
}
