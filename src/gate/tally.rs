//! What the gate tells the operator: counts, at most once a minute, and never a byte that a client has chosen.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::metrics::{Counter, Gauge};

const BETWEEN_WARNINGS: Duration = Duration::from_secs(60);

/// What has happened since the start.
#[derive(Debug, Default)]
pub struct GateCounters {
    /// Connections that were let in.
    pub accepted: Counter,
    /// Connections at present.
    pub open: Gauge,
    /// Connections that had to leave for others.
    pub evicted: Counter,
    /// Times that the system would not give us a connection.
    pub accept_errors: Counter,
    /// Requests that the gate itself answered with an error.
    pub refused: Counter,
    /// Times that the upstream was lost.
    pub upstream_lost: Counter,
}

/// The counts, and how much of them is told.
#[derive(Default)]
pub(super) struct GateTally {
    pub counts: Arc<GateCounters>,
    /// How they stood at the last warning.
    told: [u64; 4],
    warned: Option<Instant>,
}

impl GateTally {
    pub fn new(counts: Arc<GateCounters>) -> Self {
        Self {
            counts,
            ..Self::default()
        }
    }

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
        let GateCounters {
            evicted,
            accept_errors,
            refused,
            upstream_lost,
            ..
        } = &*self.counts;
        let counts = [evicted, accept_errors, refused, upstream_lost].map(Counter::get);
        if counts == self.told {
            return;
        }
        let [evicted, accept_errors, refused, upstream_lost] =
            std::array::from_fn(|n| counts[n] - self.told[n]);
        log::warn!(
            "gate: {evicted} evicted, {accept_errors} accept errors, {refused} refused, {upstream_lost} times upstream lost"
        );
        self.told = counts;
        self.warned = Some(now);
    }
}
