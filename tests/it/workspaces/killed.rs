//! The service is killed while a workspace is made.

use super::{runs, with_workspaces};
use support::fakes::coder::ops as coder;
use support::fakes::trouble::When;
use support::fakes::twilio::ops as twilio;

#[test]
fn a_kill_at_any_call_leaves_one_workspace_and_never_two() {
    for (op, when) in [
        (coder::READ_TEMPLATE, When::After),
        (coder::CREATE_WORKSPACE, When::Before),
        (coder::CREATE_WORKSPACE, When::After),
        (coder::LIST_WORKSPACES, When::Before),
    ] {
        let class = with_workspaces().open();
        let ana = class.student();
        class.dies_at_coder(op, when);
        ana.asks_over_a_kill();
        let login = ana.next_login();
        class.all_served();
        assert_eq!(runs(&class, &login).builds, 1, "{op:?} {when:?}");
        class.eventually("all is settled", || {
            class.query("SELECT count(*) FROM workspaces WHERE id IS NOT NULL AND check_at IS NULL")
                == "1"
        });
        assert_eq!(class.coder().all_workspaces().len(), 1, "{op:?} {when:?}");
        ana.has_read_all();
    }
}

#[test]
fn a_kill_between_login_and_workspace_leaves_none_without_one() {
    let class = with_workspaces().open();
    let ana = class.student();
    class.dies_at_twilio(twilio::SEND, When::After);
    ana.asks_over_a_kill();
    let login = ana.next_login();
    runs(&class, &login);
    assert_eq!(class.coder().all_workspaces().len(), 1);
}
