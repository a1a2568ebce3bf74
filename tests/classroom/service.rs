//! The real binary as a child process, with its log.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::PATIENCE;

/// A running service; killed on drop.
pub struct Service {
    child: Mutex<Child>,
    pid: Pid,
    log: Arc<Log>,
    began: Instant,
    /// Where it listens, and how long it took until it did.
    listens: OnceLock<(SocketAddr, Duration)>,
}

/// A service that has ended by itself.
#[derive(Debug)]
pub struct Ended {
    /// Its exit code; `None` if a signal ended it.
    pub code: Option<i32>,
    /// What it printed.
    pub stdout: String,
    /// What it complained or logged.
    pub stderr: String,
}

#[derive(Default)]
struct Log {
    text: Mutex<String>,
    grown: Condvar,
    ended: AtomicBool,
}

impl Log {
    fn follow(self: &Arc<Self>, source: impl Read + Send + 'static) {
        let log = Arc::clone(self);
        std::thread::spawn(move || {
            let mut lines = BufReader::new(source);
            let mut line = String::new();
            while lines.read_line(&mut line).is_ok_and(|length| length > 0) {
                log.text
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push_str(&line);
                log.grown.notify_all();
                line.clear();
            }
            let _text = log.text.lock();
            log.ended.store(true, Ordering::SeqCst);
            log.grown.notify_all();
        });
    }

    /// Waits until `pick` finds something in the log. `None` if that does not happen in time, or if
    /// the log ends before.
    fn wait_for<T>(&self, limit: Duration, pick: impl Fn(&str) -> Option<T>) -> Option<T> {
        let deadline = Instant::now() + limit;
        let mut text = self.text.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(found) = pick(&text) {
                return Some(found);
            }
            if self.ended.load(Ordering::SeqCst) {
                return None;
            }
            let left = deadline.checked_duration_since(Instant::now())?;
            text = self
                .grown
                .wait_timeout(text, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }
}

fn command(binary: &Path, settings: &BTreeMap<String, String>) -> Command {
    let mut command = Command::new(binary);
    command.env_clear().envs(settings).stdin(Stdio::null());
    command
}

impl Service {
    /// Starts the service and waits for its banner.
    pub fn start(binary: &Path, settings: &BTreeMap<String, String>) -> Self {
        let service = Self::spawn(binary, settings);
        if service.listens(PATIENCE).is_none() {
            service.kill();
            panic!("the service did not start:\n{}", service.log());
        }
        service
    }

    /// Starts the service and waits for nothing.
    pub fn spawn(binary: &Path, settings: &BTreeMap<String, String>) -> Self {
        let began = Instant::now();
        let mut child = command(binary, settings)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the service can be started");
        let log = Arc::new(Log::default());
        log.follow(child.stderr.take().expect("a piped log"));
        Self {
            pid: Pid::from_child(&child),
            child: Mutex::new(child),
            log,
            began,
            listens: OnceLock::new(),
        }
    }

    /// Where it listens, once it does. `None` if it ends before, or takes longer than that.
    pub fn listens(&self, limit: Duration) -> Option<SocketAddr> {
        if let Some((address, _)) = self.listens.get() {
            return Some(*address);
        }
        let address = self.log.wait_for(limit, |text| {
            let (_, rest) = text.split_once(" listens on ")?;
            rest.split(' ').next()?.parse().ok()
        })?;
        let _ = self.listens.set((address, self.began.elapsed()));
        Some(address)
    }

    /// Runs the binary until it ends by itself.
    pub fn run(binary: &Path, arguments: &[&str], settings: &BTreeMap<String, String>) -> Ended {
        let output = command(binary, settings)
            .args(arguments)
            .output()
            .expect("the binary runs");
        Ended {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.listens(PATIENCE).expect("the service listens")
    }

    /// Its process.
    pub fn pid(&self) -> Pid {
        self.pid
    }

    /// From spawning it to its banner.
    pub fn start_time(&self) -> Duration {
        self.listens.get().expect("it was waited for").1
    }

    /// What it has logged so far.
    pub fn log(&self) -> String {
        self.log
            .text
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Waits until it has logged `words`.
    pub fn logs(&self, words: &str) -> bool {
        self.log
            .wait_for(PATIENCE, |text| text.contains(words).then_some(()))
            .is_some()
    }

    /// Kills it with SIGKILL, as a power cut would, and waits until it is dead.
    pub fn kill(&self) {
        let mut child = self.child.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = child.kill();
        let _ = child.wait();
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        kill_process(self.pid, signal).expect("a signal to our own child");
    }

    /// Waits for its end. `None` if it has not ended by then.
    pub fn wait(&self, limit: Duration) -> Option<ExitStatus> {
        let deadline = Instant::now() + limit;
        loop {
            let ended = self
                .child
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .try_wait()
                .ok()?;
            if ended.is_some() || Instant::now() >= deadline {
                return ended;
            }
            std::thread::park_timeout(Duration::from_millis(2));
        }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.kill();
    }
}
