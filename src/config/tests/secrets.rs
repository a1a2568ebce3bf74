//! What is never shown, whatever is wrong.

use super::*;

/// Looks for every secret of the valid set, and for the phrase however it is spelled.
fn assert_silent(shown: &str) {
    let folded: String = shown
        .to_lowercase()
        .chars()
        .filter(|c| c.is_alphanumeric())
        .collect();
    for setting in secret() {
        let value = &valid()[setting.name];
        assert!(
            !shown.contains(value.as_str()),
            "{} is shown in {shown}",
            setting.name
        );
    }
    assert!(
        !folded.contains("purpleottersjuggle"),
        "the phrase is shown in {shown}"
    );
}

#[test]
fn the_valid_set_has_every_secret() {
    for setting in secret() {
        assert!(valid().contains_key(setting.name), "{}", setting.name);
    }
}

#[test]
fn no_secret_is_in_the_table_or_the_debug_form() {
    let config = config(&[]);
    assert_silent(&config.table());
    assert_silent(&format!("{config:?} {config:#?}"));
}

#[test]
fn no_secret_is_in_the_fault_of_another_setting() {
    let faults = read(&[("REDIS_PORT", "x"), ("CODER_API_URL", "ftp://x")]).unwrap_err();
    assert_silent(&format!("{faults} {faults:?}"));
}

#[test]
fn no_secret_is_in_its_own_fault() {
    let file = |setting: &Setting| format!("{}_FILE", setting.name);
    for setting in secret() {
        let faults = read(&[(&file(setting), "/run/secrets/x")]).unwrap_err();
        assert_silent(&format!("{faults} {faults:?}"));
    }
    for setting in secret() {
        // Put into the wrong line, where a path should be.
        let mut vars = valid();
        let value = vars.remove(setting.name).unwrap();
        vars.insert(file(setting), value);
        let faults = Config::from_vars(vars, &no_file).unwrap_err();
        assert_silent(&format!("{faults} {faults:?}"));
    }
    for (name, tail) in [
        ("TWILIO_ACCOUNT_TOKEN", ",two,three"),
        ("CODER_API_KEY", " with a blank"),
        ("CODER_API_KEY", "\u{e9}"),
    ] {
        let faults = read(&[(name, &format!("{}{tail}", valid()[name]))]).unwrap_err();
        assert_silent(&format!("{faults} {faults:?}"));
    }
    let faults = read(&[("CODER_REG_PASS", "unsubscribe")]).unwrap_err();
    assert!(!faults.to_string().contains("unsubscribe"), "{faults}");
}

#[test]
fn a_path_is_told_on_one_line() {
    let mut vars = valid();
    vars.remove("REDIS_PW");
    vars.insert("REDIS_PW_FILE".to_owned(), "/run/a\nb".to_owned());
    let faults = Config::from_vars(vars, &no_file).unwrap_err();
    assert!(
        faults.0[0]
            .problem
            .what()
            .starts_with(r#""/run/a\nb" cannot be read"#)
    );
}

#[test]
fn the_password_in_a_url_is_not_shown() {
    let url = "https://user:otterpond@sms.example.org/inbound";
    let config = config(&[("TWILIO_WEBHOOK_URL", url)]);
    assert!(!format!("{:?}", config.twilio).contains("otterpond"));
    assert!(!config.table().contains("otterpond"), "{}", config.table());
    for url in [
        "https://user:otterpond@coder.example.org",
        "ftp://user:otterpond@coder.example.org",
    ] {
        let faults = read(&[("CODER_API_URL", url)]).unwrap_err();
        assert!(!faults.to_string().contains("otterpond"), "{faults}");
    }
}
