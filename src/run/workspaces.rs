//! The thread that makes workspaces: it is woken by each first login and by commands, and wakes by itself
//! when a workspace is to be tried or looked at again.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use log::{info, log};

use super::GATHER;
use super::notifier::Notifier;
use crate::clock::unix_now;
use crate::domain::{UnixSeconds, Username, count};
use crate::stop::Stop;
use crate::store::StoreError;
use crate::workspaces::{ProlongRound, Prolonged, WorkspaceMaker};

/// The pause after the database could not be used, or Coder could not be told something.
const AGAIN: Duration = Duration::from_secs(10);

/// Why the maker is woken.
pub(super) enum Wake {
    /// This account has a login, or is a spare.
    Wanted(Username),
    /// A command may have given accounts more time.
    AccountsChanged,
}

/// Wakes the maker.
#[derive(Clone)]
pub(super) struct WorkspaceWaker(Sender<Wake>);

impl WorkspaceWaker {
    /// Has the workspace of this account made.
    pub(super) fn wanted(&self, username: &Username) {
        // If the thread is gone, the process ends.
        let _ = self.0.send(Wake::Wanted(username.clone()));
    }

    /// Has the times of all accounts compared.
    pub(super) fn accounts_changed(&self) {
        let _ = self.0.send(Wake::AccountsChanged);
    }
}

/// The queue of the maker.
pub(super) fn queue() -> (WorkspaceWaker, Receiver<Wake>) {
    let (sender, receiver) = channel();
    (WorkspaceWaker(sender), receiver)
}

/// What is still to be compared with the accounts.
struct Rounds<'a> {
    maker: &'a WorkspaceMaker,
    /// Wakes the keeper of spare accounts.
    spares: &'a Notifier,
    /// The pause between two comparisons.
    pause: Duration,
    /// Whether every account with a login is known to the maker.
    all_known: bool,
    /// When the times of accounts are compared next.
    compare_at: Instant,
    /// How far the present comparison has come.
    prolong: ProlongRound,
}

impl Rounds<'_> {
    fn run(&mut self, now: UnixSeconds) -> Result<(), StoreError> {
        if !self.all_known {
            let found = self.maker.store().want_all_workspaces(now)?;
            if found > 0 {
                let number = count(found, "account");
                info!("{number} without a workspace: made now");
            }
            self.all_known = true;
        }
        if self.maker.sweep(now)? {
            self.spares.notify();
        }
        if self.compare_at <= Instant::now() {
            let pause = match self.maker.prolong(&mut self.prolong, now)? {
                Prolonged::All => self.pause,
                Prolonged::More => Duration::ZERO,
                Prolonged::Later => self.pause.min(AGAIN),
            };
            self.compare_at = Instant::now() + pause;
        }
        Ok(())
    }

    /// Until something is to be done again.
    fn rest(&self, now: UnixSeconds) -> Result<Duration, StoreError> {
        let compare = self.compare_at.saturating_duration_since(Instant::now());
        let task = self.maker.store().next_workspace_task(now)?;
        let task = task.map(|at| Duration::from_secs((at - now).max(1).unsigned_abs()));
        Ok(task.map_or(compare, |task| task.min(compare)))
    }

    fn woken(&mut self, wakes: impl Iterator<Item = Wake>) {
        let mut usernames = Vec::new();
        for wake in wakes {
            match wake {
                Wake::Wanted(username) => usernames.push(username),
                Wake::AccountsChanged => {
                    // From the beginning: any of them may have changed.
                    self.prolong = ProlongRound::default();
                    self.compare_at = Instant::now();
                }
            }
        }
        if !usernames.is_empty() {
            let wanted = self.maker.store().want_workspaces(&usernames, unix_now());
            // Found by the search over all accounts, when the database can be written again.
            self.all_known &= wanted.is_ok();
        }
    }
}

/// Makes workspaces until the service stops. Returns whether it ended because of that.
pub(super) fn run(
    (maker, spares): (&WorkspaceMaker, &Notifier),
    wakeups: &Receiver<Wake>,
    pause: Duration,
    stop: &Stop,
) -> bool {
    let mut rounds = Rounds {
        maker,
        spares,
        pause,
        all_known: false,
        compare_at: Instant::now(),
        prolong: ProlongRound::default(),
    };
    while !stop.asked() {
        let now = unix_now();
        let rest = match rounds.run(now).and_then(|()| rounds.rest(now)) {
            Ok(rest) => rest,
            Err(error) => {
                log!(error.level(), "no workspaces are made: {error}");
                AGAIN
            }
        };
        match wakeups.recv_timeout(rest) {
            Ok(wake) => {
                stop.wait(GATHER);
                rounds.woken(std::iter::once(wake).chain(wakeups.try_iter()));
            }
            Err(RecvTimeoutError::Timeout) => {}
            // Nobody wakes this thread any more.
            Err(RecvTimeoutError::Disconnected) => {
                stop.wait(rest);
            }
        }
    }
    true
}
