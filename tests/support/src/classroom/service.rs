//! The real binary as a child process, with its log.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::{ioctl_fionread, read};
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
    /// The other end of the service's standard error.
    pipe: OnceLock<OwnedFd>,
}

impl Log {
    fn follow(self: &Arc<Self>, source: ChildStderr) {
        let pipe = OwnedFd::from(source);
        let _ = self.pipe.set(pipe.try_clone().expect("a file more"));
        let log = Arc::clone(self);
        std::thread::spawn(move || {
            let mut line = Vec::new();
            while log.reads(&pipe, &mut line) {}
            let mut text = log.locked();
            text.push_str(&String::from_utf8_lossy(&line));
            log.ended.store(true, Ordering::SeqCst);
            log.grown.notify_all();
        });
    }

    /// Waits for more and keeps whole lines of it; what is left of one stays in `line`. `false` = it ended.
    fn reads(&self, pipe: &OwnedFd, line: &mut Vec<u8>) -> bool {
        let _ = poll(&mut [PollFd::new(pipe, PollFlags::IN)], None);
        let mut chunk = [0; 16 * 1024];
        // Under the lock: who holds it and finds the pipe empty has seen all that was written.
        let mut text = self.locked();
        let Some(length @ 1..) = read(pipe, &mut chunk).ok() else {
            return false;
        };
        line.extend_from_slice(&chunk[..length]);
        if let Some(end) = line.iter().rposition(|byte| *byte == b'\n') {
            let whole: Vec<u8> = line.drain(..=end).collect();
            text.push_str(&String::from_utf8_lossy(&whole));
            self.grown.notify_all();
        }
        true
    }

    /// All that was written up to now, however late the machine hands it on.
    fn caught_up(&self) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let text = self.locked();
            let unread = self
                .pipe
                .get()
                .map_or(0, |pipe| ioctl_fionread(pipe).unwrap_or(0));
            let ended = self.ended.load(Ordering::SeqCst);
            if ended || unread == 0 || Instant::now() >= deadline {
                return text.clone();
            }
            drop(text);
            std::thread::park_timeout(Duration::from_millis(1));
        }
    }

    fn locked(&self) -> MutexGuard<'_, String> {
        self.text.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until `pick` finds something in the log. `None` if that does not happen in time, or if
    /// the log ends before.
    fn wait_for<T>(&self, limit: Duration, pick: impl Fn(&str) -> Option<T>) -> Option<T> {
        let deadline = Instant::now() + limit;
        let mut text = self.locked();
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
    prepared(Command::new(binary), settings)
}

/// What a service may take of its machine at most.
#[derive(Clone, Copy, Debug, Default)]
pub struct Limits {
    /// Files and sockets that it may have open.
    pub open_files: Option<u32>,
    /// Memory that it may write, used or not, in KiB (RLIMIT_DATA): heap, stacks and private pages.
    pub memory: Option<u32>,
}

/// With these limits. The shell gives way to the binary and leaves its process id to it.
fn confined(binary: &Path, settings: &BTreeMap<String, String>, limits: Limits) -> Command {
    let mut line = String::new();
    if let Some(files) = limits.open_files {
        line += &format!("ulimit -n {files} && ");
    }
    if let Some(memory) = limits.memory {
        line += &format!("ulimit -d {memory} && ");
    }
    let mut shell = Command::new("/bin/sh");
    shell
        .args(["-c", &format!("{line}exec \"$0\"")])
        .arg(binary);
    prepared(shell, settings)
}

fn prepared(mut command: Command, settings: &BTreeMap<String, String>) -> Command {
    command.env_clear().envs(settings).stdin(Stdio::null());
    command
}

/// What a process takes of its machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct Footprint {
    /// Memory that it holds, in KiB.
    pub memory: usize,
    /// Files and sockets that it has open.
    pub descriptors: usize,
    /// Its threads.
    pub threads: usize,
}

impl Footprint {
    /// That memory in MiB.
    pub fn megabytes(&self) -> f64 {
        self.memory as f64 / 1024.0
    }
}

impl Service {
    /// Starts the service and waits for its banner.
    pub fn start(binary: &Path, settings: &BTreeMap<String, String>, limits: Limits) -> Self {
        let service = Self::spawn(binary, settings, limits);
        if service.listens(PATIENCE).is_none() {
            service.kill();
            panic!(
                "the service did not start:
{}",
                service.log()
            );
        }
        service
    }

    /// Starts the service and waits for nothing.
    pub fn spawn(binary: &Path, settings: &BTreeMap<String, String>, limits: Limits) -> Self {
        Self::follow(confined(binary, settings, limits))
    }

    /// Starts a command of the binary and waits for nothing.
    pub fn spawn_command(
        binary: &Path,
        arguments: &[&str],
        settings: &BTreeMap<String, String>,
    ) -> Self {
        let mut command = command(binary, settings);
        command.args(arguments);
        Self::follow(command)
    }

    /// Starts this, and takes note of what it logs.
    fn follow(mut command: Command) -> Self {
        let began = Instant::now();
        let mut child = command
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

    /// What it takes of the machine at present.
    pub fn footprint(&self) -> Footprint {
        let folder = format!("/proc/{}", self.pid.as_raw_nonzero());
        let status = std::fs::read_to_string(format!("{folder}/status")).expect("it runs");
        let figure = |label: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(label));
            let word = line.and_then(|rest| rest.split_whitespace().next());
            word.and_then(|word| word.parse().ok()).expect("a figure")
        };
        Footprint {
            memory: figure("VmRSS:"),
            descriptors: std::fs::read_dir(format!("{folder}/fd"))
                .expect("it runs")
                .count(),
            threads: figure("Threads:"),
        }
    }

    /// What it has logged so far.
    pub fn log(&self) -> String {
        self.log.caught_up()
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
