//! What the gate tells the operator: counts, at most once a minute, and never a byte that a client has chosen.

use std::time::{Duration, Instant};

const BETWEEN_WARNINGS: Duration = Duration::from_secs(60);

/// What has happened since the last warning.
#[derive(Default)]
pub(super) struct Tally {
    /// Connections that had to leave for others.
    pub evicted: u64,
    /// Times that the system would not give us a connection.
    pub accept_errors: u64,
    /// Requests that the gate itself answered with an error.
    pub refused: u64,
    /// Times that the upstream was lost.
    pub upstream_lost: u64,
    warned: Option<Instant>,
}

impl Tally {
    /// Writes the warning that is due, if any.
    pub fn report(&mut self, now: Instant) {
        if self
            .warned
            .is_none_or(|at| now.duration_since(at) >= BETWEEN_WARNINGS)
        {
            self.flush(now);
        }
    }

    /// Writes what is not yet written.
    pub fn flush(&mut self, now: Instant) {
        if self.evicted + self.accept_errors + self.refused + self.upstream_lost == 0 {
            return;
        }
        log::warn!(
            "gate: {} evicted, {} accept errors, {} refused, {} times upstream lost",
            self.evicted,
            self.accept_errors,
            self.refused,
            self.upstream_lost
        );
        *self = Self {
            warned: Some(now),
            ..Self::default()
        };
    }
}
