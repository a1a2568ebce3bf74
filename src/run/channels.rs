//! Channels whose texts cannot be answered. Each is reported to the operator once, however many texts arrive by it.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use log::warn;

use crate::domain::{Text, channel_of};

/// The largest number of channels that are reported; Twilio has about ten.
const MOST: usize = 20;

/// The channels that were reported since the start.
#[derive(Default)]
pub(super) struct Channels {
    reported: Mutex<BTreeSet<String>>,
}

impl Channels {
    /// Logs what to do about the channel of a text that got no answer, unless that channel was reported before.
    pub(super) fn report(&self, text: &Text) {
        let Some((channel, _)) = channel_of(&text.from) else {
            return;
        };
        let channel = channel.to_ascii_lowercase();
        if !self.is_new(&channel) {
            return;
        }
        let sid = &text.sid;
        if channel == "whatsapp" {
            warn!(
                "text {sid} came by WhatsApp, which is not served: students have to text by SMS. Set another webhook \
                 for your WhatsApp sender (Twilio console, Messaging, Senders); further such texts are only counted"
            );
        } else {
            warn!(
                "text {sid} came by a channel that is not served ({channel}): students have to text by SMS. Set \
                 another webhook for that channel; further such texts are only counted"
            );
        }
    }

    fn is_new(&self, channel: &str) -> bool {
        let mut reported = self.reported.lock().unwrap_or_else(PoisonError::into_inner);
        reported.len() < MOST && reported.insert(channel.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_channel_is_reported_once_up_to_a_limit() {
        let channels = Channels::default();
        assert!(channels.is_new("whatsapp") && channels.is_new("messenger"));
        assert!(!channels.is_new("whatsapp"));
        let more = (0..100).filter(|n| channels.is_new(&format!("x{n}")));
        assert_eq!(more.count(), MOST - 2);
    }
}
