//! The maker of the workspaces of one template: what keeps them from being made, and what is said about it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use log::{error, info, warn};

use super::MARGIN;
use crate::coder::{Coder, CoderError, CoderErrorKind, Template};
use crate::config::{Config, TemplateRef, WorkspaceConfig};
use crate::domain::{UnixSeconds, WorkspaceTrouble, count, noise, seconds};
use crate::obstacles::FailingTemplates;
use crate::retry;
use crate::screen::Screens;
use crate::store::{Store, StoreError, WorkspaceProgress, WorkspaceTask};

/// How many workspaces are requested at the same time. Coder makes them no faster with more.
const SIDE_BY_SIDE: usize = 4;

/// How long a template counts as it was read, in seconds.
const FRESH: UnixSeconds = 600;

/// Makes the workspaces of one template.
pub(super) struct TemplateMaker {
    pub(super) store: Arc<Store>,
    pub(super) coder: Arc<Coder>,
    pub(super) wanted: WorkspaceConfig,
    pub(super) parallel: usize,
    /// The template as it was read last, and when.
    template: Mutex<Option<(Template, UnixSeconds)>>,
    /// What was logged last and is not over.
    reported: Mutex<Option<WorkspaceTrouble>>,
    /// The templates of which none can be made for now.
    failing: Arc<FailingTemplates>,
    /// The screens whose students are sent to their workspaces.
    pub(super) screens: Arc<Screens>,
}

/// Why a workspace is not made.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    pub(super) trouble: WorkspaceTrouble,
    /// Coder's words.
    pub(super) note: String,
    /// Whether Coder may have made it although the answer was lost.
    pub(super) may_be_made: bool,
    /// Whether any other call would fail in the same way.
    pub(super) is_general: bool,
}

impl Failure {
    pub(super) fn of(trouble: WorkspaceTrouble) -> Self {
        Self {
            trouble,
            note: String::new(),
            may_be_made: false,
            is_general: false,
        }
    }
}

impl From<CoderError> for Failure {
    fn from(fault: CoderError) -> Self {
        let is_busy = matches!(fault.kind, CoderErrorKind::Busy(_));
        let trouble = match fault.kind {
            CoderErrorKind::Denied if fault.refuses_token() => WorkspaceTrouble::CoderAway,
            CoderErrorKind::Denied => WorkspaceTrouble::Forbidden,
            _ if fault.is_away() || is_busy => WorkspaceTrouble::CoderAway,
            _ => WorkspaceTrouble::Refused,
        };
        let note = match fault.message() {
            Some(words) => format!("{fault} ({words})"),
            None => fault.to_string(),
        };
        Self {
            trouble,
            note,
            may_be_made: fault.kind == CoderErrorKind::Unclear,
            is_general: fault.affects_every_call() || is_busy || fault.refuses_token(),
        }
    }
}

impl TemplateMaker {
    pub(super) fn new(
        config: &Config,
        wanted: &WorkspaceConfig,
        store: &Arc<Store>,
        coder: &Arc<Coder>,
        failing: &Arc<FailingTemplates>,
        screens: &Arc<Screens>,
    ) -> Self {
        Self {
            store: Arc::clone(store),
            coder: Arc::clone(coder),
            wanted: wanted.clone(),
            parallel: config.service.parallel.min(SIDE_BY_SIDE),
            template: Mutex::default(),
            reported: Mutex::default(),
            failing: Arc::clone(failing),
            screens: Arc::clone(screens),
        }
    }

    /// Makes those of `tasks` that are not made, and looks at the builds of the others, once. Returns whether
    /// the build of a spare has failed.
    pub(super) fn sweep(
        &self,
        tasks: Vec<WorkspaceTask>,
        now: UnixSeconds,
    ) -> Result<bool, StoreError> {
        let (made, to_make): (Vec<_>, Vec<_>) =
            tasks.into_iter().partition(|task| task.id.is_some());
        if !to_make.is_empty() {
            self.make_all(&to_make, now)?;
        }
        if made.is_empty() {
            return Ok(false);
        }
        self.look_at_all(&made, now)
    }

    /// The template, read anew unless it was read a moment ago.
    pub(super) fn template(&self, now: UnixSeconds) -> Result<Option<Template>, CoderError> {
        let known = self.lock_template().clone();
        if let Some((template, read_at)) = known
            && (0..FRESH).contains(&(now - read_at))
        {
            return Ok(Some(template));
        }
        let found = match &self.wanted.template {
            TemplateRef::Name(name) => self.coder.template_named(name)?,
            TemplateRef::Id(id) => self.coder.template_with_id(id)?,
        };
        // A template of which none can be made is read again each time.
        let usable = found.clone().filter(|template| !template.deprecated);
        *self.lock_template() = usable.map(|template| (template, now));
        Ok(found)
    }

    pub(super) fn lock_template(
        &self,
    ) -> std::sync::MutexGuard<'_, Option<(Template, UnixSeconds)>> {
        self.template.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records that these are not made, and tries them again later. `tried`: whether a request was made for
    /// each.
    pub(super) fn put_off(
        &self,
        tasks: &[&WorkspaceTask],
        failure: &Failure,
        tried: bool,
        now: UnixSeconds,
    ) -> Result<(), StoreError> {
        for task in tasks {
            let tries = task.tries + u32::from(tried);
            let wait = retry::WORKSPACE.wait(tries.max(1), noise());
            self.store.workspace_progress(
                task,
                &WorkspaceProgress {
                    check_at: Some(now + seconds(wait).max(1)),
                    tries,
                    trouble: Some(failure.trouble),
                    note: &failure.note,
                    may_be_made: failure.may_be_made,
                    running_at: None,
                },
            )?;
        }
        Ok(())
    }

    /// Logs once that workspaces are not made, and why.
    pub(super) fn report(&self, failure: &Failure, number: usize) {
        self.failing.set(self.wanted.template.as_str(), true);
        let before = self.lock_reported().replace(failure.trouble);
        if before == Some(failure.trouble) {
            return;
        }
        let what = failure.trouble.reason(self.wanted.template.as_str());
        let note = match failure.note.as_str() {
            "" => String::new(),
            words => format!(" ({words})"),
        };
        let cure = match failure.trouble.cure() {
            "" => String::new(),
            cure => format!("; {cure}"),
        };
        let number = count(number, "workspace");
        let words = format!("{number} not made yet, tried again: {what}{note}{cure}");
        if failure.trouble == WorkspaceTrouble::CoderAway {
            warn!("{words}");
        } else {
            error!("{words}");
        }
    }

    pub(super) fn works_again(&self) {
        self.failing.set(self.wanted.template.as_str(), false);
        if self.lock_reported().take().is_some() {
            info!("workspaces are made again");
        }
    }

    fn lock_reported(&self) -> std::sync::MutexGuard<'_, Option<WorkspaceTrouble>> {
        self.reported.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Coder's limits of the time that a workspace may run, in seconds (`validWorkspaceTTLMillis` in coderd/workspaces.go).
const SHORTEST_RUN: u64 = 60;
const LONGEST_RUN: u64 = 30 * 86_400;

/// How long a workspace that is started now may run, and when its account ends if that decides it. The template decides
/// if it stops workspaces earlier: `default` = its time in seconds, 0 = without end.
pub(super) fn running_time(
    due_at: Option<UnixSeconds>,
    default: u64,
    now: UnixSeconds,
) -> (Option<Duration>, Option<UnixSeconds>) {
    let Some(due_at) = due_at else {
        return (None, None);
    };
    let left = u64::try_from(due_at - now - MARGIN).unwrap_or(0);
    // Coder cuts it to whole minutes.
    let minutes = left.max(SHORTEST_RUN) / 60 * 60;
    if default > 0 && default <= minutes {
        return (None, None);
    }
    if minutes > LONGEST_RUN {
        return (Some(Duration::from_secs(LONGEST_RUN)), None);
    }
    (Some(Duration::from_secs(minutes)), Some(due_at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_workspace_stops_before_its_account_ends_and_never_later_than_its_template_says() {
        let (hour, day) = (3_600, 86_400);
        for (left, default, runs, by_account) in [
            (12 * hour, 0, Some(12 * hour - MARGIN), true),
            (12 * hour, 8 * hour, None, false),
            (12 * hour, 24 * hour, Some(12 * hour - MARGIN), true),
            (12 * hour + 59, 0, Some(12 * hour - MARGIN), true),
            (200, 0, Some(60), true),
            (5, 0, Some(60), true),
            (40 * day, 0, Some(30 * day), false),
        ] {
            let now = 1_795_000_000;
            let default = u64::try_from(default).unwrap();
            let (span, end) = running_time(Some(now + left), default, now);
            assert_eq!(span.map(seconds), runs, "{left} {default}");
            assert_eq!(end, by_account.then_some(now + left), "{left} {default}");
        }
        assert_eq!(running_time(None, 0, 7), (None, None));
    }
}
