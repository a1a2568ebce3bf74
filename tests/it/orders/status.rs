//! The class at one glance.

mod concerns;
mod fields;

use std::io::Read;
use std::sync::Mutex;

use super::sleepy;
use crate::{class, plan};
use support::classroom::{Classroom, PATIENCE, within};
use support::fakes::coder::ops;
use support::fakes::twilio::Fate;

const CLASS: usize = 40;

/// A class of 40 with every state in it, whose service is stopped. Answers the names, in order.
fn every_state(class: &Classroom) -> Vec<String> {
    let logins = class.logins(CLASS);
    let mut names: Vec<String> = logins.iter().map(|one| one.username().to_owned()).collect();
    names.sort();
    class
        .coder()
        .running_workspace(&names[0], "dev")
        .expect("a workspace");
    class
        .coder()
        .running_workspace(&names[6], "dev")
        .expect("a workspace");
    class.end_service();
    let set = |name: &str, what: &str| {
        class.change(&format!(
            "UPDATE registrations SET {what} WHERE username = '{name}'"
        ));
    };
    set(&names[1], "stage = 'reserved', announced_at = NULL");
    set(&names[2], "stage = 'created', announced_at = NULL");
    set(&names[3], "sending_since = 5, fingerprint = zeroblob(20)");
    set(
        &names[4],
        "stage = 'reaping', due_at = unixepoch() - 1800, reap_note = 'stuck: for a reason'",
    );
    set(&names[5], "due_at = NULL");
    set(
        &names[6],
        "due_at = unixepoch() - 300, ended_at = 7, reap_note = 'in use'",
    );
    set(&names[7], "due_at = unixepoch() - 60");
    names
}

const STATES: [&str; 8] = [
    "has a login",
    "waiting for Coder",
    "login being sent",
    "new login being sent",
    "being removed",
    "has a login",
    "ended",
    "time is up",
];

#[test]
fn a_class_of_forty_is_shown_in_a_few_calls() {
    let class = sleepy();
    let names = every_state(&class);
    let calls = class.coder().calls().len();
    let text = class.does(&["status"]);
    let made = class.coder().calls().len() - calls;
    assert_eq!(
        made, 5,
        "one page of users, one of workspaces; the organization, the token's rights and its end"
    );
    let lines: Vec<&str> = text.lines().collect();
    let titles = lines.iter().position(|line| line.starts_with("USER "));
    let lines = &lines[titles.expect("titles")..];
    let titles: Vec<&str> = lines[0]
        .split("  ")
        .map(str::trim)
        .filter(|title| !title.is_empty())
        .collect();
    assert_eq!(
        titles,
        [
            "USER",
            "STATE",
            "LOGIN SENT",
            "LEFT",
            "LAST SEEN",
            "WORKSPACES"
        ]
    );
    let column = lines[0].find("STATE").unwrap();
    for (number, name) in names.iter().enumerate() {
        let line = lines[1 + number];
        let state = STATES.get(number).unwrap_or(&"has a login");
        assert!(
            line.starts_with(name) && line[column..].starts_with(state),
            "{line}"
        );
    }
    assert!(
        lines[1].contains("dev running") && !lines[1].contains("never"),
        "{text}"
    );
    assert!(
        lines[10].contains("never")
            && (lines[10].contains("12 h") || lines[10].contains("11 h 59")),
        "{text}"
    );
    assert!(lines[6].contains("no end"), "{text}");
    assert!(
        text.starts_with(
            "40 accounts: 35 with login, 0 not delivered, 1 being removed, 1 ended, 1 login being sent, 1 time is up, 1 waiting for Coder\n460 of 500 seats left, 0 turned away; 0 texts waiting; 0 dead letters\nFAULT  the service does not run: "
        ),
        "{text}"
    );
    let stuck = format!(
        "warn   1 account not removed yet although the time was up 30 min ago: stuck: for a reason: {}\n",
        names[4]
    );
    assert!(text.contains(&stuck), "{text}");

    let offline = class.does(&["status", "--offline"]);
    assert!(
        !offline.contains("LAST SEEN") && offline.contains(&names[39]),
        "{offline}"
    );
    assert_eq!(class.coder().calls().len(), calls + made);
}

#[test]
fn no_name_from_coder_steers_the_terminal() {
    let class = sleepy();
    let names = class.logins(1);
    class
        .coder()
        .running_workspace(names[0].username(), "de\u{1b}[2Jv\r\u{9b}31m")
        .expect("a workspace");
    let text = class.does(&["status"]);
    assert!(
        text.contains("de\u{fffd}[2Jv\u{fffd}\u{fffd}31m running"),
        "{text:?}"
    );
    let told = class.tells(&["status", "--json"]);
    let name = &told["accounts"][0]["workspaces"][0]["name"];
    assert!(name.as_str().unwrap().starts_with("de\u{1b}[2J"), "{name}");
}

#[test]
fn who_does_not_answer_is_named_and_the_rest_is_shown() {
    let class = sleepy();
    let login = &class.logins(1)[0];
    class.coder().goes_down();
    let ended = class.fails(1, &["status"]);
    assert!(ended.stdout.contains(login.username()), "{ended:?}");
    assert!(
        ended
            .stdout
            .contains("users and workspaces at Coder are unknown: list users"),
        "{ended:?}"
    );
    assert!(ended.stdout.contains("the service is running"), "{ended:?}");
    class.does(&["status", "--offline"]);
    class.redis().kill();
    let ended = class.fails(1, &["status", "--offline", "--json"]);
    let told: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
    assert!(
        told["redis_error"].as_str().unwrap().contains("Redis"),
        "{told}"
    );
    assert!(told["waiting_texts"].is_null());
    class.redis().start_again();
}

#[test]
fn texts_that_wait_and_texts_that_were_given_up_are_told() {
    let class = plan().open();
    let (landline, early) = (class.student(), class.student());
    class.twilio().refuse(landline.phone(), 400, 21614);
    let sid = landline.asks();
    class.all_served();
    class.coder().goes_down();
    early.asks();
    class.eventually("an attempt", || class.log().contains("attempt 1 failed"));
    let text = class.does(&["status", "--offline"]);
    assert!(text.contains("1 text waiting, the oldest came"), "{text}");
    assert!(text.contains("given up") && text.contains(&sid), "{text}");
    assert!(text.contains("waiting for Coder"), "{text}");
    let told = class.tells(&["status", "--offline", "--json"]);
    assert_eq!(told["dead_letters"][0]["sid"], sid.as_str());
    assert_eq!(told["coder_asked"], false);
    for phone in [landline.phone(), early.phone()] {
        assert!(!text.contains(&phone[2..]) && !told.to_string().contains(&phone[2..]));
    }
    class.coder().comes_back();
}

#[test]
fn a_watch_goes_on_until_it_is_ended() {
    let class = sleepy();
    let login = &class.logins(1)[0];
    for misuse in [
        &["status", "--watch", "soon"][..],
        &["status", "--watch=0"],
        &["status", "5"],
    ] {
        class.fails(2, misuse);
    }
    assert!(
        class
            .does(&["status", "--help"])
            .contains("--watch [SECONDS]")
    );
    let before = class.coder().count(ops::LIST_USERS);
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_coder-sms-register"))
        .env_clear()
        .envs(class.settings())
        .args(["status", "--watch", "1"])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = child.stdout.take().unwrap();
    let shown: Mutex<String> = Mutex::default();
    let shows = || shown.lock().unwrap().matches(login.username()).count();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut chunk = [0; 4096];
            while let Ok(length @ 1..) = output.read(&mut chunk) {
                let words = String::from_utf8_lossy(&chunk[..length]);
                shown.lock().unwrap().push_str(&words);
            }
        });
        // What was shown is waited for, not what was asked of Coder.
        let three = within(PATIENCE, || shows() >= 3);
        ends(&mut child);
        assert!(three, "{}", shown.lock().unwrap());
    });
    assert!(class.coder().count(ops::LIST_USERS) >= before + 3);
    assert!(
        !shown.lock().unwrap().contains('\x1b'),
        "no terminal, no clearing"
    );
}

/// Ends a command as Ctrl-C does from afar.
fn ends(child: &mut std::process::Child) {
    let pid = rustix::process::Pid::from_child(child);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    child.wait().unwrap();
}

#[test]
fn whose_login_did_not_arrive_is_shown_with_what_that_means_and_what_helps() {
    let class = plan().with_receipts().open();
    let (ana, bob) = (class.student(), class.student());
    class
        .twilio()
        .fate_of(bob.phone(), Fate::undelivered(30005));
    let (anas, bobs) = (ana.gets_a_login(), bob.gets_a_login());
    let line = |text: &str, name: &str| {
        let found = text.lines().find(|line| line.starts_with(name));
        found.unwrap_or_default().to_owned()
    };
    class.eventually("both are told of", || {
        let text = class.does(&["status"]);
        line(&text, anas.username()).contains(" login delivered ")
            && line(&text, bobs.username()).contains(" undelivered 30005 ")
    });
    let text = class.does(&["status"]);
    let why = line(&text, "FAULT  1 login was not delivered: 30005, ");
    assert!(why.ends_with(&format!(": {}", bobs.username())), "{text}");
    assert!(
        text.contains("\n       -> the student needs another phone\n"),
        "{text}"
    );
    assert_eq!(text.matches("not delivered").count(), 2, "{text}");
    assert!(
        text.contains("2 with login, 1 of them not delivered"),
        "{text}"
    );
    assert!(!text.contains(bob.phone()), "no phone");

    let students = class.tells(&["status", "--json"])["accounts"].clone();
    let of = |name: &str| {
        let mut all = students.as_array().expect("a list").iter();
        all.find(|one| one["username"] == name)
            .expect("the student")
            .clone()
    };
    assert_eq!(of(anas.username())["delivery"], "delivered");
    assert!(of(anas.username())["delivery_code"].is_null());
    assert_eq!(of(bobs.username())["delivery"], "undelivered");
    assert_eq!(of(bobs.username())["delivery_code"], 30005);
}

#[test]
fn the_service_is_asked_how_it_is() {
    let class = plan().prepare();
    class.start_service();
    let address = class.service().address().to_string();
    let text = class.does(&["status"]);
    assert!(text.contains("\nthe service is running\n"), "{text}");
    class.set("CODER_REG_LISTEN", &address);
    let text = class.does(&["status"]);
    assert!(
        text.contains("\nthe service is healthy\nnothing needs you now\n"),
        "{text}"
    );
    class.redis().kill();
    class.eventually("it notices", || {
        let text = class.try_service(&["status", "--offline"]).stdout;
        text.contains("\nFAULT  the service is not healthy: redis-away: Redis")
    });
    // The same cause is told once.
    let text = class.try_service(&["status", "--offline"]).stdout;
    assert_eq!(text.matches("Redis cannot be reached").count(), 1, "{text}");
    class.redis().start_again();
}

#[test]
fn a_coder_that_refuses_the_token_is_not_said_to_be_silent() {
    let class = class();
    class.coder().token_owner_suspended(true);
    let text = class.fails(1, &["status"]).stdout;
    let told = "FAULT  users and workspaces at Coder are unknown: list users at Coder: status 401";
    assert!(text.contains(told), "{text}");
    assert!(!text.contains("does not answer"), "{text}");
}
