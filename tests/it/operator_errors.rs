//! What operators do by mistake in the middle of a class.

use std::fs;

use crate::{class, plan};
use support::classroom::service::{Limits, Service};
use support::classroom::{Classroom, http};
use support::fakes::coder::{FakeCoder, ops as coder};
use support::fakes::trouble::Trouble;

fn health(class: &Classroom) -> String {
    let answer = http::request(class.service().address(), "GET", "/healthz", &[], b"");
    answer.map_or_else(|error| error.to_string(), |answer| answer.body().to_owned())
}

#[test]
fn another_domain_of_addresses_in_mid_class_makes_no_second_account_and_no_orphan() {
    let class = plan().with("CODER_REMOVE_TIME", "1h").open();
    let ana = class.student();
    let login = ana.gets_a_login();
    class.all_served();
    // One whose user was made, and whose service died before it knew that.
    class
        .coder()
        .trouble(coder::CREATE_USER, usize::MAX, Trouble::LoseReply);
    let ben = class.student();
    ben.asks();
    class.eventually("a user of whom nobody knows", || {
        class.coder().students().len() == 2
    });
    class.end_service();
    class.coder().no_more_trouble();
    class.set("CODER_EMAIL_DOM", "other.example.org");
    class.start_service();
    ben.next_login();
    assert!(ben.can_log_in());
    class.change("UPDATE registrations SET announced_at = announced_at - 120");
    assert_eq!(ana.gets_a_login().email, login.email);
    assert!(ana.can_log_in());
    class.all_served();
    assert_eq!(class.coder().created_ever().len(), 2);
    let status = class.does(&["status"]);
    assert!(
        status.contains(login.username()) && !status.contains("no user"),
        "{status}"
    );
    class.change("UPDATE registrations SET due_at = 1");
    class.all_gone();
}

#[test]
fn a_token_that_does_not_see_the_default_organization_is_not_taken_for_another_coder() {
    let class = plan().with("CODER_REMOVE_TIME", "1h").open();
    let login = class.login_of(&class.student());
    class.coder().default_organization_is_hidden(true);
    class.start_service();
    class.logs("none of the organizations that the token (CODER_API_KEY) sees is the default one");
    class.time_is_up();
    class.logs("removals of 1 account wait: ");
    let log = class.service().log();
    assert!(!log.contains("another Coder"), "{log}");
    assert_eq!(
        class.query("SELECT username FROM registrations"),
        login.username()
    );
    class.coder().default_organization_is_hidden(false);
    class.all_gone();
}

#[test]
fn a_copy_of_the_data_folder_that_runs_beside_it_takes_no_text() {
    const SHARED: &str = "another coder-sms-register works on this Redis database";
    let class = plan().open();
    class.login_of(&class.student());
    class.end_service();
    let (data, copy) = (class.data_dir(), class.folder().join("copy"));
    fs::create_dir(&copy).expect("a folder");
    for entry in fs::read_dir(&data).expect("the data folder") {
        let path = entry.expect("an entry").path();
        if path.is_file() {
            let name = path.file_name().expect("a name");
            fs::copy(&path, copy.join(name)).expect("a copy");
        }
    }
    class.start_service();
    class.login_of(&class.student());
    let mut settings = class.settings();
    let folder = copy.display().to_string();
    settings.insert("CODER_REG_DATA_DIR".to_owned(), folder);
    let binary = env!("CARGO_BIN_EXE_coder-sms-register").as_ref();
    let second = Service::start(binary, &settings, Limits::default());
    assert!(second.logs(SHARED), "{}", second.log());
    let checked = Service::run(binary, &["check"], &settings).stdout;
    assert!(checked.contains(SHARED), "{checked}");

    class.login_of(&class.student());
    // After a kill the folder is the owner at once, also where it was moved to in between.
    class.restart_service();
    class.login_of(&class.student());
    class.end_service();
    let moved = class.folder().join("moved");
    fs::rename(&data, &moved).expect("it is moved");
    class.set("CODER_REG_DATA_DIR", &moved.display().to_string());
    class.start_service();
    class.login_of(&class.student());
    assert!(!class.log().contains(SHARED), "{}", class.log());
    assert!(!second.log().contains("login of"), "{}", second.log());
}

#[test]
fn another_coder_in_mid_class_is_reported_with_the_accounts_that_it_leaves_behind() {
    let class = plan().with("CODER_REMOVE_TIME", "1h").open();
    let ana = class.student();
    let login = ana.gets_a_login();
    class.all_served();
    let other = FakeCoder::start();
    other.rate_limits(false);
    class.set("CODER_API_URL", &other.url());
    class.set("CODER_API_KEY", &other.token());
    class.start_service();
    let service = class.service();
    assert!(
        service.logs(
            "leads to another Coder than before: this service cannot remove 1 account made at the old one"
        )
    );
    let line = service.log();
    let line = line
        .lines()
        .find(|line| line.contains("another Coder than before"));
    let line = line.expect("a line about it");
    assert!(
        line.contains(" ERROR ") && line.contains(login.username()),
        "{line}"
    );
    // It is said once, and a student who asks again gets an account at the new one.
    class.start_service();
    assert!(!class.service().log().contains("another Coder than before"));
    class.change("UPDATE registrations SET announced_at = announced_at - 120");
    let again = ana.gets_a_login();
    assert!(other.password_works(&again.email, &again.password));
    class.all_served();
    // Back again.
    class.set("CODER_API_URL", &class.coder().url());
    class.set("CODER_API_KEY", &class.coder().token());
    class.start_service();
    let made_there = format!("delete them there by hand: {}", again.username());
    assert!(class.service().logs(&made_there));
    assert!(other.touched_foreign().is_empty());
}

#[test]
fn a_data_folder_that_is_moved_or_deleted_stops_new_accounts_until_it_is_back() {
    let class = class();
    class.student().gets_a_login();
    class.all_served();
    let folder = class.data_dir();
    let aside = class.folder().join("aside");
    fs::rename(&folder, &aside).expect("moved");
    let ana = class.student();
    ana.asks();
    class.eventually("the fault shown", || health(&class).contains("database"));
    assert!(
        class
            .service()
            .logs("was moved, deleted or replaced while the service uses it")
    );
    assert!(ana.inbox().is_empty());
    assert_eq!(class.coder().created_ever().len(), 1);
    fs::rename(&aside, &folder).expect("moved back");
    ana.next_login();
    class.all_served();
    assert_eq!(class.registrations(), 2);
}
