//! What the table says a value means.

use super::*;

/// The line of a setting in the table of the valid set with some values changed.
fn line(changes: &[(&str, &str)], name: &str) -> String {
    table_line(&config(changes), name)
}

/// A setting, what is written, and what the table shows behind the source. Nothing is written where the value is empty.
const SHOWN: &[(&str, &str, &str)] = &[
    (
        "FROM_NUM",
        "+1 (415) 555-0100",
        "+1 (415) 555-0100 = +14155550100",
    ),
    ("FROM_NUM", SERVICE, SERVICE),
    (
        "CODER_API_URL",
        "coder.example.org",
        "coder.example.org = https://coder.example.org/api/v2",
    ),
    (
        "CODER_EMAIL_DOM",
        "@Class.Example.ORG",
        "@Class.Example.ORG = class.example.org",
    ),
    (
        "CODER_REG_PASS",
        "Ab c",
        "******** = 3 letters and digits are compared",
    ),
    ("CODER_REMOVE_TIME", "120", "120 = 2 h"),
    ("CODER_REMOVE_TIME", "0", "0 = never"),
    ("CODER_MAX_TIME", "2d", "2d = 2 d"),
    ("CODER_MAX_TIME", "", "no limit"),
    ("CODER_CHECK_INTERVAL", "90s", "90s = 1 min 30 s"),
    ("CODER_STOP_AFTER", "90", "90 = 1 h 30 min"),
    ("CODER_STOP_AFTER", "", "never"),
    ("CODER_REG_HINTS", "2h", "2h = 2 h"),
    ("CODER_REG_HINTS", "off", "off"),
    ("CODER_REG_RESEND_INTERVAL", "90", "90 = 1 min 30 s"),
    ("CODER_REG_LISTEN", ":8001", ":8001 = 0.0.0.0:8001"),
    ("CODER_REG_METRICS", "", "off"),
    ("CODER_REG_METRICS", "9100", "9100 = 127.0.0.1:9100"),
    ("CODER_REG_DATA_DIR", "/srv/class", "/srv/class"),
    ("CODER_REG_GIVE_UP", "30", "30 = 30 min"),
    ("CODER_REG_CATCH_UP", "0", "0 = off"),
    ("CODER_REG_CATCH_UP", "never", "never = off"),
    ("CODER_REG_CATCH_UP", "60", "60 = 1 h"),
    ("CODER_REG_CALL_LIMIT", "500ms", "500ms = 500 ms"),
    ("CODER_REG_CALL_LIMIT", "2s", "2s = 2 s"),
    ("TWILIO_AUTH_SID", ACCOUNT, ACCOUNT),
    ("TWILIO_AUTH_SID", "", ACCOUNT),
    (
        "TWILIO_WEBHOOK_URL",
        "https://sms.example.org/inbound#rc=3",
        "https://sms.example.org/inbound#rc=3 = https://sms.example.org/inbound",
    ),
    (
        "CODER_REG_PAGES_URL",
        "SMS.example.org",
        "SMS.example.org = https://sms.example.org",
    ),
];

#[test]
fn a_value_is_shown_with_what_it_means() {
    let mut wrong = Vec::new();
    for (name, written, shown) in SHOWN {
        let line = line(&[(name, written)], name);
        let value = line.splitn(3, ' ').nth(2);
        if value != Some(shown) {
            wrong.push(format!("{name}={written} is shown as {value:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn what_pages_take_from_other_settings_is_shown() {
    let pages = [("CODER_REG_PAGES_URL", "https://sms.example.org")];
    assert_eq!(
        line(&pages, "CODER_REG_ORG"),
        "CODER_REG_ORG default sms.example.org"
    );
    assert_eq!(
        line(&pages, "CODER_REG_NUMBER"),
        "CODER_REG_NUMBER default +14155550100"
    );
    assert_eq!(line(&[], "CODER_REG_ORG"), "CODER_REG_ORG default (unset)");
}

#[test]
fn the_folder_of_a_trial_is_shown() {
    let dev = line(&[("CODER_REG_ENV", "dev")], "CODER_REG_DATA_DIR");
    assert_eq!(dev, "CODER_REG_DATA_DIR default ./data");
}

#[test]
fn a_command_reads_its_setting_as_the_service_does() {
    let read = |value: &str| Config::max_time([("CODER_MAX_TIME".to_owned(), value.to_owned())]);
    assert_eq!(read("90").unwrap(), Some(minutes(90)));
    assert_eq!(read("").unwrap(), None);
    assert!(read("soon").is_err());
    let listen = |value: &str| Config::listen([("CODER_REG_LISTEN".to_owned(), value.to_owned())]);
    assert_eq!(listen("8001").unwrap().to_string(), "0.0.0.0:8001");
    assert!(listen("here").is_err());
}

#[test]
fn the_pages_say_what_a_number_is_measured_in() {
    let measure = |name| settings::setting(name).unwrap().measure();
    assert_eq!(measure("CODER_REG_PARALLEL"), "1 to 64");
    assert_eq!(measure("CODER_REG_CATCH_UP"), "minutes; 0 to 1 day");
    assert_eq!(measure("CODER_REG_DATA_DIR"), "");
}

#[test]
fn a_time_on_the_command_line_is_in_minutes() {
    assert_eq!(span::minutes("90").unwrap(), minutes(90));
    assert_eq!(span::minutes("2h").unwrap(), minutes(120));
    assert!(span::minutes("0").is_err() && span::minutes("soon").is_err());
}
