//! What only calls themselves can show: whether a right exists, and how often the same error
//! repeats.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Mutex, PoisonError};

use super::CoderError;

const UNKNOWN: u8 = 0;
const YES: u8 = 1;
const NO: u8 = 2;

/// Whether our token has a right, by the last call that showed it. Shared by all threads.
#[derive(Debug, Default)]
pub(super) struct ObservedRight(AtomicU8);

impl ObservedRight {
    /// Records what a call has shown. It replaces earlier results, because rights may change.
    pub(super) fn record(&self, has_right: bool) {
        self.0
            .store(if has_right { YES } else { NO }, Ordering::Relaxed);
    }

    /// The last result; `None` = not tried yet.
    pub(super) fn last(&self) -> Option<bool> {
        match self.0.load(Ordering::Relaxed) {
            UNKNOWN => None,
            answer => Some(answer == YES),
        }
    }
}

/// Counts how many calls of one kind have failed with the same internal error in a row.
#[derive(Debug, Default)]
pub(super) struct Repeats(Mutex<(Option<u64>, u32)>);

impl Repeats {
    /// Adds to a failed call's error how often this internal error has come in a row. A success
    /// resets the count. An error that is not an internal error of Coder leaves the count
    /// unchanged.
    pub(super) fn count<T>(&self, result: Result<T, CoderError>) -> Result<T, CoderError> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match result {
            Ok(done) => {
                *state = (None, 0);
                Ok(done)
            }
            Err(error) => {
                let Some(fingerprint) = error.fingerprint() else {
                    return Err(error);
                };
                if state.0 == Some(fingerprint) {
                    state.1 = state.1.saturating_add(1);
                } else {
                    *state = (Some(fingerprint), 1);
                }
                Err(error.repeated(state.1))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use ureq::http::{HeaderMap, HeaderValue, header::CONTENT_TYPE};

    use super::super::VERSION_HEADER;
    use super::*;
    use crate::http::HttpResponse;

    fn error(status: u16, detail: &str) -> CoderError {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(VERSION_HEADER, HeaderValue::from_static("v2.31.14"));
        let body = serde_json::json!({ "message": "Internal error.", "detail": detail });
        let answer = HttpResponse {
            status,
            headers,
            body: body.to_string().into_bytes(),
        };
        CoderError::of("create a user", &answer)
    }

    #[test]
    fn equal_internal_errors_are_counted_until_a_call_succeeds() {
        let repeats = Repeats::default();
        let times = |status, detail| {
            let counted = repeats.count::<()>(Err(error(status, detail)));
            counted.unwrap_err().repeats()
        };
        assert_eq!(
            [times(500, "a"), times(500, "a"), times(500, "a")],
            [1, 2, 3]
        );
        // An error of another kind does not change the count.
        assert_eq!(
            [times(503, "a"), times(429, "a"), times(500, "a")],
            [0, 0, 4]
        );
        assert_eq!([times(500, "b"), times(500, "b")], [1, 2]);
        repeats.count(Ok(())).unwrap();
        assert_eq!(times(500, "b"), 1);
    }

    #[test]
    fn the_last_result_counts() {
        let right = ObservedRight::default();
        assert_eq!(right.last(), None);
        right.record(false);
        assert_eq!(right.last(), Some(false));
        right.record(true);
        assert_eq!(right.last(), Some(true));
    }
}
