//! A full class, as its operator sees it: told once, and once more when a seat is free again.
//!
//! What is hidden here: who was turned away meanwhile. It is kept in memory only: after a restart it is told anew.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use log::{info, warn};

use crate::domain::PhoneHash;

/// Phones that asked for a seat since there was none; `None` = there are seats.
#[derive(Default)]
pub struct FullClass(Mutex<Option<HashSet<PhoneHash>>>);

impl FullClass {
    /// A phone was turned away, as all of `seats` are taken.
    pub(super) fn turns_away(&self, phone: &PhoneHash, seats: u32) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let turned_away = state.get_or_insert_with(|| {
            warn!(
                "the class is full: all seats (CODER_REG_MAX_USERS, {seats}) are taken, and who texts the phrase now is told so and gets no account; give it more seats and restart the service, or end accounts that nobody needs (coder-sms-register end)"
            );
            HashSet::new()
        });
        turned_away.insert(*phone);
    }

    /// A phone got a seat.
    pub(super) fn gave_a_seat(&self) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(turned_away) = state.take() {
            info!(
                "the class has seats again; phones turned away while it was full: {}",
                turned_away.len()
            );
        }
    }
}
