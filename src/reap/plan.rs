//! What to do with the workspaces of an account whose time is up: a pure rule.

use crate::coder::Workspace;

/// What may be done to a workspace that runs or may run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopPermission {
    /// Nothing: the student works with it, or Coder is about to stop it. Only a stop that failed or
    /// was cancelled is requested again.
    Wait,
    /// It may be stopped.
    Stop,
    /// As above; and it may be deleted if its stop failed.
    Delete,
}

/// What to do with an account's workspaces, from one reading of their state.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Plan<'a> {
    /// Workspaces that run and may be stopped.
    pub stop: Vec<&'a Workspace>,
    /// Workspaces to be deleted.
    pub delete: Vec<&'a Workspace>,
    /// Those of `delete` for which a delete has failed before.
    pub failed: Vec<&'a Workspace>,
    /// Number of workspaces that run and are left alone.
    pub running: usize,
    /// Number of workspaces with a build in progress; Coder accepts no other build for them.
    pub building: usize,
}

impl Plan<'_> {
    /// Whether something is still in use or in progress.
    pub fn is_busy(&self) -> bool {
        self.running + self.building + self.stop.len() > 0
    }

    /// Whether nothing is left.
    pub fn is_empty(&self) -> bool {
        !self.is_busy() && self.delete.is_empty()
    }
}

/// Sorts workspaces by their latest build (coderd: job status and transition together).
pub fn plan(workspaces: &[Workspace], permission: StopPermission) -> Plan<'_> {
    let mut plan = Plan::default();
    for workspace in workspaces {
        let build = &workspace.latest_build;
        match (build.status.as_str(), build.transition.as_str(), permission) {
            ("deleted", ..) => {}
            ("failed" | "canceled", "stop", StopPermission::Delete) => plan.delete.push(workspace),
            // It may still run, and Coder does not stop it again: by itself Coder stops only a
            // workspace whose latest build was a start.
            ("failed" | "canceled", "stop", _) => plan.stop.push(workspace),
            // A dormant workspace that runs is not in use, and Coder does not stop it.
            ("running", ..) if workspace.dormant => plan.stop.push(workspace),
            ("running", ..) => match permission {
                StopPermission::Wait => plan.running += 1,
                StopPermission::Stop | StopPermission::Delete => plan.stop.push(workspace),
            },
            ("stopped" | "failed" | "canceled", transition, _) => {
                plan.delete.push(workspace);
                if transition == "delete" {
                    // The failed delete may have left a part of the workspace behind. Only another
                    // delete helps, and Coder does not try again by itself.
                    plan.failed.push(workspace);
                }
            }
            // pending, starting, stopping, deleting, canceling, and statuses unknown to us.
            _ => plan.building += 1,
        }
    }
    plan
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::coder::Build;
    use crate::properties::drawn;

    fn workspace(status: &str, transition: &str) -> Workspace {
        Workspace {
            id: "w".into(),
            name: "dev".into(),
            owner_id: "u".into(),
            latest_build: Build {
                transition: transition.into(),
                status: status.into(),
                error: String::new(),
            },
            dormant: false,
        }
    }

    #[test]
    fn a_dormant_workspace_that_runs_is_stopped() {
        let mut dormant = workspace("running", "start");
        dormant.dormant = true;
        let list = [dormant];
        let plan = plan(&list, StopPermission::Wait);
        assert_eq!((plan.running, plan.stop.len()), (0, 1));
    }

    #[test]
    fn every_status_is_handled() {
        for (status, transition, stop, delete, busy) in [
            ("pending", "start", 0, 0, true),
            ("pending", "delete", 0, 0, true),
            ("starting", "start", 0, 0, true),
            ("running", "start", 0, 0, true),
            ("stopping", "stop", 0, 0, true),
            ("stopped", "stop", 0, 1, false),
            ("failed", "start", 0, 1, false),
            ("failed", "stop", 1, 0, true),
            ("failed", "delete", 0, 1, false),
            ("canceling", "start", 0, 0, true),
            ("canceled", "stop", 1, 0, true),
            ("canceled", "start", 0, 1, false),
            ("canceled", "delete", 0, 1, false),
            ("deleting", "delete", 0, 0, true),
            ("deleted", "delete", 0, 0, false),
            ("a status of a later release", "start", 0, 0, true),
        ] {
            let list = [workspace(status, transition)];
            let plan = plan(&list, StopPermission::Wait);
            assert_eq!(
                (plan.stop.len(), plan.delete.len(), plan.is_busy()),
                (stop, delete, busy),
                "{status} {transition}"
            );
        }
    }

    #[test]
    fn running_workspaces_are_stopped_only_with_permission() {
        for (status, transition) in [
            ("running", "start"),
            ("failed", "stop"),
            ("canceled", "stop"),
        ] {
            let list = [workspace(status, transition), workspace("stopped", "stop")];
            let left = plan(&list, StopPermission::Wait);
            let again = usize::from(transition == "stop");
            assert_eq!((left.running, left.stop.len()), (1 - again, again));
            assert_eq!(plan(&list, StopPermission::Stop).stop, [&list[0]]);
            assert_eq!(plan(&list, StopPermission::Stop).delete, [&list[1]]);
            let stop_failed = transition == "stop";
            let last = plan(&list, StopPermission::Delete);
            assert_eq!(last.stop.len(), usize::from(!stop_failed));
            assert_eq!(last.delete.len(), 1 + usize::from(stop_failed));
        }
        let list = [workspace("running", "start")];
        assert!(plan(&list, StopPermission::Stop).is_busy());
        assert!(plan(&[], StopPermission::Stop).is_empty());
    }

    proptest! {
        #![proptest_config(drawn())]

        #[test]
        fn every_workspace_is_in_one_class_and_no_other(
            builds in prop::collection::vec(
                (
                    "pending|starting|running|stopping|stopped|failed|canceling|canceled|deleting|deleted|[a-z]{0,4}",
                    "start|stop|delete|",
                ),
                0..12,
            ),
            permission in prop::sample::select(vec![StopPermission::Wait, StopPermission::Stop, StopPermission::Delete]),
        ) {
            let list: Vec<Workspace> = builds.iter().map(|(s, t)| workspace(s, t)).collect();
            let plan = plan(&list, permission);
            let position = |one: &Workspace| list.iter().position(|w| std::ptr::eq(w, one));
            let mut acted_on: Vec<usize> =
                plan.stop.iter().chain(&plan.delete).filter_map(|w| position(w)).collect();
            prop_assert_eq!(acted_on.len(), plan.stop.len() + plan.delete.len(), "not in the list");
            acted_on.sort_unstable();
            acted_on.dedup();
            prop_assert_eq!(acted_on.len(), plan.stop.len() + plan.delete.len(), "one twice");
            let deleted = builds.iter().filter(|(status, _)| status == "deleted").count();
            let sorted = acted_on.len() + plan.running + plan.building + deleted;
            prop_assert_eq!(sorted, list.len());
            // A workspace that runs or changes is never deleted, and is stopped only with permission.
            let at_rest = |w: &&&Workspace| {
                let build = &w.latest_build;
                build.status == "stopped"
                    || ["failed", "canceled"].contains(&build.status.as_str())
                        && (build.transition != "stop" || permission == StopPermission::Delete)
            };
            prop_assert_eq!(plan.delete.iter().filter(at_rest).count(), plan.delete.len());
            let runs = |w: &&&Workspace| w.latest_build.status == "running" || w.latest_build.transition == "stop";
            prop_assert_eq!(plan.stop.iter().filter(runs).count(), plan.stop.len());
            let stopped_before = |w: &&&Workspace| w.latest_build.status != "running";
            prop_assert!(permission != StopPermission::Wait || plan.stop.iter().all(|w| stopped_before(&w)));
            prop_assert!(plan.failed.iter().all(|w| w.latest_build.transition == "delete"));
            prop_assert!(plan.failed.len() <= plan.delete.len());
            prop_assert_eq!(plan.is_empty(), deleted == list.len());
        }
    }
}
