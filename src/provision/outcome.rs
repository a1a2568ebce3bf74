//! What became of a text: one verdict, which `run` turns into acknowledge, later or dead letter.

use std::fmt;
use std::time::Duration;

use crate::coder::{CoderError, CoderErrorKind};
use crate::domain::{Phone, Region, UnservedSender, Username};
use crate::metrics::labels;
use crate::store::StoreError;
use crate::twilio::sms::{SmsError, SmsErrorKind};

/// The verdict on one attempt at one text.
#[derive(Debug)]
pub enum Outcome {
    /// Nothing is left to do.
    Done(Completion),
    /// Another attempt may help.
    Later(Later),
    /// No attempt can help; a person may want to read why.
    Never(String),
}

/// How a text was served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Completion {
    /// A login was texted.
    LoginSent {
        /// Whose.
        username: Username,
        /// Whether the phone had one before.
        again: bool,
    },
    /// A hint was texted, or tried to be: it is a courtesy and not repeated.
    Hinted,
    /// The phone was told that all seats are taken, or it was tried: not repeated either.
    ToldFull,
    /// The phone was told that its login cannot be sent again, or it was tried: not repeated.
    Withheld {
        /// Whose login.
        username: Username,
    },
    /// An opt-out word was recorded.
    Recorded,
    /// Nothing was sent, for that reason.
    Silent(Silence),
}

labels! {
    /// Why a text gets no answer.
    pub enum Silence {
        /// It had its effect before: Twilio, a restart or the search for missed texts brought it again.
        ServedBefore => "served_before",
        /// Somebody deleted its entry.
        Deleted => "entry_deleted",
        /// The sender is a short code.
        ShortCode => "short_code",
        /// The sender is no phone number.
        NotANumber => "not_a_number",
        /// The sender texts by WhatsApp.
        WhatsApp => "whatsapp",
        /// The sender texts by another channel that is not served.
        Channel => "channel",
        /// The sender's country is not let in.
        Country => "country",
        /// The sender is no mobile number.
        NotMobile => "not_mobile",
        /// The sender is our own number.
        Ourselves => "ourselves",
        /// It asks for help.
        HelpWord => "help_word",
        /// The phone has opted out.
        OptedOut => "opted_out",
        /// The phone cannot be texted.
        Unreachable => "unreachable",
        /// It is not the phrase, and hints are off.
        HintsOff => "hints_off",
        /// It is not the phrase, and the phone was told so before.
        HintedBefore => "hinted_before",
        /// It is not the phrase, but the phone has a login.
        HasLogin => "has_login",
        /// It is not the phrase, but the phone was told something within the hour.
        ToldBefore => "told_before",
        /// It is not the phrase, but the phone's account was removed within the day.
        AccountGone => "account_gone",
        /// It repeats a text of ours, as a reaction to it does.
        Reaction => "reaction",
        /// The class is full, and the phone was told so before.
        FullToldBefore => "full_told_before",
        /// A hint or notice would be one text too many in this hour.
        HourlyLimit => "hourly_limit",
        /// The account was ended after the text came.
        Ended => "account_ended",
        /// A newer text of the phone waits in its place.
        NewerText => "newer_text",
        /// A login was sent after the text came.
        NewerLogin => "newer_login",
        /// A login was sent a moment before.
        JustSent => "login_just_sent",
        /// The phone has had its logins for today.
        DailyLimit => "daily_limit",
    }
}

impl Silence {
    /// The reason in words.
    pub fn reason(self) -> &'static str {
        match self {
            Self::ServedBefore => "this text was served before",
            Self::Deleted => "the entry was deleted",
            Self::ShortCode => UnservedSender::ShortCode.reason(),
            Self::NotANumber => UnservedSender::NotANumber.reason(),
            Self::WhatsApp => UnservedSender::WhatsApp.reason(),
            Self::Channel => UnservedSender::Channel.reason(),
            Self::Country => UnservedSender::Country.reason(),
            Self::NotMobile => UnservedSender::NotMobile.reason(),
            Self::Ourselves => UnservedSender::Ourselves.reason(),
            Self::HelpWord => "Twilio answers HELP itself",
            Self::OptedOut => "the phone has opted out, and may opt in by START",
            Self::Unreachable => "the phone cannot be texted",
            Self::HintsOff => "not the phrase, and hints are off",
            Self::HintedBefore => "not the phrase, hinted before",
            Self::HasLogin => "not the phrase, but the phone has a login",
            Self::ToldBefore => "not the phrase, but the phone was told something within the hour",
            Self::AccountGone => "not the phrase, but its account was removed within the day",
            Self::Reaction => "it repeats a text of ours, as a reaction does",
            Self::FullToldBefore => "the class is full, told before",
            Self::HourlyLimit => "the limit of texts an hour is reached",
            Self::Ended => "its account was ended after this text came",
            Self::NewerText => "a newer text of this phone waits in its place",
            Self::NewerLogin => "a login was sent after this text came",
            Self::JustSent => "a login was sent a moment before",
            Self::DailyLimit => "the phone has had its logins for today",
        }
    }
}

impl From<UnservedSender> for Silence {
    fn from(unserved: UnservedSender) -> Self {
        match unserved {
            UnservedSender::ShortCode => Self::ShortCode,
            UnservedSender::NotANumber => Self::NotANumber,
            UnservedSender::WhatsApp => Self::WhatsApp,
            UnservedSender::Channel => Self::Channel,
            UnservedSender::Country => Self::Country,
            UnservedSender::NotMobile => Self::NotMobile,
            UnservedSender::Ourselves => Self::Ourselves,
        }
    }
}

/// Why another attempt is needed, and when.
#[derive(Clone, Debug)]
pub struct Later {
    /// Words for the log.
    pub why: String,
    /// What decides about the time of the next attempt.
    pub wait: RetryTime,
}

/// What decides about the time of the next attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryTime {
    /// The policy: the other side is away and may be back at any time.
    Away,
    /// That long, whatever others learn meanwhile.
    Exactly(Duration),
    /// Nobody gets through until somebody acts at this peer: everything pauses but a probe now and then.
    Blocked(Peer),
    /// The same at Coder, where a fault is taken for such a refusal as it comes again and again.
    Failing,
    /// Some phones are not reached until somebody acts; all others are served meanwhile.
    Held {
        /// Which phones, and why.
        cause: Cause,
        /// How long the text is still worth a try.
        left: Duration,
    },
}

/// A server that a login depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// Coder.
    Coder,
    /// Twilio.
    Twilio,
}

/// Why some phones cannot be texted although nothing is wrong with them. It ends at Twilio, by somebody's hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The account may not send to this region.
    Region(Region),
    /// The account may send to phones only that it has verified.
    Unverified,
    /// The sender is not in order, or does not reach them.
    Sender,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Region(region) => write!(f, "region {region}"),
            Self::Unverified => f.write_str("phones that the account has not verified"),
            Self::Sender => f.write_str("phones that the sender does not reach"),
        }
    }
}

/// What ends an attempt before it is done.
#[derive(Debug)]
pub(super) enum AttemptEnd {
    Later(Later),
    Never(String),
}

impl AttemptEnd {
    pub(super) fn later(wait: RetryTime, why: impl fmt::Display) -> Self {
        Self::Later(Later {
            why: why.to_string(),
            wait,
        })
    }
}

impl AttemptEnd {
    /// What a failed send to `phone` means for a text that is worth a try for `left`.
    pub(super) fn of_send(fault: SmsError, phone: &Phone, left: Duration) -> Self {
        let cause = match fault.kind {
            SmsErrorKind::Region => Cause::Region(Region::of(phone)),
            SmsErrorKind::Unverified => Cause::Unverified,
            SmsErrorKind::Sender => Cause::Sender,
            _ => return fault.into(),
        };
        Self::later(RetryTime::Held { cause, left }, fault)
    }
}

impl From<StoreError> for AttemptEnd {
    /// The disk may be full or the account may be in removal: both pass.
    fn from(error: StoreError) -> Self {
        Self::later(RetryTime::Away, error)
    }
}

impl From<CoderError> for AttemptEnd {
    fn from(fault: CoderError) -> Self {
        let wait = match fault.kind {
            CoderErrorKind::Unreachable
            | CoderErrorKind::Unclear
            | CoderErrorKind::NotCoder
            | CoderErrorKind::Busy(None) => RetryTime::Away,
            CoderErrorKind::Busy(Some(span)) => RetryTime::Exactly(span),
            CoderErrorKind::Denied => RetryTime::Blocked(Peer::Coder),
            CoderErrorKind::Refused => return Self::Never(fault.to_string()),
        };
        Self::later(wait, fault)
    }
}

impl From<SmsError> for AttemptEnd {
    fn from(fault: SmsError) -> Self {
        let wait = match fault.kind {
            SmsErrorKind::NotTaken(None) | SmsErrorKind::Unclear => RetryTime::Away,
            SmsErrorKind::NotTaken(Some(span)) => RetryTime::Exactly(span),
            // Of a send, [`AttemptEnd::of_send`] says more.
            SmsErrorKind::Region | SmsErrorKind::Unverified | SmsErrorKind::Sender => {
                RetryTime::Away
            }
            SmsErrorKind::Blocked => RetryTime::Blocked(Peer::Twilio),
            SmsErrorKind::Recipient | SmsErrorKind::OptedOut | SmsErrorKind::Refused => {
                return Self::Never(fault.to_string());
            }
        };
        Self::later(wait, fault)
    }
}

impl From<Result<Completion, AttemptEnd>> for Outcome {
    fn from(result: Result<Completion, AttemptEnd>) -> Self {
        match result {
            Ok(done) => Self::Done(done),
            Err(AttemptEnd::Later(later)) => Self::Later(later),
            Err(AttemptEnd::Never(why)) => Self::Never(why),
        }
    }
}
