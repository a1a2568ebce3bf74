//! What is done at the start and then once a day: old texts are forgotten, the token is tried, and
//! accounts are looked for that the database does not know.

use std::time::Duration;

use log::{debug, error, info, warn};

use crate::clock::seconds;
use crate::coder::{CoderFault, Rights, Trouble};
use crate::domain::{UnixSeconds, Username};
use crate::reconcile::{Reconciler, Swept};
use crate::stream::Settler;

/// How often: an owner's token that nobody uses for a week expires by Coder's default.
const DAILY: UnixSeconds = 86_400;

/// Names that are listed at most.
const LISTED: usize = 50;

/// The rounds, and when the next one is.
pub(super) struct Rounds<'a> {
    reconciler: &'a Reconciler,
    settler: &'a Settler,
    /// Pause before Coder is asked again, if it did not answer.
    pause: Duration,
    last: Option<UnixSeconds>,
    /// When Coder is asked again.
    again_at: Option<UnixSeconds>,
    /// Whether the token was well when it was last tried.
    well: bool,
}

impl<'a> Rounds<'a> {
    pub(super) fn new(reconciler: &'a Reconciler, settler: &'a Settler, pause: Duration) -> Self {
        Self {
            reconciler,
            settler,
            pause,
            last: None,
            again_at: None,
            well: false,
        }
    }

    /// Does what is due at `now`.
    pub(super) fn look(&mut self, now: UnixSeconds) {
        // Also after the clock was set back.
        let daily = self
            .last
            .is_none_or(|last| !(0..DAILY).contains(&(now - last)));
        if daily {
            self.last = Some(now);
            if let Err(error) = self.reconciler.store.prune(now) {
                error!("old texts stay: {error}");
            }
            forget_phones(self.settler);
        }
        let pause = seconds(self.pause);
        let again = self
            .again_at
            .is_some_and(|at| at <= now || at - now > pause);
        if daily || again {
            let done = self.ask_coder(now, daily);
            self.again_at = (!done).then_some(now + pause);
        }
    }

    /// Tries the token and looks for accounts. Returns whether both came to an end.
    fn ask_coder(&mut self, now: UnixSeconds, daily: bool) -> bool {
        let rights = self.reconciler.coder.rights();
        let well = rights.as_ref().is_ok_and(|rights| rights.users);
        // To a token without rights everybody looks gone, and a list shows nobody.
        let done = well && self.reconcile(now, daily);
        // An outage is told of once, and its end.
        if daily || well && !self.well {
            tell_rights(&rights);
        }
        self.well = well;
        done
    }

    fn reconcile(&self, now: UnixSeconds, daily: bool) -> bool {
        match self.reconciler.sweep(now) {
            Ok(swept) => {
                tell(&swept);
                true
            }
            Err(fault) => {
                let words = format!(
                    "accounts that the database does not know were not looked for, it is tried again: {fault}"
                );
                if daily {
                    warn!("{words}");
                } else {
                    debug!("{words}");
                }
                false
            }
        }
    }
}

fn tell_rights(rights: &Result<Rights, CoderFault>) {
    match rights {
        Ok(rights) if !rights.users => {
            error!(
                "Coder: the token (CODER_API_KEY) is neither an owner's nor a user admin's, so it cannot make accounts"
            );
        }
        Ok(rights) if !rights.workspaces => {
            warn!(
                "Coder: this version (before 2.25) needs an owner's token for accounts to be removed safely"
            );
        }
        Ok(_) => info!("Coder: reached, the token may make and remove accounts"),
        Err(fault) if fault.trouble == Trouble::Denied => error!("Coder: {fault}"),
        Err(fault) => warn!("Coder: {fault}"),
    }
}

/// Nothing when all is well.
fn tell(swept: &Swept) {
    if !swept.adopted.is_empty() {
        warn!(
            "adopted {} accounts that the database did not know: {}; they are removed when their time is up",
            swept.adopted.len(),
            names(swept.adopted.iter())
        );
    }
    if !swept.left.is_empty() {
        warn!(
            "{} accounts that the database does not know carry our mark, but may be another service's or a person's: {}; see coder-sms-register reconcile",
            swept.left.len(),
            names(swept.left.iter().map(|found| &found.username))
        );
    }
}

fn names<'a>(all: impl Iterator<Item = &'a Username>) -> String {
    let all: Vec<&str> = all.map(Username::as_str).collect();
    let shown = all[..all.len().min(LISTED)].join(" ");
    match all.len().saturating_sub(LISTED) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// Has Redis forget the phones in its append-only file: daily, and when a class is over.
pub(super) fn forget_phones(settler: &Settler) {
    if let Err(fault) = settler.compact() {
        debug!("Redis does not write its file anew: {fault}");
    }
}
