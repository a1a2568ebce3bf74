//! A shared signal: wait for a time, or until the service stops.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// One call of [`Stop::ask`] ends all present and future waits. Further calls have no effect.
#[derive(Clone, Default)]
pub struct Stop {
    inner: Arc<(Mutex<bool>, Condvar)>,
}

impl Stop {
    /// A signal that is not given yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks all threads to stop.
    pub fn ask(&self) {
        *self.lock() = true;
        self.inner.1.notify_all();
    }

    /// Whether the threads were asked to stop.
    pub fn asked(&self) -> bool {
        *self.lock()
    }

    /// Sleeps for `span`, or until [`Stop::ask`] is called. Returns whether to stop.
    pub fn wait(&self, span: Duration) -> bool {
        // The flag is valid even if a thread panicked while it held the lock.
        let waited = self
            .inner
            .1
            .wait_timeout_while(self.lock(), span, |asked| !*asked);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, bool> {
        self.inner.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stop_before_the_wait_ends_the_wait_immediately() {
        let stop = Stop::new();
        stop.ask();
        stop.ask();
        assert!(stop.wait(Duration::from_secs(3_600)));
    }

    #[test]
    fn a_wait_without_a_stop_ends_after_its_span() {
        let stop = Stop::new();
        assert!(!stop.wait(Duration::from_millis(1)));
        assert!(!stop.asked());
    }
}
