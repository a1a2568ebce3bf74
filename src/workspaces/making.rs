//! Makes the workspaces that do not exist yet.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use log::info;

use super::of_template::{Failure, TemplateMaker, running_time};
use crate::clock::unix_now;
use crate::coder::{NewWorkspace, NewWorkspaceResult, Template};
use crate::domain::{UnixSeconds, WorkspaceTrouble, noise, seconds};
use crate::retry;
use crate::store::{StoreError, WorkspaceTask};

/// How many in a row may fail before the rest of a sweep is not tried: what fails for two accounts is not
/// about one of them.
const ENOUGH: usize = 2;

/// How far a sweep has come.
#[derive(Default)]
struct SweepProgress<'a> {
    next: usize,
    made: usize,
    failed: Vec<(&'a WorkspaceTask, Failure)>,
    broken: Option<StoreError>,
}

impl SweepProgress<'_> {
    fn is_over(&self) -> bool {
        let is_general = self.failed.iter().any(|(_, failure)| failure.is_general);
        self.broken.is_some() || is_general || (self.made == 0 && self.failed.len() >= ENOUGH)
    }
}

impl TemplateMaker {
    /// Makes these workspaces, as far as Coder makes any.
    pub(super) fn make_all(
        &self,
        tasks: &[WorkspaceTask],
        now: UnixSeconds,
    ) -> Result<(), StoreError> {
        let template = match self.usable_template(now) {
            Ok(template) => template,
            Err(failure) => {
                self.report(&failure, tasks.len());
                let all: Vec<&WorkspaceTask> = tasks.iter().collect();
                return self.put_off(&all, &failure, true, now);
            }
        };
        let mut progress = self.make_side_by_side(tasks, &template);
        if let Some(error) = progress.broken.take() {
            return Err(error);
        }
        if progress.made > 0 {
            self.works_again();
        }
        let Some((_, first)) = progress.failed.first() else {
            return Ok(());
        };
        let failure = self.explained(first.clone(), now);
        let rest: Vec<&WorkspaceTask> = tasks[progress.next.min(tasks.len())..].iter().collect();
        self.report(&failure, progress.failed.len() + rest.len());
        for (task, own) in &progress.failed {
            let own = match own.trouble == first.trouble {
                true => Failure {
                    may_be_made: own.may_be_made,
                    note: own.note.clone(),
                    ..failure.clone()
                },
                false => own.clone(),
            };
            self.put_off(&[task], &own, true, now)?;
        }
        let untried = Failure {
            may_be_made: false,
            ..failure
        };
        self.put_off(&rest, &untried, false, now)
    }

    /// The template, if workspaces can be made of it.
    fn usable_template(&self, now: UnixSeconds) -> Result<Template, Failure> {
        match self.template(now)? {
            Some(template) if !template.deprecated => Ok(template),
            Some(_) => Err(Failure::of(WorkspaceTrouble::Deprecated)),
            None => Err(Failure::of(WorkspaceTrouble::NoTemplate)),
        }
    }

    /// Coder's words change with its releases, so the template is read again to tell what a refusal means.
    fn explained(&self, failure: Failure, now: UnixSeconds) -> Failure {
        if !matches!(
            failure.trouble,
            WorkspaceTrouble::Refused | WorkspaceTrouble::Forbidden
        ) {
            return failure;
        }
        *self.lock_template() = None;
        match self.usable_template(now) {
            Err(found) if !found.is_general => found,
            _ => failure,
        }
    }

    fn make_side_by_side<'a>(
        &self,
        tasks: &'a [WorkspaceTask],
        template: &Template,
    ) -> SweepProgress<'a> {
        let progress = Mutex::new(SweepProgress::default());
        let lock = || progress.lock().unwrap_or_else(PoisonError::into_inner);
        let take = || {
            let mut progress = lock();
            let task = tasks.get(progress.next).filter(|_| !progress.is_over())?;
            progress.next += 1;
            Some(task)
        };
        let work = || {
            while let Some(task) = take() {
                let made = self.make(task, template);
                let mut progress = lock();
                match made {
                    Ok(Ok(made)) => progress.made += usize::from(made),
                    Ok(Err(failure)) => progress.failed.push((task, failure)),
                    Err(error) => progress.broken = Some(error),
                }
            }
        };
        std::thread::scope(|scope| {
            for _ in 1..self.parallel.min(tasks.len()) {
                let helper = std::thread::Builder::new().name("workspaces".to_owned());
                // If the system has no thread left, this thread does all the work.
                let _ = helper.spawn_scoped(scope, work);
            }
            work();
        });
        progress
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes one workspace. Returns whether it was: not if its account is over.
    fn make(
        &self,
        task: &WorkspaceTask,
        template: &Template,
    ) -> Result<Result<bool, Failure>, StoreError> {
        let now = unix_now();
        if !self.store.begin_workspace(task, now)? {
            return Ok(Ok(false));
        }
        let (runs_for, stops_at) = running_time(task.due_at, template.default_ttl_ms / 1_000, now);
        let new = NewWorkspace {
            owner: &task.owner,
            template: &template.id,
            name: &self.wanted.name,
            parameters: &self.wanted.parameters,
            runs_for,
        };
        let id = match self.request(new) {
            Ok(id) => id,
            Err(failure) => return Ok(Err(failure)),
        };
        let check_at = now + seconds(retry::BUILD.wait(1, noise())).max(1);
        self.store.workspace_made(task, &id, stops_at, check_at)?;
        let path = self.wanted.name.path(&task.username);
        self.screens
            .workspace_made(&task.username, &path, Instant::now());
        info!("workspace {} of {} made", self.wanted.name, task.username);
        Ok(Ok(true))
    }

    /// Coder's id of the workspace that is made, or that exists already.
    fn request(&self, new: NewWorkspace<'_>) -> Result<String, Failure> {
        match self.coder.create_workspace(new)? {
            NewWorkspaceResult::Made(made) => Ok(made.id),
            // Made by a call whose answer was lost, or by the student.
            NewWorkspaceResult::Taken => match self.coder.workspace_of(new.owner, new.name)? {
                Some(found) => Ok(found.id),
                None => Err(Failure {
                    note: "the name is taken by a workspace that Coder does not show".to_owned(),
                    ..Failure::of(WorkspaceTrouble::Refused)
                }),
            },
            NewWorkspaceResult::NeedsExternalAuth => {
                Err(Failure::of(WorkspaceTrouble::ExternalAuth))
            }
        }
    }
}
