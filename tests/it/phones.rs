//! Phones that were renumbered: one phone, one account, under the old number and the new one.

use coder_sms_register::domain::{Phone, PhoneKey};

use crate::plan;
use support::classroom::{Classroom, Plan, a_later_second};

/// Old and new numbers of the same lines.
const PAIRS: [(&str, &str); 4] = [
    ("+5215512345678", "+525512345678"),
    ("+22997123456", "+2290197123456"),
    ("+22507123456", "+2250707123456"),
    ("+22554123456", "+2250554123456"),
];

fn worldwide() -> Plan {
    plan()
        .with("CODER_REG_COUNTRIES", "*")
        .with("CODER_REG_RESEND_INTERVAL", "0")
}

/// The hash that a program without the table of renumberings made of that old number.
fn old_hash(class: &Classroom, old: &str) -> String {
    let key = PhoneKey::derive(&class.twilio().account().account_token);
    let hash = Phone::parse(old).unwrap().former_hash(&key).unwrap();
    hash.as_bytes().iter().map(|b| format!("{b:02x}")).collect()
}

#[test]
fn the_old_and_the_new_number_of_a_line_have_one_account() {
    let class = worldwide().open();
    for (index, (old, new)) in PAIRS.into_iter().enumerate() {
        let [before, after] = [old, new].map(|number| class.student_with(number));
        let first = before.gets_a_login();
        // A later second, or it would count as asked before the login.
        a_later_second();
        let again = after.gets_a_login();
        assert_eq!(first.username(), again.username(), "{old} {new}");
        assert!(after.can_log_in());
        assert_eq!(class.coder().created_ever().len(), index + 1);
        after.texts("STOP");
        class.all_served();
        before.asks();
        class.all_served();
        before.has_read_all();
    }
}

#[test]
fn texts_of_both_numbers_at_once_make_one_account() {
    let class = worldwide().open();
    for (old, new) in PAIRS {
        class.student_with(old).asks();
        class.student_with(new).asks();
    }
    class.all_served();
    assert_eq!(class.coder().created_ever().len(), PAIRS.len());
}

#[test]
fn lines_that_only_look_alike_have_an_account_each() {
    let class = worldwide().open();
    let numbers = [
        "+5491123456789",
        "+541123456789",
        "+22560123456",
        "+2250760123456",
        "+2250160123456",
    ];
    let logins = numbers.map(|number| class.student_with(number).gets_a_login());
    let mut names: Vec<&str> = logins.iter().map(|login| login.username()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), numbers.len());
}

#[test]
fn an_account_that_stands_under_the_old_number_is_found_and_moves() {
    let class = worldwide().open();
    let (old, new) = PAIRS[0];
    let first = class.student_with(old).gets_a_login();
    class.all_served();
    // As an older program wrote it.
    let hash = old_hash(&class, old);
    class.change(&format!("UPDATE registrations SET phone = x'{hash}'"));
    a_later_second();
    let after = class.student_with(new);
    assert_eq!(after.gets_a_login().username(), first.username());
    class.all_served();
    let left = format!("SELECT count(*) FROM registrations WHERE phone = x'{hash}'");
    assert_eq!(class.query(&left), "0");
    assert_eq!(class.coder().created_ever().len(), 1);
}

#[test]
fn forget_finds_both_numbers() {
    let class = worldwide().open();
    for (old, new) in PAIRS {
        let login = class.student_with(old).gets_a_login();
        let told = class.does(&["forget", new, "--json", "--dry-run"]);
        assert!(
            told.contains(&format!("\"usernames\":[\"{}\"]", login.username())),
            "{told}"
        );
        let told = class.does(&["forget", new]);
        assert!(told.contains(login.username()), "{told}");
        class.all_gone();
        class.fails(3, &["forget", old]);
    }
    // An opt-out that stands under the old number.
    let (old, new) = PAIRS[0];
    class.student_with(old).texts("stop");
    class.all_served();
    let hash = old_hash(&class, old);
    class.change(&format!("UPDATE contacts SET phone = x'{hash}'"));
    let told = class.does(&["forget", new]);
    assert!(told.contains("opt-outs"), "{told}");
    assert_eq!(class.query("SELECT count(*) FROM contacts"), "0");
}
