//! Delivery receipts of texts that were sent. Twilio sends them late, in any order and repeatedly.

use super::{MessageSid, Username};

/// The delivery state of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// Twilio has it (queued, accepted or scheduled).
    Queued,
    /// Twilio is sending it to the carrier.
    Sending,
    /// The carrier has it. Some carriers never report more.
    Sent,
    /// The phone or its carrier has confirmed it.
    Delivered,
    /// The carrier could not deliver it.
    Undelivered,
    /// It never left Twilio, or was cancelled.
    Failed,
    /// The recipient has read it.
    Read,
}

impl Delivery {
    /// Parses Twilio's `MessageStatus`; `None` if it is not a state of an outgoing text.
    pub fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "queued" | "accepted" | "scheduled" => Self::Queued,
            "sending" => Self::Sending,
            // The carrier has it, but not all of its parts have arrived.
            "sent" | "partially_delivered" => Self::Sent,
            "delivered" => Self::Delivered,
            "undelivered" => Self::Undelivered,
            "failed" | "canceled" => Self::Failed,
            "read" => Self::Read,
            _ => return None,
        })
    }

    /// Its stored form, one of Twilio's words.
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

    /// Whether this state comes after `known`. Receipts arrive in any order, and an earlier state
    /// must not replace a later one.
    pub fn is_beyond(self, known: Self) -> bool {
        self.rank() > known.rank()
    }

    /// Whether the text has left Twilio or has failed, so that its body is not needed any more.
    pub fn has_left(self) -> bool {
        self.rank() >= Self::Sent.rank()
    }

    /// Whether no further state can follow, except "read".
    pub fn has_ended(self) -> bool {
        self.rank() >= Self::Delivered.rank()
    }

    /// Whether it has reached the phone, according to the receipts.
    pub fn has_arrived(self) -> bool {
        matches!(self, Self::Delivered | Self::Read)
    }

    /// Whether it will never reach the phone.
    pub fn has_failed(self) -> bool {
        matches!(self, Self::Undelivered | Self::Failed)
    }
}

/// Twilio's error code for a text to a recipient who has opted out.
const OPTED_OUT: u32 = 21610;

/// Whether a delivery failed with the code for a recipient who has opted out.
pub fn says_opted_out(code: Option<u32>) -> bool {
    code == Some(OPTED_OUT)
}

/// A delivery receipt for one text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The text.
    pub sid: MessageSid,
    /// Its new state.
    pub delivery: Delivery,
    /// Twilio's error code, if it failed and Twilio gives one.
    pub code: Option<u32>,
}

/// A login text that was not delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undelivered {
    /// The account of the login.
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
    fn the_latest_state_is_kept_in_any_order_of_receipts() {
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
            // Two final states contradict each other: the first one is kept.
            (&["delivered", "undelivered"], Delivery::Delivered),
            (&["failed", "delivered"], Delivery::Failed),
        ] {
            assert_eq!(kept(words), Some(last), "{words:?}");
        }
    }

    #[test]
    fn no_state_comes_after_itself_and_the_predicates_agree_with_the_ranks() {
        for delivery in ALL {
            assert!(!delivery.is_beyond(delivery));
            assert!(!(delivery.has_failed() && delivery.has_arrived()));
            let ended = delivery.has_failed() || delivery.has_arrived();
            assert_eq!(delivery.has_ended(), ended, "{delivery:?}");
            assert!(delivery.has_left() || !ended, "{delivery:?}");
        }
    }

    #[test]
    fn a_text_has_left_once_the_carrier_has_it_or_it_has_failed() {
        let stays = ALL.into_iter().filter(|state| !state.has_left());
        assert_eq!(
            stays.collect::<Vec<_>>(),
            [Delivery::Queued, Delivery::Sending]
        );
    }

    #[test]
    fn one_code_says_that_the_recipient_has_opted_out() {
        assert!(says_opted_out(Some(21_610)));
        assert!(!says_opted_out(Some(21_611)) && !says_opted_out(None));
    }
}
