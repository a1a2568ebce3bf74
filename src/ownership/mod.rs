//! Decides who owns a Coder user.
//!
//! There are two questions. [`registered`] decides whether a user is the one that a registration
//! was recorded for. [`unknown`] decides who owns a user that the database does not contain.

pub mod registered;
pub mod unknown;

pub use registered::{find_ours, is_ours};
