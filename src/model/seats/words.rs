//! What happens, in plain words.

use std::fmt;

use super::keeper::KeeperStep;
use super::table::SeatOwner;
use super::worker::SeatStep;
use super::{SeatLuck, SeatReap};

/// What happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SeatMove {
    Texts {
        phone: u8,
    },
    Work {
        phone: u8,
        at: SeatStep,
        luck: SeatLuck,
    },
    Keep {
        at: KeeperStep,
        to: KeeperStep,
        luck: SeatLuck,
    },
    Inspect {
        owner: SeatOwner,
    },
    Reap {
        at: SeatReap,
        luck: SeatLuck,
    },
    TimeUp {
        owner: SeatOwner,
    },
    Over,
    Kill,
}

impl fmt::Display for SeatLuck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Well => "",
            Self::LostAfter => "; it is done, but the answer is lost",
            Self::LostBefore => "; the call fails, and it is not done",
        })
    }
}

impl fmt::Display for SeatMove {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Texts { phone } => write!(f, "phone {} texts the phrase", phone + 1),
            Self::Work { phone, at, luck } => write!(f, "phone {}: {}{luck}", phone + 1, work(*at)),
            Self::Keep {
                at: KeeperStep::Idle,
                to,
                ..
            } => write!(f, "the keeper begins: {}", keep(*to)),
            Self::Keep { at, luck, .. } => write!(f, "the keeper: {}{luck}", keep(*at)),
            Self::Inspect { owner } => write!(f, "the reaper takes {owner} up"),
            Self::Reap { at, luck } => write!(f, "the reaper {}{luck}", reap(*at)),
            Self::TimeUp { owner } => write!(f, "the time of {owner} is up"),
            Self::Over => f.write_str("the class is over, and wants no spares"),
            Self::Kill => f.write_str("the service is killed, and starts again"),
        }
    }
}

impl fmt::Display for SeatOwner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Spare => f.write_str("a spare"),
            Self::Phone(phone) => write!(f, "the account of phone {}", phone + 1),
        }
    }
}

fn work(at: SeatStep) -> &'static str {
    match at {
        SeatStep::Idle => "a worker takes its text up",
        SeatStep::Find => "the registration is read",
        SeatStep::Take => "a spare is looked for",
        SeatStep::Give(_) => "the chosen spare is given",
        SeatStep::Reserve => "a name is reserved",
        SeatStep::Full => "that the class is full is recorded",
        SeatStep::Create(_) => "Coder is asked to make the user",
        SeatStep::Created(_) => "the user and the send are recorded",
        SeatStep::Trace(_) => "Twilio's log is searched",
        SeatStep::Clear(_) => "the way is cleared for another send",
        SeatStep::Again(_) => "Coder is asked whether the login holds",
        SeatStep::BeginSend(_) => "the send is recorded",
        SeatStep::Send(_) => "the login is sent",
        SeatStep::Record(_) => "the login is recorded as sent",
        SeatStep::Finish => "it is recorded as served without an answer",
        SeatStep::Acknowledge => "the text is acknowledged",
    }
}

fn keep(at: KeeperStep) -> &'static str {
    match at {
        KeeperStep::Idle => "nothing",
        KeeperStep::Dismiss(_) => "a spare is dismissed",
        KeeperStep::Looked(_) => "that nobody has used a spare is recorded",
        KeeperStep::Reserve => "a spare is reserved",
        KeeperStep::Create(_) => "Coder is asked to make a spare",
        KeeperStep::Made(_) => "the spare is recorded as made",
    }
}

fn reap(at: SeatReap) -> &'static str {
    match at {
        SeatReap::Idle => "rests",
        SeatReap::Begin(_) => "begins the removal",
        SeatReap::Delete(_) => "deletes the user",
        SeatReap::Forget(_) => "forgets the row",
    }
}
