//! coder-sms-register: students text a phrase, get a temporary Coder account, and lose it when the
//! class is over.
//!
//! The modules are described in `docs/architecture.md`. Value types and rules are in [`domain`],
//! [`domain::registration`] and [`retry`]. Each technology has one module of its own, and [`run`]
//! joins them to the service.

#![forbid(unsafe_code)]
#![warn(missing_docs)]
#![warn(
    clippy::manual_let_else,
    clippy::or_fun_call,
    clippy::semicolon_if_nothing_returned,
    clippy::unwrap_used,
    clippy::use_self
)]
// In a test, a failed unwrap is a failed test.
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod catch_up;
pub mod check;
pub mod cli;
pub mod clock;
pub mod coder;
pub mod config;
pub mod domain;
pub mod gate;
pub mod healthcheck;
pub mod http;
mod logging;
pub mod metrics;
#[cfg(test)]
mod model;
pub mod obstacles;
pub mod ownership;
pub mod pages;
#[cfg(test)]
mod properties;
pub mod provision;
pub mod reap;
pub mod reconcile;
pub mod redact;
pub mod retry;
pub mod run;
pub mod screen;
mod similar;
pub mod spares;
pub mod stop;
pub mod store;
pub mod stream;
mod terminal;
pub mod token;
pub mod twilio;
pub mod wake;
pub mod webhook;
pub mod workspaces;
