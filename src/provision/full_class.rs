//! Logs once that the class is full, and once that a seat is free again.
//!
//! The phones turned away meanwhile are kept in memory only. After a restart it is logged anew.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use log::{info, warn};

use crate::domain::PhoneHash;

/// Phones that asked while there was no free seat; `None` = there are free seats.
#[derive(Default)]
pub struct FullClass(Mutex<Option<HashSet<PhoneHash>>>);

impl FullClass {
    /// Notes that a phone was turned away because all of `seats` are taken.
    pub(super) fn turn_away(&self, phone: &PhoneHash, seats: u32) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let turned_away = state.get_or_insert_with(|| {
            warn!(
                "the class is full: all seats (CODER_REG_MAX_USERS, {seats}) are taken. A student who texts the phrase now gets no account, but a text that says so. Raise the number and restart the service, or end accounts that are no longer needed (coder-sms-register end)"
            );
            HashSet::new()
        });
        turned_away.insert(*phone);
    }

    /// Notes that a phone got a seat.
    pub(super) fn seat_given(&self) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(turned_away) = state.take() {
            info!(
                "the class has seats again; phones turned away while it was full: {}",
                turned_away.len()
            );
        }
    }
}
