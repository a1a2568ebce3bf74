//! Queries that may hang, with a time limit.

use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError, channel};
use std::thread;
use std::time::Instant;

/// Runs one query at a time on its own thread, so that the caller does not wait for a disk or a peer that hangs. A late
/// answer is never mistaken for the answer to a later query.
pub(super) struct TimedQuery<T> {
    thread: &'static str,
    pending: Option<Receiver<T>>,
}

impl<T: Send + 'static> TimedQuery<T> {
    /// Queries run on threads with the name `thread`.
    pub(super) fn new(thread: &'static str) -> Self {
        Self {
            thread,
            pending: None,
        }
    }

    /// Starts a query, unless the previous one still hangs. Returns the answer of the previous one if it came late.
    pub(super) fn start(&mut self, query: impl FnOnce() -> T + Send + 'static) -> Option<T> {
        let late = match self.pending.as_ref().map(Receiver::try_recv) {
            Some(Err(TryRecvError::Empty)) => return None,
            Some(Ok(late)) => Some(late),
            Some(Err(TryRecvError::Disconnected)) | None => None,
        };
        let (sender, receiver) = channel();
        let answer = move || {
            // The receiver may be gone; then the answer is not needed.
            let _ = sender.send(query());
        };
        let thread = thread::Builder::new().name(self.thread.to_owned());
        self.pending = thread.spawn(answer).is_ok().then_some(receiver);
        late
    }

    /// The answer, if it arrives before `until`.
    pub(super) fn wait(&mut self, until: Instant) -> Option<T> {
        let pending = self.pending.take()?;
        let answer = pending.recv_timeout(until.saturating_duration_since(Instant::now()));
        if matches!(answer, Err(RecvTimeoutError::Timeout)) {
            self.pending = Some(pending);
        }
        answer.ok()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_new_query_starts_only_after_the_previous_one_has_ended() {
        let mut query = TimedQuery::new("query");
        let at_once = || Instant::now();
        let patiently = || Instant::now() + Duration::from_secs(30);
        let (release, held) = channel::<()>();
        query.start(move || {
            let _ = held.recv();
            1
        });
        assert_eq!(query.wait(at_once()), None);
        query.start(|| 2);
        assert_eq!(query.wait(at_once()), None, "the first one still hangs");
        drop(release);
        assert_eq!(query.wait(patiently()), Some(1));
        query.start(|| 3);
        assert_eq!(query.wait(patiently()), Some(3));
        assert_eq!(query.wait(patiently()), None, "no query was started");
        query.start(|| panic!("a fault of the program"));
        assert_eq!(query.wait(patiently()), None);
        query.start(|| 4);
        assert_eq!(query.wait(patiently()), Some(4));
    }
}
