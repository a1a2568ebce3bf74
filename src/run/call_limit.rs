//! Tells once, and not for each text, that Coder accepts no more calls for now.
//!
//! Coder lets a token that is not an owner's make 512 calls a minute to one path. A class of 600 exceeds that, and each of
//! the last 88 texts is told to wait for a minute. For the operator that is one event.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The present wait for Coder's limit of calls.
#[derive(Default)]
pub(super) struct CallLimit(Mutex<Option<Instant>>);

impl CallLimit {
    /// Notes that a call was refused at `now`, and may be repeated after `span`. Returns whether that begins a wait: not
    /// if it was refused while an earlier one lasts.
    pub(super) fn begins(&self, span: Duration, now: Instant) -> bool {
        let mut until = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let lasts = until.is_some_and(|until| now < until);
        if !lasts {
            *until = Some(now + span);
        }
        !lasts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_begins_once_and_again_when_it_is_over() {
        let (limit, began) = (CallLimit::default(), Instant::now());
        let at = |seconds| began + Duration::from_secs(seconds);
        let begins = [0, 1, 59, 60, 61, 119, 120]
            .map(|seconds| limit.begins(Duration::from_secs(60), at(seconds)));
        assert_eq!(begins, [true, false, false, true, false, false, true]);
    }
}
