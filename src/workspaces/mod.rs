//! Makes the workspaces that students get with their logins, and looks after their first builds.
//!
//! The database says which workspaces are still to be made; a sweep makes those that are due, a few side by
//! side, and records what became of each. Nothing here sleeps, and nothing here delays a login. A workspace
//! is made by one call; if its answer was lost, the next one is told that the name is taken, and the user's
//! workspace of that name is the one.

mod builds;
mod making;
mod of_template;
mod prolong;

use std::sync::Arc;

use crate::coder::Coder;
use crate::config::{ClassConfig, Config};
use crate::domain::{ClassName, UnixSeconds, seconds};
use crate::obstacles::FailingTemplates;
use crate::retry;
use crate::screen::Screens;
use crate::store::{Store, StoreError, WorkspaceTask};
use of_template::TemplateMaker;
pub use prolong::{ProlongRound, Prolonged};

/// Seconds before the end of an account at which its workspace stops. Coder counts from the end of the
/// build, so this is the time that a build may take.
const MARGIN: UnixSeconds = 120;

/// Makes the workspaces of all classes.
pub struct WorkspaceMaker {
    store: Arc<Store>,
    coder: Arc<Coder>,
    class: ClassConfig,
    /// One for each template.
    makers: Vec<TemplateMaker>,
}

impl WorkspaceMaker {
    /// A maker of the workspaces that `config` asks for; `None` if it asks for none.
    /// `failing` says of which templates none can be made, and `screens` learn of those that are.
    pub fn new(
        config: &Config,
        store: &Arc<Store>,
        coder: &Arc<Coder>,
        failing: &Arc<FailingTemplates>,
        screens: &Arc<Screens>,
    ) -> Option<Self> {
        let wanted = config.class.workspaces();
        let makers = wanted
            .into_iter()
            .map(|wanted| TemplateMaker::new(config, wanted, store, coder, failing, screens));
        let makers: Vec<TemplateMaker> = makers.collect();
        (!makers.is_empty()).then(|| Self {
            store: Arc::clone(store),
            coder: Arc::clone(coder),
            class: config.class.clone(),
            makers,
        })
    }

    /// The registrations.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Makes the workspaces that are due, and looks at the builds that are due, once. Returns whether the build of
    /// a spare account has failed.
    ///
    /// # Errors
    /// The database cannot be used. Faults of Coder are recorded, and postpone the workspaces.
    pub fn sweep(&self, now: UnixSeconds) -> Result<bool, StoreError> {
        let longest = retry::WORKSPACE.most.max(retry::BUILD.most);
        let tasks = self.store.workspace_tasks(now, seconds(longest))?;
        let mut of_makers: Vec<Vec<WorkspaceTask>> = vec![Vec::new(); self.makers.len()];
        for mut task in tasks {
            if task.is_spare {
                task.due_at = self.end_if_taken(task.class.as_ref(), now);
            }
            let wanted = self.class.workspace_of(task.class.as_ref());
            let maker = wanted.and_then(|wanted| {
                let mut makers = self.makers.iter();
                makers.position(|maker| maker.wanted.template == wanted.template)
            });
            match maker.and_then(|at| of_makers.get_mut(at)) {
                Some(tasks) => tasks.push(task),
                None => self.store.unwant_workspace(&task)?,
            }
        }
        let mut has_failed = false;
        for (maker, tasks) in self.makers.iter().zip(of_makers) {
            has_failed |= maker.sweep(tasks, now)?;
        }
        Ok(has_failed)
    }
    /// When a spare account of a class ends if a student takes it now. Its workspace stops then at the latest,
    /// and not when the class closes.
    fn end_if_taken(&self, class: Option<&ClassName>, now: UnixSeconds) -> Option<UnixSeconds> {
        let class = self.class.class(class)?;
        class.life(now).map(|life| now + seconds(life))
    }
}
