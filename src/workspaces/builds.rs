//! Looks at the first builds of workspaces, and tries those again that failed.

use std::collections::HashMap;

use log::{debug, warn};

use super::of_template::{Failure, TemplateMaker};
use crate::clock::unix_now;
use crate::coder::{Transition, Workspace};
use crate::domain::{UnixSeconds, WorkspaceTrouble, noise, seconds};
use crate::retry;
use crate::store::{StoreError, WorkspaceProgress, WorkspaceTask};

/// After this number of looks a failed build is not tried again, so that a broken template does not build
/// all day; the student can still start the workspace.
const LAST_TRY: u32 = 10;

/// A build that is queued at this number of looks waits for a provisioner: it has waited for some seconds.
const WAITS_LONG: u32 = 2;

/// Seconds until the list of workspaces is read again after Coder did not give it.
const LIST_AGAIN: UnixSeconds = 15;

/// Seconds between two looks at the workspaces of spares. The looks fall on the same moments, so that one
/// list serves them all.
const SPARE_LOOK: UnixSeconds = 60;

/// What a look at a workspace shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sight {
    /// It runs, or others have done something with it since.
    Settled,
    /// It is being built.
    Building,
    /// Its build is queued.
    Queued,
    /// Its build failed.
    Failed,
}

/// When the workspaces of spares are looked at next.
fn next_look_at_spares(now: UnixSeconds) -> UnixSeconds {
    (now / SPARE_LOOK + 1) * SPARE_LOOK
}

/// What the state of a workspace means.
fn sight(workspace: &Workspace) -> Sight {
    let build = &workspace.latest_build;
    match (build.transition.as_str(), build.status.as_str()) {
        ("start", "failed" | "canceled") => Sight::Failed,
        ("start", "pending") => Sight::Queued,
        ("start", "starting" | "canceling") => Sight::Building,
        _ => Sight::Settled,
    }
}

impl TemplateMaker {
    /// Looks at these workspaces, all of which were made. Returns whether the build of a spare has failed.
    pub(super) fn look_at_all(
        &self,
        tasks: &[WorkspaceTask],
        now: UnixSeconds,
    ) -> Result<bool, StoreError> {
        let with_id = tasks
            .iter()
            .filter_map(|task| Some((task.id.as_deref()?, task)));
        // While the list is read, a build that ends may move its workspace to a page that is read later.
        let mut left: HashMap<&str, &WorkspaceTask> = with_id.collect();
        let mut looked = Ok(false);
        let complete = self
            .coder
            .each_workspace_named(&self.wanted.name, |workspace| {
                if let (Some(task), Ok(has_failed)) =
                    (left.remove(workspace.id.as_str()), &mut looked)
                {
                    match self.look_at_listed(task, workspace, now) {
                        Ok(failed) => *has_failed |= failed,
                        Err(error) => looked = Err(error),
                    }
                }
                left.is_empty() || looked.is_err()
            });
        let has_failed = looked?;
        match complete {
            Ok(complete) => {
                for task in left.into_values() {
                    self.look_at_missing(task, complete, now)?;
                }
            }
            Err(fault) => {
                debug!("the builds of workspaces are looked at later: {fault}");
                self.store.postpone_looks(now, now + LIST_AGAIN)?;
            }
        }
        Ok(has_failed)
    }

    /// Looks at a workspace. Returns whether the build of a spare has failed.
    fn look_at_listed(
        &self,
        task: &WorkspaceTask,
        workspace: &Workspace,
        now: UnixSeconds,
    ) -> Result<bool, StoreError> {
        let sight = sight(workspace);
        match (task.is_spare, sight) {
            (true, Sight::Settled) => self.keep_running(task, workspace, now)?,
            _ => self.look_at(task, Some(workspace), sight, now)?,
        }
        Ok(task.is_spare && sight == Sight::Failed)
    }

    /// Looks at a workspace that is not in the list. Unless the list is complete, that says nothing.
    fn look_at_missing(
        &self,
        task: &WorkspaceTask,
        complete: bool,
        now: UnixSeconds,
    ) -> Result<(), StoreError> {
        match (task.is_spare, complete) {
            (_, false) => self.look_at(task, None, Sight::Building, now),
            (false, true) => self.look_at(task, None, Sight::Settled, now),
            (true, true) => self.store.workspace_gone(task, next_look_at_spares(now)),
        }
    }

    fn look_at(
        &self,
        task: &WorkspaceTask,
        found: Option<&Workspace>,
        sight: Sight,
        now: UnixSeconds,
    ) -> Result<(), StoreError> {
        let tries = task.tries + 1;
        let again = now + seconds(retry::BUILD.wait(tries, noise())).max(1);
        let words = found.map(|found| found.latest_build.error.clone());
        let words = words.unwrap_or_default();
        let (check_at, trouble, note) = match sight {
            Sight::Settled => (None, None, ""),
            Sight::Building => (Some(again), None, ""),
            Sight::Queued if tries < WAITS_LONG => (Some(again), None, ""),
            Sight::Queued => (Some(again), Some(WorkspaceTrouble::NoProvisioner), ""),
            // It is replaced, unless it was tried again on purpose.
            Sight::Failed if task.is_spare && !task.has_failed => {
                (None, Some(WorkspaceTrouble::BuildFailed), words.as_str())
            }
            Sight::Failed if tries >= LAST_TRY => {
                (None, Some(WorkspaceTrouble::BuildFailed), words.as_str())
            }
            Sight::Failed => {
                self.build_again(task, found, tries)?;
                let failed = Some(WorkspaceTrouble::BuildFailed);
                (Some(again), failed, words.as_str())
            }
        };
        self.store.workspace_progress(
            task,
            &WorkspaceProgress {
                check_at,
                tries,
                trouble,
                note,
                may_be_made: false,
                running_at: None,
            },
        )
    }

    /// Records that the workspace of a spare runs. One that was stopped, by itself or by somebody, is started
    /// again.
    fn keep_running(
        &self,
        task: &WorkspaceTask,
        workspace: &Workspace,
        now: UnixSeconds,
    ) -> Result<(), StoreError> {
        let status = workspace.latest_build.status.as_str();
        if status == "stopped" && self.store.begin_workspace(task, now)? {
            debug!(
                "workspace {} of {} is started again",
                self.wanted.name, task.username
            );
            if let Err(fault) = self.coder.build(&workspace.id, Transition::Start) {
                debug!("it is started later: {fault}");
            }
        }
        let progress = WorkspaceProgress {
            check_at: Some(next_look_at_spares(now)),
            tries: 0,
            trouble: None,
            note: "",
            may_be_made: false,
            running_at: (status == "running").then_some(now),
        };
        self.store.workspace_progress(task, &progress)
    }

    fn build_again(
        &self,
        task: &WorkspaceTask,
        found: Option<&Workspace>,
        tries: u32,
    ) -> Result<(), StoreError> {
        let Some(workspace) = found else {
            return Ok(());
        };
        if !self.store.begin_workspace(task, unix_now())? {
            return Ok(());
        }
        let words = &workspace.latest_build.error;
        warn!(
            "workspace {} of {}: its build failed{}; it is built again, try {tries}",
            self.wanted.name,
            task.username,
            if words.is_empty() {
                String::new()
            } else {
                format!(" ({words})")
            }
        );
        if let Err(fault) = self.coder.build(&workspace.id, Transition::Start) {
            let failure = Failure::from(fault);
            warn!(
                "workspace {} of {} is not built again yet: {}",
                self.wanted.name, task.username, failure.note
            );
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::coder::Build;

    #[test]
    fn only_a_start_is_waited_for_and_only_a_failed_one_is_tried_again() {
        for (transition, status, expected) in [
            ("start", "running", Sight::Settled),
            ("start", "pending", Sight::Queued),
            ("start", "starting", Sight::Building),
            ("start", "canceling", Sight::Building),
            ("start", "failed", Sight::Failed),
            ("start", "canceled", Sight::Failed),
            // The student, or Coder, has done something with it.
            ("stop", "failed", Sight::Settled),
            ("stop", "pending", Sight::Settled),
            ("stop", "stopped", Sight::Settled),
            ("delete", "failed", Sight::Settled),
            ("delete", "deleting", Sight::Settled),
            ("start", "a status of a later release", Sight::Settled),
        ] {
            let workspace = Workspace {
                id: "w".into(),
                name: "class".into(),
                owner_id: "u".into(),
                latest_build: Build {
                    transition: transition.into(),
                    status: status.into(),
                    error: String::new(),
                },
                dormant: false,
            };
            assert_eq!(sight(&workspace), expected, "{transition} {status}");
        }
    }
}
