//! A phone wants to be forgotten.

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

use coder_sms_register::domain::{Phone, PhoneKey};

use super::{AT_ONCE, sleepy};
use crate::plan;
use support::classroom::Classroom;

/// The files of the data folder that hold the hash of a phone.
fn holders(class: &Classroom, phone: &str) -> Vec<String> {
    let key = PhoneKey::derive(&class.twilio().account().account_token);
    let hash = Phone::parse(phone).unwrap().hash(&key);
    let files = std::fs::read_dir(class.data_dir()).unwrap().flatten();
    let holds = |file: &std::fs::DirEntry| {
        let bytes = std::fs::read(file.path()).unwrap_or_default();
        bytes.windows(20).any(|window| window == hash.as_bytes())
    };
    files
        .filter(holds)
        .map(|file| file.file_name().to_string_lossy().into_owned())
        .collect()
}

#[test]
fn nothing_is_left_of_a_phone_once_its_account_is_removed() {
    let class = sleepy();
    let (ana, ben) = (class.student(), class.student());
    ana.texts("what is this?");
    ana.next_text();
    let login = ana.gets_a_login();
    ben.gets_a_login();
    class.all_served();
    assert!(
        !holders(&class, ana.phone()).is_empty(),
        "nothing was searched"
    );

    let told = class.does(&["forget", ana.phone(), "--dry-run"]);
    assert!(
        told.contains("would be ended") && told.contains("would be erased"),
        "{told}"
    );
    assert_eq!(class.registrations(), 2);
    let told = class.does(&["forget", ana.phone()]);
    assert!(
        told.contains(login.username()) && told.contains("refusals of this phone: erased"),
        "{told}"
    );
    assert!(!told.contains(&ana.phone()[2..]));
    class.eventually_within(AT_ONCE, "the account's end", || {
        class.registrations() == 1 && class.coder().user(login.username()).is_none()
    });
    class.eventually("an empty log of the database", || {
        holders(&class, ana.phone()).is_empty()
    });
    assert!(!holders(&class, ben.phone()).is_empty());
    let ended = class.fails(3, &["forget", ana.phone()]);
    assert!(
        ended.stderr.contains("there is no data about this phone"),
        "{ended:?}"
    );
    // It may come back, as anybody may.
    assert_ne!(ana.gets_a_login().username(), "");
}

#[test]
fn an_account_in_use_is_told_again_and_goes_when_it_can() {
    let class = plan().open();
    let ana = class.student();
    let login = ana.gets_a_login();
    class.all_served();
    class
        .coder()
        .running_workspace(login.username(), "dev")
        .expect("a workspace");
    let fake = class.coder();
    fake.suspended_workspaces_stop_after(Duration::from_secs(3_600));
    class.does(&["forget", ana.phone()]);
    class.eventually("the wait", || {
        class
            .log()
            .contains("locked out, waiting for Coder to stop 1")
    });
    assert!(!ana.can_log_in());
    let told = class.tells(&["forget", ana.phone(), "--json"]);
    assert_eq!(told["username"], login.username());
    assert_eq!(
        (&told["contact"], &told["dry_run"]),
        (&false.into(), &false.into())
    );
    assert_eq!(told["waiting_texts"], 0);
    fake.suspended_workspaces_stop_after(Duration::ZERO);
    class.all_gone();
    class.eventually("nothing left", || holders(&class, ana.phone()).is_empty());
    class.fails(3, &["forget", ana.phone()]);
}

#[test]
fn texts_that_wait_are_deleted_and_make_no_account() {
    let class = plan().with("CODER_REG_CALL_LIMIT", "1s").open();
    let (ana, ben) = (class.student(), class.student());
    class.coder().goes_down();
    ana.asks();
    ben.asks();
    class.eventually("attempts", || {
        class.log().matches("attempt 1 failed").count() == 2
    });
    let told = class.does(&["forget", ana.phone()]);
    assert!(
        told.contains("1 text of this phone in the queue: deleted"),
        "{told}"
    );
    assert!(
        !class
            .redis()
            .entries("coder-sms-register:texts")
            .contains(&ana.phone()[2..])
    );
    class.coder().comes_back();
    ben.next_login();
    class.eventually("one registration", || class.registrations() == 1);
    class.all_served();
    ana.has_read_all();
    assert_eq!(class.coder().students().len(), 1);
    class.eventually("nothing left", || holders(&class, ana.phone()).is_empty());
}

#[test]
fn an_opt_out_is_forgotten_as_well_while_the_service_is_stopped() {
    let class = sleepy();
    let ana = class.student();
    ana.texts("STOP");
    class.all_served();
    class.end_service();
    let mut child = Command::new(env!("CARGO_BIN_EXE_coder-sms-register"))
        .env_clear()
        .envs(class.settings())
        .args(["forget", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let phone = ana.phone();
    let typed = format!(
        "{} ({}) {}-{}\n",
        &phone[..2],
        &phone[2..5],
        &phone[5..8],
        &phone[8..]
    );
    child
        .stdin
        .take()
        .unwrap()
        .write_all(typed.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(
        String::from_utf8_lossy(&output.stdout).contains("opt-outs"),
        "{output:?}"
    );
    assert!(holders(&class, phone).is_empty());
    class.start_service();
    ana.gets_a_login();
}

#[test]
fn what_cannot_be_done_is_told_without_the_phone() {
    let class = sleepy();
    let ana = class.student();
    ana.gets_a_login();
    class.all_served();
    for wrong in ["9095550123", "+1909", "+1909555012x", ""] {
        let ended = class.fails(2, &["forget", wrong]);
        assert!(
            wrong.is_empty() || !ended.stderr.contains(wrong),
            "{ended:?}"
        );
    }
    assert!(
        class
            .does(&["forget", "--help"])
            .contains("Usage: coder-sms-register forget PHONE")
    );
    class.redis().kill();
    let ended = class.fails(1, &["forget", ana.phone(), "--dry-run"]);
    assert!(
        ended.stderr.contains("repeat the command later: Redis"),
        "{ended:?}"
    );
    class.redis().start_again();
    class.set("CODER_REG_PHONE_KEY", "another one");
    let ended = class.fails(1, &["forget", ana.phone()]);
    assert!(ended.stderr.contains("another phone key"), "{ended:?}");
    assert_eq!(class.registrations(), 1);
}

#[test]
fn while_the_service_is_stopped_nobody_is_said_to_be_locked_out() {
    let class = sleepy();
    let ana = class.student();
    let login = ana.gets_a_login();
    class.all_served();
    class.end_service();
    let told = class.does(&["forget", ana.phone()]);
    let words = "locks it out and removes it when it is started";
    assert!(
        told.contains(login.username()) && told.contains(words),
        "{told}"
    );
}
