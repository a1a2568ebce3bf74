//! Counts requests by result, and logs refused ones in at most one line a minute.

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

/// The largest number of shared keys named in one line; strangers may invent any number.
const MOST_KEYS: usize = 4;

labels! {
    /// How a request was answered.
    pub enum RequestResult {
        /// A text that Redis confirmed.
        TextTaken => "text_taken",
        /// A text that Redis did not confirm.
        TextTurnedAway => "text_turned_away",
        /// A receipt that was passed on.
        ReceiptTaken => "receipt_taken",
        /// A receipt that was rejected because the queue was full.
        ReceiptTurnedAway => "receipt_turned_away",
        /// A probe of our identity, signed with our token.
        Probe => "probe",
        /// A request for our health.
        Health => "health",
        /// A page or its script asked, and was answered.
        Page => "page",
        /// Its signature is wrong.
        WrongSignature => "wrong_signature",
        /// It is not signed.
        NoSignature => "no_signature",
        /// Signed correctly, but for another account.
        AnotherAccount => "another_account",
        /// Not a form, or something is missing in it.
        Malformed => "malformed",
        /// Its body is too large.
        TooLarge => "too_large",
        /// Its path is unknown.
        NotFound => "not_found",
        /// Its method is not allowed for that path.
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

/// Counters of the webhook since the start.
pub struct RequestCounters {
    /// Requests that came through the gate.
    pub requests: Family<RequestResult>,
    /// How long Redis took to confirm one batch of requests.
    pub appends: Histogram,
    /// 1 if Redis accepted the last request, otherwise 0.
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

    /// Counts one. The first is logged immediately, the others together after a minute.
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

/// What to check if a refused request came from Twilio after all.
fn cure(reason: &str) -> &'static str {
    match reason {
        WRONG_SIGNATURE => {
            " (if they came from Twilio: TWILIO_WEBHOOK_URL or TWILIO_ACCOUNT_TOKEN differs from the value at Twilio)"
        }
        WRONG_BY_KEY => {
            " (if they came from Twilio: TWILIO_SHARED_KEY is not the secret of that key, or TWILIO_WEBHOOK_URL differs from the value at Twilio)"
        }
        UNKNOWN_KEY => {
            " (if they came from Twilio: a webhook rule of the account signs with a shared key; set TWILIO_SHARED_KEY to its secret)"
        }
        NO_TOKEN => {
            " (if they came from Twilio: no webhook rule signs with a shared key for this URL; create one, or set TWILIO_ACCOUNT_TOKEN)"
        }
        UNKNOWN_ALGORITHM => {
            " (if they came from Twilio: a webhook setting of the account names an algorithm other than HMAC_SHA256 and HMAC_SHA1)"
        }
        ANOTHER_ACCOUNT => " (TWILIO_ACCOUNT_SID is not the account that owns the number)",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_to_check_stands_one_blank_behind_the_reason() {
        for reason in [
            WRONG_SIGNATURE,
            WRONG_BY_KEY,
            UNKNOWN_KEY,
            NO_TOKEN,
            UNKNOWN_ALGORITHM,
            ANOTHER_ACCOUNT,
        ] {
            let told = format!("1 x {reason}{}", cure(reason));
            assert!(told.ends_with(')') && !told.contains("  "), "{told}");
        }
    }
}
