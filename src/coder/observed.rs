//! What only trying tells: a yes or no, and how often something fails alike.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Mutex, PoisonError};

use super::CoderError;

const UNKNOWN: u8 = 0;
const YES: u8 = 1;
const NO: u8 = 2;

/// What was learnt last, by whichever thread.
#[derive(Debug, Default)]
pub(super) struct ObservedRight(AtomicU8);

impl ObservedRight {
    /// Remembers an answer. A later one counts more: rights change.
    pub(super) fn learn(&self, yes: bool) {
        self.0.store(if yes { YES } else { NO }, Ordering::Relaxed);
    }

    /// The last answer; `None` = nobody has tried.
    pub(super) fn known(&self) -> Option<bool> {
        match self.0.load(Ordering::Relaxed) {
            UNKNOWN => None,
            answer => Some(answer == YES),
        }
    }
}

/// Counts calls of one kind that fail alike in a row.
#[derive(Debug, Default)]
pub(super) struct Repeats(Mutex<(Option<u64>, u32)>);

impl Repeats {
    /// Tells a failed call how often its kind has now failed alike. A success ends the count; a fault that
    /// is no internal error of Coder's leaves it as it is.
    pub(super) fn count<T>(&self, result: Result<T, CoderError>) -> Result<T, CoderError> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match result {
            Ok(done) => {
                *state = (None, 0);
                Ok(done)
            }
            Err(fault) => {
                let Some(likeness) = fault.likeness() else {
                    return Err(fault);
                };
                if state.0 == Some(likeness) {
                    state.1 = state.1.saturating_add(1);
                } else {
                    *state = (Some(likeness), 1);
                }
                Err(fault.repeated(state.1))
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

    fn fault(status: u16, detail: &str) -> CoderError {
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
            let counted = repeats.count::<()>(Err(fault(status, detail)));
            counted.unwrap_err().repeats()
        };
        assert_eq!(
            [times(500, "a"), times(500, "a"), times(500, "a")],
            [1, 2, 3]
        );
        // Another kind of fault says nothing about this one.
        assert_eq!(
            [times(503, "a"), times(429, "a"), times(500, "a")],
            [0, 0, 4]
        );
        assert_eq!([times(500, "b"), times(500, "b")], [1, 2]);
        repeats.count(Ok(())).unwrap();
        assert_eq!(times(500, "b"), 1);
    }

    #[test]
    fn the_last_answer_counts() {
        let learnt = ObservedRight::default();
        assert_eq!(learnt.known(), None);
        learnt.learn(false);
        assert_eq!(learnt.known(), Some(false));
        learnt.learn(true);
        assert_eq!(learnt.known(), Some(true));
    }
}
