//! It is not known whether Twilio accepted a text: the text is searched in Twilio's log and sent once.

use std::time::SystemTime;

use serde_json::{Value, json};

use crate::{class, plan};
use support::classroom::Classroom;
use support::classroom::student::Student;
use support::fakes::trouble::Trouble;
use support::fakes::twilio::{new_sid, ops as twilio};

/// A text of something else that sends with the account to the same phone, with these fields changed.
fn also_got(class: &Classroom, student: &Student<'_>, fields: &Value) {
    let mut entry = json!({
        "sid": new_sid(),
        "to": student.phone(),
        "from": class.twilio().account().from_numbers[0],
        "messaging_service_sid": null,
        "body": "See you on Monday",
        "status": "delivered",
        "direction": "outbound-api",
        "date_created": support::fakes::clock::rfc2822(SystemTime::now()),
        "error_code": null,
    });
    for (name, value) in fields.as_object().expect("fields") {
        entry[name] = value.clone();
    }
    class.twilio().logs_also(SystemTime::now(), entry);
}

#[test]
fn an_entry_with_null_fields_does_not_hide_the_others() {
    for fields in [
        json!({ "body": null }),
        json!({ "sid": null }),
        json!({ "direction": null }),
        json!({ "date_created": null, "status": null }),
        json!({ "body": null, "sid": null, "date_created": null }),
        json!({ "body": 5, "sid": ["SM"] }),
    ] {
        let class = class();
        let ana = class.student();
        also_got(&class, &ana, &fields);
        class.trouble_at_twilio(twilio::SEND, 1, Trouble::LoseReply);
        class.login_of(&ana);
        ana.has_read_all();
        assert!(ana.can_log_in(), "{fields}");
        assert_eq!(class.twilio().count(twilio::SEND), 1, "{fields}");
    }
}

#[test]
fn a_log_that_cannot_be_read_is_read_later_and_nothing_is_sent_meanwhile() {
    for trouble in [
        Trouble::html(200, "Please log in"),
        Trouble::json(200, &json!({ "messages": null })),
        Trouble::html(403, "Forbidden"),
        Trouble::html(302, "Found"),
    ] {
        let shown = trouble.to_string();
        let class = class();
        class.trouble_at_twilio(twilio::SEND, 1, Trouble::LoseReply);
        class.trouble_at_twilio(twilio::LIST, 1, trouble);
        let ana = class.student();
        class.login_of(&ana);
        ana.has_read_all();
        assert!(ana.can_log_in(), "{shown}");
        assert_eq!(class.twilio().count(twilio::SEND), 1, "{shown}");
        assert_eq!(class.dead_letters(), 0);
    }
}

#[test]
fn a_text_that_went_by_rcs_is_found_under_that_address() {
    let class = plan().prepare();
    let twilio = class.twilio();
    class.set("FROM_NUM", &twilio.account().service_sid);
    twilio.set_up(|setup| setup.by_rcs = true);
    class.start_service();
    twilio.trouble(twilio::SEND, 1, Trouble::LoseReply);
    let ana = class.student();
    class.login_of(&ana);
    ana.has_read_all();
    assert!(ana.can_log_in());
    assert_eq!(twilio.count(twilio::SEND), 1);
}

#[test]
fn a_text_of_another_messaging_service_is_not_taken_for_ours() {
    let other = "MGffffffffffffffffffffffffffffffff";
    for fields in [
        json!({ "body": "", "messaging_service_sid": other }),
        json!({ "body": "", "from": "+12015550199" }),
        json!({ "body": null, "messaging_service_sid": other, "from": null }),
    ] {
        let class = plan().prepare();
        class.texts_by_service();
        class.start_service();
        let ana = class.student();
        also_got(&class, &ana, &fields);
        class.trouble_at_twilio(twilio::SEND, 1, Trouble::CutBefore);
        class.login_of(&ana);
        assert!(ana.can_log_in(), "{fields}");
        ana.has_read_all();
    }
}

#[test]
fn where_the_log_keeps_no_words_our_own_text_is_found_by_its_sender_and_time() {
    for by_service in [false, true] {
        let class = plan().prepare();
        if by_service {
            class.texts_by_service();
        }
        class.start_service();
        class.twilio().keeps_no_words(true);
        class.trouble_at_twilio(twilio::SEND, 1, Trouble::LoseReply);
        let ana = class.student();
        class.login_of(&ana);
        ana.has_read_all();
        assert!(ana.can_log_in());
        assert_eq!(class.twilio().count(twilio::SEND), 1);
    }
}
