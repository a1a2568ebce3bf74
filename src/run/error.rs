//! Why the service cannot start, or has ended.

use std::fmt;
use std::net::SocketAddr;

use crate::store::StoreError;
use crate::stream::StreamError;

/// Why the service cannot start, or has ended.
#[derive(Debug)]
pub enum RunError {
    /// The database.
    Store(StoreError),
    /// The address of Redis.
    Redis(StreamError),
    /// A socket, folder or signal.
    System {
        /// What was attempted.
        doing: String,
        /// The error of the system.
        source: std::io::Error,
    },
    /// Another program listens on our address.
    PortInUse {
        /// The address.
        address: SocketAddr,
        /// The setting with that address.
        setting: &'static str,
    },
    /// A thread ended unexpectedly.
    Thread(String),
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(error) => error.fmt(f),
            Self::Redis(error) => error.fmt(f),
            Self::System { doing, source } => write!(f, "cannot {doing}: {source}"),
            Self::PortInUse { address, setting } => write!(
                f,
                "cannot listen on {address} ({setting}): another program uses that port: sudo ss -ltnp 'sport = :{}' shows which; end it, or set {setting} to another port",
                address.port()
            ),
            Self::Thread(name) => write!(f, "the thread {name} ended unexpectedly"),
        }
    }
}

impl std::error::Error for RunError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Store(error) => Some(error),
            Self::Redis(error) => Some(error),
            Self::System { source, .. } => Some(source),
            Self::PortInUse { .. } | Self::Thread(_) => None,
        }
    }
}

impl From<StoreError> for RunError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<StreamError> for RunError {
    fn from(error: StreamError) -> Self {
        Self::Redis(error)
    }
}

/// Turns a failure to listen on `address` into an error that names its setting.
pub(super) fn listening(
    address: SocketAddr,
    setting: &'static str,
) -> impl FnOnce(std::io::Error) -> RunError {
    move |source| match source.kind() {
        std::io::ErrorKind::AddrInUse => RunError::PortInUse { address, setting },
        _ => system(format!("listen on {address} ({setting})"))(source),
    }
}

/// Adds what was attempted to an error of the system.
pub(super) fn system(doing: impl Into<String>) -> impl FnOnce(std::io::Error) -> RunError {
    let doing = doing.into();
    move |source| RunError::System { doing, source }
}
