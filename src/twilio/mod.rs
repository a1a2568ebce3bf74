//! Twilio's wire format: the signature of its webhooks, and the client that sends texts and reads
//! the log of those sent and received.

pub mod received;
pub mod signature;
pub mod sms;
