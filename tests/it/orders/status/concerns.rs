//! What needs the operator is told with its cure; what needs nobody is not.

use crate::orders::sleepy;
use crate::plan;

#[test]
fn whom_a_full_class_turned_away_is_told_until_they_have_an_account() {
    let class = plan().with("CODER_REG_MAX_USERS", "1").open();
    let (ana, ben) = (class.student(), class.student());
    ana.gets_a_login();
    ben.asks();
    assert!(ben.next_text().contains("full"));
    ben.asks();
    class.all_served();
    let text = class.does(&["status"]);
    assert!(text.contains("0 of 1 seats left, 1 turned away;"), "{text}");
    assert!(
        text.contains(
            "FAULT  1 student was turned away in the last day because the class was full\n"
        ),
        "{text}"
    );
    class.does(&["end", "--all", "--yes"]);
    class.all_gone();
    let text = class.does(&["status"]);
    assert!(
        text.contains("-> 1 seat left now: the students text the phrase again\n"),
        "{text}"
    );
    ben.gets_a_login();
    class.all_served();
    let told = class.tells(&["status", "--json"]);
    assert_eq!(told["counts"]["turned_away"], 0);
}

#[test]
fn while_coder_is_away_the_cure_is_told_once() {
    let class = plan().prepare();
    class.start_service();
    let address = class.service().address().to_string();
    class.set("CODER_REG_LISTEN", &address);
    class.coder().goes_down();
    class.students(2).iter().for_each(|one| drop(one.asks()));
    class.eventually("it is reported", || {
        let text = class.fails(1, &["status"]).stdout;
        text.contains("Coder does not answer")
    });
    let text = class.fails(1, &["status"]).stdout;
    for words in [
        "the service accepts texts\n",
        "FAULT  Coder does not answer, and users and workspaces at Coder are unknown: list users",
        "-> make sure that Coder runs and that this machine reaches CODER_API_URL; texts wait until then\n",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    assert_eq!(text.matches("FAULT").count(), 1, "{text}");
    let told = class.fails(1, &["reconcile"]).stderr;
    assert!(told.contains("; see the logs of Coder"), "{told}");
    class.coder().comes_back();
    class.all_served();
}

#[test]
fn what_a_token_without_rights_does_not_see_is_not_said_to_be_gone() {
    let class = plan().prepare();
    class.start_service();
    let address = class.service().address().to_string();
    class.set("CODER_REG_LISTEN", &address);
    class.logins(1);
    class.coder().token_loses_rights();
    let text = class.does(&["status"]);
    assert!(
        text.contains("may not see") && !text.contains("no user"),
        "{text}"
    );
    let told = class.tells(&["status", "--json"]);
    assert!(told["accounts"][0]["at_coder"].is_null(), "{told}");
    assert!(told["unknown_accounts"].is_null(), "{told}");
    class.student().asks();
    class.eventually("the service says it too", || {
        let text = class.does(&["status", "--offline"]);
        // Not the command that was just asked.
        text.contains("-> coder-sms-register check says which, and which role contains it\n")
    });
}

#[test]
fn a_clock_that_keeps_accounts_from_being_removed_is_told_at_once() {
    let class = plan().with_clock_shim().open();
    class.logins(1);
    class.sets_the_clock(7_200);
    let text = class.does(&["status"]);
    assert!(
        text.contains(
            "FAULT  this machine's clock is 2 h ahead of Coder's: no account is removed\n"
        ) || text.contains("FAULT  this machine's clock is 1 h 59 min ahead of Coder's"),
        "{text}"
    );
    assert!(text.contains("-> set the clock that is wrong"), "{text}");
}

#[test]
fn a_removal_that_has_just_begun_needs_nobody() {
    let class = sleepy();
    let names: Vec<_> = class
        .logins(3)
        .iter()
        .map(|one| one.username().to_owned())
        .collect();
    class.end_service();
    for (name, begun, refused) in [(0, "60", "NULL"), (1, "400", "NULL"), (2, "60", "1")] {
        class.change(&format!(
            "UPDATE registrations SET stage = 'reaping', due_at = unixepoch() - 4000, reap_note = 'why {name}',
             reaping_since = unixepoch() - {begun}, refused_since = {refused}
             WHERE username = '{}'",
            names[name]
        ));
    }
    let text = class.does(&["status"]);
    assert!(!text.contains("why 0"), "{text}");
    for late in ["why 1", "why 2"] {
        assert!(text.contains(late), "{late}: {text}");
    }
    assert_eq!(class.tells(&["status", "--json"])["counts"]["overdue"], 3);
}

#[test]
fn a_login_that_no_laptop_has_fetched_is_told_with_its_time() {
    let class = plan().with_pages("screen").open();
    let (ana, laptop) = (class.student(), class.laptop());
    ana.texts(&laptop.words());
    class.eventually("the account", || {
        class.query("SELECT count(*) FROM registrations WHERE stage = 'created'") == "1"
    });
    let text = class.does(&["status"]);
    assert!(text.contains("1 waiting for its laptop\n"), "{text}");
    let row = text.lines().last().expect("a row");
    assert!(row.contains("  waiting for its laptop  asked "), "{text}");
    let left = row.split("ago").nth(1).expect("a time");
    assert!(left.contains("min") || left.contains('h'), "{text}");
    laptop.is_asked(&ana, true);
    laptop.login();
    class.all_served();
}

#[test]
fn a_login_that_may_wait_for_a_laptop_is_not_said_to_be_on_its_way() {
    let class = plan().with_pages("both").open();
    let (ana, laptop) = (class.student(), class.laptop());
    ana.texts(&laptop.words());
    class.eventually("the account", || {
        class.query("SELECT count(*) FROM registrations WHERE stage = 'created'") == "1"
    });
    let text = class.does(&["status"]);
    assert!(
        text.contains("1 login not sent yet\n") && !text.contains("being sent"),
        "{text}"
    );
    laptop.is_asked(&ana, true);
    laptop.login();
    class.all_served();
    assert!(class.does(&["status"]).contains("1 with login"));
}

#[test]
fn a_coder_that_has_had_enough_calls_is_no_fault() {
    let class = plan().open();
    class.coder().trouble(
        support::fakes::coder::ops::LIST_USERS,
        usize::MAX,
        support::fakes::trouble::Trouble::too_many_requests(60),
    );
    let text = class.fails(1, &["status"]).stdout;
    assert!(
        text.contains("warn   users and workspaces at Coder are unknown: ")
            && text.contains("-> wait for a minute"),
        "{text}"
    );
}
