//! What became of a text: one verdict, which `run` turns into acknowledge, later or dead letter.

use std::fmt;
use std::time::Duration;

use crate::coder::{CoderFault, Trouble};
use crate::domain::Username;
use crate::store::StoreError;
use crate::twilio::sms::{SmsFault, SmsTrouble};

/// The verdict on one attempt at one text.
#[derive(Debug)]
pub enum Outcome {
    /// Nothing is left to do.
    Done(Done),
    /// Another attempt may help.
    Later(Later),
    /// No attempt can help; a person may want to read why.
    Never(String),
}

/// How a text was served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Done {
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
    /// An opt-out word was recorded.
    Recorded,
    /// Nothing was sent, for that reason.
    Silent(&'static str),
}

/// Why another attempt is needed, and when.
#[derive(Clone, Debug)]
pub struct Later {
    /// Words for the log.
    pub why: String,
    /// What decides about the time of the next attempt.
    pub wait: Wait,
}

/// What decides about the time of the next attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// The policy: the other side is away and may be back at any time.
    Away,
    /// That long, whatever others learn meanwhile.
    Exactly(Duration),
    /// Nobody gets through until somebody acts: everything pauses but a probe now and then.
    Blocked,
}

/// What ends an attempt before it is done.
#[derive(Debug)]
pub(super) enum Halt {
    Later(Later),
    Never(String),
}

impl Halt {
    pub(super) fn later(wait: Wait, why: impl fmt::Display) -> Self {
        Self::Later(Later {
            why: why.to_string(),
            wait,
        })
    }
}

impl From<StoreError> for Halt {
    /// The disk may be full or the account may be in removal: both pass.
    fn from(error: StoreError) -> Self {
        Self::later(Wait::Away, error)
    }
}

impl From<CoderFault> for Halt {
    fn from(fault: CoderFault) -> Self {
        let wait = match fault.trouble {
            Trouble::Unreachable | Trouble::Unclear | Trouble::NotCoder | Trouble::Busy(None) => {
                Wait::Away
            }
            Trouble::Busy(Some(span)) => Wait::Exactly(span),
            Trouble::Denied => Wait::Blocked,
            Trouble::Refused => return Self::Never(fault.to_string()),
        };
        Self::later(wait, fault)
    }
}

impl From<SmsFault> for Halt {
    fn from(fault: SmsFault) -> Self {
        let wait = match fault.trouble {
            SmsTrouble::NotTaken(None) | SmsTrouble::Unclear => Wait::Away,
            SmsTrouble::NotTaken(Some(span)) => Wait::Exactly(span),
            SmsTrouble::Blocked => Wait::Blocked,
            SmsTrouble::Recipient | SmsTrouble::OptedOut | SmsTrouble::Refused => {
                return Self::Never(fault.to_string());
            }
        };
        Self::later(wait, fault)
    }
}

impl From<Result<Done, Halt>> for Outcome {
    fn from(result: Result<Done, Halt>) -> Self {
        match result {
            Ok(done) => Self::Done(done),
            Err(Halt::Later(later)) => Self::Later(later),
            Err(Halt::Never(why)) => Self::Never(why),
        }
    }
}
