//! Several classes side by side.

use super::before_start;
use coder_sms_register::config::SETTINGS;

#[test]
fn each_class_is_judged_by_its_own_seats_and_times() {
    let ready = before_start();
    let own = [
        ("CODER_CLASS_INTRO_PASS", "purple kettle"),
        ("CODER_CLASS_BIG_PASS", "brown lantern"),
        ("CODER_CLASS_BIG_SEATS", "61"),
        ("CODER_CLASS_PAST_PASS", "yellow window"),
        ("CODER_CLASS_PAST_CLOSES", "2020-12-01T09:00+01:00"),
        // Nobody needs it any more.
        ("CODER_CLASS_PAST_TEMPLATE", "deleted"),
    ];
    ready.unset("CODER_REG_PASS");
    for (name, value) in own {
        ready.set(name, value);
    }
    ready.starts();
    let report = ready.check();
    report.ends_with(0);
    let settings = SETTINGS.len() + own.len();
    let understood = format!("{settings} settings are understood");
    report.has("pass", "settings", &understood, "");
    let all_at_once = "class intro: there are 60 seats: all students can log in";
    report.has("pass", "coder", all_at_once, "");
    let too_many =
        "class big: there are 61 seats (CODER_CLASS_BIG_SEATS), but Coder accepts only 60";
    report.has("warning", "coder", too_many, "log in in groups");
    let over = "class past: it is over since 2020-12-01T08:00Z: its phrase brings no account";
    report.has(
        "warning",
        "phrase",
        over,
        "set CODER_CLASS_PAST_CLOSES to a later time",
    );
}
