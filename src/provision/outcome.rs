//! The result of an attempt at a text. `run` turns it into an acknowledgement, a retry or a dead letter.

use std::fmt;
use std::time::Duration;

use crate::coder::{CoderError, CoderErrorKind};
use crate::domain::{Phone, Region, UnservedSender, Username};
use crate::metrics::labels;
use crate::store::StoreError;
use crate::twilio::sms::{SmsError, SmsErrorKind};

/// The result of one attempt at one text.
#[derive(Debug)]
pub enum Outcome {
    /// The text is served; nothing is left to do.
    Done(Completion),
    /// Another attempt may help.
    Later(Later),
    /// No attempt can help. The text becomes a dead letter, for this reason.
    Never(String),
}

/// How a text was served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Completion {
    /// A login was texted.
    LoginSent {
        /// The name of the account.
        username: Username,
        /// Whether the phone had a login before.
        again: bool,
    },
    /// A screen has fetched the login.
    LoginShown {
        /// The name of the account.
        username: Username,
    },
    /// A hint was texted, or the try failed: a hint is a courtesy and is not repeated.
    Hinted,
    /// The phone was told that all seats are taken, or the try failed. It is not repeated either.
    ToldFull,
    /// The phone was told that the class is not open yet or is over, or that it has a login of another one, or the
    /// try failed.
    ToldNotNow,
    /// The phone was told that its login cannot be sent again, or the try failed. It is not repeated.
    Withheld {
        /// The name of the account.
        username: Username,
    },
    /// An opt-out word was recorded.
    OptedOut,
    /// An opt-in word was recorded.
    OptedIn,
    /// Nothing was sent, for this reason.
    Silent(Silence),
}

labels! {
    /// Why a text gets no answer.
    pub enum Silence {
        /// It was served before, and came again by Twilio, a restart or a catch-up.
        ServedBefore => "served_before",
        /// Its entry was deleted from the stream.
        Deleted => "entry_deleted",
        /// The sender is a short code.
        ShortCode => "short_code",
        /// The sender is not a phone number.
        NotANumber => "not_a_number",
        /// The sender texts by WhatsApp.
        WhatsApp => "whatsapp",
        /// The sender texts by another channel that is not served.
        Channel => "channel",
        /// The sender's country is not served.
        Country => "country",
        /// The sender is not a mobile number.
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
        /// It is not the phrase, and nothing is texted where logins go to screens only.
        NoHints => "no_hints",
        /// It is not the phrase, and the phone was told so before.
        HintedBefore => "hinted_before",
        /// It is not the phrase, but the phone has a login.
        HasLogin => "has_login",
        /// It is not the phrase, but the phone got another notice in the last hour.
        ToldBefore => "told_before",
        /// It is not the phrase, but the phone's account was removed in the last 24 hours.
        AccountGone => "account_gone",
        /// It repeats a text of ours, as a phone does to report a reaction.
        Reaction => "reaction",
        /// The class is full, and the phone was told so before.
        FullToldBefore => "full_told_before",
        /// The class is not open yet or is over, or the phone has a login of another one, and it was told so before.
        NotNowToldBefore => "not_now_told_before",
        /// A hint or notice would exceed this hour's number of texts.
        HourlyLimit => "hourly_limit",
        /// The account was ended after the text was received.
        Ended => "account_ended",
        /// A newer text of the phone is served instead.
        NewerText => "newer_text",
        /// A login was sent after the text was received.
        NewerLogin => "newer_login",
        /// A login was sent a moment ago.
        JustSent => "login_just_sent",
        /// The phone has reached its daily number of logins.
        DailyLimit => "daily_limit",
        /// It is the phrase without a code, and logins go to screens only.
        NoCode => "no_code",
        /// It is the phrase with digits that are no code, and logins go to screens only.
        WrongCode => "wrong_code",
        /// The screen is not there any more, and logins go to screens only.
        NoScreen => "no_screen",
        /// The person at the screen said that it is not their phone.
        Declined => "declined",
        /// Another phone was confirmed at the screen.
        ScreenTaken => "screen_taken",
        /// The screen did not fetch the login in time.
        NotFetched => "not_fetched",
        /// An earlier text of the phone asks for the same screen.
        Doubled => "doubled",
        /// The screen has shown the login already, and logins go to screens only.
        ShownBefore => "shown_before",
    }
}

impl Silence {
    /// The reason, for the log.
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
            Self::OptedOut => "the phone has opted out; START opts it in again",
            Self::Unreachable => "the phone cannot be texted",
            Self::HintsOff => "not the phrase, and hints are off",
            Self::NoHints => "not the phrase, and with CODER_REG_REPLY=screen nothing is texted",
            Self::HintedBefore => "not the phrase, and the phone was told so before",
            Self::HasLogin => "not the phrase, but the phone has a login",
            Self::ToldBefore => "not the phrase, but the phone got another notice in the last hour",
            Self::AccountGone => "not the phrase, but its account was removed in the last 24 hours",
            Self::Reaction => "it is a reaction to one of our texts, which repeats the words",
            Self::FullToldBefore => "the class is full, and the phone was told so before",
            Self::NotNowToldBefore => {
                "the class is not open yet or is over, or the phone has a login of another class, and it was told so before"
            }
            Self::HourlyLimit => "the hourly limit of texts is reached",
            Self::Ended => "the account of this phone ended after this text was received",
            Self::NewerText => "a newer text of this phone is served instead",
            Self::NewerLogin => "a login was sent after this text was received",
            Self::JustSent => "a login was sent a moment ago",
            Self::DailyLimit => "the phone has reached its limit of logins for a day",
            Self::NoCode => "the text has no code, and logins go to screens only",
            Self::WrongCode => "the text has a mistyped code, and logins go to screens only",
            Self::NoScreen => "no screen shows the code of this text any more",
            Self::Declined => "the person at the screen said that it is not their phone",
            Self::ScreenTaken => {
                "another phone was confirmed at this screen, or too many phones texted its code"
            }
            Self::NotFetched => "the screen did not fetch the login in time",
            Self::Doubled => "an earlier text of this phone asks for the same screen",
            Self::ShownBefore => {
                "the screen has already shown the login; open the page again and text its new code to see it again"
            }
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

/// How long nothing is tried at Coder after its own limit has refused a call. It ends bit by bit, and refused calls do not
/// count.
const CALL_LIMIT_PROBE: Duration = Duration::from_secs(1);

/// Why another attempt is needed, and when to make it.
#[derive(Clone, Debug)]
pub struct Later {
    /// The reason, for the log.
    pub why: String,
    /// What determines the time of the next attempt.
    pub wait: RetryTime,
}

/// What determines the time of the next attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryTime {
    /// The backoff: the peer is unavailable and may return at any time.
    Away,
    /// Exactly this long, whatever other texts find out meanwhile.
    Exactly(Duration),
    /// Coder accepts no more calls for now: one of the texts that wait for it tries after this long, the others when it is
    /// accepted.
    CoderLimit(Duration),
    /// This hour's texts are used up (`CODER_REG_HOURLY_TEXTS`): this long.
    HourlyLimit(Duration),
    /// Its login is at a screen: this long, or until something happens there. It is not a failure.
    Screen(Duration),
    /// No text can be served until a person acts at this peer: everything pauses, but for one probe now and then.
    Blocked(Peer),
    /// The same, for a fault that counts as such a refusal because it repeats.
    Failing,
    /// Some phones cannot be texted until a person acts; all others are served meanwhile.
    Held {
        /// Which phones, and why.
        cause: Cause,
        /// For how much longer it is useful to serve the text.
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

/// Why some phones cannot be texted although they are in order. A person must change that at Twilio.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The Twilio account may not send to this region.
    Region(Region),
    /// The Twilio account may send only to phones that it has verified.
    Unverified,
    /// The sender cannot be used, or cannot reach these phones.
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

/// What ends an attempt early.
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

    /// What a failed send to `phone` means for a text that is useful for another `left`.
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
    /// The disk may be full, or the account's removal may have begun; both pass.
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
            CoderErrorKind::Busy(Some(_)) if fault.is_of_call_limit() => {
                RetryTime::CoderLimit(CALL_LIMIT_PROBE)
            }
            CoderErrorKind::Busy(Some(span)) => RetryTime::CoderLimit(span),
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
            // For a send, [`AttemptEnd::of_send`] gives the cause.
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
