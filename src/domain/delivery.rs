//! What became of a text that was sent, as Twilio tells it: in its own time, in any order, repeatedly.

use super::{MessageSid, Username};

/// How far a text has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// Twilio has it (queued, accepted or scheduled).
    Queued,
    /// It is on its way to the carrier.
    Sending,
    /// The carrier has it. Some carriers never say more.
    Sent,
    /// The phone, or its carrier, has confirmed it.
    Delivered,
    /// The carrier said no.
    Undelivered,
    /// It never left Twilio, or was cancelled.
    Failed,
    /// Somebody has read it.
    Read,
}

impl Delivery {
    /// Reads Twilio's word; `None` for one that says nothing about a text on its way.
    pub fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "queued" | "accepted" | "scheduled" => Self::Queued,
            "sending" => Self::Sending,
            // The carrier has it, and one part of it has not arrived yet, or never will.
            "sent" | "partially_delivered" => Self::Sent,
            "delivered" => Self::Delivered,
            "undelivered" => Self::Undelivered,
            "failed" | "canceled" => Self::Failed,
            "read" => Self::Read,
            _ => return None,
        })
    }

    /// The word under which it is stored, one of Twilio's.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Sending => "sending",
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Undelivered => "undelivered",
            Self::Failed => "failed",
            Self::Read => "read",
        }
    }

    fn rank(self) -> u8 {
        match self {
            Self::Queued => 0,
            Self::Sending => 1,
            Self::Sent => 2,
            Self::Delivered | Self::Undelivered | Self::Failed => 3,
            Self::Read => 4,
        }
    }

    /// Whether this is further than `known`: receipts come in any order, and none takes a text back.
    pub fn is_beyond(self, known: Self) -> bool {
        self.rank() > known.rank()
    }

    /// Whether a carrier has the text, or nobody ever will: its words are not needed any more.
    pub fn has_left(self) -> bool {
        self.rank() >= Self::Sent.rank()
    }

    /// Whether nothing more is to come but "read".
    pub fn has_ended(self) -> bool {
        self.rank() >= Self::Delivered.rank()
    }

    /// Whether it has reached the phone, as far as anybody knows.
    pub fn has_arrived(self) -> bool {
        matches!(self, Self::Delivered | Self::Read)
    }

    /// Whether it will never reach the phone.
    pub fn has_failed(self) -> bool {
        matches!(self, Self::Undelivered | Self::Failed)
    }
}

/// The code of a text to a person who has opted out.
const OPTED_OUT: u32 = 21610;

/// Whether `code`, with which a delivery failed, says that the person has opted out.
pub fn says_opted_out(code: Option<u32>) -> bool {
    code == Some(OPTED_OUT)
}

/// One word from Twilio about one text that was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Which text.
    pub sid: MessageSid,
    /// How far it has come.
    pub delivery: Delivery,
    /// Twilio's error code, where it failed and Twilio says why.
    pub code: Option<u32>,
}

/// A login that will not reach its student.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undelivered {
    /// Whose login.
    pub username: Username,
    /// The text.
    pub sid: MessageSid,
    /// Twilio's error code, if it gave one.
    pub code: Option<u32>,
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Delivery; 7] = [
        Delivery::Queued,
        Delivery::Sending,
        Delivery::Sent,
        Delivery::Delivered,
        Delivery::Undelivered,
        Delivery::Failed,
        Delivery::Read,
    ];

    #[test]
    fn words_are_read_and_written_back() {
        for delivery in ALL {
            assert_eq!(Delivery::parse(delivery.as_str()), Some(delivery));
        }
        for (word, same_as) in [
            ("accepted", Delivery::Queued),
            ("scheduled", Delivery::Queued),
            ("partially_delivered", Delivery::Sent),
            ("canceled", Delivery::Failed),
        ] {
            assert_eq!(Delivery::parse(word), Some(same_as));
        }
        for word in ["", "Delivered", "received", "receiving", "sent "] {
            assert_eq!(Delivery::parse(word), None, "{word:?}");
        }
    }

    #[test]
    fn whatever_the_order_the_furthest_state_is_kept() {
        let kept = |words: &[&str]| {
            let all = words.iter().filter_map(|word| Delivery::parse(word));
            all.reduce(|known, next| if next.is_beyond(known) { next } else { known })
        };
        for (words, last) in [
            (
                &["queued", "sending", "sent", "delivered"][..],
                Delivery::Delivered,
            ),
            (
                &["delivered", "sent", "sending", "queued"],
                Delivery::Delivered,
            ),
            (&["sent", "sent", "accepted"], Delivery::Sent),
            (&["undelivered", "sent"], Delivery::Undelivered),
            (&["failed", "queued"], Delivery::Failed),
            (&["read", "delivered"], Delivery::Read),
            // Two ends contradict each other: the first stands.
            (&["delivered", "undelivered"], Delivery::Delivered),
            (&["failed", "delivered"], Delivery::Failed),
        ] {
            assert_eq!(kept(words), Some(last), "{words:?}");
        }
    }

    #[test]
    fn nothing_is_beyond_itself_and_the_questions_agree_with_the_ranks() {
        for delivery in ALL {
            assert!(!delivery.is_beyond(delivery));
            assert!(!(delivery.has_failed() && delivery.has_arrived()));
            let ended = delivery.has_failed() || delivery.has_arrived();
            assert_eq!(delivery.has_ended(), ended, "{delivery:?}");
            assert!(delivery.has_left() || !ended, "{delivery:?}");
        }
    }
}
