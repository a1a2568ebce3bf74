//! The gate: a small reverse proxy that owns the public socket. It forwards only complete, bounded,
//! timely and strictly framed requests to the HTTP server of this process.
//!
//! That server, tiny_http 0.12, is not safe on the open internet: it allocates the body size that a
//! request announces, a few idle connections starve it, and one full descriptor table ends it. So
//! it listens on a private Unix socket, behind the gate. One thread watches all connections with
//! `mio`. Every connection has an absolute deadline, a bounded buffer and at most one request in
//! flight. A valid request is rewritten, never copied raw, to one connection to the upstream
//! server. The answers come back in the same order.
//!
//! - `head`, `chunks` and `answer` are pure parsers. `intake` joins the first two to whole
//!   requests.
//! - `client` finds the address of a client that connects through a proxy.
//! - `conn` is one client connection: its buffers, its state and its deadline.
//! - `upstream` is the one connection to the HTTP server, with the queue of pending requests.
//! - `event_loop` joins them. `admission` accepts clients and decides which ones to evict.
//! - `limits` holds all bounds. `tally` counts, and writes the warnings.

mod admission;
mod answer;
mod chunks;
mod client;
mod conn;
mod event_loop;
mod head;
mod intake;
mod limits;
mod proxies;
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

// Exported for tests/fuzz only, the one user of the feature `fuzzing`.
#[cfg(feature = "fuzzing")]
pub use {
    answer::{GateRefusal, Persistence},
    head::{Head, HeadResult, Scan},
    intake::Intake,
};

pub use client::{CLIENT_HEADER, Caller};
pub use limits::Limits;
pub use proxies::Proxies;
pub use tally::GateCounters;

/// A gate with its public socket bound, ready to run.
///
/// ```no_run
/// # use coder_sms_register::gate::{Gate, Limits};
/// # fn main() -> std::io::Result<()> {
/// let gate = Gate::bind("0.0.0.0:8000".parse().unwrap(), "/run/us/http".into(), Limits::for_this_process())?;
/// let handle = gate.handle();
/// let thread = std::thread::spawn(move || gate.run());
/// handle.stop();
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
    /// `Some` = the upstream is told who each client is, and these may say it.
    proxies: Option<Proxies>,
    handle: GateHandle,
    counts: Arc<GateCounters>,
}

impl Gate {
    /// Opens the public socket at `listen` (port 0 picks a free one). Clients can connect from now
    /// on; they are served once [`Gate::run`] is called. `upstream` is the path of the Unix socket
    /// that the HTTP server listens on.
    ///
    /// # Errors
    /// The address cannot be bound, or the process has no file descriptor left.
    pub fn bind(listen: SocketAddr, upstream: PathBuf, limits: Limits) -> io::Result<Self> {
        let poll = Poll::new()?;
        let mut listener = public_listener(listen)?;
        let local_addr = listener.local_addr()?;
        poll.registry()
            .register(&mut listener, event_loop::LISTENER, Interest::READABLE)?;
        let waker = Arc::new(Waker::new(poll.registry(), event_loop::WAKER)?);
        let handle = GateHandle {
            stopping: Arc::default(),
            waker,
        };
        Ok(Self {
            poll,
            listener,
            local_addr,
            upstream,
            limits,
            proxies: None,
            handle,
            counts: Arc::default(),
        })
    }

    /// The same gate, which adds [`CLIENT_HEADER`] with the client's address to each request. Only `proxies` are
    /// believed when they say who asks.
    #[must_use]
    pub fn naming_clients(mut self, proxies: Proxies) -> Self {
        self.proxies = Some(proxies);
        self
    }

    /// The public address, with the port that the system assigned.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// A handle that stops this gate from another thread.
    #[must_use]
    pub fn handle(&self) -> GateHandle {
        self.handle.clone()
    }

    /// The counters of this gate.
    #[must_use]
    pub fn counts(&self) -> Arc<GateCounters> {
        Arc::clone(&self.counts)
    }

    /// Serves until [`GateHandle::stop`] is called and the requests in flight are answered. Blocks.
    ///
    /// # Errors
    /// The upstream cannot be reached at the start, or the system's poll fails. Nothing that a
    /// client does can end the gate, nor anything that the upstream does later.
    pub fn run(self) -> io::Result<()> {
        event_loop::EventLoop::start(self)?.run()
    }
}

/// Stops a [`Gate`] from another thread.
#[derive(Clone)]
pub struct GateHandle {
    stopping: Arc<AtomicBool>,
    waker: Arc<Waker>,
}

impl GateHandle {
    /// Asks the gate to accept no more clients, to finish the requests in flight within
    /// [`Limits::drain`], and to return. May be called at any time, also before [`Gate::run`], and
    /// more than once.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
        if let Err(error) = self.waker.wake() {
            log::error!("gate: cannot be woken to stop: {error}");
        }
    }
}

/// Connections that the kernel queues until they are accepted. The standard library's 128 are too
/// few when a whole class texts at once through a proxy that opens one connection for each text: a
/// connection that is dropped then is retried a second later.
const BACKLOG: i32 = 1024;

fn public_listener(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    // As the standard library does: a restart must not wait for connections of the previous run.
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(TcpListener::from_std(socket.into()))
}
