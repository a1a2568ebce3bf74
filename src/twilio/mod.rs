//! Twilio: the proof that a webhook is theirs, the texts that we send and what becomes of them,
//! the log of those that were sent to us, and how an account is set up.

pub mod account;
pub mod codes;
pub mod error_message;
mod fault;
pub mod received;
mod refusals;
pub mod sent;
pub mod signature;
pub mod sms;
mod wire;
