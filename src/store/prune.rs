//! Deletes old rows: texts of both directions, and what was stored about phones.

use std::time::Duration;

use super::deliveries::forget_old;
use super::texts::{SLOTS, slot};
use super::{Store, StoreError};
use crate::domain::{UnixSeconds, seconds};

/// How long an account counts as just removed: a day.
pub const JUST_GONE: UnixSeconds = 86_400;

/// How long seen texts and idle contacts are kept: 30 days. Twilio's retries come within seconds. A
/// captured webhook can be replayed at any time, and then causes one more login at most.
const MEMORY: UnixSeconds = 30 * 86_400;

/// Maximum number of seen texts, about 10 MB: more than a campus sends in a month.
pub(super) const TEXTS_KEPT: u32 = 100_000;

impl Store {
    /// Deletes texts of both directions and contacts of more than 30 days ago, and the oldest texts beyond
    /// 100,000 of either. That a phone had an account is deleted after a day, or after `text_life`, when no
    /// earlier text can be waiting any more. Returns the number of deleted rows.
    ///
    /// # Errors
    /// SQLite refused.
    pub fn prune(&self, now: UnixSeconds, text_life: Duration) -> Result<usize, StoreError> {
        let before = now - MEMORY;
        let ended_before = now - seconds(text_life).max(JUST_GONE);
        self.write("delete old texts", |tx| {
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
                 AND coalesce(told_at, 0) < ?1
                 AND coalesce(refused_until, 0) < ?1 AND coalesce(ended_at, 0) < ?3
                 AND coalesce(gone_at, 0) < ?2",
                [before, now - JUST_GONE, ended_before],
            )?;
            Ok(old + surplus + contacts + forget_old(tx, before)?)
        })
    }
}
