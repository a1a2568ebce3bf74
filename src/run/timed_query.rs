//! Questions that may hang, asked with a time limit.

use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError, channel};
use std::thread;
use std::time::Instant;

/// Has one question answered at a time, on a thread of its own, as a disk or a peer that hangs must keep nobody. An
/// answer that came too late is not taken for a later one's.
pub(super) struct TimedQuery<T> {
    thread: &'static str,
    asked: Option<Receiver<T>>,
}

impl<T: Send + 'static> TimedQuery<T> {
    /// Who asks on threads of that name.
    pub(super) fn new(thread: &'static str) -> Self {
        Self {
            thread,
            asked: None,
        }
    }

    /// Asks, unless the question of before still hangs.
    pub(super) fn ask(&mut self, question: impl FnOnce() -> T + Send + 'static) {
        let hangs = |asked: &Receiver<T>| matches!(asked.try_recv(), Err(TryRecvError::Empty));
        if self.asked.as_ref().is_some_and(hangs) {
            return;
        }
        let (sender, receiver) = channel();
        let answer = move || {
            // Nobody may be waiting any more; then nobody wants to know.
            let _ = sender.send(question());
        };
        let thread = thread::Builder::new().name(self.thread.to_owned());
        self.asked = thread.spawn(answer).is_ok().then_some(receiver);
    }

    /// The answer, if it comes until then.
    pub(super) fn wait(&mut self, until: Instant) -> Option<T> {
        let asked = self.asked.take()?;
        let answer = asked.recv_timeout(until.saturating_duration_since(Instant::now()));
        if matches!(answer, Err(RecvTimeoutError::Timeout)) {
            self.asked = Some(asked);
        }
        answer.ok()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_question_that_hangs_is_not_asked_again_until_it_is_answered() {
        let mut asker = TimedQuery::new("asker");
        let at_once = || Instant::now();
        let patiently = || Instant::now() + Duration::from_secs(30);
        let (release, held) = channel::<()>();
        asker.ask(move || {
            let _ = held.recv();
            1
        });
        assert_eq!(asker.wait(at_once()), None);
        asker.ask(|| 2);
        assert_eq!(asker.wait(at_once()), None, "the first one hangs still");
        drop(release);
        assert_eq!(asker.wait(patiently()), Some(1));
        asker.ask(|| 3);
        assert_eq!(asker.wait(patiently()), Some(3));
        assert_eq!(asker.wait(patiently()), None, "nothing was asked");
        asker.ask(|| panic!("a fault of ours"));
        assert_eq!(asker.wait(patiently()), None);
        asker.ask(|| 4);
        assert_eq!(asker.wait(patiently()), Some(4));
    }
}
