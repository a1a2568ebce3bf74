//! Named threads whose end is noticed, and the signals that end the process.

use std::io;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use signal_hook::iterator::{Handle, Signals as Incoming};

use super::{RunError, system};

/// What a shell shows for a process ended by SIGTERM.
const TERMINATED: i32 = 128 + SIGTERM;

/// SIGTERM and SIGINT, caught.
pub(super) struct Signals {
    incoming: Incoming,
}

impl Signals {
    /// Catches both signals from now on. The first ends [`Signals::wait`], a second one the process.
    pub(super) fn catch() -> io::Result<Self> {
        let asked = Arc::new(AtomicBool::new(false));
        for signal in [SIGTERM, SIGINT] {
            // Before the flag is set, so that only a second signal finds it set.
            flag::register_conditional_shutdown(signal, TERMINATED, Arc::clone(&asked))?;
            flag::register(signal, Arc::clone(&asked))?;
        }
        Ok(Self {
            incoming: Incoming::new([SIGTERM, SIGINT])?,
        })
    }

    /// What ends the wait without a signal.
    pub(super) fn waker(&self) -> Handle {
        self.incoming.handle()
    }

    /// Waits for a signal, or for the waker.
    pub(super) fn wait(mut self) {
        self.incoming.forever().next();
    }
}

/// The threads of the service.
pub(super) struct Threads {
    waker: Handle,
    running: Vec<(&'static str, JoinHandle<()>)>,
    ended: Arc<Mutex<Vec<&'static str>>>,
}

impl Threads {
    pub(super) fn new(waker: Handle) -> Self {
        Self {
            waker,
            running: Vec::new(),
            ended: Arc::default(),
        }
    }

    /// Starts a thread. When it ends, by a panic too, the waker is called.
    pub(super) fn start(
        &mut self,
        name: &'static str,
        work: impl FnOnce() -> bool + Send + 'static,
    ) -> Result<(), RunError> {
        let on_end = OnEnd {
            name,
            waker: self.waker.clone(),
            ended: Arc::clone(&self.ended),
        };
        let handle = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || {
                let _on_end = on_end;
                if !work() {
                    log::error!("{name} ended by itself");
                }
            })
            .map_err(system(format!("start the thread {name}")))?;
        self.running.push((name, handle));
        Ok(())
    }

    /// The thread that ended first, if one did.
    pub(super) fn first_ended(&self) -> Option<&'static str> {
        self.ended
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .first()
            .copied()
    }

    /// Waits until the threads of those names have ended. Returns whether they had by `deadline`.
    pub(super) fn wait_for(&self, names: &[&str], deadline: Instant) -> bool {
        let ended = || {
            let mut wanted = self.running.iter().filter(|(name, _)| names.contains(name));
            wanted.all(|(_, handle)| handle.is_finished())
        };
        // A join has no time limit; a stop lasts seconds at most, so this polls.
        while !ended() {
            if Instant::now() >= deadline {
                return false;
            }
            std::thread::park_timeout(Duration::from_millis(2));
        }
        true
    }
}

struct OnEnd {
    name: &'static str,
    waker: Handle,
    ended: Arc<Mutex<Vec<&'static str>>>,
}

impl Drop for OnEnd {
    fn drop(&mut self) {
        self.ended
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(self.name);
        self.waker.close();
    }
}
