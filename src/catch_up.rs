//! Catch-up: finds texts in Twilio's log that never reached us and appends them to the stream.
//!
//! Twilio offers a text to the webhook for a few seconds only. A text sent while we, Redis or the
//! network between us and Twilio are down would otherwise never be answered. So the log is searched
//! at every start, after every outage of Redis (which may have lost confirmed entries), and at
//! intervals. A text that was served or is in the stream is not appended again. If one is appended
//! twice all the same, it is recognised by its MessageSid.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use log::warn;

use crate::config::{ClassConfig, Config};
use crate::domain::{OptWord, Text, UnixSeconds, seconds};
use crate::store::{Store, StoreError, TextHistory};
use crate::stream::{Appender, Redis, StreamError, StreamInspector};
use crate::twilio::received::ReceivedText;
use crate::twilio::sms::{Sms, SmsError, SmsErrorKind};

/// Texts appended to the stream in one round trip.
const BATCH: usize = 64;

/// Searches Twilio's log for missed texts.
pub struct CatchUp {
    /// Reads Twilio's log.
    pub sms: Sms,
    /// Records which texts were served.
    pub store: Arc<Store>,
    /// Lists the texts in the stream.
    pub waiting: StreamInspector,
    /// Appends missed texts to the stream.
    pub appender: Appender,
    /// How far back the search goes.
    pub window: Duration,
    /// The phrases that ask for a login.
    pub class: ClassConfig,
    /// Whether a code may stand beside the phrase.
    pub with_codes: bool,
}

/// Why a search failed.
#[derive(Debug)]
pub enum CatchUpError {
    /// Twilio's log cannot be read.
    Twilio(SmsError),
    /// Redis cannot be used.
    Stream(StreamError),
    /// The database cannot be read.
    Store(StoreError),
}

impl CatchUpError {
    /// Whether another search may succeed although no person acts.
    pub fn passes(&self) -> bool {
        match self {
            Self::Twilio(fault) => {
                matches!(
                    fault.kind,
                    SmsErrorKind::NotTaken(_) | SmsErrorKind::Unclear
                )
            }
            Self::Stream(_) | Self::Store(_) => true,
        }
    }
}

impl CatchUpError {
    /// Whether Twilio refuses our key or account.
    pub fn refuses_key(&self) -> bool {
        matches!(self, Self::Twilio(fault) if fault.refuses_key())
    }
}

impl fmt::Display for CatchUpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Twilio(fault) => fault.fmt(f),
            Self::Stream(error) => error.fmt(f),
            Self::Store(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for CatchUpError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(match self {
            Self::Twilio(error) => error,
            Self::Stream(error) => error,
            Self::Store(error) => error,
        })
    }
}

impl CatchUp {
    /// A search with these settings; `None` if it is switched off.
    pub fn new(config: &Config, sms: Sms, store: &Arc<Store>, redis: &Redis) -> Option<Self> {
        Some(Self {
            sms,
            store: Arc::clone(store),
            waiting: StreamInspector::new(redis.clone()),
            appender: Appender::new(redis.clone()),
            window: config.service.catch_up?,
            class: config.class.clone(),
            with_codes: config.pages.reply.on_screens(),
        })
    }

    /// Searches once. Returns how many missed texts were appended to the stream.
    ///
    /// # Errors
    /// [`CatchUpError`]. The next search finds the texts that were not appended.
    pub fn search(&mut self, now: UnixSeconds) -> Result<usize, CatchUpError> {
        let since = now - seconds(self.window);
        let found = self
            .sms
            .received_since(since)
            .map_err(CatchUpError::Twilio)?;
        if found.is_cut_off {
            warn!(
                "the search for missed texts ended after {} of them: Twilio's log of today is too long to read all of it",
                found.texts.len()
            );
        }
        if found.texts.is_empty() {
            return Ok(0);
        }
        // The stream is read before the database: a text leaves the stream only after it is recorded.
        let mut known = self.waiting.sids().map_err(CatchUpError::Stream)?;
        let mut missed = Vec::new();
        // Students are served in the order of their texts. The log usually lists the newest first.
        let mut found = found.texts;
        found.reverse();
        found.sort_by_key(|received| received.text.received);
        for received in found {
            // One text may be on two pages if others arrived between the two calls.
            if self.is_for_us(&received)
                && known.insert(received.text.sid.as_str().to_owned())
                && self
                    .store
                    .seen(&received.text.sid)
                    .map_err(CatchUpError::Store)?
                    == TextHistory::Never
            {
                let text = received.text;
                let age = now.saturating_sub(text.received).max(0).unsigned_abs();
                let heard = Instant::now().checked_sub(Duration::from_secs(age));
                missed.push(Text { heard, ..text });
            }
        }
        self.append(&missed)
    }

    /// Whether a text is for us to answer. A text that may be for another number of the account is
    /// for us only if it asks for something that only we offer.
    fn is_for_us(&self, received: &ReceivedText) -> bool {
        let body = &received.text.body;
        let is_phrase = self.class.asked(body, self.with_codes).is_some();
        received.certainly_ours || is_phrase && OptWord::in_body(body).is_none()
    }

    fn append(&mut self, missed: &[Text]) -> Result<usize, CatchUpError> {
        for batch in missed.chunks(BATCH) {
            let texts: Vec<&Text> = batch.iter().collect();
            let appended = self.appender.append(&texts, false);
            if let Some(fault) = appended.fault {
                return Err(CatchUpError::Stream(fault));
            }
            if appended.texts.iter().any(Result::is_err) {
                return Err(CatchUpError::Stream(StreamError::Away(
                    "resting after a failure".to_owned(),
                )));
            }
        }
        Ok(missed.len())
    }
}
