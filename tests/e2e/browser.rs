//! A real browser, led by Chromium's DevTools protocol over a pipe: JSON
//! messages, each ended by a zero byte, on the file descriptors 3 and 4
//! (`--remote-debugging-pipe`).
//!
//! Nothing here waits for time. A page is asked for a condition until it holds,
//! or until the tests' patience is at its end; what its scripts complain about
//! is kept, and a test ends by asking for it.

use crate::harness::{PATIENCE, s, wait_until};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{self, Receiver};

/// Says that the tests may go without, on a machine that cannot have one.
const OPT_OUT: &str = "PLATEFARM_NO_BROWSER_TESTS";

/// Whether this machine is known to have no browser.
pub(crate) fn none_here() -> bool {
    std::env::var_os(OPT_OUT).is_some_and(|value| value == "1")
}

/// A browser with one page.
pub(crate) struct Browser {
    child: Child,
    to: ChildStdin,
    from: Receiver<Value>,
    session: Option<String>,
    last: u64,
    complaints: Vec<String>,
    _profile: tempfile::TempDir,
}

impl Browser {
    /// Starts one with an empty page.
    pub(crate) fn open() -> Self {
        let profile = tempfile::tempdir().expect("a temporary directory");
        // The shell only lays the pipes where the browser looks for them.
        let mut child = Command::new("sh")
            .args(["-c", "exec chromium \"$@\" 3<&0 4>&1 </dev/null >/dev/null 2>&1", "sh"])
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"])
            .args(["--disable-background-networking", "--no-first-run", "--lang=en-GB"])
            .args(["--remote-debugging-pipe", "--disable-dev-shm-usage"])
            .arg(format!("--user-data-dir={}", s(profile.path())))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("a shell");
        let to = child.stdin.take().expect("a pipe");
        let from = messages(child.stdout.take().expect("a pipe"));
        let (session, complaints) = (None, Vec::new());
        let mut browser = Self { child, to, from, session, last: 0, complaints, _profile: profile };
        let page = browser.call("Target.createTarget", json!({ "url": "about:blank" }));
        let attach = json!({ "targetId": page["targetId"], "flatten": true });
        let attached = browser.call("Target.attachToTarget", attach);
        browser.session = attached["sessionId"].as_str().map(str::to_owned);
        for domain in ["Page.enable", "Runtime.enable", "Log.enable"] {
            browser.call(domain, json!({}));
        }
        browser
    }

    /// Makes the window so large; a phone has fingers, too.
    pub(crate) fn size(&mut self, width: u32, height: u32) {
        let phone = width < 600;
        let metrics =
            json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": phone });
        self.call("Emulation.setDeviceMetricsOverride", metrics);
        self.call("Emulation.setTouchEmulationEnabled", json!({ "enabled": phone }));
    }

    /// Goes to `url`, or to another place of the page.
    pub(crate) fn go(&mut self, url: &str) {
        self.call("Page.navigate", json!({ "url": url }));
    }

    /// What the script comes to as soon as it comes to something.
    pub(crate) fn until(&mut self, script: &str) -> Value {
        let mut found = None;
        wait_until(script, || {
            found = self.value(script).and_then(Result::ok).filter(holds);
            found.as_ref().map(|_| ())
        });
        found.unwrap_or(Value::Null)
    }

    /// Waits until the page says `text`.
    pub(crate) fn until_it_says(&mut self, text: &str) {
        let begun = std::time::Instant::now();
        while !self.text().contains(text) {
            assert!(begun.elapsed() < PATIENCE, "'{text}' is not on the page:\n{}", self.text());
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    }

    /// What a reader sees of the page.
    pub(crate) fn text(&mut self) -> String {
        let text = self.evaluate("document.body ? document.body.innerText : ''");
        text.and_then(|text| text.as_str().map(str::to_owned)).unwrap_or_default()
    }

    /// What the script comes to now; none where the page is on its way.
    pub(crate) fn evaluate(&mut self, script: &str) -> Option<Value> {
        let value = self.value(script)?;
        Some(value.unwrap_or_else(|error| panic!("{script}: {error}")))
    }

    /// The same, or what the script fails with.
    fn value(&mut self, script: &str) -> Option<Result<Value, Value>> {
        let question = json!({ "expression": script, "returnByValue": true, "awaitPromise": true });
        let mut answer = self.ask("Runtime.evaluate", question).ok()?;
        Some(match answer.get("exceptionDetails") {
            Some(error) => Err(error.clone()),
            None => Ok(answer["result"]["value"].take()),
        })
    }

    /// Presses keys one after the other: characters, or `Tab`, `Enter`, `Escape`, `ArrowDown`, ...
    pub(crate) fn press(&mut self, keys: &[&str]) {
        for key in keys {
            let (code, text) = match *key {
                "Tab" => (9, None),
                "Enter" => (13, Some("\r")),
                "Escape" => (27, None),
                " " => (32, Some(" ")),
                "ArrowLeft" => (37, None),
                "ArrowUp" => (38, None),
                "ArrowRight" => (39, None),
                "ArrowDown" => (40, None),
                other => (u32::from(other.as_bytes()[0].to_ascii_uppercase()), Some(other)),
            };
            let mut event = json!({ "type": "keyDown", "key": key, "windowsVirtualKeyCode": code });
            if let Some(text) = text {
                event["text"] = json!(text);
            }
            self.call("Input.dispatchKeyEvent", event.clone());
            event["type"] = json!("keyUp");
            self.call("Input.dispatchKeyEvent", event);
        }
    }

    /// Types into what has the focus.
    pub(crate) fn write(&mut self, text: &str) {
        self.call("Input.insertText", json!({ "text": text }));
    }

    /// Walks with the Tab key until what the selector names has the focus: it can be reached so.
    pub(crate) fn tab_to(&mut self, selector: &str) {
        let here = format!("document.activeElement.matches({})", json!(selector));
        for _ in 0..200 {
            if self.evaluate(&here) == Some(json!(true)) {
                return;
            }
            self.press(&["Tab"]);
        }
        panic!("{selector} is not reached with the Tab key:\n{}", self.text());
    }

    /// Keeps a picture of the window.
    pub(crate) fn picture(&mut self, file: &Path) {
        let shot = self.call("Page.captureScreenshot", json!({ "format": "png" }));
        let mut decode = Command::new("base64")
            .arg("--decode")
            .stdin(Stdio::piped())
            .stdout(std::fs::File::create(file).expect("a file"))
            .spawn()
            .expect("base64");
        let data = shot["data"].as_str().expect("a picture");
        decode.stdin.take().expect("a pipe").write_all(data.as_bytes()).expect("a picture");
        assert!(decode.wait().expect("base64").success());
    }

    /// Ends the test: no script failed, and nothing was kept from the page.
    pub(crate) fn is_content(&self) {
        assert!(self.complaints.is_empty(), "the page complained: {:#?}", self.complaints);
    }

    /// As [`Self::is_content`], of a page that had to be refused first.
    pub(crate) fn is_content_but_for(&self, refusal: &str) {
        let other: Vec<_> = self.complaints.iter().filter(|it| !it.contains(refusal)).collect();
        assert!(other.is_empty(), "the page complained: {other:#?}");
    }

    /// Tells the browser to do something, which it has to.
    fn call(&mut self, method: &str, params: Value) -> Value {
        self.ask(method, params).unwrap_or_else(|error| panic!("{method}: {error}"))
    }

    fn ask(&mut self, method: &str, params: Value) -> Result<Value, Value> {
        self.last += 1;
        let mut message = json!({ "id": self.last, "method": method, "params": params });
        if let Some(session) = &self.session {
            message["sessionId"] = json!(session);
        }
        let mut bytes = message.to_string().into_bytes();
        bytes.push(0);
        let gone = "no chromium: apt-get install chromium, or set PLATEFARM_NO_BROWSER_TESTS=1";
        self.to.write_all(&bytes).expect(gone);
        loop {
            let mut answer = self.from.recv_timeout(PATIENCE).expect(gone);
            if answer["id"] == json!(self.last) {
                return match answer.get("error") {
                    Some(error) => Err(error.clone()),
                    None => Ok(answer["result"].take()),
                };
            }
            self.heard(&answer);
        }
    }

    /// What the browser says unasked: errors of scripts, and what was kept from the page.
    fn heard(&mut self, event: &Value) {
        match event["method"].as_str() {
            Some("Runtime.exceptionThrown") => {
                self.complaints.push(event["params"]["exceptionDetails"].to_string());
            }
            Some("Log.entryAdded") if event["params"]["entry"]["level"] == "error" => {
                self.complaints.push(event["params"]["entry"].to_string());
            }
            _ => {}
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a script would take for true.
fn holds(value: &Value) -> bool {
    !matches!(value, Value::Null | Value::Bool(false)) && *value != json!(0) && *value != json!("")
}

fn messages(pipe: ChildStdout) -> Receiver<Value> {
    let (to, from) = mpsc::channel();
    std::thread::spawn(move || {
        let mut pipe = BufReader::new(pipe);
        let mut message = Vec::new();
        while pipe.read_until(0, &mut message).is_ok_and(|count| count > 0) {
            message.pop();
            let Ok(value) = serde_json::from_slice(&message) else { return };
            if to.send(value).is_err() {
                return;
            }
            message.clear();
        }
    });
    from
}
