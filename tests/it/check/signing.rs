//! What webhooks are signed with, by Twilio's rules and here.

use super::{Ready, ready};
use support::fakes::trouble::Trouble;
use support::fakes::twilio::{HookRule, SigningKey, ops};

/// Twilio signs all webhooks with one of these; `None` = the Auth Token.
fn signs(ready: &Ready, keys: &[Option<&SigningKey>]) {
    let keys = keys.iter().map(|key| key.cloned()).collect();
    let rule = HookRule {
        match_type: "PREFIX_MATCH",
        url: ready.front.url(),
        keys,
    };
    ready.twilio().hook_rules(vec![rule]);
}

/// The service starts again with this shared key, and with or without the Auth Token.
fn knows(ready: &Ready, key: &str, token: bool) {
    if !token {
        ready.set("TWILIO_ACCOUNT_TOKEN", "");
        ready.set("CODER_REG_PHONE_KEY", "a key of our own");
    }
    ready.set("TWILIO_SHARED_KEY", key);
    ready.restart_service();
}

#[test]
fn a_class_with_a_shared_key_alone_is_ready() {
    let (ready, key) = (ready(), SigningKey::random());
    signs(&ready, &[Some(&key)]);
    knows(&ready, &format!("{}:{}", key.id, key.secret), false);
    let report = ready.check();
    report.ends_with(0);
    report.is_well_elsewhere(&["twilio"]);
    assert_eq!(report.in_area("skipped", "twilio"), 0, "{report:#?}");
    // An API key is told less than the Auth Token.
    report.has("pass", "twilio", "A2P campaign is verified", "");
    report.has("pass", "twilio", "the account is not a trial account", "");
    assert_eq!(report.in_area("warning", "twilio"), 0, "{report:#?}");
    report.has(
        "pass",
        "twilio",
        &format!("are signed with the shared key {}", key.id),
        "",
    );
    report.has(
        "pass",
        "public url",
        "texts sent to it reach this service",
        "",
    );
    assert!(!report.ended.stdout.contains(&key.secret));
}

#[test]
fn whether_it_is_a_trial_account_is_never_passed_over_in_silence() {
    let (ready, key) = (ready(), SigningKey::random());
    signs(&ready, &[Some(&key)]);
    knows(&ready, &format!("{}:{}", key.id, key.secret), false);
    let twilio = ready.twilio();
    // A standard key is told nothing, and a short code has no campaign that would show it.
    let number = twilio.account().from_numbers[0].clone();
    ready.set("FROM_NUM", "787878");
    twilio.set_up(|setup| setup.short_codes = vec!["787878".to_owned()]);
    let report = ready.check();
    report.is_not_ready();
    report.has(
        "skipped",
        "twilio",
        "whether it is a trial account",
        "set TWILIO_ACCOUNT_TOKEN in the environment of this one check",
    );
    assert_eq!(report.all("fault").count(), 0, "{report:#?}");
    // A main key is told.
    twilio.set_up(|setup| setup.main_key = true);
    assert_eq!(ready.check().ended.code, Some(0));
    twilio.set_up(|setup| setup.kind = "Trial".to_owned());
    for from in ["787878", &number] {
        ready.set("FROM_NUM", from);
        ready
            .check()
            .has("fault", "twilio", "a trial account", "upgrade");
    }
    // So is the Auth Token, which is set for this check alone.
    twilio.set_up(|setup| setup.main_key = false);
    let token = twilio.account().account_token.clone();
    ready.set("TWILIO_ACCOUNT_TOKEN", &token);
    ready
        .check()
        .has("fault", "twilio", "a trial account", "upgrade");
    twilio.set_up(|setup| setup.kind = "Full".to_owned());
    assert_eq!(ready.check().ended.code, Some(0));
}

#[test]
fn while_one_moves_over_both_are_looked_for() {
    let (ready, key) = (ready(), SigningKey::random());
    signs(&ready, &[None, Some(&key)]);
    knows(&ready, &format!("{}:{}", key.id, key.secret), true);
    let report = ready.check();
    report.ends_with(0);
    let both = format!("the Auth Token and the shared key {}", key.id);
    report.has("pass", "twilio", &both, "");
}

#[test]
fn a_rule_whose_key_is_not_configured_is_a_fault() {
    let (ready, key) = (ready(), SigningKey::random());
    signs(&ready, &[Some(&key)]);
    let words = format!("with the shared key {}, which is not configured", key.id);
    ready.finds(
        "twilio",
        &words,
        &format!("set TWILIO_SHARED_KEY to {}:SECRET", key.id),
    );
}

#[test]
fn no_rule_where_only_a_shared_key_is_configured_is_a_fault() {
    let (ready, key) = (ready(), SigningKey::random());
    knows(&ready, &key.secret, false);
    ready.finds(
        "twilio",
        "with the Auth Token, and TWILIO_ACCOUNT_TOKEN is not set",
        "create a webhook rule",
    );
}

#[test]
fn rules_that_cannot_be_read_are_a_warning() {
    let ready = ready();
    ready.trouble_at_twilio(ops::HOOKS, 9, Trouble::html(403, "Forbidden"));
    let report = ready.check();
    report.ends_with(0);
    report.has(
        "warning",
        "twilio",
        "unknown what webhooks are signed with",
        "text the phrase yourself",
    );
}
