//! Requests, counted by verdict; of those that are refused one line a minute is logged, however many there are.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use log::warn;

use super::judge::{
    ANOTHER_ACCOUNT, NO_SIGNATURE, NO_TOKEN, RequestRefusal, UNKNOWN_ALGORITHM, UNKNOWN_KEY,
    WRONG_BY_KEY, WRONG_SIGNATURE,
};
use crate::domain::KeyId;
use crate::metrics::{Family, Gauge, Histogram, labels};

const PAUSE: Duration = Duration::from_secs(60);

/// Names of shared keys that are told apart in one line; strangers may make up any number.
const MOST_KEYS: usize = 4;

labels! {
    /// What was said to a request.
    pub enum RequestResult {
        /// A text, confirmed by Redis.
        TextTaken => "text_taken",
        /// A text that Redis did not confirm.
        TextTurnedAway => "text_turned_away",
        /// What became of a login.
        ReceiptTaken => "receipt_taken",
        /// The same, while too many of them waited.
        ReceiptTurnedAway => "receipt_turned_away",
        /// Somebody with our token asked who we are.
        Probe => "probe",
        /// Somebody asked how we are.
        Health => "health",
        /// It is signed, but not as Twilio would.
        WrongSignature => "wrong_signature",
        /// It is not signed.
        NoSignature => "no_signature",
        /// Rightly signed for another account.
        AnotherAccount => "another_account",
        /// No form, or one that lacks something.
        Malformed => "malformed",
        /// Its body is too large.
        TooLarge => "too_large",
        /// Its path is nobody's.
        NotFound => "not_found",
        /// Its method does not do.
        MethodNotAllowed => "method_not_allowed",
    }
}

impl RequestResult {
    pub(super) fn of(refusal: &RequestRefusal) -> Self {
        match (refusal.status, refusal.reason) {
            (404, _) => Self::NotFound,
            (405, _) => Self::MethodNotAllowed,
            (413, _) => Self::TooLarge,
            (_, WRONG_SIGNATURE | WRONG_BY_KEY | UNKNOWN_KEY | NO_TOKEN | UNKNOWN_ALGORITHM) => {
                Self::WrongSignature
            }
            (_, NO_SIGNATURE) => Self::NoSignature,
            (_, ANOTHER_ACCOUNT) => Self::AnotherAccount,
            _ => Self::Malformed,
        }
    }
}

/// What the webhook has done since the start.
pub struct RequestCounters {
    /// Requests that came through the gate.
    pub requests: Family<RequestResult>,
    /// How long Redis took to confirm what one batch of requests brought.
    pub appends: Histogram,
    /// 1 while Redis takes texts, as far as the last request showed; else 0.
    pub redis_well: Gauge,
}

impl Default for RequestCounters {
    fn default() -> Self {
        let counts = Self {
            requests: Family::new(RequestResult::ALL.iter().copied()),
            appends: Histogram::of_writes(),
            redis_well: Gauge::default(),
        };
        counts.redis_well.set(1);
        counts
    }
}

/// Counts refusals by reason.
#[derive(Default)]
pub(super) struct RequestTally {
    counts: BTreeMap<(&'static str, Option<KeyId>), u64>,
    logged: Option<Instant>,
}

impl RequestTally {
    /// Counts one refused request.
    pub(super) fn count_of(&mut self, refusal: &RequestRefusal) {
        let named = self.counts.keys().filter(|(_, key)| key.is_some()).count();
        self.add(
            refusal.reason,
            refusal.key.clone().filter(|_| named < MOST_KEYS),
        );
    }

    /// Counts one; the first is logged at once, the others together after a minute.
    pub(super) fn count(&mut self, reason: &'static str) {
        self.add(reason, None);
    }

    fn add(&mut self, reason: &'static str, key: Option<KeyId>) {
        *self.counts.entry((reason, key)).or_default() += 1;
        if self.logged.is_some_and(|at| at.elapsed() < PAUSE) {
            return;
        }
        let list: Vec<String> = self
            .counts
            .iter()
            .map(|((reason, key), n)| {
                let key = key
                    .as_ref()
                    .map_or_else(String::new, |key| format!(" ({key})"));
                format!("{n} x {reason}{key}{}", cure(reason))
            })
            .collect();
        warn!("refused requests: {}", list.join(", "));
        self.counts.clear();
        self.logged = Some(Instant::now());
    }
}

/// What to look at if a refused request was Twilio's after all.
fn cure(reason: &str) -> &'static str {
    match reason {
        WRONG_SIGNATURE => {
            " (if Twilio's: TWILIO_WEBHOOK_URL or TWILIO_ACCOUNT_TOKEN differs from what stands there)"
        }
        WRONG_BY_KEY => {
            " (if Twilio's: TWILIO_SHARED_KEY is not the secret of that key, or TWILIO_WEBHOOK_URL differs from what stands there)"
        }
        UNKNOWN_KEY => {
            " (if Twilio's: a webhook rule of the account has a shared key sign; set TWILIO_SHARED_KEY to its secret)"
        }
        NO_TOKEN => {
            " (if Twilio's: no webhook rule has a shared key sign for this URL; make one, or set TWILIO_ACCOUNT_TOKEN)"
        }
        UNKNOWN_ALGORITHM => {
            " (if Twilio's: a webhook setting of the account names an algorithm other than HMAC_SHA256 and HMAC_SHA1)"
        }
        ANOTHER_ACCOUNT => " (TWILIO_ACCOUNT_SID is not the account that owns the number)",
        _ => "",
    }
}
