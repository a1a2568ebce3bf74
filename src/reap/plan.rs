//! What to do about the workspaces of an account whose time is up: a pure rule.

use crate::coder::Workspace;

/// What one look at an account's workspaces asks for.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Plan<'a> {
    /// Run although their time is long up, and may be stopped.
    pub stop: Vec<&'a Workspace>,
    /// At rest, to be deleted.
    pub delete: Vec<&'a Workspace>,
    /// Of those, how many a delete has failed for before.
    pub failed: usize,
    /// Still run, and are left alone.
    pub running: usize,
    /// In the middle of a build; Coder takes no other.
    pub building: usize,
}

impl Plan<'_> {
    /// Whether something is still in use or in motion.
    pub fn is_busy(&self) -> bool {
        self.running + self.building + self.stop.len() > 0
    }

    /// Whether nothing is left.
    pub fn is_empty(&self) -> bool {
        !self.is_busy() && self.delete.is_empty()
    }
}

/// Sorts workspaces by what their latest build says (coderd: job status and transition together).
/// `may_stop` allows to stop those that run.
pub fn plan(workspaces: &[Workspace], may_stop: bool) -> Plan<'_> {
    let mut plan = Plan::default();
    let mut runs = Vec::new();
    let mut run = |workspace| runs.push(workspace);
    for workspace in workspaces {
        let build = &workspace.latest_build;
        match build.status.as_str() {
            "deleted" => {}
            // A stop that failed or was cancelled has left it running, as far as anybody knows.
            "failed" | "canceled" if build.transition == "stop" => run(workspace),
            "running" => run(workspace),
            "stopped" | "failed" | "canceled" => {
                // A failed delete has left half a workspace behind; only another delete helps.
                plan.failed += usize::from(build.transition == "delete");
                plan.delete.push(workspace);
            }
            // pending, starting, stopping, deleting, canceling, and words that we do not know.
            _ => plan.building += 1,
        }
    }
    if may_stop {
        plan.stop = runs;
    } else {
        plan.running = runs.len();
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
            },
        }
    }

    #[test]
    fn every_status_has_its_answer() {
        for (status, transition, stop, delete, busy) in [
            ("pending", "start", 0, 0, true),
            ("pending", "delete", 0, 0, true),
            ("starting", "start", 0, 0, true),
            ("running", "start", 0, 0, true),
            ("stopping", "stop", 0, 0, true),
            ("stopped", "stop", 0, 1, false),
            ("failed", "start", 0, 1, false),
            ("failed", "stop", 0, 0, true),
            ("failed", "delete", 0, 1, false),
            ("canceling", "start", 0, 0, true),
            ("canceled", "stop", 0, 0, true),
            ("canceled", "start", 0, 1, false),
            ("canceled", "delete", 0, 1, false),
            ("deleting", "delete", 0, 0, true),
            ("deleted", "delete", 0, 0, false),
            ("a word of the future", "start", 0, 0, true),
        ] {
            let list = [workspace(status, transition)];
            let plan = plan(&list, false);
            assert_eq!(
                (plan.stop.len(), plan.delete.len(), plan.is_busy()),
                (stop, delete, busy),
                "{status} {transition}"
            );
        }
    }

    #[test]
    fn running_ones_are_stopped_only_by_leave() {
        for (status, transition) in [
            ("running", "start"),
            ("failed", "stop"),
            ("canceled", "stop"),
        ] {
            let list = [workspace(status, transition), workspace("stopped", "stop")];
            assert_eq!(plan(&list, false).running, 1);
            assert_eq!(plan(&list, true).stop, [&list[0]]);
            assert_eq!(plan(&list, true).delete, [&list[1]]);
        }
        let list = [workspace("running", "start")];
        assert!(plan(&list, true).is_busy());
        assert!(plan(&[], true).is_empty());
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
            may_stop in any::<bool>(),
        ) {
            let list: Vec<Workspace> = builds.iter().map(|(s, t)| workspace(s, t)).collect();
            let plan = plan(&list, may_stop);
            let place = |one: &Workspace| list.iter().position(|w| std::ptr::eq(w, one));
            let mut acted_on: Vec<usize> =
                plan.stop.iter().chain(&plan.delete).filter_map(|w| place(w)).collect();
            prop_assert_eq!(acted_on.len(), plan.stop.len() + plan.delete.len(), "a stranger's");
            acted_on.sort_unstable();
            acted_on.dedup();
            prop_assert_eq!(acted_on.len(), plan.stop.len() + plan.delete.len(), "one twice");
            let deleted = builds.iter().filter(|(status, _)| status == "deleted").count();
            let told = acted_on.len() + plan.running + plan.building + deleted;
            prop_assert_eq!(told, list.len());
            // What runs or moves is never deleted, and what runs is stopped only by leave.
            let at_rest = |w: &&&Workspace| {
                let build = &w.latest_build;
                build.status == "stopped"
                    || ["failed", "canceled"].contains(&build.status.as_str())
                        && build.transition != "stop"
            };
            prop_assert_eq!(plan.delete.iter().filter(at_rest).count(), plan.delete.len());
            let runs = |w: &&&Workspace| w.latest_build.status == "running" || w.latest_build.transition == "stop";
            prop_assert_eq!(plan.stop.iter().filter(runs).count(), plan.stop.len());
            prop_assert!(may_stop || plan.stop.is_empty());
            prop_assert!(plan.failed <= plan.delete.len());
            prop_assert_eq!(plan.is_empty(), deleted == list.len());
        }
    }
}
