//! Twilio's wire format: the signature of its webhooks and the client that sends texts.

pub mod signature;
pub mod sms;
