//! Channels whose texts cannot be answered: each is told to the operator once, however many texts it brings.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use log::warn;

use crate::domain::{Text, channel_of};

/// Channels that are told; Twilio has some ten.
const MOST: usize = 20;

/// The channels that were told since the start.
#[derive(Default)]
pub(super) struct Channels {
    told: Mutex<BTreeSet<String>>,
}

impl Channels {
    /// Tells what to do about the channel of a text that got no answer, unless it was told before.
    pub(super) fn tell(&self, text: &Text) {
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
                "text {sid} came by WhatsApp, which is not served: students have to text by SMS. Let the webhook of your \
                 WhatsApp sender lead elsewhere (Twilio console, Messaging, Senders); further ones are only counted"
            );
        } else {
            warn!(
                "text {sid} came by a channel that is not served ({channel}): students have to text by SMS. Let that \
                 channel's webhook lead elsewhere; further ones are only counted"
            );
        }
    }

    fn is_new(&self, channel: &str) -> bool {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.len() < MOST && told.insert(channel.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_channel_is_told_once_and_not_too_many_are() {
        let channels = Channels::default();
        assert!(channels.is_new("whatsapp") && channels.is_new("messenger"));
        assert!(!channels.is_new("whatsapp"));
        let more = (0..100).filter(|n| channels.is_new(&format!("x{n}")));
        assert_eq!(more.count(), MOST - 2);
    }
}
