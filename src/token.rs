//! The watch over our token at Coder: what it may do. Changes are told in the log, once.
//!
//! What is hidden here: what was told before. Everybody who has to know the token's rights asks here, so that
//! the same lack met by a sweep, a search and the daily look is one line.

use std::sync::{Arc, Mutex, PoisonError};

use log::{error, info, warn};

use crate::coder::{Coder, CoderFault, Lack, Rights};

/// The token that a service works with.
pub struct Token {
    coder: Arc<Coder>,
    told: Mutex<Option<Told>>,
}

/// What was told of the rights when they were last asked for.
#[derive(PartialEq, Eq)]
struct Told {
    lack: Option<Lack>,
    set_passwords: Option<bool>,
}

impl Token {
    /// The token that `coder` calls with.
    pub fn of(coder: Arc<Coder>) -> Self {
        Self {
            coder,
            told: Mutex::new(None),
        }
    }

    /// What the token may do now. A change since the last time is logged.
    ///
    /// # Errors
    /// Coder cannot be asked. That is not logged here.
    pub fn rights(&self) -> Result<Rights, CoderFault> {
        let rights = self.ask()?;
        self.tell(&rights, false);
        Ok(rights)
    }

    /// The same, and nothing is logged; [`Token::tell`] does that.
    ///
    /// # Errors
    /// Coder cannot be asked.
    pub fn ask(&self) -> Result<Rights, CoderFault> {
        self.coder.rights()
    }

    /// Whether Coder refused a call for want of a right since the rights were last asked for.
    pub fn is_in_doubt(&self) -> bool {
        self.coder.was_refused()
    }

    /// Logs what the token may do, where that has changed; with `again` in any case.
    pub fn tell(&self, rights: &Rights, again: bool) {
        let now = Told {
            lack: rights.lack(),
            set_passwords: rights.set_passwords,
        };
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let before = told.as_ref();
        if again || before.is_none_or(|before| before.lack != now.lack) {
            match &now.lack {
                Some(lack) => error!("Coder: {lack}"),
                None => info!("Coder: reached, the token may make and remove accounts"),
            }
        }
        if before.is_none_or(|before| before.set_passwords != now.set_passwords)
            && rights.set_passwords == Some(false)
        {
            warn!(
                "Coder: the token may not set passwords (up to Coder 2.35 only an Owner's may): students get the same login again, but not once they have changed its password"
            );
        }
        *told = Some(now);
    }
}
