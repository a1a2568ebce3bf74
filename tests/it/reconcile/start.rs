//! What the service finds at its start, and daily.

use super::{ADOPTED, names};
use crate::{class, plan};
use support::classroom::student::Login;
use support::fakes::coder::ops;

const LIFE: i64 = 12 * 3_600;

#[test]
fn accounts_made_since_a_backup_are_adopted_and_removed_when_their_time_is_up() {
    let class = class();
    let [ana, ben, eva] = [(); 3].map(|()| class.student());
    let first = class.login_of(&ana);
    let backup = class.backs_up();
    let (bens, evas) = (class.login_of(&ben), class.login_of(&eva));
    class.has_a_stopped_workspace(&bens);
    let due = class.query("SELECT max(due_at) FROM registrations");
    let told = class.goes_back_to(&backup);
    assert!(
        told.contains("finds the accounts that it made since"),
        "{told}"
    );
    class.start_service();
    let line = format!(
        "adopted 2 accounts missing from the database: {}",
        names(&[&bens, &evas]).join(" ")
    );
    assert!(class.log().contains(&line), "{}", class.log());
    // With the time that they would have had, give or take the seconds of two clocks.
    let now_due = class.query("SELECT max(due_at) FROM registrations");
    let [due, now_due] = [due, now_due].map(|text| text.parse::<i64>().expect("a time"));
    assert!((due - now_due).abs() <= 3, "{due} {now_due}");
    assert!(ben.can_log_in() && eva.can_log_in());

    let text = class.does(&["status"]);
    let line = |login: &Login| {
        let line = text.lines().find(|line| line.starts_with(login.username()));
        line.expect("a line").to_owned()
    };
    assert!(line(&bens).contains("adopted") && line(&bens).contains("dev stopped"));
    assert!(line(&first).contains("has a login"), "{text}");
    assert!(!text.contains("unknown"), "{text}");
    class.does(&["extend", evas.username(), "30m"]);
    class.does(&["end", bens.username()]);
    class.eventually("one removed", || class.coder().students().len() == 2);
    assert!(class.coder().user(bens.username()).is_none());
    assert!(class.workspaces_are_deleted());
    // Whose phone is not known gets another account, beside the one that is to go.
    assert_ne!(class.login_of(&eva).username(), evas.username());
    class.time_is_up();
    class.all_gone();
}

#[test]
fn after_a_lost_database_accounts_are_told_and_not_touched() {
    let class = class();
    let logins = [class.student(), class.student()].map(|student| class.login_of(&student));
    class.loses_its_database();
    class.start_service();
    let all = names(&[&logins[0], &logins[1]]).join(" ");
    let line = format!(
        "accounts with our mark that are missing from the database, left alone because they may belong to another service or a person (2): {all}"
    );
    assert!(class.log().contains(&line), "{}", class.log());
    assert_eq!(class.registrations(), 0);
    let text = class.does(&["status"]);
    let all = all.replace(' ', ", ");
    let line = format!("missing from the database, with our mark: 2 accounts: {all}\n");
    assert!(text.contains(&line), "{text}");
    let told = class.tells(&["status", "--json"]);
    assert_eq!(told["unknown_accounts"][0]["verdict"], "other-folder");
    assert_eq!(class.coder().students().len(), 2);
    let offline = class.tells(&["status", "--json", "--offline"]);
    assert!(offline["unknown_accounts"].is_null());
}

#[test]
fn another_service_with_the_same_key_keeps_its_accounts() {
    let class = class();
    let (ana, ben) = (class.student(), class.student());
    let anas = class.login_of(&ana);
    class.end_service();
    let first = class.data_dir();
    let second = class.folder().join("second");
    class.set("CODER_REG_DATA_DIR", second.to_str().unwrap());
    class.redis_forgets();
    class.start_service();
    let bens = class.login_of(&ben);
    class.end_service();
    class.set("CODER_REG_DATA_DIR", first.to_str().unwrap());
    class.redis_forgets();
    class.start_service();
    for login in [&anas, &bens] {
        let line = format!(
            "because they may belong to another service or a person (1): {};",
            login.username()
        );
        assert!(class.log().contains(&line), "{}", class.log());
    }
    assert!(!class.log().contains("adopted"), "{}", class.log());
    assert_eq!(class.query(ADOPTED), "null");
    assert_eq!(class.registrations(), 1);
}

#[test]
fn strangers_are_never_adopted_whatever_they_call_themselves() {
    let class = class();
    let ana = class.student();
    let login = class.login_of(&ana);
    let backup_mark = class.coder().user(login.username()).unwrap().name;
    class.loses_its_rows();
    let coder = class.coder();
    let domain = "class.example.org";
    let add = |name: &str, address: &str, shown: &str| {
        coder.add_stranger(name, address);
        coder.set_display_name(name, shown);
    };
    add("ada", &format!("ada@{domain}"), &backup_mark);
    add(
        "bob",
        &format!("bob@{domain}"),
        "Class guest 1f0c92aa-77b01e5d",
    );
    add(
        "eve",
        &format!("eve@{domain}"),
        "Class guest 1f0c92aa-77b01e5d-0c9ab4d2",
    );
    add("leo", "leo@example.net", &backup_mark);
    add("joy", &format!("joy@{domain}"), "");
    // The student goes by another name, and a stranger takes the old name and the display name.
    coder.rename_user(login.username(), "the-great");
    add(login.username(), &format!("kim@{domain}"), &backup_mark);
    class.start_service();
    assert_eq!(class.query(ADOPTED), "the-great");
    assert!(
        class
            .log()
            .contains("adopted 1 account missing from the database"),
        "{}",
        class.log()
    );
    // By its name and mark the imitator is known now.
    assert!(!class.log().contains("with our mark"), "{}", class.log());
    class.does(&["end", "--all", "--yes"]);
    class.eventually("the student's removal", || class.registrations() == 0);
    assert!(coder.students().is_empty());
    assert_eq!(coder.users().len(), 6);
    class.restart_service();
    let line = format!("a person (1): {}; see", login.username());
    class.logs(&line);
    let ended = class.fails(1, &["reconcile", login.username()]);
    assert!(
        ended.stderr.contains("has our mark, but another address"),
        "{ended:?}"
    );
    let told = class.does(&["reconcile", "--all", "--yes"]);
    assert!(
        told.contains("altered after being made, so never adopted: 1 account; remove it")
            && told.contains("left alone"),
        "{told}"
    );
    assert_eq!(class.registrations(), 0);
}

#[test]
fn coder_is_asked_again_until_it_answers() {
    let class = class();
    let ana = class.student();
    let login = class.login_of(&ana);
    class.loses_its_rows();
    class.coder().goes_down();
    class.start_service();
    assert_eq!(class.registrations(), 0);
    assert!(
        !class.service().log().contains("reached"),
        "{}",
        class.log()
    );
    class.coder().comes_back();
    class.eventually("an adoption", || class.query(ADOPTED) == login.username());
    let line = "Coder: reached, the token may make and remove accounts";
    class.logs(line);
    // Once it has been done it is not done again before tomorrow. A removal lists one address only.
    let searches = || {
        let calls = class.coder().calls();
        let all = calls.iter().filter(|call| call.query.contains("q=@"));
        all.count()
    };
    let before = searches();
    class.time_is_up();
    class.all_gone();
    assert_eq!(searches(), before);
}

#[test]
fn a_token_without_rights_concludes_nothing_until_it_has_them() {
    let class = class();
    let ana = class.student();
    class.login_of(&ana);
    class.loses_its_rows();
    class.coder().token_loses_rights();
    let lists = class.coder().count(ops::LIST_USERS);
    class.start_service();
    let ended = class.fails(1, &["reconcile"]);
    assert!(
        ended
            .stderr
            .contains("may not see users: give its user the role User Admin"),
        "{ended:?}"
    );
    assert_eq!(class.coder().count(ops::LIST_USERS), lists);
    class
        .coder()
        .token_roles(&[support::fakes::coder::Role::Owner]);
    class.eventually("an adoption", || class.registrations() == 1);
}

#[test]
fn an_adopted_account_has_an_hour_or_no_end_where_nothing_is_removed() {
    for (remove, left) in [("12h", Some(LIFE)), ("0", None), ("10m", Some(600))] {
        let class = plan().with("CODER_REMOVE_TIME", remove).open();
        let ana = class.student();
        let login = class.login_of(&ana);
        class.loses_its_rows();
        class
            .coder()
            .make_older(login.username(), std::time::Duration::from_secs(60));
        class.start_service();
        let sql = "SELECT due_at - adopted_at FROM registrations";
        let found = class.query(sql);
        match left {
            None => assert_eq!(found, "null"),
            // Ten minutes are less than an hour: no account gets more than the whole time.
            Some(600) => assert_eq!(found, "600"),
            Some(life) => {
                let found: i64 = found.parse().expect("a span");
                assert!((life - 65..=life - 55).contains(&found), "{found}");
            }
        }
        let told = class.does(&["status"]);
        assert!(told.contains("adopted"), "{told}");
        assert_eq!(told.contains("no end"), left.is_none(), "{told}");
        assert!(ana.can_log_in());
    }
}
