//! Refused requests, counted; logged one line a minute however many there are.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use log::warn;

use super::judge::{ANOTHER_ACCOUNT, WRONG_SIGNATURE};

const PAUSE: Duration = Duration::from_secs(60);

/// Counts refusals by reason.
#[derive(Default)]
pub(super) struct Tally {
    counts: BTreeMap<&'static str, u64>,
    logged: Option<Instant>,
}

impl Tally {
    /// Counts one; the first is logged at once, the others together after a minute.
    pub(super) fn count(&mut self, reason: &'static str) {
        *self.counts.entry(reason).or_default() += 1;
        if self.logged.is_some_and(|at| at.elapsed() < PAUSE) {
            return;
        }
        let list: Vec<String> = self
            .counts
            .iter()
            .map(|(reason, n)| format!("{n} x {reason}{}", cure(reason)))
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
        ANOTHER_ACCOUNT => " (TWILIO_ACCOUNT_SID is not the account that owns the number)",
        _ => "",
    }
}
