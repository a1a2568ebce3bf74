//! What is forgotten with time: texts of both directions, and what was remembered of phones.

use std::time::Duration;

use super::deliveries::forget_old;
use super::texts::{SLOTS, slot};
use super::{Store, StoreError};
use crate::domain::{UnixSeconds, seconds};

/// How long it counts that an account was removed: a day.
pub const JUST_GONE: UnixSeconds = 86_400;

/// How long seen texts and idle contacts are remembered: 30 days. Twilio's retries come within
/// seconds; a captured webhook can be replayed for ever and then earns one more resend at most.
const MEMORY: UnixSeconds = 30 * 86_400;

/// Seen texts that are remembered at most, about 10 MB: more than a campus sends in a month.
pub(super) const TEXTS_KEPT: u32 = 100_000;

impl Store {
    /// Forgets texts of both directions and contacts of more than 30 days ago, and the oldest texts
    /// beyond 100,000 of either. That a phone had an account is forgotten after a day, or after
    /// `text_life`, when no text from before can wait any more.
    /// Returns how many rows went.
    ///
    /// # Errors
    /// SQLite refused.
    pub fn prune(&self, now: UnixSeconds, text_life: Duration) -> Result<usize, StoreError> {
        let before = now - MEMORY;
        let ended_before = now - seconds(text_life).max(JUST_GONE);
        self.write("forget old texts", |tx| {
            let old = tx.execute("DELETE FROM seen WHERE at < ?1", [before])?;
            let surplus = tx.execute(
                "DELETE FROM seen WHERE sid IN
                 (SELECT sid FROM seen ORDER BY at DESC LIMIT -1 OFFSET ?1)",
                [TEXTS_KEPT],
            )?;
            tx.execute("DELETE FROM sends WHERE slot <= ?1", [slot(now) - SLOTS])?;
            let contacts = tx.execute(
                "DELETE FROM contacts WHERE opted_out_at IS NULL
                 AND coalesce(hinted_at, 0) < ?1 AND coalesce(full_at, 0) < ?1
                 AND coalesce(refused_until, 0) < ?1 AND coalesce(ended_at, 0) < ?3
                 AND coalesce(gone_at, 0) < ?2",
                [before, now - JUST_GONE, ended_before],
            )?;
            Ok(old + surplus + contacts + forget_old(tx, before)?)
        })
    }
}
