//! Takes the words of logins out of Twilio's log: one sweep at a given `now`.
//!
//! A login is blanked once it has arrived. One that nobody confirmed is looked up after an hour, and
//! blanked if a carrier has it or nobody ever will; one that still waits at Twilio is left for later,
//! as nobody says what Twilio sends of a text that is blanked before it left.
//!
//! Only texts whose sending is recorded are touched: one whose outcome is open is looked for by its
//! words. Best effort, with so many tries for each text and so much time for each sweep. No answer ends it:
//! while Twilio refuses our key, one text is tried now and then.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use log::{info, warn};

use crate::domain::{UnixSeconds, count, seconds};
use crate::metrics::Counter;
use crate::retry;
use crate::store::{PendingRedaction, Store, StoreError};
use crate::twilio::codes;
use crate::twilio::sms::{Sms, SmsError, SmsErrorKind};

/// Tries for one text, over some eleven hours. A text waits ten in Twilio's queue at most, so the last try blanks
/// it whatever Twilio says of its way.
const TRIES: u32 = 8;

/// Texts that are looked at in one sweep.
const BATCH: u32 = 100;

/// Time after which a sweep begins no further call: removals come next.
const BUDGET: Duration = Duration::from_secs(3);

/// Everything that blanking needs.
pub struct Redactor {
    store: Arc<Store>,
    sms: Sms,
    rest: Mutex<KeyPause>,
    counts: Arc<RedactionCounters>,
}

/// How often Twilio has refused our key since it last took it, and until when nobody asks again.
#[derive(Clone, Copy, Debug, Default)]
struct KeyPause {
    refusals: u32,
    until: UnixSeconds,
}

impl KeyPause {
    /// Whether nobody asks at `now`. A rest that is longer than any is one of before the clock was set back.
    fn lasts(self, now: UnixSeconds) -> bool {
        (1..=seconds(retry::REDACTION.most)).contains(&(self.until - now))
    }
}

/// What was done since the start.
#[derive(Debug, Default)]
pub struct RedactionCounters {
    /// Logins whose words are out of Twilio's log.
    pub redacted: Counter,
    /// Tries that failed, or came too early.
    pub put_off: Counter,
    /// Logins that nobody will try again.
    pub given_up: Counter,
    /// Tries that Twilio does not allow this key: the next one follows minutes to hours later.
    pub refused: Counter,
}

/// What one sweep did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RedactionSweep {
    /// Texts whose words are out of Twilio's log.
    pub redacted: usize,
    /// Texts that nobody will try again.
    pub given_up: usize,
    /// Whether texts are left that another sweep may blank at once.
    pub more: bool,
}

/// Where the look at one text ended.
enum RedactionEnd {
    Blanked,
    /// It is still on its way, or was refused.
    Later,
    /// No other text would fare better now.
    Over(SmsError),
}

impl Redactor {
    /// One that blanks by `sms` the logins that `store` knows.
    pub fn new(store: Arc<Store>, sms: Sms) -> Self {
        Self {
            store,
            sms,
            rest: Mutex::default(),
            counts: Arc::default(),
        }
    }

    /// What it does, counted.
    pub fn counts(&self) -> Arc<RedactionCounters> {
        Arc::clone(&self.counts)
    }

    /// Blanks what is to be blanked, for a few seconds at most and one call more, or until `stopped`.
    ///
    /// # Errors
    /// The database refused.
    pub fn sweep(
        &self,
        now: UnixSeconds,
        stopped: impl Fn() -> bool,
    ) -> Result<RedactionSweep, StoreError> {
        let mut swept = RedactionSweep::default();
        if self.rest().lasts(now) {
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
                RedactionEnd::Blanked => {
                    self.is_let_in();
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
            warn!("coder-sms-register status names the logins that stay in Twilio's log");
        }
        Ok(swept)
    }

    fn rest(&self) -> KeyPause {
        *self.rest.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Twilio takes our key.
    fn is_let_in(&self) {
        let mut rest = self.rest.lock().unwrap_or_else(PoisonError::into_inner);
        if std::mem::take(&mut *rest).refusals > 0 {
            info!("logins are blanked in Twilio's log again");
        }
    }

    fn redact(
        &self,
        text: &PendingRedaction,
        now: UnixSeconds,
    ) -> Result<RedactionEnd, StoreError> {
        if !text.delivery.has_ended() {
            match self.sms.find_row(&text.sid) {
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
                Ok(None) => return Ok(RedactionEnd::Blanked),
                Err(fault) => return Ok(RedactionEnd::of(fault)),
            }
        }
        Ok(self
            .sms
            .redact(&text.sid)
            .map_or_else(RedactionEnd::of, |()| RedactionEnd::Blanked))
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

    /// Ends a sweep that meets a fault of everybody's.
    fn end(
        &self,
        text: &PendingRedaction,
        now: UnixSeconds,
        fault: &SmsError,
    ) -> Result<(), StoreError> {
        if fault.trouble != SmsErrorKind::Blocked {
            return self.put_off(text, now).map(drop);
        }
        self.counts.refused.add();
        let mut rest = self.rest.lock().unwrap_or_else(PoisonError::into_inner);
        rest.refusals = rest.refusals.saturating_add(1);
        rest.until = now + seconds(retry::REDACTION.wait(rest.refusals, 0));
        if rest.refusals == 1 {
            warn!(
                "logins stay in Twilio's log, one is tried again now and then: {fault}; the key needs the right to change messages, or set CODER_REG_REDACT=off"
            );
        }
        Ok(())
    }
}

impl RedactionEnd {
    fn of(fault: SmsError) -> Self {
        match fault.trouble {
            SmsErrorKind::NotTaken(_) | SmsErrorKind::Unclear | SmsErrorKind::Blocked => {
                Self::Over(fault)
            }
            _ => Self::Later,
        }
    }
}
