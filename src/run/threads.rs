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
use crate::stop::Stop;

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

/// What a role does until it is told to stop; returns whether it was.
type Work = Box<dyn FnOnce(&Stop) -> bool + Send>;

/// What runs on a thread of its own.
pub(super) struct Role {
    name: &'static str,
    awaited: bool,
    work: Work,
}

impl Role {
    /// One whose work in hand a stop waits for.
    pub(super) fn awaited(
        name: &'static str,
        work: impl FnOnce(&Stop) -> bool + Send + 'static,
    ) -> Self {
        Self {
            name,
            awaited: true,
            work: Box::new(work),
        }
    }

    /// One that a stop leaves behind, or waits for by its name.
    pub(super) fn left(
        name: &'static str,
        work: impl FnOnce(&Stop) -> bool + Send + 'static,
    ) -> Self {
        Self {
            awaited: false,
            ..Self::awaited(name, work)
        }
    }
}

/// A thread that was started.
struct Running {
    name: &'static str,
    awaited: bool,
    handle: JoinHandle<()>,
}

/// The threads of the service.
pub(super) struct Threads {
    waker: Handle,
    running: Vec<Running>,
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
    pub(super) fn start(&mut self, role: Role, stop: &Stop) -> Result<(), RunError> {
        let Role {
            name,
            awaited,
            work,
        } = role;
        let stop = stop.clone();
        let on_end = OnEnd {
            name,
            waker: self.waker.clone(),
            ended: Arc::clone(&self.ended),
        };
        let handle = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || {
                let _on_end = on_end;
                if !work(&stop) {
                    log::error!("{name} ended by itself");
                }
            })
            .map_err(system(format!("start the thread {name}")))?;
        self.running.push(Running {
            name,
            awaited,
            handle,
        });
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

    /// Waits until the thread of that name has ended. Returns whether it had by `deadline`.
    pub(super) fn wait_for(&self, name: &str, deadline: Instant) -> bool {
        self.wait(|running| running.name == name, deadline)
    }

    /// Waits until all threads have ended whose work a stop waits for. Returns whether they had by `deadline`.
    pub(super) fn wait_for_awaited(&self, deadline: Instant) -> bool {
        self.wait(|running| running.awaited, deadline)
    }

    fn wait(&self, wanted: impl Fn(&Running) -> bool, deadline: Instant) -> bool {
        let ended = || {
            let mut wanted = self.running.iter().filter(|running| wanted(running));
            wanted.all(|running| running.handle.is_finished())
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
