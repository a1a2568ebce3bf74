//! Lets a workspace run on whose account got more time.

use log::{debug, info, warn};

use super::{MARGIN, WorkspaceMaker};
use crate::coder::{CoderErrorKind, EARLIEST_STOP, ExtendResult};
use crate::domain::{UnixSeconds, count};
use crate::store::{ProlongedWorkspace, StoreError};

impl WorkspaceMaker {
    /// Tells Coder about the new end of accounts that got more time. Returns whether all is told.
    ///
    /// # Errors
    /// The database cannot be used. What Coder does not answer is repeated.
    pub fn prolong(&self, now: UnixSeconds) -> Result<bool, StoreError> {
        let all = self.store.prolonged_workspaces(now)?;
        let (mut moved, mut left) = (0, 0);
        for one in &all {
            match self.prolong_one(one, now)? {
                Told::Moved => moved += 1,
                Told::Settled => {}
                Told::Later => left += 1,
                Told::CoderAway => return Ok(false),
            }
        }
        if moved > 0 {
            info!(
                "{} may run longer, as their accounts got more time",
                count(moved, "workspace")
            );
        }
        Ok(left == 0)
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

/// Whether Coder knows the new end of a workspace.
enum Told {
    Moved,
    /// There is nothing to move, or Coder does not allow it.
    Settled,
    Later,
    CoderAway,
}
