//! Accounts as people write them: with a slip, as an e-mail address.

use super::sleepy;
use support::classroom::student::Login;

/// A name of ours with one letter too many.
fn slip(login: &Login) -> String {
    format!("{}x", login.username())
}

#[test]
fn a_slip_is_told_with_the_account_that_was_meant() {
    let class = sleepy();
    let login = &class.logins(1)[0];
    let wrong = slip(login);
    let meant = format!("{wrong} (did you mean {}?)", login.username());
    for arguments in [
        &["end", &wrong][..],
        &["extend", &wrong, "30m"],
        &["renew", &wrong],
    ] {
        let ended = class.fails(3, arguments);
        assert!(
            ended
                .stderr
                .contains(&format!("account not known: {meant}; nothing is changed")),
            "{ended:?}"
        );
    }
    let ended = class.fails(3, &["end", &wrong, "nobody-at-all", login.username()]);
    assert!(
        ended.stderr.contains(&format!(
            "2 accounts not known: {meant}, nobody-at-all; nothing"
        )),
        "{ended:?}"
    );
    assert_eq!(class.registrations(), 1);
}

#[test]
fn an_address_stands_for_its_account() {
    let class = sleepy();
    let login = &class.logins(1)[0];
    let address = format!("{}@class.example.org", login.username().to_uppercase());
    let due = class.due(login);
    class.does(&["extend", &address, "30m"]);
    assert_eq!(class.due(login), due + 1_800);
    assert!(class.does(&["renew", &address]).contains("a new password"));
    class.does(&["end", &address]);
    class.all_gone();
}
