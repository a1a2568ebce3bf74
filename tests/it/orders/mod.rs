//! The instructor's hand on the class: the real binary on the data folder of a service that runs, or
//! does not.
//!
//! - `end`: accounts' time is up
//! - `lockout`: what an end means for those who work
//! - `extend`: accounts live longer
//! - `forget`: a phone wants to be forgotten
//! - `dead_letters`: texts that were given up, again or for good
//! - `renew`: a password that others have seen is replaced
//! - `named`: accounts as people write them
//! - `status`: the class at one glance
//! - `screens`: the same on terminals of several sizes
//! - `killed`: `end --all`, killed at every write and sync

mod dead_letters;
mod end;
mod extend;
mod forget;
mod killed;
mod lockout;
mod named;
mod renew;
mod screens;
mod status;

use std::time::Duration;

use crate::plan;
use support::classroom::Classroom;

/// A class whose reaper would sleep for a quarter of an hour.
fn sleepy() -> Classroom {
    plan().with("CODER_CHECK_INTERVAL", "15m").open()
}

/// How long a running service may take to do what it was told.
const AT_ONCE: Duration = Duration::from_secs(60);
