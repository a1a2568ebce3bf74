//! One shared signal: "wait this long, or until told to stop".

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// Asked once, heard by all; may be asked again or before anybody waits.
#[derive(Clone, Default)]
pub struct Stop {
    inner: Arc<(Mutex<bool>, Condvar)>,
}

impl Stop {
    /// A signal that nobody has given yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Tells everybody to stop.
    pub fn ask(&self) {
        *self.lock() = true;
        self.inner.1.notify_all();
    }

    /// Whether it was asked.
    pub fn asked(&self) -> bool {
        *self.lock()
    }

    /// Sleeps for `span`, or until asked. Returns whether to stop.
    pub fn wait(&self, span: Duration) -> bool {
        // A panic while holding this lock cannot leave the flag half-written.
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
    fn a_stop_asked_before_the_wait_ends_it_at_once() {
        let stop = Stop::new();
        stop.ask();
        stop.ask();
        assert!(stop.wait(Duration::from_secs(3_600)));
    }

    #[test]
    fn a_wait_that_nobody_ends_is_over_after_its_span() {
        let stop = Stop::new();
        assert!(!stop.wait(Duration::from_millis(1)));
        assert!(!stop.asked());
    }
}
