//! Webhooks that Twilio signs with a shared key: the machine needs no Auth Token.

use crate::plan;
use support::classroom::Classroom;
use support::fakes::twilio::{Fate, HookRule, SigningKey};

fn rule(match_type: &'static str, url: &str, keys: &[Option<&SigningKey>]) -> HookRule {
    HookRule {
        match_type,
        url: url.to_owned(),
        keys: keys.iter().map(|key| key.cloned()).collect(),
    }
}

/// All webhooks are signed with one of these; `None` = the Auth Token.
fn signs(class: &Classroom, keys: &[Option<&SigningKey>]) {
    class.twilio().hook_rules(vec![rule("DEFAULT", "", keys)]);
}

/// A class that knows this shared key and no Auth Token, before its start.
fn prepared(key: &str) -> Classroom {
    let class = plan().with_receipts().prepare();
    class.set("TWILIO_ACCOUNT_TOKEN", "");
    class.set("TWILIO_SHARED_KEY", key);
    class.set("CODER_REG_PHONE_KEY", "a key of our own");
    class
}

fn named(key: &SigningKey) -> String {
    format!("{}:{}", key.id, key.secret)
}

#[test]
fn with_a_shared_key_no_auth_token_is_needed() {
    let key = SigningKey::random();
    for setting in [named(&key), key.secret.clone()] {
        let class = prepared(&setting);
        class.keeps_secret(&key.secret);
        signs(&class, &[Some(&key)]);
        class.twilio().fate_of_all(Fate::delivered());
        class.start_service();
        let ana = class.student();
        ana.gets_a_login();
        assert!(ana.can_log_in());
        class.all_served();
        // Receipts are signed with it as well.
        class.eventually("a receipt that was taken", || {
            let receipts = class.twilio().receipts();
            !receipts.is_empty() && receipts.iter().all(|receipt| receipt.answer == 200)
        });
        let log = class.log();
        assert!(!log.contains("refused"), "{log}");
        for settings in class.settings().values() {
            assert!(!settings.contains(&class.twilio().account().account_token));
        }
    }
}

#[test]
fn both_kinds_are_taken_while_one_moves_over_to_the_other() {
    let (old, new) = (SigningKey::random(), SigningKey::random());
    let class = plan().prepare();
    class.set(
        "TWILIO_SHARED_KEY",
        &format!("{},{}", named(&new), old.secret),
    );
    signs(&class, &[None, Some(&old), Some(&new)]);
    class.start_service();
    let students = class.students(9);
    for student in &students {
        student.gets_a_login();
    }
    let log = class.log();
    assert!(!log.contains("refused"), "{log}");
}

/// What the log says of the first refused request, signed so.
fn refusal(class: &Classroom, keys: &[Option<&SigningKey>]) -> String {
    signs(class, keys);
    let student = class.student();
    let webhook = student.phrase_webhook();
    assert_eq!(student.posts(&webhook), 403);
    class.eventually("a line in the log", || {
        class.log().contains("refused requests")
    });
    let log = class.log();
    let line = log.lines().rfind(|line| line.contains("refused requests"));
    line.unwrap_or_default().to_owned()
}

#[test]
fn a_refusal_says_which_secret_is_wrong() {
    let (key, other) = (SigningKey::random(), SigningKey::random());
    let open = |setting: &str| {
        let class = prepared(setting);
        class.start_service();
        class
    };

    let line = refusal(&open(&named(&key)), &[Some(&other)]);
    let unknown = format!(
        "signed with a shared key, which is not configured ({})",
        other.id
    );
    assert!(
        line.contains(&unknown) && line.contains("set TWILIO_SHARED_KEY"),
        "{line}"
    );

    let line = refusal(&open("another secret"), &[Some(&other)]);
    let wrong = format!("wrong signature by a shared key ({})", other.id);
    assert!(
        line.contains(&wrong) && line.contains("TWILIO_SHARED_KEY is not the secret"),
        "{line}"
    );

    let line = refusal(&open(&named(&key)), &[None]);
    assert!(
        line.contains("signed with the Auth Token, which is not configured"),
        "{line}"
    );
    assert!(line.contains("set TWILIO_ACCOUNT_TOKEN"), "{line}");

    // A service that knows the Auth Token alone says what is new, and not that its token is wrong.
    let line = refusal(&crate::class(), &[Some(&other)]);
    assert!(
        line.contains(&unknown) && !line.contains("TWILIO_ACCOUNT_TOKEN"),
        "{line}"
    );
}

#[test]
fn a_header_that_strangers_made_up_changes_nothing() {
    let key = SigningKey::random();
    let class = prepared(&named(&key));
    signs(&class, &[Some(&key)]);
    class.start_service();
    let mallory = class.student();
    let good = mallory.phrase_webhook();
    for value in [
        String::new(),
        "algorithm=none".to_owned(),
        format!("key={},algorithm=HMAC_MD5", key.id),
        format!("key={},algorithm=HMAC_SHA1", key.id),
        format!("key={}", key.id),
        format!("key={},algorithm=HMAC_SHA256", SigningKey::random().id),
    ] {
        let mut webhook = good.clone();
        for (name, current) in &mut webhook.headers {
            if name.ends_with("Signature-Settings") {
                current.clone_from(&value);
            }
        }
        assert_eq!(mallory.posts(&webhook), 403, "{value:?}");
    }
    class.all_served();
    assert!(mallory.inbox().is_empty());
    assert_eq!(mallory.posts(&good), 200);
    mallory.next_login();
}
