//! What a student's thread can reach: the webhook, the phone, and Coder's login page.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::interrupt::Interrupt;
use crate::classroom::http;
use crate::classroom::student::{Login, Webhook};
use crate::fakes::coder::FakeCoder;
use crate::fakes::twilio::{FakeTwilio, SentText};

/// How often Twilio offers a text again that was not accepted, as `rc=3` in the webhook URL asks.
const OFFERS_AGAIN: u32 = 3;
const OFFER_PAUSE: Duration = Duration::from_millis(300);

/// Shared by all threads.
pub struct Ground<'a> {
    pub coder: &'a FakeCoder,
    pub twilio: &'a FakeTwilio,
    /// Where Twilio delivers texts.
    pub webhook: SocketAddr,
    /// When the first text was sent.
    pub began: Instant,
    /// When all logins must have arrived.
    pub deadline: Instant,
    pub interrupt: &'a Interrupt,
}

impl Ground<'_> {
    /// How long after the beginning of the class a moment is.
    pub fn clock(&self, at: Instant) -> Duration {
        at.saturating_duration_since(self.began)
    }

    /// Delivers a text once, as Twilio does. Returns the status, 0 if no answer came.
    pub fn post(&self, webhook: &Webhook) -> u16 {
        let body = webhook.body.as_bytes();
        let answer = http::request(self.webhook, "POST", "/inbound", &webhook.headers, body);
        answer.map_or(0, |answer| answer.status)
    }

    /// Delivers a text, and again after a failure that may pass.
    pub fn deliver(&self, webhook: &Webhook) -> u16 {
        let mut status = self.post(webhook);
        for _ in 0..OFFERS_AGAIN {
            let passing = status == 0 || status >= 500;
            if !passing || self.interrupt.pause(OFFER_PAUSE).is_err() {
                break;
            }
            status = self.post(webhook);
        }
        status
    }

    /// Waits for the text of this number (from 0) to a phone, until the deadline or a refusal.
    pub fn text_to(&self, phone: &str, number: usize) -> Option<SentText> {
        let slice = Duration::from_millis(200);
        while !self.interrupt.asked() && Instant::now() < self.deadline {
            let refused = self.twilio.refused_to(phone) > 0;
            if let Some(mut texts) = self.twilio.wait_for_texts(phone, number + 1, slice) {
                return Some(texts.swap_remove(number));
            }
            if refused {
                return None;
            }
        }
        None
    }

    /// Logs in at Coder as its login page does; gives the status, 0 if no answer came.
    pub fn log_in(&self, login: &Login) -> u16 {
        let url = self.coder.url();
        let Ok(address) = url.trim_start_matches("http://").parse() else {
            return 0;
        };
        let body = serde_json::json!({ "email": login.email, "password": login.password });
        let headers = [("Content-Type".to_owned(), "application/json".to_owned())];
        let target = "/api/v2/users/login";
        let body = body.to_string();
        let answer = http::request(address, "POST", target, &headers, body.as_bytes());
        answer.map_or(0, |answer| answer.status)
    }
}
