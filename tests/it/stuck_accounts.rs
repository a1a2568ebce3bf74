//! An account that cannot be removed does not block its phone, and an older text does not bring an account back.

use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::plan;
use support::classroom::student::{Login, Student};
use support::classroom::{Classroom, PATIENCE, a_later_second};
use support::fakes::coder::{Role, Version, ops as coder};
use support::fakes::desk::Call;
use support::fakes::trouble::{Trouble, When, Which};
use support::fakes::twilio::ops as twilio;

/// How long a running service may take to remove what nothing holds.
const AT_ONCE: Duration = Duration::from_secs(45);

/// A class whose time is up when a test says so.
fn class() -> Classroom {
    plan()
        .with("CODER_REMOVE_TIME", "1h")
        .with("CODER_REG_RESEND_INTERVAL", "0")
        .open()
}

/// Coder's refusal with this message.
fn refused_with(message: &str) -> Trouble {
    let refusal = Trouble::json(403, &json!({ "message": message }));
    refusal.with_header("X-Coder-Build-Version", "v2.31.14")
}

/// A login whose workspace `dev` is at rest, and cannot be deleted from now on.
fn stuck(class: &Classroom, student: &Student<'_>) -> Login {
    let login = class.login_of(student);
    class.has_a_stopped_workspace(&login);
    let id = class.coder().workspaces_of(login.username())[0].id.clone();
    let path = format!("/api/v2/workspaces/{id}/builds");
    let message = "You do not have permission to delete this workspace.";
    let refusal = refused_with(message);
    class.trouble_at_coder(Which::path("POST", path), usize::MAX, refusal);
    login
}

#[test]
fn the_phone_of_an_account_that_does_not_go_gets_another_one() {
    let class = class();
    let ana = class.student();
    let old = stuck(&class, &ana);
    class.time_is_up();
    let way_out = format!("coder delete {}/dev --orphan", old.username());
    class.logs(&way_out);
    // Within the first minutes it may still go.
    ana.asks();
    class.logs("is being removed");
    assert_eq!(class.registrations(), 1);
    class.change("UPDATE registrations SET locked_at = locked_at - 301");
    let new = ana.next_login();
    class.all_served();
    assert_ne!(new.username(), old.username());
    assert!(ana.can_log_in());
    assert!(!class.coder().password_works(&old.email, &old.password));
    // Both have a seat, both are shown, and the old one still goes by its own name.
    assert_eq!(class.registrations(), 2);
    let status = class.try_service(&["status"]).stdout;
    assert!(
        status.contains("2 accounts")
            && status.contains("1 account not removed yet although the time was up ")
            && status.contains(&format!(": {}\n", old.username())),
        "{status}"
    );
    assert!(status.contains(&way_out), "{status}");
    let log = class.log();
    let told = log
        .lines()
        .filter(|line| line.contains(&way_out) && line.contains(" ERROR "));
    assert_eq!(told.count(), 1, "the refusal is told once");
    assert!(log.contains("You do not have permission to delete this workspace."));

    class.coder().no_more_trouble();
    class.eventually("the old account gone", || {
        class.coder().user(old.username()).is_none()
    });
    class.eventually("its row gone", || class.registrations() == 1);
    assert!(ana.can_log_in());
    ana.gets_a_login();
    assert_eq!(ana.last_login().expect("a login").email, new.email);
}

#[test]
fn a_phone_that_is_let_go_needs_a_seat() {
    let class = plan()
        .with("CODER_REMOVE_TIME", "1h")
        .with("CODER_REG_MAX_USERS", "1")
        .open();
    let ana = class.student();
    let old = stuck(&class, &ana);
    class.time_is_up();
    class.logs("--orphan");
    class.change("UPDATE registrations SET locked_at = locked_at - 301");
    ana.asks();
    assert!(ana.next_text().contains("full"));
    class.coder().no_more_trouble();
    class.all_gone();
    assert_ne!(ana.gets_a_login().email, old.email);
}

#[test]
fn a_user_that_cannot_be_locked_out_holds_its_phone_for_half_an_hour() {
    let class = class();
    let ana = class.student();
    let old = stuck(&class, &ana);
    let refusal = refused_with("Forbidden.");
    class.trouble_at_coder(coder::SUSPEND, usize::MAX, refusal);
    class.time_is_up();
    class.logs("--orphan");
    ana.asks();
    class.logs("is being removed");
    class.change("UPDATE registrations SET reaping_since = reaping_since - 1200");
    let attempts = || class.log().matches("is being removed").count();
    let before = attempts();
    class.eventually("some more attempts", || {
        attempts() > before || class.registrations() > 1
    });
    assert_eq!(class.registrations(), 1);
    class.change("UPDATE registrations SET reaping_since = reaping_since - 601");
    assert_ne!(ana.next_login().email, old.email);
    class.coder().no_more_trouble();
    class.eventually("the old account gone", || {
        class.coder().user(old.username()).is_none()
    });
}

#[test]
fn a_delete_that_fails_is_told_once_with_what_coder_says_and_tried_again() {
    let class = class();
    let login = class.login_of(&class.student());
    class.has_a_stopped_workspace(&login);
    class.coder().fail_deletes(login.username(), 3);
    class.time_is_up();
    class.all_gone();
    let log = class.log();
    let told: Vec<&str> = log
        .lines()
        .filter(|line| line.contains(" ERROR "))
        .collect();
    assert_eq!(told.len(), 1, "{told:?}");
    let way_out = format!("coder delete {}/dev --orphan", login.username());
    assert!(
        told[0].contains("its workspace dev cannot be deleted: its deletion failed")
            && told[0].contains("exit status 1")
            && told[0].contains(&way_out),
        "{told:?}"
    );
    let deletes = |call: &Call| call.op == coder::CREATE_BUILD.0;
    assert_eq!(
        class
            .coder()
            .calls()
            .iter()
            .filter(|call| deletes(call))
            .count(),
        4
    );
}

/// A text that waits for the whole life of its account from then on, as Coder fails what it needs.
fn waits(class: &Classroom, student: &Student<'_>) {
    let failure = Trouble::json(500, &json!({"message": "Internal error."}));
    class.trouble_at_coder(coder::SET_PASSWORD, usize::MAX, failure);
    // A login answers all texts of its second, so it was a while ago.
    class.change("UPDATE registrations SET announced_at = announced_at - 600");
    student.asks();
    class.logs("attempt 1 failed");
    // Texts are dated in whole seconds, and what follows is to come after it.
    a_later_second();
}

#[test]
fn a_text_that_waited_makes_no_account_after_its_own_was_ended() {
    for version in [Version::V2_24, Version::Newest] {
        for ends in [
            &["end", "--all", "--yes"][..],
            &["end", "--gently", "--all", "--yes"],
        ] {
            let class = plan()
                .coder_of(version)
                .with("CODER_REG_RESEND_INTERVAL", "0")
                .with("CODER_CHECK_INTERVAL", "15m")
                .open();
            class
                .coder()
                .token_roles(&[Role::UserAdmin, Role::OrganizationAdmin]);
            let ana = class.student();
            class.login_of(&ana);
            waits(&class, &ana);
            assert_eq!(class.try_service(ends).code, Some(0));
            class.eventually("the account gone", || class.coder().students().is_empty());
            class.coder().no_more_trouble();
            class.all_served();
            class.logs("the account of this phone ended after this text was received");
            class.all_gone();
            ana.has_read_all();
            assert_eq!(class.coder().created_ever().len(), 1);
            // A text of after it does.
            ana.gets_a_login();
        }
    }
}

#[test]
fn a_text_that_waited_makes_no_account_after_the_time_of_its_own_was_up() {
    let class = class();
    let ana = class.student();
    class.login_of(&ana);
    waits(&class, &ana);
    // Now, not long ago: a text from after that would give it new time.
    class.change("UPDATE registrations SET due_at = strftime('%s', 'now')");
    class.eventually("the account gone", || class.coder().students().is_empty());
    class.coder().no_more_trouble();
    class.all_served();
    class.all_gone();
    ana.has_read_all();
    assert_eq!(class.coder().created_ever().len(), 1);
    ana.gets_a_login();
}

#[test]
fn a_text_that_waited_gives_no_new_time_to_an_account_that_waits_for_its_removal() {
    let class = plan()
        .with("CODER_REG_RESEND_INTERVAL", "0")
        .with("CODER_CHECK_INTERVAL", "15m")
        .open();
    let ana = class.student();
    class.login_of(&ana);
    waits(&class, &ana);
    class.change("UPDATE registrations SET due_at = strftime('%s', 'now')");
    class.coder().no_more_trouble();
    class.all_served();
    class.logs("the account of this phone ended after this text was received");
    assert_eq!(
        class.query("SELECT due_at <= strftime('%s', 'now') FROM registrations"),
        "1"
    );
    ana.has_read_all();
    // A text from after that does.
    ana.gets_a_login();
    assert_eq!(
        class.query("SELECT due_at > strftime('%s', 'now') FROM registrations"),
        "1"
    );
    assert_eq!(class.coder().created_ever().len(), 1);
}

/// A phone with a login asks again, and the service dies over the send, which Twilio has taken or not. Ends in a
/// later second than the text, as texts are dated in whole seconds and what follows is to come after it.
fn dies_over_a_second_login(class: &Classroom, student: &Student<'_>, is_taken: bool) {
    class.login_of(student);
    // A login answers all texts of its second, so it was a while ago.
    class.change("UPDATE registrations SET announced_at = announced_at - 600");
    let hang = if is_taken {
        Trouble::HangAfter(PATIENCE)
    } else {
        Trouble::Hang(PATIENCE)
    };
    class.trouble_at_twilio(twilio::SEND, 1, hang);
    student.asks();
    class.eventually("the send under way", || {
        let sends = "SELECT count(sending_since) FROM registrations";
        let is_under_way = class.twilio().count(twilio::SEND) == 2;
        class.query(sends) == "1" && is_under_way && (!is_taken || student.inbox().len() == 2)
    });
    class.service().kill();
    class.twilio().no_more_trouble();
    let died = Instant::now();
    class.eventually("a later second", || died.elapsed() > Duration::from_secs(1));
}

/// The account goes soon although an older text still waits, and that text creates no account.
fn goes_for_good(class: &Classroom, student: &Student<'_>, is_taken: bool) {
    class.eventually_within(AT_ONCE, "the account gone", || {
        class.coder().students().is_empty() && class.registrations() == 0
    });
    class.all_served();
    class.all_gone();
    if is_taken {
        // The login that Twilio took when the service died.
        student.next_login();
    }
    student.has_read_all();
    assert_eq!(class.coder().created_ever().len(), 1);
    assert_eq!(class.dead_letters(), 0);
}

#[test]
fn a_send_that_a_kill_interrupted_does_not_outlive_an_end() {
    for is_taken in [false, true] {
        for ends in [
            &["end", "--all", "--yes"][..],
            &["end", "--gently", "--all", "--yes"],
        ] {
            for is_down in [true, false] {
                let class = plan()
                    .with("CODER_REG_RESEND_INTERVAL", "0")
                    .with("CODER_CHECK_INTERVAL", "15m")
                    .open();
                let ana = class.student();
                dies_over_a_second_login(&class, &ana, is_taken);
                if !is_down {
                    // Looking for the interrupted text takes the service longer than the end.
                    class.twilio().list_unavailable(true);
                    class.start_service();
                }
                assert_eq!(class.try_service(ends).code, Some(0));
                if is_down {
                    class.start_service();
                }
                goes_for_good(&class, &ana, is_taken);
                class.twilio().list_unavailable(false);
                // A text of after the end does.
                ana.gets_a_login();
            }
        }
    }
}

#[test]
fn a_send_that_nobody_goes_on_with_holds_an_account_whose_time_is_up_for_a_minute_at_most() {
    let class = plan()
        .with("CODER_REG_RESEND_INTERVAL", "0")
        .with("CODER_CHECK_INTERVAL", "15m")
        .open();
    let ana = class.student();
    dies_over_a_second_login(&class, &ana, false);
    // It has opted out meanwhile, so its text gets no answer; of the minute some seconds are left.
    class.change(
        "INSERT INTO contacts (phone, opted_out_at) SELECT phone, 1 FROM registrations;
         UPDATE registrations SET due_at = 1, sending_since = sending_since - 52",
    );
    class.start_service();
    class.logs("waiting for a login that is being sent to its phone");
    goes_for_good(&class, &ana, false);
}

/// A phone with a login has changed its password and asks again: Coder has the old password anew, and its answer is
/// held back until something is sent.
fn is_held_over_its_password(class: &Classroom, student: &Student<'_>) -> (Login, Sender<()>) {
    let login = class.login_of(student);
    class.changes_the_password(&login);
    class.change("UPDATE registrations SET announced_at = announced_at - 600");
    let go = class.coder().hold(coder::SET_PASSWORD, When::After);
    student.asks();
    assert!(
        class
            .coder()
            .wait_for_calls(coder::SET_PASSWORD, 1, PATIENCE)
    );
    class.eventually("the password set", || {
        class.coder().password_works(&login.email, &login.password)
    });
    // Texts are dated in whole seconds, and what follows is to come after it.
    a_later_second();
    (login, go)
}

#[test]
fn an_end_while_a_text_is_served_counts_for_it() {
    for ends in [["end", "--all", "--yes"].as_slice(), &["forget"]] {
        let class = plan()
            .with("CODER_REG_RESEND_INTERVAL", "0")
            .with("CODER_REG_CALL_LIMIT", "60s")
            .open();
        let ana = class.student();
        let (_, go) = is_held_over_its_password(&class, &ana);
        let mut ends = ends.to_vec();
        if ends == ["forget"] {
            ends.push(ana.phone());
        }
        class.does(&ends);
        class.all_gone();
        go.send(()).expect("the answer still waits");
        class.all_served();
        ana.has_read_all();
        assert_eq!(class.coder().created_ever().len(), 1, "{ends:?}");
        assert_eq!(class.registrations(), 0, "{ends:?}");
        // A text of after it does.
        ana.gets_a_login();
    }
}

#[test]
fn a_text_that_is_served_while_its_account_goes_does_not_touch_the_account_of_another_phone() {
    let class = plan()
        .with("CODER_REG_RESEND_INTERVAL", "0")
        .with("CODER_REG_CALL_LIMIT", "60s")
        .open();
    let (ana, ben) = (class.student(), class.student());
    let login = class.login_of(&ana);
    class.change("UPDATE registrations SET announced_at = announced_at - 600");
    let go = class.coder().hold(coder::SET_PASSWORD, When::After);
    ana.asks();
    assert!(
        class
            .coder()
            .wait_for_calls(coder::SET_PASSWORD, 1, PATIENCE)
    );
    a_later_second();
    class.does(&["end", login.username(), "--yes"]);
    class.all_gone();
    ben.gets_a_login();
    let record = "SELECT group_concat(username || announced_at || login_sid) FROM registrations";
    class.eventually("his login recorded", || class.query(record).contains("SM"));
    let before = class.query(record);
    go.send(()).expect("the answer still waits");
    class.all_served();
    ana.has_read_all();
    assert_eq!(class.query(record), before);
    assert!(ben.can_log_in());
}
