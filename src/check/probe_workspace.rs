//! Builds a workspace for the user of `check --write`, sees it run, and removes it.

use std::time::{Duration, Instant};

use super::{Notes, template};
use crate::coder::{
    BuildResult, Coder, CoderError, NewWorkspace, NewWorkspaceResult, Transition, Workspace,
};
use crate::config::WorkspaceConfig;

/// How long a build may take, and then the removal.
const LIMIT: Duration = Duration::from_secs(10 * 60);

/// The pause between two looks at a build.
const PAUSE: Duration = Duration::from_millis(500);

/// How long it may run, if this program is killed before it removes it.
const RUNS_FOR: Duration = Duration::from_secs(30 * 60);

/// Makes a workspace for `owner`, waits until it runs, and removes it. A template that cannot be used has
/// been reported before.
pub(super) fn inspect(coder: &Coder, owner: &str, wanted: &WorkspaceConfig, notes: &mut Notes<'_>) {
    let found = template::find(coder, &wanted.template);
    let Ok(Some(template)) = found else { return };
    let began = Instant::now();
    let made = coder.create_workspace(NewWorkspace {
        owner,
        template: &template.id,
        name: &wanted.name,
        parameters: &wanted.parameters,
        runs_for: Some(RUNS_FOR),
    });
    match made {
        Ok(NewWorkspaceResult::NeedsExternalAuth) => {
            return notes.fault(
                "no workspace is made before the student has signed in to another service",
                "make that sign-in optional in the template (optional = true in coder_external_auth)",
            );
        }
        Ok(NewWorkspaceResult::Made(_) | NewWorkspaceResult::Taken) => {}
        Err(error) => {
            let words = error.message().unwrap_or_default().to_owned();
            notes.fault(format!("cannot {error} ({words})"), error.cure());
        }
    }
    // Searched also after an error: Coder may have made it before the error.
    match built(coder, owner, wanted, began) {
        Ok(None) => {}
        Ok(Some(workspace)) => {
            judge_build(&workspace, began.elapsed(), notes);
            match removed(coder, owner, wanted) {
                Ok(true) => notes.pass("its workspace was removed"),
                Ok(false) => notes.fault(
                    format!(
                        "its workspace is still not removed after {} s",
                        LIMIT.as_secs()
                    ),
                    "delete it at Coder under Workspaces, and see the log of its build",
                ),
                Err(error) => notes.fault(format!("cannot {error}"), error.cure()),
            }
        }
        Err(error) => notes.fault(format!("cannot {error}"), error.cure()),
    }
}

fn judge_build(workspace: &Workspace, took: Duration, notes: &mut Notes<'_>) {
    let build = &workspace.latest_build;
    match build.status.as_str() {
        "running" => notes.pass(format!("its workspace runs after {} s", took.as_secs())),
        "pending" => notes.fault(
            "the build of its workspace waits for a provisioner",
            "start a provisioner, or find out why it does not work",
        ),
        status => notes.fault(
            format!("its workspace does not run ({status}): {}", build.error),
            "see the log of the build at Coder, under Workspaces, and correct the template",
        ),
    }
}

/// The workspace when its build is over, or the limit; `None` = there is none.
fn built(
    coder: &Coder,
    owner: &str,
    wanted: &WorkspaceConfig,
    began: Instant,
) -> Result<Option<Workspace>, CoderError> {
    loop {
        let found = coder.workspace_of(owner, &wanted.name)?;
        let goes_on = found
            .as_ref()
            .is_some_and(|one| matches!(one.latest_build.status.as_str(), "pending" | "starting"));
        if !goes_on || began.elapsed() >= LIMIT {
            return Ok(found);
        }
        std::thread::sleep(PAUSE);
    }
}

/// Removes the workspace. Returns whether it is gone.
fn removed(coder: &Coder, owner: &str, wanted: &WorkspaceConfig) -> Result<bool, CoderError> {
    let began = Instant::now();
    while began.elapsed() < LIMIT {
        let Some(found) = coder.workspace_of(owner, &wanted.name)? else {
            return Ok(true);
        };
        let build = &found.latest_build;
        let is_over = matches!(
            build.status.as_str(),
            "running" | "stopped" | "failed" | "canceled"
        );
        if is_over && (build.transition != "delete" || build.status == "failed") {
            let asked = coder.build(&found.id, Transition::Delete)?;
            if asked == BuildResult::Gone {
                return Ok(true);
            }
        }
        std::thread::sleep(PAUSE);
    }
    Ok(false)
}
