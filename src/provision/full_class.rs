//! Logs once that the class is full, and once that a seat is free again.
//!
//! The phones turned away meanwhile are kept in memory only. After a restart it is logged anew.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

use log::{info, warn};

use crate::config::ClassSettings;
use crate::domain::{ClassName, PhoneHash};

/// The full classes, each with the phones that asked while it had no free seat.
#[derive(Default)]
pub struct FullClass(Mutex<HashMap<Option<ClassName>, HashSet<PhoneHash>>>);

impl FullClass {
    /// Notes that a phone was turned away because all seats of `class` are taken.
    pub(super) fn turn_away(&self, phone: &PhoneHash, class: &ClassSettings) {
        let mut full = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let turned_away = full.entry(class.name.clone()).or_insert_with(|| {
            let (whose, seats) = (whose(class), class.seats);
            let setting = class.setting("_SEATS");
            warn!(
                "the class{whose} is full: all seats ({setting}, {seats}) are taken. A student who texts the phrase now gets no account and is told so. Raise the number and restart the service, or end accounts that are no longer needed (coder-sms-register end USER)"
            );
            HashSet::new()
        });
        turned_away.insert(*phone);
    }

    /// Notes that a phone got a seat of `class`.
    pub(super) fn seat_given(&self, class: &ClassSettings) {
        let mut full = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(turned_away) = full.remove(&class.name) {
            info!(
                "the class{} has seats again; phones turned away while it was full: {}",
                whose(class),
                turned_away.len()
            );
        }
    }
}

fn whose(class: &ClassSettings) -> String {
    let name = class.name.as_ref();
    name.map_or_else(String::new, |name| format!(" {name}"))
}
