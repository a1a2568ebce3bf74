//! Strict fakes of the two services that the register talks to: Coder and Twilio.
//!
//! Each fake is a small HTTP server with a memory. It knows the rules of the real system, including the
//! inconvenient ones, and nothing of what its caller meant. The URL is the only seam: point the register at
//! [`coder::FakeCoder`] and [`twilio::FakeTwilio`] and look at what they remember afterwards.
//!
//! - [`server`], [`http`]: HTTP/1.1 on a port of its own, keep-alive, one thread a connection.
//! - [`desk`]: what both fakes share in front of their rules: the list of calls, hooks, latency, outages.
//! - [`trouble`]: what can go wrong on purpose.
//! - [`coder`], [`twilio`]: the rules of the two systems, and verbs for tests.
//! - [`client`]: asks a fake as anybody may.
//! - [`clock`], [`random`]: date formats, identifiers, a seeded dice.

pub mod client;
pub mod clock;
pub mod coder;
pub mod desk;
pub mod http;
pub mod random;
pub mod server;
pub mod trouble;
pub mod twilio;

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks, also after a panic of another thread: a failed test shall still be able to print what was remembered.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
