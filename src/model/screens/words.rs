//! What happens, in plain words.

use std::fmt;
use std::time::Duration;

use super::state::HallReap;
use super::worker::HallAt;
use crate::screen::OFFER;

/// Why a text counts as served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Silent {
    /// Its login was sent or shown.
    Answered,
    /// Another text of the phone asks for the same.
    OtherText,
    /// A login came after it was received.
    NewerLogin,
    /// The account was ended after it was received.
    Ended,
    /// Its screen does not take the login, and the page there asks for a new text.
    AtScreen,
}

/// How a step ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HallLuck {
    Well,
    /// It is done, and the answer is lost.
    LostAfter,
    /// It is not done, and there is no answer.
    LostBefore,
    /// It is not done, because a login is on its way.
    Held,
}

/// What happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HallMove {
    Texts {
        text: u8,
        laptop: u8,
    },
    Begin {
        text: u8,
    },
    Work {
        text: u8,
        at: HallAt,
        luck: HallLuck,
    },
    Opens {
        laptop: u8,
    },
    Polls {
        laptop: u8,
        luck: HallLuck,
    },
    Answers {
        laptop: u8,
        text: u8,
        yes: bool,
    },
    Arrives {
        laptop: u8,
    },
    TimeUp {
        phone: u8,
    },
    Inspect {
        phone: u8,
    },
    Reap {
        at: HallReap,
        luck: HallLuck,
    },
    Time {
        by: Duration,
    },
    Kill,
}

impl fmt::Display for HallLuck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Well => "",
            Self::LostAfter => "; it is done, but the answer is lost",
            Self::LostBefore => "; the call fails, and it is not done",
            Self::Held => "; it is not done, because a login is on its way",
        })
    }
}

impl fmt::Display for HallMove {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |phone: u8| if phone == 0 { "Ana" } else { "Ben" };
        let by = |text: u8| name(super::phone_of(usize::from(text)));
        let page = |laptop: &u8| laptop + 1;
        match self {
            Self::Texts { text, laptop } => {
                let (number, laptop) = (text + 1, page(laptop));
                write!(
                    f,
                    "{} texts the code of laptop {laptop} (text {number})",
                    by(*text)
                )
            }
            Self::Begin { text } => write!(f, "a worker takes text {} up", text + 1),
            Self::Work { text, at, luck } => write!(f, "text {}: {}{luck}", text + 1, work(*at)),
            Self::Opens { laptop } => write!(f, "laptop {} opens a page", page(laptop)),
            Self::Polls { laptop, luck } => write!(f, "laptop {} asks{luck}", page(laptop)),
            Self::Answers { laptop, text, yes } => {
                let (laptop, word) = (page(laptop), if *yes { "yes" } else { "no" });
                write!(
                    f,
                    "at laptop {laptop} somebody says {word} to {}'s phone",
                    by(*text)
                )
            }
            Self::Arrives { laptop } => write!(f, "laptop {} is signed in", page(laptop)),
            Self::TimeUp { phone } => write!(f, "the time of {}'s account is up", name(*phone)),
            Self::Inspect { phone } => {
                write!(f, "the reaper takes the account of {} up", name(*phone))
            }
            Self::Reap { at, luck } => write!(f, "the reaper {}{luck}", reap(*at)),
            Self::Time { by } if *by == OFFER => f.write_str("a minute passes"),
            Self::Time { .. } => f.write_str("ten minutes pass"),
            Self::Kill => f.write_str("the service is killed, and starts again"),
        }
    }
}

fn work(at: HallAt) -> &'static str {
    match at {
        HallAt::Idle => "nothing",
        HallAt::Claim => "its screen is claimed",
        HallAt::Find => "the registration is read",
        HallAt::Reserve => "a name is reserved",
        HallAt::Renew => "the account gets a new time",
        HallAt::Create => "Coder is asked to make the user",
        HallAt::Created => "the user is recorded",
        HallAt::Again => "Coder is asked whether the login holds",
        HallAt::BeginShow => "the offer is recorded",
        HallAt::Offer => "the login is offered to the screen",
        HallAt::RecordShown => "the login is recorded as shown",
        HallAt::Recorded => "the screens learn of that",
        HallAt::Perhaps => "a login that may have been shown is recorded",
        HallAt::Trace => "Twilio's log is searched",
        HallAt::Clear => "the way is cleared for another send",
        HallAt::BeginSend => "the send is recorded",
        HallAt::Send => "the login is sent",
        HallAt::RecordSent => "the login is recorded as sent",
        HallAt::Finish(_) => "it is recorded as served without an answer",
        HallAt::Tell => "its screen is told",
        HallAt::Acknowledge => "it is acknowledged",
    }
}

fn reap(at: HallReap) -> &'static str {
    match at {
        HallReap::Idle => "rests",
        HallReap::Begin(_) => "begins the removal",
        HallReap::Delete(_) => "deletes the user",
        HallReap::Forget(_) => "forgets the row",
    }
}
