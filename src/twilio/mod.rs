//! Twilio: the proof that a webhook is theirs, the texts that we send and what becomes of them, and
//! the log of those that were sent to us.

pub mod codes;
pub mod received;
pub mod sent;
pub mod signature;
pub mod sms;
