//! Tells once a minute, and not for each text, that Coder accepts no more calls for now.
//!
//! Coder lets a token that is not an owner's make 512 calls a minute to one path. A class of 600 exceeds that, and the last
//! 88 texts are refused, some of them again and again. For the operator that is one event.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long nothing more is told.
const QUIET: Duration = Duration::from_secs(60);

/// When it was told last.
#[derive(Default)]
pub(super) struct CallLimit(Mutex<Option<Instant>>);

impl CallLimit {
    /// Notes that a call was refused at `now`. Returns whether that has to be told.
    pub(super) fn is_news(&self, now: Instant) -> bool {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_news = told.is_none_or(|told| told + QUIET <= now);
        if is_news {
            *told = Some(now);
        }
        is_news
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_told_once_a_minute() {
        let (limit, began) = (CallLimit::default(), Instant::now());
        let news = [0, 1, 59, 60, 61, 119, 120]
            .map(|seconds| limit.is_news(began + Duration::from_secs(seconds)));
        assert_eq!(news, [true, false, false, true, false, false, true]);
    }
}
