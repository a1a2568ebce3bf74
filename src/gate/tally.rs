//! The counters of the gate, and the warnings about them: at most one a minute, and never with a
//! byte that a client sent.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::metrics::{Counter, Gauge};

const BETWEEN_WARNINGS: Duration = Duration::from_secs(60);

/// Counts since the start.
#[derive(Debug, Default)]
pub struct GateCounters {
    /// Connections accepted.
    pub accepted: Counter,
    /// Connections open now.
    pub open: Gauge,
    /// Connections closed to make room for others.
    pub evicted: Counter,
    /// Connections that the system could not accept.
    pub accept_errors: Counter,
    /// Requests that the gate answered with an error of its own.
    pub refused: Counter,
    /// Times that the connection to the upstream was lost.
    pub upstream_lost: Counter,
}

/// The counters, and their values at the last warning.
#[derive(Default)]
pub(super) struct GateTally {
    pub counts: Arc<GateCounters>,
    /// The four counts of the warning, as last reported.
    reported: [u64; 4],
    warned_at: Option<Instant>,
}

impl GateTally {
    pub fn new(counts: Arc<GateCounters>) -> Self {
        Self {
            counts,
            ..Self::default()
        }
    }

    /// Logs the counts if they have changed and the last warning is a minute old.
    pub fn report(&mut self, now: Instant) {
        if self
            .warned_at
            .is_none_or(|at| now.duration_since(at) >= BETWEEN_WARNINGS)
        {
            self.flush(now);
        }
    }

    /// Logs the counts if they have changed.
    pub fn flush(&mut self, now: Instant) {
        let GateCounters {
            evicted,
            accept_errors,
            refused,
            upstream_lost,
            ..
        } = &*self.counts;
        let counts = [evicted, accept_errors, refused, upstream_lost].map(Counter::get);
        if counts == self.reported {
            return;
        }
        let [evicted, accept_errors, refused, upstream_lost] =
            std::array::from_fn(|n| counts[n] - self.reported[n]);
        log::warn!(
            "gate: {evicted} connections evicted, {accept_errors} accept errors, {refused} requests refused, {upstream_lost} connections to the webhook lost since the last report"
        );
        self.reported = counts;
        self.warned_at = Some(now);
    }
}
