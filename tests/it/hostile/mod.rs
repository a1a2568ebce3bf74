//! Requests of attackers to the public port of the real binary: they have no effect on others.
//!
//! Whatever they do, nothing of it is appended to the stream, no account is made and no text sent for it, and
//! the student who texts directly afterwards gets a login.
//!
//! - `shapes`: requests that two readers could read in two ways, each of them a rightly signed text at heart
//! - `routes`: methods and paths
//! - `lines`: several requests on one connection
//! - `floods`: too much, too many
//! - `leavers`: connections that end too soon
//! - `slow`: connections that take their time

mod floods;
mod leavers;
mod lines;
mod routes;
mod shapes;
mod slow;

use std::net::SocketAddr;

use support::classroom::Classroom;

const TEXTS: &str = "coder-sms-register:texts";

/// What the service has done, as others see it.
#[derive(Debug, PartialEq, Eq)]
struct Deeds {
    last_entry: String,
    accounts: usize,
    texts: usize,
}

impl Deeds {
    fn of(class: &Classroom) -> Self {
        Self {
            last_entry: class.redis().last_entry(TEXTS),
            accounts: class.coder().created_ever().len(),
            texts: class.twilio().texts().len(),
        }
    }
}

/// Strangers do their `harm`; nothing comes of it, and the next student is served.
#[track_caller]
fn bears<T>(class: &Classroom, name: &str, harm: impl FnOnce(SocketAddr) -> T) -> T {
    let before = Deeds::of(class);
    let seen = harm(class.service().address());
    let after = Deeds::of(class);
    assert_eq!(after, before, "{name}");

    let student = class.student();
    student.gets_a_login();
    assert!(student.can_log_in(), "{name}");
    // Had a stranger's text been appended after the look above, it was served by now.
    class.all_served();
    let later = Deeds::of(class);
    assert_eq!(later.accounts, before.accounts + 1, "{name}");
    assert_eq!(later.texts, before.texts + 1, "{name}");
    seen
}
