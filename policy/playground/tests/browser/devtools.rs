//! A headless Chromium, driven by the DevTools protocol over a pipe.
//!
//! `--remote-debugging-pipe` reads commands from descriptor 3 and writes to 4, each a JSON text that
//! ends in a zero byte (chromedevtools.github.io/devtools-protocol): no port, no WebSocket.

use std::{
    collections::VecDeque,
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc::{channel, Receiver},
    time::{Duration, Instant},
};

use serde_json::{json, Value};
use tempfile::TempDir;

/// How long anything may take before a test gives up: the machine may be busy.
const PATIENCE: Duration = Duration::from_secs(60);

/// What Chromium may be called.
const NAMES: &[&str] = &["chromium", "chromium-browser", "google-chrome"];

/// A browser with one page.
pub struct Browser {
    child: Child,
    input: ChildStdin,
    messages: Receiver<Value>,
    /// What was told and not asked for.
    pub events: Vec<Value>,
    early: VecDeque<Value>,
    next_id: u64,
    page: String,
    /// The session of the page's latest worker.
    worker: Option<String>,
    _profile: TempDir,
}

/// The browser of this machine, if it has one; `CHROMIUM` names another.
pub fn installed() -> Option<String> {
    let named = std::env::var("CHROMIUM").ok();
    let names = NAMES.iter().map(|name| (*name).to_owned());
    named.into_iter().chain(names).find(|name| {
        let asked = Command::new(name).arg("--version").output();
        asked.is_ok_and(|output| output.status.success())
    })
}

impl Browser {
    /// Starts it with an empty page of this size.
    pub fn start(program: &str, width: u32, height: u32) -> Self {
        let profile = tempfile::tempdir().expect("a folder for the profile");
        // The shell puts the pipes where the browser looks for them.
        let mut child = Command::new("sh")
            .args([
                "-c",
                "exec \"$@\" 3<&0 4>&1 0</dev/null 1>/dev/null 2>/dev/null",
                "sh",
                program,
            ])
            .args([
                "--headless=new",
                "--no-sandbox",
                "--disable-gpu",
                "--remote-debugging-pipe",
            ])
            .args([
                "--no-first-run",
                "--disable-background-networking",
                "--hide-scrollbars",
            ])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg(format!("--window-size={width},{height}"))
            .arg("about:blank")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a shell");
        let (sender, messages) = channel();
        let mut output = BufReader::new(child.stdout.take().expect("a pipe"));
        std::thread::spawn(move || loop {
            let mut text = Vec::new();
            match output.read_until(0, &mut text) {
                Ok(1..) => {}
                _ => break,
            }
            text.pop();
            let message = serde_json::from_slice(&text).expect("the protocol is JSON");
            if sender.send(message).is_err() {
                break;
            }
        });
        let mut browser = Self {
            input: child.stdin.take().expect("a pipe"),
            child,
            messages,
            events: Vec::new(),
            early: VecDeque::new(),
            next_id: 0,
            page: String::new(),
            worker: None,
            _profile: profile,
        };
        let targets = browser.send("", "Target.getTargets", json!({}));
        let targets = targets["targetInfos"].as_array().expect("targets").clone();
        let page = targets.iter().find(|target| target["type"] == "page");
        let id = &page.expect("a page")["targetId"];
        let attached = browser.send(
            "",
            "Target.attachToTarget",
            json!({"targetId": id, "flatten": true}),
        );
        browser.page = attached["sessionId"]
            .as_str()
            .expect("a session")
            .to_owned();
        for domain in ["Page", "Runtime", "Network", "Log"] {
            browser.page(&format!("{domain}.enable"), json!({}));
        }
        let attach = json!({"autoAttach": true, "waitForDebuggerOnStart": false, "flatten": true});
        browser.page("Target.setAutoAttach", attach);
        browser
    }

    /// Sends a command to the page and waits for its result.
    pub fn page(&mut self, method: &str, parameters: Value) -> Value {
        let session = self.page.clone();
        self.send(&session, method, parameters)
    }

    fn send(&mut self, session: &str, method: &str, parameters: Value) -> Value {
        self.next_id += 1;
        let id = self.next_id;
        let mut message = json!({"id": id, "method": method, "params": parameters});
        if !session.is_empty() {
            message["sessionId"] = session.into();
        }
        let mut bytes = message.to_string().into_bytes();
        bytes.push(0);
        self.input.write_all(&bytes).expect("the browser listens");
        loop {
            let came = self.messages.recv_timeout(PATIENCE);
            let came = came.unwrap_or_else(|error| panic!("{method}: {error}"));
            if came["id"] == id {
                assert!(came["error"].is_null(), "{method}: {}", came["error"]);
                return came["result"].clone();
            }
            self.take(came);
        }
    }

    fn take(&mut self, event: Value) {
        if event["method"] == "Target.attachedToTarget"
            && event["params"]["targetInfo"]["type"] == "worker"
        {
            self.worker = event["params"]["sessionId"].as_str().map(str::to_owned);
        }
        self.early.push_back(event);
    }

    /// All that was told since.
    pub fn told(&mut self) -> &[Value] {
        while let Ok(event) = self.messages.try_recv() {
            self.take(event);
        }
        self.events.extend(self.early.drain(..));
        &self.events
    }

    /// Opens an address and waits until the page has answered what it opens with.
    pub fn open(&mut self, address: &str) {
        // A change of the fragment alone would not load anew.
        self.page("Page.navigate", json!({"url": "about:blank"}));
        self.until("location.href === 'about:blank'");
        self.page("Page.navigate", json!({"url": address}));
        self.until("document.querySelector('#status')?.textContent");
    }

    /// The value of an expression in the page.
    pub fn value(&mut self, expression: &str) -> Value {
        let session = self.page.clone();
        self.evaluate(&session, expression)
    }

    fn evaluate(&mut self, session: &str, expression: &str) -> Value {
        let asked = json!({"expression": expression, "returnByValue": true, "awaitPromise": true});
        let result = self.send(session, "Runtime.evaluate", asked);
        let thrown = &result["exceptionDetails"];
        assert!(thrown.is_null(), "{expression}: {thrown}");
        result["result"]["value"].clone()
    }

    /// The value of an expression in the page's worker.
    pub fn worker_value(&mut self, expression: &str) -> Value {
        self.value("0");
        let session = self.worker.clone().expect("the page has a worker");
        self.evaluate(&session, expression)
    }

    /// The text of an expression's value.
    pub fn text(&mut self, expression: &str) -> String {
        match self.value(expression) {
            Value::String(text) => text,
            other => other.to_string(),
        }
    }

    /// Waits until an expression, or the promise that it is, is true.
    pub fn until(&mut self, expression: &str) {
        let since = Instant::now();
        let wanted = format!("(async () => Boolean(await ({expression})))()");
        while self.value(&wanted) != true {
            if since.elapsed() > PATIENCE {
                let shown = self.text("document.body.innerText");
                panic!("never came true: {expression}\nthe page shows:\n{shown}");
            }
            std::thread::sleep(Duration::from_millis(30));
        }
    }

    /// Replaces what stands in a text field by typing.
    pub fn type_into(&mut self, id: &str, text: &str) {
        self.value(&format!(
            "document.getElementById('{id}').focus(); document.getElementById('{id}').select()"
        ));
        match text {
            "" => self.press("Delete"),
            _ => drop(self.page("Input.insertText", json!({"text": text}))),
        }
    }

    /// Presses a key.
    pub fn press(&mut self, key: &str) {
        let code = match key {
            "Enter" => 13,
            "Tab" => 9,
            "Delete" => 46,
            "ArrowRight" => 39,
            "ArrowLeft" => 37,
            "Home" => 36,
            other => panic!("{other} has no code here"),
        };
        for kind in ["rawKeyDown", "keyUp"] {
            let pressed =
                json!({"type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code});
            self.page("Input.dispatchKeyEvent", pressed);
        }
    }

    /// Writes a picture of the page to the folder that `HOLDFAST_SCREENSHOTS` names, if it does.
    pub fn picture(&mut self, name: &str) {
        use base64::{engine::general_purpose::STANDARD, Engine};
        let Ok(folder) = std::env::var("HOLDFAST_SCREENSHOTS") else {
            return;
        };
        // Drawings are decoded beside the page's own work.
        std::thread::sleep(Duration::from_millis(400));
        let taken = self.page("Page.captureScreenshot", json!({"format": "png"}));
        let data = taken["data"].as_str().expect("a picture");
        let bytes = STANDARD.decode(data).expect("base64");
        let path = std::path::Path::new(&folder).join(format!("{name}.png"));
        std::fs::write(&path, bytes).expect("the folder for pictures exists");
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Only the process that was started here.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
