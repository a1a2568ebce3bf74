//! Real browsers, driven as the WebDriver standard says, by a few lines over the service's own HTTP client.
//!
//! [`Browser`] runs a driver and one browser, [`Window`] is one of its windows. A private window (Chromium only)
//! shares no cookie with any other, so one browser is as many people as there are private windows. No browser asks
//! another machine for anything: every host name leads to this one.

mod devtools;
pub mod hosts;
mod window;

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::{Value, json};
use ureq::http::Method;

use coder_sms_register::http::Http;

use crate::classroom::folder::Folder;
use crate::classroom::{PATIENCE, within};
use devtools::DevTools;
pub use window::Window;

/// Which engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// Chromium, as in Chrome and Edge.
    Chromium,
    /// The same without a user interface, and with little to draw: what is measured is what pages need.
    Shell,
    /// Gecko, as in Firefox.
    Firefox,
    /// WebKit, as in Safari.
    WebKit,
}

impl Engine {
    /// The program that drives it.
    pub fn driver(self) -> &'static str {
        match self {
            Self::Chromium | Self::Shell => "chromedriver",
            Self::Firefox => "geckodriver",
            Self::WebKit => "WebKitWebDriver",
        }
    }

    /// Whether driver and browser are installed.
    pub fn is_installed(self) -> bool {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let has = |name: &str| std::env::split_paths(&path).any(|dir| dir.join(name).is_file());
        has(self.driver())
            && match self {
                Self::Chromium => has("chromium"),
                Self::Shell => Path::new(SHELL).is_file(),
                Self::Firefox => has("firefox-esr") || has("firefox"),
                Self::WebKit => mini_browser().is_some() && has("xvfb-run"),
            }
    }

    fn command(self, port: u16, folder: &Path) -> Command {
        let mut command = match self {
            Self::Chromium | Self::Shell | Self::Firefox => Command::new(self.driver()),
            Self::WebKit => {
                let mut command = Command::new("xvfb-run");
                command.args(["--auto-servernum", self.driver()]);
                command.env("LD_PRELOAD", hosts::library());
                command.env("WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS", "1");
                command
            }
        };
        command.arg(format!("--port={port}"));
        // What a browser leaves behind goes with the folder.
        command.env("TMPDIR", folder).env("HOME", folder);
        command
    }

    fn wishes(self) -> Value {
        match self {
            Self::Chromium => json!({ "goog:chromeOptions": { "args": CHROMIUM }}),
            Self::Shell => {
                let small = ["--window-size=500,400", "--in-process-gpu"];
                let args = [CHROMIUM.as_slice(), &small].concat();
                json!({ "goog:chromeOptions": { "args": args, "binary": SHELL } })
            }
            Self::Firefox => json!({ "moz:firefoxOptions": { "args": ["-headless"], "prefs": {
                "network.dns.localDomains": hosts::NAMES.join(","), "network.proxy.type": 0,
                "app.update.enabled": false, "datareporting.policy.dataSubmissionEnabled": false
            }}}),
            Self::WebKit => json!({ "webkitgtk:browserOptions": {
                "binary": mini_browser().unwrap_or_default(), "args": ["--automation"]
            }}),
        }
    }
}

/// Chromium without a user interface, where Debian's package has it.
const SHELL: &str = "/usr/bin/chromium-headless-shell";

/// How Chromium is started.
const CHROMIUM: [&str; 12] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--mute-audio",
    "--window-size=1366,768",
    "--host-resolver-rules=MAP * 127.0.0.1",
];

/// The small browser that comes with WebKit for GTK, which lies outside the `PATH`.
fn mini_browser() -> Option<String> {
    let libraries = std::fs::read_dir("/usr/lib").ok()?;
    let folders = libraries.flatten().flat_map(|entry| {
        let api = ["webkit2gtk-4.1", "webkit2gtk-4.0", "webkitgtk-6.0"];
        api.map(|api| entry.path().join(api).join("MiniBrowser"))
    });
    let mut found = folders.filter(|path| path.is_file());
    Some(found.next()?.display().to_string())
}

/// A running browser with its driver; both end on drop.
pub struct Browser {
    http: Http,
    /// The session's address.
    session: String,
    devtools: Option<DevTools>,
    /// The window that commands go to.
    current: Mutex<String>,
    driver: Driver,
}

/// The driver's process, in a process group of its own with all that it starts.
struct Driver {
    child: Child,
    _folder: Folder,
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = kill_process_group(Pid::from_child(&self.child), Signal::KILL);
        let _ = self.child.wait();
    }
}

impl Browser {
    /// Starts a browser.
    pub fn start(engine: Engine) -> Self {
        let folder = Folder::new();
        let port = hosts::free_port();
        let child = engine
            .command(port, folder.path())
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("{} cannot be started: {error}", engine.driver()));
        let driver = Driver {
            child,
            _folder: folder,
        };
        let http = Http::new(PATIENCE);
        let url = format!("http://127.0.0.1:{port}");
        let is_up = || {
            let answer = http.call(Method::GET, &format!("{url}/status"), &[], Vec::new());
            answer.is_ok_and(|answer| answer.status == 200)
        };
        assert!(
            within(PATIENCE, is_up),
            "{} does not answer",
            engine.driver()
        );
        let wishes = json!({ "capabilities": { "alwaysMatch": engine.wishes() } });
        let made = call(&http, Method::POST, &format!("{url}/session"), &wishes)
            .unwrap_or_else(|error| panic!("{engine:?} does not start: {error}"));
        let id = made["sessionId"].as_str().expect("a session's name");
        let debugger = made["capabilities"]["goog:chromeOptions"]["debuggerAddress"].as_str();
        let browser = Self {
            session: format!("{url}/session/{id}"),
            devtools: debugger.map(|address| DevTools::at(&http, address)),
            http,
            current: Mutex::default(),
            driver,
        };
        let handle = browser.command(Method::GET, "/window", &Value::Null);
        let handle = handle.expect("a first window");
        *browser.current() = handle.as_str().unwrap_or_default().to_owned();
        browser
    }

    /// The driver's process, which has started the browser.
    pub fn driver_id(&self) -> u32 {
        self.driver.child.id()
    }

    /// The window that came with the browser.
    pub fn window(&self) -> Window<'_> {
        let handle = self.current().clone();
        Window::new(self, handle)
    }

    /// A window of somebody else: it shares no cookie with any other.
    pub fn private_window(&self) -> Window<'_> {
        let devtools = self.devtools.as_ref().expect("Chromium's own protocol");
        Window::new(self, devtools.private_window())
    }

    /// The handles of all windows and tabs.
    fn handles(&self) -> Vec<String> {
        let handles = self.command(Method::GET, "/window/handles", &Value::Null);
        let handles = handles.unwrap_or_default();
        let texts = handles.as_array().into_iter().flatten();
        texts
            .filter_map(|handle| handle.as_str().map(str::to_owned))
            .collect()
    }

    fn current(&self) -> MutexGuard<'_, String> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A command to one window. Nobody else's comes between.
    fn command_to(
        &self,
        handle: &str,
        method: Method,
        path: &str,
        body: &Value,
    ) -> Result<Value, String> {
        let mut current = self.current();
        if *current != handle {
            self.command(Method::POST, "/window", &json!({ "handle": handle }))?;
            handle.clone_into(&mut current);
        }
        self.command(method, path, body)
    }

    fn command(&self, method: Method, path: &str, body: &Value) -> Result<Value, String> {
        call(&self.http, method, &format!("{}{path}", self.session), body)
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let http = Http::new(Duration::from_secs(5));
        let _ = call(&http, Method::DELETE, &self.session, &Value::Null);
        let _ = &self.driver;
    }
}

/// One call of a driver. The error is what it says, or that nothing came.
fn call(http: &Http, method: Method, url: &str, body: &Value) -> Result<Value, String> {
    let bytes = match (&method, body) {
        (&Method::POST, Value::Null) => b"{}".to_vec(),
        (&Method::POST, body) => body.to_string().into_bytes(),
        _ => Vec::new(),
    };
    let headers = [("Content-Type", "application/json")];
    let answer = http
        .call(method, url, &headers, bytes)
        .map_err(|error| error.to_string())?;
    let mut body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let value = body["value"].take();
    match answer.status {
        200 => Ok(value),
        status => {
            let said = value["message"].as_str().unwrap_or_default();
            Err(format!(
                "{status} {}",
                said.lines().next().unwrap_or_default()
            ))
        }
    }
}
