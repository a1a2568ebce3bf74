//! The token at Coder: its end is seen coming, and what it lacks is told with the role that contains it.

use std::time::Duration;

use serde_json::Value;

use crate::plan;
use support::classroom::Classroom;
use support::fakes::coder::{Role, Version};

const HOUR: u64 = 3_600;

/// A class whose token ends in so long, in a release whose tokens are not prolonged by use.
fn ends_in(hours: u64) -> Classroom {
    let class = plan().coder_of(Version::V2_29).prepare();
    class
        .coder()
        .token_lives(Duration::from_secs(hours * HOUR + HOUR / 2));
    class.start_service();
    class.service().logs("Coder: reached");
    class
}

/// What the log says about the end of the token, louder than DEBUG.
fn told(class: &Classroom) -> Vec<String> {
    let log = class.log();
    let about = log
        .lines()
        .filter(|line| line.contains("the token (CODER_API_KEY) is valid for"));
    about
        .filter(|line| !line.contains(" DEBUG "))
        .map(str::to_owned)
        .collect()
}

fn status(class: &Classroom, options: &[&str]) -> String {
    let ended = class.try_service(&[&["status"], options].concat());
    assert_eq!(ended.code, Some(0), "{ended:?}");
    ended.stdout
}

#[test]
fn the_end_of_the_token_is_told_by_a_service_that_starts_all_the_same() {
    for (hours, level) in [(20, Some("ERROR")), (60, Some("WARN")), (80, None)] {
        let class = ends_in(hours);
        let told = told(&class);
        match level {
            Some(level) => {
                assert_eq!(told.len(), 1, "{told:?}");
                assert!(told[0].contains(level), "{told:?}");
                assert!(
                    told[0].contains("coder tokens create --lifetime 8760h"),
                    "{told:?}"
                );
                let shown = status(&class, &[]);
                assert!(
                    shown.contains("Coder: the token (CODER_API_KEY) is valid for"),
                    "{shown}"
                );
            }
            None => {
                assert!(told.is_empty(), "{told:?}");
                let shown = status(&class, &[]);
                assert!(!shown.contains("CODER_API_KEY"), "{shown}");
            }
        }
        class.student().gets_a_login();
    }
}

#[test]
fn a_token_that_use_prolongs_has_no_near_end() {
    let class = plan().coder_of(Version::V2_31).prepare();
    class.coder().token_lives(Duration::from_secs(24 * HOUR));
    class.coder().token_is_older(Duration::from_secs(20 * HOUR));
    class.start_service();
    assert!(class.service().logs("Coder: reached"));
    assert!(told(&class).is_empty(), "{}", class.log());
    let shown: Value = serde_json::from_str(&status(&class, &["--json"])).expect("JSON");
    assert_eq!(shown["token"]["prolonged_by_use"], true, "{shown}");
    assert_eq!(shown["token"]["lacks"], Value::Null, "{shown}");
    assert_eq!(shown["token"]["sets_passwords"], true, "{shown}");
}

#[test]
fn status_says_each_time_what_the_token_lacks() {
    let class = plan().coder_of(Version::V2_25).open();
    class.coder().token_roles(&[Role::UserAdmin]);
    for _ in 0..2 {
        let shown = status(&class, &[]);
        assert!(
            shown.contains(
                "Coder: the token (CODER_API_KEY) may not see, stop or delete workspaces of others: no accounts are removed; give the token's user the role Organization Admin of the default organization"
            ),
            "{shown}"
        );
    }
    class
        .coder()
        .token_roles(&[Role::UserAdmin, Role::OrganizationAdmin]);
    let shown = status(&class, &[]);
    assert!(!shown.contains("CODER_API_KEY"), "{shown}");
    let shown: Value = serde_json::from_str(&status(&class, &["--json"])).expect("JSON");
    assert_eq!(shown["token"]["sets_passwords"], false, "{shown}");
}
