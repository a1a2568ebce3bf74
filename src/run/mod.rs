//! The running service: opens the sockets, starts the threads, waits, and stops in reverse order.
//!
//! Roles and threads: `gate` and `webhook` accept texts, `provisioner` with its workers serves them, `reaper` removes
//! accounts, `receipts` records the delivery of logins, `catch-up` searches for missed texts, `workspaces` makes
//! workspaces. If a thread ends unexpectedly, the process stops.

mod arrivals;
mod banner;
mod call_limit;
mod catch_up;
mod channels;
mod commands;
mod daily;
mod error;
mod front;
mod health;
mod lanes;
mod metrics_page;
mod notifier;
mod observers;
mod pages;
mod provisioner;
mod reaper;
mod receipts;
mod service;
mod shutdown;
mod spares;
mod threads;
mod timed_query;
mod workspaces;
mod writer;

use std::sync::Arc;
use std::time::Duration;

use log::{info, warn};

use crate::clock::unix_now;
use crate::config::Config;
use crate::domain::{PasswordKey, count, seconds};
use crate::store::{Store, StoreError};
pub use error::RunError;
use error::{listening, system};
use service::Service;
use threads::{Signals, Threads};

/// For how long a thread waits for more, once it is woken. A class comes together, and one round does for many: each
/// one blocks the workers' access to the database for a moment.
const GATHER: Duration = Duration::from_millis(100);

/// Runs the service until SIGTERM or SIGINT.
///
/// # Errors
/// It could not start, or a thread died.
pub fn run(config: Config) -> Result<(), RunError> {
    let signals = Signals::catch().map_err(system("listen for signals"))?;
    for warning in &config.warnings {
        warn!("{warning}");
    }
    let (store, phones) = Store::open(&config.service.data_dir, &config.service.phone_keys)?;
    let passwords = password_key(&store, &config)?;
    settle_due_times(&store, &config)?;
    let service = Service::assemble(&config, Arc::new(store), (phones, passwords))?;
    let mut threads = Threads::new(signals.waker());
    let shutdown = service.start(&mut threads)?;
    signals.wait();
    shutdown.close(&threads)
}

/// The key that passwords are derived from. Warns if it is not the key of the last start.
fn password_key(store: &Store, config: &Config) -> Result<PasswordKey, StoreError> {
    let (key, unknown) = store.password_key(&config.service.data_dir)?;
    if unknown > 0 {
        warn!(
            "password.key in the data folder has changed: the passwords of {} are no longer known. Each account gets a new one when its student texts the phrase",
            count(unknown, "account")
        );
    }
    Ok(key)
}

/// Adapts the due times of accounts if the removal of their class was switched on or off since the last start.
/// Accounts of a class that is no longer in the settings keep their due times.
fn settle_due_times(store: &Store, config: &Config) -> Result<(), StoreError> {
    let now = unix_now();
    for class in &config.class.classes {
        let name = class.name.as_ref();
        let whose = name.map_or_else(String::new, |name| format!(" in class {name}"));
        match class.life(now) {
            None => {
                let changed = store.clear_due(name)?;
                if changed > 0 {
                    info!(
                        "removal is switched off (CODER_REMOVE_TIME=0){whose}: {} stay until it is switched on again",
                        count(changed, "account")
                    );
                }
            }
            Some(span) => {
                let changed = store.set_missing_due(name, now + seconds(span))?;
                if changed > 0 {
                    info!(
                        "removal is switched on again{whose}: the full time of {} starts now",
                        count(changed, "account")
                    );
                }
            }
        }
    }
    Ok(())
}
