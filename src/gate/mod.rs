//! The gate owns the public socket and hands on only complete, bounded, timely, strictly framed requests.
//!
//! Hidden here: that the HTTP server behind it, tiny_http 0.12, could not stand the open internet (it allocates what a
//! request announces, a few idle connections starve it, one full descriptor table ends it), and how it is spared. One thread watches all connections
//! with `mio`; every connection has an absolute deadline, a bounded buffer and at most one request in flight. What has
//! passed is written anew, never copied raw, down one private unix connection; answers come back in the same order.
//!
//! - `head`, `chunks` and `answer` are pure: bytes in, a verdict out; `intake` joins the first two to whole requests.
//! - `conn` is one client: what it has sent, what it is owed, until when.
//! - `upstream` is the one connection to the server behind, with the queue of those who wait for it.
//! - `watch` is the loop that joins them; `crowd` lets clients in and decides who has to leave.

mod admission;
mod answer;
mod chunks;
mod conn;
mod event_loop;
mod head;
mod intake;
mod limits;
mod tally;
#[cfg(test)]
mod tests;
mod upstream;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use mio::net::TcpListener;
use mio::{Interest, Poll, Waker};
use socket2::{Domain, Socket, Type};

// Doors for tests/fuzz; it alone asks for the feature `fuzzing`.
#[cfg(feature = "fuzzing")]
pub use {
    answer::{GateRefusal, Persistence},
    head::{Head, HeadResult, Scan},
    intake::Intake,
};

pub use limits::Limits;
pub use tally::GateCounters;

/// A bound public socket, ready to serve.
///
/// ```no_run
/// # use coder_sms_register::gate::{Gate, Limits};
/// # fn main() -> std::io::Result<()> {
/// let gate = Gate::bind("0.0.0.0:8000".parse().unwrap(), "/run/us/http".into(), Limits::for_this_process())?;
/// let remote = gate.remote();
/// let thread = std::thread::spawn(move || gate.run());
/// remote.stop();
/// # drop(thread);
/// # Ok(())
/// # }
/// ```
pub struct Gate {
    poll: Poll,
    listener: TcpListener,
    local_addr: SocketAddr,
    upstream: PathBuf,
    limits: Limits,
    remote: Remote,
    counts: Arc<GateCounters>,
}

impl Gate {
    /// Opens the public socket at `listen` (port 0 picks a free one). Clients may connect from now on, and are served
    /// once [`Gate::run`] is called. `upstream` is the path of the unix socket that the HTTP server listens on.
    ///
    /// # Errors
    /// When the address cannot be had, or the system has no descriptor left for us.
    pub fn bind(listen: SocketAddr, upstream: PathBuf, limits: Limits) -> io::Result<Self> {
        let poll = Poll::new()?;
        let mut listener = public_listener(listen)?;
        let local_addr = listener.local_addr()?;
        poll.registry()
            .register(&mut listener, event_loop::LISTENER, Interest::READABLE)?;
        let waker = Arc::new(Waker::new(poll.registry(), event_loop::WAKER)?);
        let remote = Remote {
            stopping: Arc::default(),
            waker,
        };
        Ok(Self {
            poll,
            listener,
            local_addr,
            upstream,
            limits,
            remote,
            counts: Arc::default(),
        })
    }

    /// The public address, with the port that was really given.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// A handle that stops this gate from another thread.
    #[must_use]
    pub fn remote(&self) -> Remote {
        self.remote.clone()
    }

    /// What happens to it, counted.
    #[must_use]
    pub fn counts(&self) -> Arc<GateCounters> {
        Arc::clone(&self.counts)
    }

    /// Serves until [`Remote::stop`] is called and the requests in flight are answered. Blocks.
    ///
    /// # Errors
    /// When the upstream cannot be reached at the start, or the system's poll itself is broken. Nothing that a client
    /// or, later, the upstream does can end it.
    pub fn run(self) -> io::Result<()> {
        event_loop::EventLoop::start(self)?.run()
    }
}

/// Stops a [`Gate`] from another thread.
#[derive(Clone)]
pub struct Remote {
    stopping: Arc<AtomicBool>,
    waker: Arc<Waker>,
}

impl Remote {
    /// Asks the gate to let nobody in any more, to finish the requests in flight within [`Limits::drain`] and to
    /// return. It may be called at any time, also before [`Gate::run`], and more than once.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
        if let Err(error) = self.waker.wake() {
            log::error!("gate: could not be woken to stop: {error}");
        }
    }
}

/// Connections that the kernel keeps until we accept them. The standard library's 128 overflow when a
/// class texts at once behind a proxy that opens a connection each, and whoever is dropped then waits
/// a second.
const BACKLOG: i32 = 1024;

fn public_listener(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    // As the standard library does: a restart must not wait for connections of the run before.
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(TcpListener::from_std(socket.into()))
}
