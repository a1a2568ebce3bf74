//! Twilio: the proof that a webhook comes from Twilio, the texts that we send and their delivery,
//! the log of the texts that we received, and the setup of an account.

pub mod account;
pub mod codes;
mod error;
pub mod error_message;
pub mod received;
mod refusals;
pub mod sent;
pub mod signature;
pub mod sms;
mod wire;
