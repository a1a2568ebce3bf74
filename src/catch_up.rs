//! Texts that never reached us: found in Twilio's log and put into the stream like any other.
//!
//! Twilio offers a text for some seconds only. Whoever texts while we, Redis or the road between
//! are down would wait for ever. So the log is searched at every start, after every outage of Redis
//! (which may also have lost what it had confirmed), and now and then. A text that was served, or
//! waits in the stream, is not taken twice; one that slips through is known by its MessageSid.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use log::warn;

use crate::config::Config;
use crate::domain::{OptWord, Passphrase, Text, UnixSeconds, seconds};
use crate::store::{Store, StoreError, TextHistory};
use crate::stream::{Appender, Redis, StreamError, Waiting};
use crate::twilio::received::ReceivedText;
use crate::twilio::sms::{Sms, SmsError, SmsErrorKind};

/// Texts that are put into the stream in one round trip.
const BATCH: usize = 64;

/// What a search needs.
pub struct CatchUp {
    /// How Twilio's log is read.
    pub sms: Sms,
    /// Knows the texts that were served.
    pub store: Arc<Store>,
    /// Knows the texts that wait.
    pub waiting: Waiting,
    /// Takes those that were missed.
    pub appender: Appender,
    /// How far back to look.
    pub window: Duration,
    /// The phrase that asks for a login.
    pub phrase: Passphrase,
}

/// Why a search came to nothing.
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
    /// Whether another search may succeed without anybody's help.
    pub fn passes(&self) -> bool {
        match self {
            Self::Twilio(fault) => {
                matches!(
                    fault.trouble,
                    SmsErrorKind::NotTaken(_) | SmsErrorKind::Unclear
                )
            }
            Self::Stream(_) | Self::Store(_) => true,
        }
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
    /// A search by these settings; `None` where it is switched off.
    pub fn new(config: &Config, sms: Sms, store: &Arc<Store>, redis: &Redis) -> Option<Self> {
        Some(Self {
            sms,
            store: Arc::clone(store),
            waiting: Waiting::new(redis.clone()),
            appender: Appender::new(redis.clone()),
            window: config.service.catch_up?,
            phrase: config.class.phrase.clone(),
        })
    }

    /// Searches once. Returns how many missed texts were put into the stream.
    ///
    /// # Errors
    /// [`CatchUpError`]; what was not taken is found by the next search.
    pub fn search(&mut self, now: UnixSeconds) -> Result<usize, CatchUpError> {
        let since = now - seconds(self.window);
        let found = self
            .sms
            .received_since(since)
            .map_err(CatchUpError::Twilio)?;
        if found.is_cut_off {
            warn!(
                "the search for missed texts ended after {} of them: Twilio's log of today is longer than what is read",
                found.texts.len()
            );
        }
        if found.texts.is_empty() {
            return Ok(0);
        }
        // In this order: a text that is served meanwhile leaves the stream only after it is recorded.
        let mut known = self.waiting.sids().map_err(CatchUpError::Stream)?;
        let mut missed = Vec::new();
        // Students are served in the order in which they texted. The log usually has it reversed.
        let mut found = found.texts;
        found.reverse();
        found.sort_by_key(|received| received.text.received);
        for received in found {
            // A text may stand on two pages, if others came between the two calls.
            if self.is_for_us(&received)
                && known.insert(received.text.sid.as_str().to_owned())
                && self
                    .store
                    .seen(&received.text.sid)
                    .map_err(CatchUpError::Store)?
                    == TextHistory::Never
            {
                missed.push(received.text);
            }
        }
        self.append(&missed)
    }

    /// Whether a text is ours to answer. One that may have come to another number of the account is
    /// only if it asks for what only we give.
    fn is_for_us(&self, received: &ReceivedText) -> bool {
        let body = &received.text.body;
        received.surely_ours || self.phrase.matches(body) && OptWord::in_body(body).is_none()
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
