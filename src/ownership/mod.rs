//! Whose a Coder user is.
//!
//! There are two questions. [`registered`] decides whether a user is the one that a registration was written down
//! for. [`unknown`] decides whose a user is that the database does not know.

pub mod registered;
pub mod unknown;

pub use registered::{find_ours, is_ours};
