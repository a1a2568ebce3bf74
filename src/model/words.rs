//! What happens in the model, in plain words.

use std::fmt;

use super::removal::Reap;
use super::worker::At;

/// How a step ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Luck {
    /// As wanted.
    Well,
    /// The name that is drawn or asked for is in use.
    Taken,
    /// The peer does not do it, and says so.
    Refused,
    /// It is done, and the answer is lost.
    LostAfter,
    /// It is not done, and there is no answer.
    LostBefore,
    /// Nobody waits for the answer any more.
    TimeUp,
    /// It is done after everybody has stopped waiting.
    Late,
    /// Twilio's log may not be read.
    Unreadable,
}

/// What happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Move {
    Texts { text: u8, stop: bool },
    Repeats { text: u8 },
    Begin { text: u8 },
    Work { text: u8, at: At, luck: Luck },
    Lands { phone: u8, luck: Luck },
    Inspect { row: u8 },
    Reap { at: Reap, luck: Luck },
    Ends { phone: u8 },
    EndsGently { phone: u8 },
    Extends { phone: u8 },
    Time,
    Kill,
}

impl fmt::Display for Luck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Well => "",
            Self::Taken => "; the name is in use",
            Self::Refused => "; it is refused",
            Self::LostAfter => "; it is done, but the answer is lost",
            Self::LostBefore => "; the call fails, and it is not done",
            Self::TimeUp => "; no answer came in time",
            Self::Late => ", after nobody waits for it any more",
            Self::Unreadable => "; the log may not be read",
        })
    }
}

impl fmt::Display for Move {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Texts { text, stop } => {
                let what = if *stop { "STOP" } else { "the phrase" };
                write!(
                    f,
                    "phone {} texts {what} (text {})",
                    super::phone_of(usize::from(*text)) + 1,
                    text + 1
                )
            }
            Self::Repeats { text } => write!(f, "Twilio sends text {} again", text + 1),
            Self::Begin { text } => write!(f, "a worker takes text {} up", text + 1),
            Self::Work { text, at, luck } => write!(f, "text {}: {}{luck}", text + 1, work(*at)),
            Self::Lands {
                phone,
                luck: Luck::LostBefore,
            } => write!(f, "the create for phone {} is never carried out", phone + 1),
            Self::Lands { phone, luck } => write!(
                f,
                "Coder carries out the create for phone {}{luck}",
                phone + 1
            ),
            Self::Inspect { row } => write!(f, "the reaper takes row {row} up"),
            Self::Reap { at, luck } => write!(f, "the reaper {}{luck}", reap(*at)),
            Self::Ends { phone } => {
                write!(f, "the instructor ends the account of phone {}", phone + 1)
            }
            Self::EndsGently { phone } => write!(
                f,
                "the instructor ends the account of phone {} gently",
                phone + 1
            ),
            Self::Extends { phone } => write!(
                f,
                "the instructor extends the account of phone {}",
                phone + 1
            ),
            Self::Time => f.write_str("time passes"),
            Self::Kill => f.write_str("the service is killed, and starts again"),
        }
    }
}

fn work(at: At) -> &'static str {
    match at {
        At::Idle => "nothing",
        At::Stop => "the opt-out is recorded",
        At::Find => "the registration is read",
        At::Reserve => "a name is reserved",
        At::UndoEnd => "the end is undone",
        At::Renew => "the reservation is renewed",
        At::BeginCreate => "another create is recorded",
        At::Create => "Coder is asked to make the user",
        At::Await => "the answer to the create is awaited",
        At::Ours => "Coder is asked whose the name is",
        At::Created { .. } => "the user and the send are recorded",
        At::Rename { .. } => "another name is recorded",
        At::Trace => "Twilio's log is searched",
        At::Clear { doubtful: true, .. } => "the send is recorded as doubtful",
        At::Clear { .. } => "the way is cleared for another send",
        At::Again => "Coder is asked whether the login holds",
        At::BeginSend => "the send is recorded",
        At::Send => "the login is sent",
        At::Record { .. } => "the login is recorded as sent",
        At::Refused { .. } => "that nothing was sent is recorded",
        At::OptedOut => "the opt-out at Twilio is recorded",
        At::Doubt => "the doubtful login is recorded as sent",
        At::GiveUp => "it is recorded as given up",
        At::Finish => "it is recorded as served without an answer",
        At::Acknowledge => "it is acknowledged",
        At::DeadLetter => "it becomes a dead letter",
    }
}

fn reap(at: Reap) -> &'static str {
    match at {
        Reap::Idle => "rests",
        Reap::User => "asks Coder for the user",
        Reap::Created { .. } => "records the user",
        Reap::Begin { .. } => "begins the removal",
        Reap::Locked => "records the lock-out",
        Reap::Delete { .. } => "deletes the user",
        Reap::Suspend { .. } => "suspends the user",
        Reap::List { .. } => "looks whether the user is gone",
        Reap::Forget => "forgets the row",
    }
}
