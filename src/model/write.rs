//! The transactions of the model's database, and how they are answered.

use super::row::{Print, Tick};
use crate::domain::order::Order;
use crate::domain::registration::Event;

/// A write of one transaction.
#[derive(Clone, Copy, Debug)]
pub(super) enum Write {
    /// `received`: of the text that asks.
    Reserve {
        phone: u8,
        name: u8,
        foreign: bool,
        due: Tick,
        received: Tick,
    },
    Rename {
        id: u8,
        event: Event,
        name: u8,
        foreign: bool,
        due: Tick,
    },
    /// Coder is asked once more for the user.
    BeginCreate {
        id: u8,
    },
    Renew {
        id: u8,
        due: Tick,
    },
    UndoEnd {
        id: u8,
        due: Tick,
    },
    Created {
        id: u8,
        user: u8,
        due: Tick,
        sending: Option<(Print, Tick)>,
    },
    BeginSend {
        id: u8,
        sending: (Print, Tick),
        promised: Tick,
    },
    /// `without_login`: when the account is due if it surely has none; `None` = the send is doubtful.
    ClearSend {
        id: u8,
        without_login: Option<Tick>,
        renewed: Option<Tick>,
    },
    /// `gave_up`: the text is given up, as its login may not have been sent. `earlier`: the login was sent before
    /// the text was received, so it is no answer to it once the removal of the account has begun.
    LoginSent {
        id: u8,
        text: u8,
        due: Tick,
        gave_up: bool,
        earlier: bool,
    },
    GaveUp {
        phone: u8,
        text: u8,
    },
    OptedOut {
        phone: u8,
        text: u8,
        gave_up: bool,
    },
    Finish {
        text: u8,
    },
    BeginRemoval {
        id: u8,
    },
    LockedOut {
        id: u8,
    },
    Forget {
        id: u8,
    },
    Order {
        phone: u8,
        order: Order,
    },
}

/// The answer to a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Done,
    /// What it was for is not so any more.
    Not,
    /// The phone or the name is in the table.
    Clash,
    /// The text is from before the end of the account.
    Ended,
    /// No row is free; the model does not go on here.
    Full,
    /// The removal has begun.
    Reaping,
    /// `Stage::after` does not allow it.
    Illegal,
}
