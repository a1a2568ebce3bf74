//! Named threads whose end is detected, and the signals that stop the process.

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

/// The exit code that a shell reports for a process ended by SIGTERM.
const TERMINATED: i32 = 128 + SIGTERM;

/// Catches SIGTERM and SIGINT.
pub(super) struct Signals {
    incoming: Incoming,
}

impl Signals {
    /// Catches both signals from now on. The first one ends [`Signals::wait`], a second one ends the process.
    pub(super) fn catch() -> io::Result<Self> {
        let asked = Arc::new(AtomicBool::new(false));
        for signal in [SIGTERM, SIGINT] {
            // Registered before the action that sets the flag, so only a second signal finds it set.
            flag::register_conditional_shutdown(signal, TERMINATED, Arc::clone(&asked))?;
            flag::register(signal, Arc::clone(&asked))?;
        }
        Ok(Self {
            incoming: Incoming::new([SIGTERM, SIGINT])?,
        })
    }

    /// The handle that ends [`Signals::wait`] without a signal.
    pub(super) fn waker(&self) -> Handle {
        self.incoming.handle()
    }

    /// Waits until a signal arrives or the waker is closed.
    pub(super) fn wait(mut self) {
        self.incoming.forever().next();
    }
}

/// The loop of a role. It returns whether it ended because the service stops.
type Work = Box<dyn FnOnce(&Stop) -> bool + Send>;

/// What a stop of the service does about a thread.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum AtStop {
    /// It waits until the thread has finished its present work.
    Wait,
    /// It leaves the thread behind, or waits for it by its name.
    Leave,
}

/// A job with its own thread.
pub(super) struct Role {
    name: &'static str,
    at_stop: AtStop,
    work: Work,
}

impl Role {
    /// A role whose thread is called `name`.
    pub(super) fn new(
        name: &'static str,
        at_stop: AtStop,
        work: impl FnOnce(&Stop) -> bool + Send + 'static,
    ) -> Self {
        Self {
            name,
            at_stop,
            work: Box::new(work),
        }
    }
}

/// A thread that was started.
struct RoleThread {
    name: &'static str,
    at_stop: AtStop,
    handle: JoinHandle<()>,
}

/// The threads of the service.
pub(super) struct Threads {
    waker: Handle,
    started: Vec<RoleThread>,
    ended: Arc<Mutex<Vec<&'static str>>>,
}

impl Threads {
    pub(super) fn new(waker: Handle) -> Self {
        Self {
            waker,
            started: Vec::new(),
            ended: Arc::default(),
        }
    }

    /// Starts a thread. When it ends, also by a panic, the waker is closed.
    pub(super) fn start(&mut self, role: Role, stop: &Stop) -> Result<(), RunError> {
        let Role {
            name,
            at_stop,
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
                    log::error!("the thread {name} ended unexpectedly");
                }
            })
            .map_err(system(format!("start the thread {name}")))?;
        self.started.push(RoleThread {
            name,
            at_stop,
            handle,
        });
        Ok(())
    }

    /// The name of the thread that ended first, if any has ended.
    pub(super) fn first_ended(&self) -> Option<&'static str> {
        self.ended
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .first()
            .copied()
    }

    /// Waits until the thread of that name has ended. Returns whether it ended before `deadline`.
    pub(super) fn wait_for(&self, name: &str, deadline: Instant) -> bool {
        self.wait(|thread| thread.name == name, deadline)
    }

    /// Waits until all threads with [`AtStop::Wait`] have ended. Returns whether they ended before `deadline`.
    pub(super) fn wait_for_all(&self, deadline: Instant) -> bool {
        self.wait(|thread| thread.at_stop == AtStop::Wait, deadline)
    }

    fn wait(&self, is_wanted: impl Fn(&RoleThread) -> bool, deadline: Instant) -> bool {
        let ended = || {
            let mut wanted = self.started.iter().filter(|thread| is_wanted(thread));
            wanted.all(|thread| thread.handle.is_finished())
        };
        // A join has no time limit. A stop takes seconds at most, so polling is cheap.
        while !ended() {
            if Instant::now() >= deadline {
                return false;
            }
            std::thread::park_timeout(Duration::from_millis(2));
        }
        true
    }
}

/// Reports the end of a thread, also after a panic.
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
