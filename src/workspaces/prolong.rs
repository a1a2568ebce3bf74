//! Lets a workspace run on whose account got more time.

use log::{debug, info, warn};

use super::{MARGIN, WorkspaceMaker};
use crate::coder::{CoderErrorKind, EARLIEST_STOP, ExtendResult};
use crate::domain::{UnixSeconds, count};
use crate::store::{ProlongedWorkspace, StoreError};

/// How many are told in one step. Students who have no workspace yet come between two steps.
const AT_ONCE: u8 = 20;

/// How far a round has come that tells Coder of all accounts that got more time.
#[derive(Debug, Default)]
pub struct ProlongRound {
    /// The row number of the registration that was told last; 0 = none.
    after: i64,
    /// Whether one of them has to be told later.
    is_postponed: bool,
}

/// How much of a round is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prolonged {
    /// Everything is told.
    All,
    /// There are more, and the next step may follow at once.
    More,
    /// What is left has to wait for Coder. The round is over.
    Later,
}

impl WorkspaceMaker {
    /// Takes a step of a `round` that tells Coder about the new end of accounts that got more time: one call for each
    /// workspace, one after the other, as nobody waits for them.
    ///
    /// # Errors
    /// The database cannot be used. What Coder does not answer is repeated.
    pub fn prolong(
        &self,
        round: &mut ProlongRound,
        now: UnixSeconds,
    ) -> Result<Prolonged, StoreError> {
        let all = self.store.prolonged_workspaces(round.after, AT_ONCE, now)?;
        let mut moved: u32 = 0;
        for one in &all {
            match self.prolong_one(one, now)? {
                Told::Moved => moved += 1,
                Told::Settled => {}
                Told::Later => round.is_postponed = true,
                Told::CoderAway => {
                    *round = ProlongRound::default();
                    return Ok(Prolonged::Later);
                }
            }
            round.after = one.registration;
        }
        if moved > 0 {
            info!("{}", run_longer(moved));
        }
        if all.len() == usize::from(AT_ONCE) {
            return Ok(Prolonged::More);
        }
        let ended = std::mem::take(round);
        Ok(match ended.is_postponed {
            true => Prolonged::Later,
            false => Prolonged::All,
        })
    }

    fn prolong_one(&self, one: &ProlongedWorkspace, now: UnixSeconds) -> Result<Told, StoreError> {
        let Some(due_at) = one.due_at else {
            self.store.workspace_prolonged(one, None)?;
            return Ok(Told::Settled);
        };
        let stops_at = (due_at - MARGIN).max(now + EARLIEST_STOP);
        let told = match self.coder.extend_workspace(&one.id, stops_at) {
            Ok(ExtendResult::Moved) => Told::Moved,
            Ok(ExtendResult::NotNeeded | ExtendResult::Gone) => Told::Settled,
            Ok(ExtendResult::Building) => return Ok(Told::Later),
            // Such as a limit of the template.
            Err(fault) if fault.kind == CoderErrorKind::Refused => {
                let words = fault.message().unwrap_or_default();
                warn!(
                    "workspace {} does not run longer: {fault} ({words})",
                    one.id
                );
                Told::Settled
            }
            Err(fault) => {
                debug!("workspaces are told later that they may run longer: {fault}");
                return Ok(Told::CoderAway);
            }
        };
        self.store.workspace_prolonged(one, Some(due_at))?;
        Ok(told)
    }
}

/// The line of the log about workspaces that may run longer.
fn run_longer(moved: u32) -> String {
    let whose = match moved {
        1 => "its account",
        _ => "their accounts",
    };
    format!(
        "{} may run longer, as {whose} got more time",
        count(moved, "workspace")
    )
}

/// Whether Coder knows the new end of a workspace.
enum Told {
    Moved,
    /// There is nothing to move, or Coder does not allow it.
    Settled,
    Later,
    CoderAway,
}

#[cfg(test)]
mod tests {
    use super::run_longer;

    #[test]
    fn one_workspace_is_told_of_as_one() {
        for (moved, told) in [
            (
                1,
                "1 workspace may run longer, as its account got more time",
            ),
            (
                2,
                "2 workspaces may run longer, as their accounts got more time",
            ),
        ] {
            assert_eq!(run_longer(moved), told);
        }
    }
}
