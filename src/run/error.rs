//! Why the service cannot start, or has ended.

use std::fmt;

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
        /// What we tried.
        doing: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// A thread ended by itself.
    Thread(String),
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(error) => error.fmt(f),
            Self::Redis(error) => error.fmt(f),
            Self::System { doing, source } => write!(f, "cannot {doing}: {source}"),
            Self::Thread(name) => write!(f, "the thread {name} ended by itself"),
        }
    }
}

impl std::error::Error for RunError {}

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

/// Says what was being done when the system refused.
pub(super) fn system(doing: impl Into<String>) -> impl FnOnce(std::io::Error) -> RunError {
    let doing = doing.into();
    move |source| RunError::System { doing, source }
}
