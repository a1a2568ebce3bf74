//! What is broken at Twilio.

use super::ready;
use support::fakes::trouble::Trouble;
use support::fakes::twilio::ops;

/// Twilio's name for a TwiML application.
fn application() -> String {
    format!("AP{}", "0".repeat(32))
}

#[test]
fn a_wrong_secret_of_the_key_is_a_fault() {
    let ready = ready();
    ready.set("TWILIO_AUTH_TOKEN", "wrong");
    ready.finds(
        "twilio",
        "refuses TWILIO_AUTH_SID with TWILIO_AUTH_TOKEN",
        "create an API key",
    );
}

#[test]
fn a_wrong_auth_token_is_a_fault_as_no_signature_would_be_right() {
    let ready = ready();
    let wrong = "0123456789abcdef0123456789abcdef";
    ready.set("TWILIO_ACCOUNT_TOKEN", wrong);
    let report = ready.check();
    report.ends_with(1);
    report.has(
        "fault",
        "twilio",
        "TWILIO_ACCOUNT_TOKEN is not the Auth Token",
        "copy the Auth Token",
    );
    // The running service has the right one.
    report.has(
        "fault",
        "public url",
        "another TWILIO_WEBHOOK_URL or TWILIO_ACCOUNT_TOKEN",
        "restart the service",
    );
    assert_eq!(report.all("fault").count(), 2);
    // The number is looked up by the key then.
    report.has("pass", "twilio", "which can text", "");
    report.is_well_elsewhere(&["twilio", "public url"]);
}

#[test]
fn a_rotation_of_tokens_is_followed() {
    let ready = ready();
    let first = ready.twilio().account().account_token.clone();
    let second = "fedcba9876543210fedcba9876543210";
    let twilio = ready.twilio();
    twilio.set_up(|setup| setup.second_token = Some(second.to_owned()));
    ready.set("TWILIO_ACCOUNT_TOKEN", &format!("{first},{second}"));
    let report = ready.check();
    report.is_well_elsewhere(&[]);
    twilio.set_up(|setup| setup.first_token_revoked = true);
    let report = ready.check();
    report.ends_with(0);
    report.has(
        "warning",
        "twilio",
        "only one of the two tokens",
        "remove the other one",
    );
    report.is_well_elsewhere(&["twilio"]);
}

#[test]
fn an_account_that_is_suspended_or_a_trial_one_is_a_fault() {
    let ready = ready();
    let twilio = ready.twilio();
    for status in ["suspended", "closed"] {
        twilio.set_up(|setup| setup.status = status.to_owned());
        let words = format!("the account is {status}");
        ready.finds("twilio", &words, "the balance");
    }
    twilio.set_up(|setup| {
        setup.status = "active".to_owned();
        setup.kind = "Trial".to_owned();
    });
    ready.finds("twilio", "a trial account", "upgrade the account");
}

#[test]
fn a_number_that_is_not_ours_or_cannot_text_is_a_fault() {
    let ready = ready();
    ready.twilio().set_up(|setup| setup.sms = false);
    ready.finds("twilio", "cannot text", "buy a number with SMS");
    ready.twilio().set_up(|setup| setup.owns_numbers = false);
    ready.finds(
        "twilio",
        "the account does not own +1201555",
        "set FROM_NUM to a number",
    );
}

#[test]
fn a_webhook_that_differs_is_a_fault() {
    let ready = ready();
    let twilio = ready.twilio();
    let url = format!("{}/inbound", ready.front.url());
    let target = |url: &str| twilio.sms_url(url);
    target("https://old.example.org/sms#rc=3&rp=all");
    ready.finds(
        "twilio",
        "to https://old.example.org/sms, not to http://127",
        "set the URL of +1201555",
    );
    target(&format!("{url}/#rc=3&rp=all"));
    ready.finds("twilio", "/inbound/, not to", "set the URL");
    target("");
    ready.finds("twilio", "to no URL", "A message comes in");
    target(&url);
    let report = ready.check();
    report.has(
        "warning",
        "twilio",
        "does not retry a text",
        "#rc=3&rp=ct,rt,5xx",
    );
    report.is_well_elsewhere(&["twilio"]);
}

#[test]
fn a_webhook_by_get_or_by_an_application_is_a_fault() {
    let ready = ready();
    let twilio = ready.twilio();
    twilio.set_up(|setup| setup.sms_method = "GET".to_owned());
    ready.finds("twilio", "by HTTP GET", "select HTTP POST");
    twilio.set_up(|setup| setup.sms_application_sid = application());
    ready.finds("twilio", "go to a TwiML app", "select Webhook");
}

#[test]
fn a_messaging_service_takes_its_numbers_texts_unless_it_leaves_them() {
    let ready = ready();
    let twilio = ready.twilio();
    let service = twilio.account().service_sid.clone();
    let own = format!("{}/inbound#rc=3&rp=all", ready.front.url());
    twilio.set_up(|setup| setup.on_number = false);
    let whose = format!("texts of Messaging Service {service}");
    ready.finds("twilio", &whose, "A message comes in");
    twilio.set_up(|setup| setup.service_url = Some(own.clone()));
    ready.check().is_well_elsewhere(&[]);

    ready.set("FROM_NUM", &service);
    let report = ready.check();
    report.is_well_elsewhere(&[]);
    report.has("pass", "twilio", "with 1 number(s) for texts", "");
    // The service's own URL counts no more.
    twilio.set_up(|setup| {
        setup.on_number = true;
        setup.sms_url = "https://old.example.org/sms#rp=all".to_owned();
    });
    ready.finds("twilio", "texts of +1201555", "set the URL of +1201555");
    twilio.set_up(|setup| {
        setup.sms_url = own.clone();
        setup.sms_application_sid = application();
    });
    ready.finds(
        "twilio",
        "go to a TwiML app, not to this service",
        "select Webhook",
    );
    twilio.set_up(|setup| {
        setup.sms_application_sid.clear();
        setup.in_service = false;
    });
    ready.finds("twilio", "has no number that can text", "sender pool");
    ready.set("FROM_NUM", "MG00000000000000000000000000000000");
    ready.finds("twilio", "no Messaging Service MG000", "set FROM_NUM");
}

#[test]
fn a_number_whose_service_has_an_rcs_sender_is_named_as_missed_texts_would_stay_so() {
    let ready = ready();
    let twilio = ready.twilio();
    let words = "has an RCS sender";
    for senders in [vec![], vec!["whatsapp:+12015550110".to_owned()]] {
        twilio.set_up(|setup| setup.channel_senders.clone_from(&senders));
        let report = ready.check();
        report.ends_with(0);
        assert!(!report.ended.stdout.contains("RCS"), "{senders:?}");
    }
    twilio.set_up(|setup| setup.channel_senders.push("rcs:brand_agent".to_owned()));
    let report = ready.check();
    report.ends_with(0);
    let service = twilio.account().service_sid.clone();
    report.has(
        "warning",
        "twilio",
        words,
        &format!("set FROM_NUM to {service}"),
    );
    // With the service as the sender all of its texts are looked for.
    ready.set("FROM_NUM", &service);
    assert!(!ready.check().ended.stdout.contains("RCS"));
    // A key that may not look there is no reason to put the class off.
    ready.set("FROM_NUM", &twilio.account().from_numbers[0]);
    twilio.trouble(ops::CHANNEL_SENDERS, usize::MAX, Trouble::html(403, "no"));
    let report = ready.check();
    report.ends_with(0);
    report.has(
        "warning",
        "twilio",
        "texts by RCS could be missed",
        &service,
    );
}
