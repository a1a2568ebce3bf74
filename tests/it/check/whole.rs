//! A class that is ready; `check` leaves nothing behind.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{AREAS, Ready, WARNINGS, before_start, ready};
use support::classroom::Classroom;
use support::fakes::desk::Call;

/// All that could be changed: files, keys, what was asked of others in order to change something.
#[derive(Debug, PartialEq)]
struct State {
    rows: String,
    files: BTreeMap<String, (u64, u32)>,
    keys: BTreeMap<String, String>,
    deeds: usize,
    texts: usize,
    log: String,
}

fn state(class: &Classroom) -> State {
    use std::os::unix::fs::PermissionsExt;
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(class.data_dir()).into_iter().flatten() {
        let entry = entry.expect("an entry");
        let found = entry.metadata().expect("it is there");
        let name = entry.file_name().to_string_lossy().into_owned();
        // The service writes to its database whenever it is asked how it is, to see whether it can: its
        // log grows, and so does the number `probe` in it.
        let length = if name.ends_with("-wal") {
            0
        } else {
            found.len()
        };
        files.insert(name, (length, found.permissions().mode()));
    }
    let mut connection = class.redis().connection().expect("Redis is there");
    let names: Vec<String> = redis::cmd("KEYS").arg("*").query(&mut connection).unwrap();
    let mut dump = |name: &String| {
        let dump: redis::Value = redis::cmd("DUMP").arg(name).query(&mut connection).unwrap();
        format!("{dump:?}")
    };
    let rows = if class.data_dir().join("registrations.db").exists() {
        class.query(
            "SELECT (SELECT group_concat(username || marker || stage || check_at) FROM registrations)
             || (SELECT group_concat(name || hex(value)) FROM facts WHERE name <> 'probe')
             || (SELECT count(*) FROM seen) || (SELECT count(*) FROM contacts)",
        )
    } else {
        String::new()
    };
    State {
        rows,
        files,
        keys: names
            .iter()
            .map(|name| (name.clone(), dump(name)))
            .collect(),
        deeds: class.coder().ledger().len(),
        texts: class.twilio().texts().len(),
        log: class.log(),
    }
}

/// What of these calls is no mere question.
fn changing(calls: &[Call]) -> Vec<String> {
    let questions = ["/api/v2/authcheck", "/api/v2/users/validate-password"];
    calls
        .iter()
        .filter(|call| call.method != "GET" && !questions.contains(&call.path.as_str()))
        .map(|call| format!("{} {}", call.method, call.path))
        .collect()
}

#[test]
fn a_class_that_is_ready_is_called_ready() {
    let ready = ready();
    let report = ready.check();
    report.ends_with(0);
    report.is_well_elsewhere(&[]);
    assert_eq!(report.all("warning").count(), WARNINGS.len());
    assert_eq!(report.whole["ready"], Value::Bool(true));
    assert_eq!(report.whole["faults"], 0);
    for (area, what) in [
        ("settings", "settings are understood"),
        ("data folder", "is writable and has at least 8 MB"),
        ("data folder", "the database is intact: schema "),
        ("data folder", "runs and is healthy"),
        ("redis", "accepts our password"),
        ("redis", "append-only file is on"),
        ("redis", "deletes nothing"),
        ("coder", "is Coder v2."),
        ("coder", "users may log in with passwords"),
        ("coder", "generated passwords satisfy Coder's rule"),
        ("coder", "the token belongs to admin, an owner"),
        ("coder", "the token is valid for "),
        ("coder", "may create users in the default organization"),
        ("coder", "may delete users"),
        ("coder", "may suspend users"),
        ("coder", "may see workspaces of others"),
        ("coder", "may stop workspaces of others"),
        ("coder", "may delete workspaces of others"),
        ("coder", "may set passwords of others"),
        (
            "coder",
            "members of the default organization may create workspaces",
        ),
        ("coder", "may assign all roles of members"),
        ("coder", "Coder sends no e-mail"),
        (
            "coder",
            "there are 60 seats: all students can log in within the same minute",
        ),
        ("coder", "@class.example.org are well-formed"),
        ("twilio", "the account is active"),
        ("twilio", "signatures can be verified"),
        ("twilio", "Twilio accepts TWILIO_AUTH_SID"),
        ("twilio", "which can text"),
        ("twilio", "to TWILIO_WEBHOOK_URL"),
        ("twilio", "retries if the service does not answer"),
        ("twilio", "by HTTP POST"),
        ("twilio", "A2P campaign is verified"),
        ("public url", "texts sent to it reach this service"),
        ("clock", "agrees with Coder's"),
        ("clock", "agrees with Twilio's"),
        ("phrase", "not a word that opts out"),
        ("phrase", "not easily guessed"),
        ("phrase", "the longest login fits in one text"),
    ] {
        report.has("pass", area, what, "");
    }
}

#[test]
fn the_report_has_a_line_for_each_check_and_a_summary() {
    let ready = ready();
    let ended = ready.try_service(&["check"]);
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    let lines: Vec<&str> = ended.stdout.lines().collect();
    let titles: Vec<&str> = lines
        .iter()
        .filter(|line| !line.starts_with(' '))
        .map(|line| line.get(..11).unwrap_or(line).trim_end())
        .collect();
    let (last, titles) = titles.split_last().unwrap();
    assert_eq!(titles, AREAS);
    assert_eq!(*last, "ready for c");
    assert_eq!(*lines.last().unwrap(), "ready for class, 3 warnings");
    for (number, line) in lines.iter().enumerate() {
        let cured = lines
            .get(number + 1)
            .is_some_and(|next| next.contains("  -> "));
        assert_eq!(line.get(13..17) == Some("warn"), cured, "{line}");
    }

    ready.set("CODER_API_KEY", "wrong");
    let ended = ready.try_service(&["check"]);
    assert_eq!(ended.code, Some(1));
    let last = ended.stdout.lines().last().unwrap();
    assert_eq!(last, "not ready: 2 faults, 4 not checked, 3 warnings");
    assert!(ended.stdout.contains("coder        ") && ended.stdout.contains("  FAULT  "));
}

#[test]
fn a_check_changes_nothing() {
    let ready = ready();
    let class = &ready.class;
    class.login_of(&class.student());
    class.logs("login of ");
    let before = state(class);
    let (coder, twilio) = (class.coder().calls().len(), class.twilio().calls().len());
    ready.check();
    let report = ready.check_with(&[]);
    report.is_well_elsewhere(&[]);
    assert_eq!(state(class), before);
    assert!(before.log.contains("listens on"), "nothing was compared");

    let (coder, twilio) = (
        &class.coder().calls()[coder..],
        &class.twilio().calls()[twilio..],
    );
    assert!(coder.len() > 10 && twilio.len() > 6, "somebody was asked");
    assert_eq!(changing(coder), [""; 0]);
    assert_eq!(changing(twilio), [""; 0]);
}

#[test]
fn a_class_whose_service_does_not_run_is_checked_as_well() {
    let ready = ready();
    let class = &ready.class;
    class.login_of(&class.student());
    ready.stops();
    let before = state(class);
    let report = ready.check();
    report.is_not_ready();
    assert_eq!(report.whole["faults"], 0, "{report:#?}");
    report.has(
        "warning",
        "data folder",
        "the service does not run",
        "docker compose up -d",
    );
    report.has("pass", "data folder", "1 account", "");
    let not_run = "as the service does not run";
    report.has("skipped", "public url", not_run, "start the service");
    let ended = class.try_service(&["check"]);
    let last = ended.stdout.lines().last().unwrap();
    assert_eq!(last, "not ready: 1 not checked, 4 warnings");
    report.is_well_elsewhere(&["data folder", "public url"]);
    assert_eq!(state(class), before);
}

#[test]
fn a_class_that_never_ran_is_checked_and_nothing_is_created() {
    let ready: Ready = before_start();
    ready.set("CODER_REG_LISTEN", "127.0.0.1:1");
    let report = ready.check();
    report.is_not_ready();
    assert_eq!(report.whole["faults"], 0, "{report:#?}");
    report.has("pass", "data folder", "does not exist yet", "");
    assert!(!ready.data_dir().exists());
    report.is_well_elsewhere(&["data folder", "public url"]);
}

#[test]
fn the_report_contains_no_secret() {
    let ready = ready();
    let account = ready.twilio().account().clone();
    ready.set("CODER_EMAIL_DOM", "nowhere");
    ready.set("REDIS_PW", "some-other-word");
    ready.front.shows(200, &account.account_token);
    let report = ready.check();
    assert!(report.all("fault").count() >= 3, "{report:#?}");
    let said = format!("{}{}", report.ended.stdout, report.ended.stderr);
    for secret in [
        ready.coder().token(),
        account.account_token,
        account.auth_token,
        ready.redis().password().to_owned(),
        "some-other-word".to_owned(),
        "iamreadytolearn".to_owned(),
    ] {
        assert!(!said.contains(&secret), "{said}");
    }
}

#[test]
fn wrong_arguments_end_with_exit_code_2() {
    let ready: Ready = before_start();
    for arguments in [&["check", "now"][..], &["check", "--all"]] {
        let ended = ready.try_service(arguments);
        assert_eq!(ended.code, Some(2), "{ended:?}");
        assert!(ended.stderr.contains("see coder-sms-register check --help"));
    }
    let ended = ready.try_service(&["check", "--env-file", "/nowhere"]);
    assert_eq!(ended.code, Some(2));
}
