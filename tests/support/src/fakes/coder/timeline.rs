//! Workspaces, their builds, and the clock that moves the builds.
//!
//! Nothing runs in the background: [`World::tick`] brings everything up to the present before each look at it.

use std::time::{Duration, Instant};

use super::super::random;
use super::world::World;

/// What a build does to its workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Transition {
    Start,
    Stop,
    Delete,
}

impl Transition {
    /// The word of the API.
    pub fn word(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Delete => "delete",
        }
    }

    /// The transition of a word of the API.
    pub fn of(word: &str) -> Option<Self> {
        [Self::Start, Self::Stop, Self::Delete]
            .into_iter()
            .find(|transition| transition.word() == word)
    }
}

/// How a build ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Succeeded,
    Failed,
    Canceled,
}

/// One job on a workspace.
pub(super) struct Build {
    pub id: String,
    pub number: u32,
    pub transition: Transition,
    pub reason: &'static str,
    /// The id of the user who asked for it.
    pub initiator: String,
    pub created: Instant,
    /// From being queued to its end, if a provisioner is there.
    pub takes: Duration,
    pub started: Option<Instant>,
    pub cancel_asked: Option<Instant>,
    /// When and how it ended.
    pub done: Option<(Instant, End)>,
    /// Why it failed, if it did.
    pub error: String,
    /// When the server stops what it has started.
    pub deadline: Option<Instant>,
}

impl Build {
    /// The job's own word.
    pub fn job_status(&self) -> &'static str {
        match (self.done, self.started, self.cancel_asked) {
            (Some((_, End::Succeeded)), ..) => "succeeded",
            (Some((_, End::Failed)), ..) => "failed",
            (Some((_, End::Canceled)), ..) => "canceled",
            (None, _, Some(_)) => "canceling",
            (None, Some(_), None) => "running",
            (None, None, None) => "pending",
        }
    }

    /// The word for the workspace, from job and transition.
    pub fn status(&self) -> &'static str {
        match (self.job_status(), self.transition) {
            ("running", Transition::Start) => "starting",
            ("running", Transition::Stop) => "stopping",
            ("running", Transition::Delete) => "deleting",
            ("succeeded", Transition::Start) => "running",
            ("succeeded", Transition::Stop) => "stopped",
            ("succeeded", Transition::Delete) => "deleted",
            (other, _) => other,
        }
    }
}

/// A workspace's row. Deleted workspaces keep theirs.
pub(super) struct Workspace {
    pub id: String,
    pub name: String,
    /// The owner's id.
    pub owner: String,
    /// The template's id.
    pub template: String,
    /// How long it is to run after each start.
    pub ttl_ms: Option<i64>,
    /// The values of the template's parameters.
    pub parameters: Vec<(String, String)>,
    pub created: Instant,
    pub last_used: Instant,
    /// Since when it has been put aside as unused.
    pub dormant: Option<Instant>,
    pub deleted: bool,
    /// Never empty.
    pub builds: Vec<Build>,
}

impl Workspace {
    /// The build that decides about the workspace's status.
    pub fn latest(&self) -> &Build {
        self.builds
            .last()
            .expect("a workspace is born with its first build")
    }
}

/// The life of builds.
impl World {
    /// Queues a build and answers its position among the workspace's builds.
    pub fn add_build(
        &mut self,
        at: usize,
        transition: Transition,
        initiator: &str,
        reason: &'static str,
    ) -> usize {
        let takes = self.settings.build_time;
        let build = queued(
            &self.workspaces[at],
            transition,
            initiator,
            reason,
            Instant::now(),
            takes,
        );
        self.workspaces[at].builds.push(build);
        self.workspaces[at].builds.len() - 1
    }

    /// Ends all active builds now.
    pub fn finish_builds(&mut self) {
        let now = Instant::now();
        for workspace in &mut self.workspaces {
            let build = workspace.builds.last_mut();
            if let Some(build) = build.filter(|build| build.done.is_none()) {
                build.started = build.started.or(Some(now));
                build.takes = Duration::ZERO;
            }
        }
        self.tick();
    }

    /// Brings all builds up to the present.
    pub fn tick(&mut self) {
        let now = Instant::now();
        for at in 0..self.workspaces.len() {
            while self.step(at, now) {}
        }
    }

    /// One step of the workspace's latest build, if one is due.
    fn step(&mut self, at: usize, now: Instant) -> bool {
        let settings = &self.settings;
        let workspace = &mut self.workspaces[at];
        let build = workspace
            .builds
            .last_mut()
            .expect("a workspace is born with its first build");
        if build.done.is_some() {
            return self.stop_by_itself(at, now);
        }
        let Some(started) = build.started else {
            let given_up = build.created + settings.pending_limit;
            let due = (build.created + build.takes / 5).max(settings.provisioners_since);
            if !settings.no_provisioners && due <= now {
                build.started = Some(due);
            } else if given_up <= now {
                build.done = Some((given_up, End::Failed));
            } else {
                return false;
            }
            return true;
        };
        let due = build
            .cancel_asked
            .map_or(started + build.takes * 4 / 5, |asked| {
                asked + build.takes / 5
            });
        if due <= now {
            let canceled = build.cancel_asked.is_some();
            self.finish(at, due, canceled);
        }
        due <= now
    }

    /// Queues a stop for a workspace that has run long enough, or whose owner is suspended. A failed start is left
    /// alone, and so is a workspace that was put aside as unused.
    fn stop_by_itself(&mut self, at: usize, now: Instant) -> bool {
        let settings = &self.settings;
        let workspace = &self.workspaces[at];
        let build = workspace.latest();
        let Some((since, end)) = build.done else {
            return false;
        };
        if build.transition != Transition::Start || workspace.dormant.is_some() {
            return false;
        }
        let owner = self.by_id(&workspace.owner);
        let suspended = owner.and_then(|user| user.suspended);
        let by_suspension = suspended
            .filter(|_| end != End::Failed)
            .map(|suspended| suspended.max(since) + settings.suspended_stop);
        let by_time = settings
            .auto_stop
            .filter(|_| end == End::Succeeded)
            .map(|time| since + time);
        let by_deadline = build.deadline;
        let all = by_suspension.into_iter().chain(by_time).chain(by_deadline);
        let Some(due) = all.min() else {
            return false;
        };
        let workspace = &mut self.workspaces[at];
        if due <= now {
            let owner = &workspace.owner;
            let takes = self.settings.build_time;
            let stop = queued(workspace, Transition::Stop, owner, "autostop", due, takes);
            workspace.builds.push(stop);
        }
        due <= now
    }

    fn finish(&mut self, at: usize, when: Instant, canceled: bool) {
        let transition = self.workspaces[at].latest().transition;
        let failed = !canceled && self.is_to_fail(at, transition);
        let workspace = &mut self.workspaces[at];
        let end = match (canceled, failed) {
            (true, _) => End::Canceled,
            (false, true) => End::Failed,
            (false, false) => End::Succeeded,
        };
        workspace.deleted |= (transition, end) == (Transition::Delete, End::Succeeded);
        let runs_for = workspace.ttl_ms.and_then(|ttl| u64::try_from(ttl).ok());
        let build = workspace.builds.last_mut().expect("it has a build");
        build.done = Some((when, end));
        if (transition, end) == (Transition::Start, End::Succeeded) {
            build.deadline = runs_for.map(|ttl| when + Duration::from_millis(ttl));
        }
        if end == End::Failed {
            build.error.clone_from(&self.settings.build_error);
        }
    }

    fn is_to_fail(&mut self, at: usize, transition: Transition) -> bool {
        let workspace = &self.workspaces[at];
        let owner = self.username(&workspace.owner);
        let names = [
            workspace.id.clone(),
            workspace.name.clone(),
            format!("{owner}/{}", workspace.name),
            owner,
        ];
        let planned = self
            .failing
            .iter_mut()
            .find(|(of, what, left)| *left > 0 && *what == transition && names.contains(of));
        planned.map(|(.., left)| *left -= 1).is_some()
    }
}

fn queued(
    workspace: &Workspace,
    transition: Transition,
    initiator: &str,
    reason: &'static str,
    created: Instant,
    takes: Duration,
) -> Build {
    Build {
        id: random::uuid(),
        number: u32::try_from(workspace.builds.len())
            .unwrap_or(u32::MAX)
            .saturating_add(1),
        transition,
        reason,
        initiator: initiator.to_owned(),
        created,
        takes,
        started: None,
        cancel_asked: None,
        done: None,
        error: String::new(),
        deadline: None,
    }
}
