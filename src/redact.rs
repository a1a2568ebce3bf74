//! Redacts logins in Twilio's log: one sweep at a given `now`.
//!
//! A login is redacted once it has arrived. If no receipt says so, its state is read from Twilio
//! after an hour. It is then redacted if a carrier has it or if it will never be delivered. A text
//! that still waits at Twilio is left for later: Twilio does not document what it sends if a text
//! is redacted before it leaves.
//!
//! Only texts whose sending is recorded are redacted, because a text with an open outcome is found
//! by its words. This is best effort: the number of tries per text and the time per sweep are
//! limited. No answer ends it for good: while Twilio refuses our key, one text is tried now and then.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use log::{info, warn};

use crate::domain::{UnixSeconds, count, seconds};
use crate::metrics::Counter;
use crate::retry;
use crate::store::{PendingRedaction, Store, StoreError};
use crate::twilio::codes;
use crate::twilio::sms::{Sms, SmsError, SmsErrorKind};

/// Tries for one text, over about eleven hours. A text waits in Twilio's queue for ten hours at
/// most, so the last try redacts it whatever its recorded state is.
const TRIES: u32 = 8;

/// Texts handled in one sweep.
const BATCH: u32 = 100;

/// Time after which a sweep starts no further call, because removals come next.
const BUDGET: Duration = Duration::from_secs(3);

/// Redacts logins that have been sent.
pub struct Redactor {
    store: Arc<Store>,
    sms: Sms,
    pause: Mutex<KeyPause>,
    counts: Arc<RedactionCounters>,
}

/// How often Twilio has refused our key in a row, and until when no call is made because of that.
#[derive(Clone, Copy, Debug, Default)]
struct KeyPause {
    refusals: u32,
    until: UnixSeconds,
}

impl KeyPause {
    /// Whether no call may be made at `now`. A pause longer than the longest possible one dates from
    /// before the clock was set back, and is ignored.
    fn lasts(self, now: UnixSeconds) -> bool {
        (1..=seconds(retry::REDACTION.most)).contains(&(self.until - now))
    }
}

/// What was done since the start of the process.
#[derive(Debug, Default)]
pub struct RedactionCounters {
    /// Logins redacted in Twilio's log.
    pub redacted: Counter,
    /// Tries that failed or came too early.
    pub put_off: Counter,
    /// Logins that will not be tried again.
    pub given_up: Counter,
    /// Tries that Twilio does not allow this key. The next one follows after minutes to hours.
    pub refused: Counter,
}

/// What one sweep did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RedactionSweep {
    /// Texts redacted in Twilio's log.
    pub redacted: usize,
    /// Texts that will not be tried again.
    pub given_up: usize,
    /// Whether texts are left that another sweep could redact at once.
    pub more: bool,
}

/// The result of one try.
enum RedactionEnd {
    Redacted,
    /// The text is still on its way, or Twilio refused this text.
    Later,
    /// No other text would succeed now.
    Over(SmsError),
}

impl Redactor {
    /// A redactor for the logins in `store`, using `sms`.
    pub fn new(store: Arc<Store>, sms: Sms) -> Self {
        Self {
            store,
            sms,
            pause: Mutex::default(),
            counts: Arc::default(),
        }
    }

    /// Counters of what it does.
    pub fn counts(&self) -> Arc<RedactionCounters> {
        Arc::clone(&self.counts)
    }

    /// Redacts the texts that are due, for a few seconds plus one call at most, or until `stopped`.
    ///
    /// # Errors
    /// The database cannot be used.
    pub fn sweep(
        &self,
        now: UnixSeconds,
        stopped: impl Fn() -> bool,
    ) -> Result<RedactionSweep, StoreError> {
        let mut swept = RedactionSweep::default();
        if self.pause().lasts(now) {
            return Ok(swept);
        }
        let began = Instant::now();
        let texts = self.store.to_redact(now, BATCH)?;
        swept.more = texts.len() >= BATCH as usize;
        for text in texts {
            if stopped() || began.elapsed() >= BUDGET {
                swept.more = true;
                break;
            }
            match self.redact(&text, now)? {
                RedactionEnd::Redacted => {
                    self.key_accepted();
                    self.store.redacted(&text.sid)?;
                    self.counts.redacted.add();
                    swept.redacted += 1;
                }
                RedactionEnd::Later => swept.given_up += usize::from(self.put_off(&text, now)?),
                RedactionEnd::Over(fault) => {
                    self.end(&text, now, &fault)?;
                    swept.more = false;
                    break;
                }
            }
        }
        if swept.redacted + swept.given_up > 0 {
            info!(
                "{} redacted in Twilio's log, {} given up",
                count(swept.redacted, "login"),
                swept.given_up
            );
        }
        if swept.given_up > 0 {
            warn!("coder-sms-register status lists the logins that stay in Twilio's log");
        }
        Ok(swept)
    }

    fn pause(&self) -> KeyPause {
        *self.pause.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends a pause: Twilio accepts our key.
    fn key_accepted(&self) {
        let mut pause = self.pause.lock().unwrap_or_else(PoisonError::into_inner);
        if std::mem::take(&mut *pause).refusals > 0 {
            info!("logins are redacted in Twilio's log again");
        }
    }

    fn redact(
        &self,
        text: &PendingRedaction,
        now: UnixSeconds,
    ) -> Result<RedactionEnd, StoreError> {
        if !text.delivery.has_ended() {
            match self.sms.receipt(&text.sid) {
                Ok(Some(receipt)) => {
                    // The receipts of this text were lost, or are late.
                    let has_left = receipt.delivery.has_left();
                    for one in self.store.record_receipts(&[receipt], now)? {
                        warn!("{}", codes::line(&one));
                    }
                    if !has_left && text.tries + 1 < TRIES {
                        return Ok(RedactionEnd::Later);
                    }
                }
                Ok(None) => return Ok(RedactionEnd::Redacted),
                Err(fault) => return Ok(RedactionEnd::of(fault)),
            }
        }
        Ok(self
            .sms
            .redact(&text.sid)
            .map_or_else(RedactionEnd::of, |()| RedactionEnd::Redacted))
    }

    /// Puts a text off. Returns whether that was its last try.
    fn put_off(&self, text: &PendingRedaction, now: UnixSeconds) -> Result<bool, StoreError> {
        let tries = text.tries + 1;
        if tries >= TRIES {
            self.store.not_redacted(&text.sid, now)?;
            self.counts.given_up.add();
            return Ok(true);
        }
        let at = now + seconds(retry::REDACTION.wait(tries, 0));
        self.store.redact_later(&text.sid, at, tries)?;
        self.counts.put_off.add();
        Ok(false)
    }

    /// Ends a sweep because of a fault that affects all texts.
    fn end(
        &self,
        text: &PendingRedaction,
        now: UnixSeconds,
        fault: &SmsError,
    ) -> Result<(), StoreError> {
        if fault.kind != SmsErrorKind::Blocked {
            return self.put_off(text, now).map(drop);
        }
        self.counts.refused.add();
        let mut pause = self.pause.lock().unwrap_or_else(PoisonError::into_inner);
        pause.refusals = pause.refusals.saturating_add(1);
        pause.until = now + seconds(retry::REDACTION.wait(pause.refusals, 0));
        if pause.refusals == 1 {
            warn!(
                "logins stay in Twilio's log: {fault}; give the key the right to change messages, or set CODER_REG_REDACT=off. The service tries one again from time to time"
            );
        }
        Ok(())
    }
}

impl RedactionEnd {
    fn of(fault: SmsError) -> Self {
        match fault.kind {
            SmsErrorKind::NotTaken(_) | SmsErrorKind::Unclear | SmsErrorKind::Blocked => {
                Self::Over(fault)
            }
            _ => Self::Later,
        }
    }
}
