//! The forms that each value may have.

use super::*;

#[test]
fn the_address_of_coder_may_be_written_in_many_ways() {
    for (written, site) in [
        ("coder.example.org/api/v2/", "https://coder.example.org"),
        ("coder.example.org/api/v2", "https://coder.example.org"),
        ("coder.example.org", "https://coder.example.org"),
        ("https://coder.example.org", "https://coder.example.org"),
        ("https://coder.example.org///", "https://coder.example.org"),
        (
            "https://coder.example.org/api/v2//",
            "https://coder.example.org",
        ),
        (
            "https://coder.example.org/api/",
            "https://coder.example.org",
        ),
        (
            "https://coder.example.org:8443",
            "https://coder.example.org:8443",
        ),
        ("http://127.0.0.1:3000/api/v2", "http://127.0.0.1:3000"),
        ("http://[::1]:3000/", "http://[::1]:3000"),
        ("http://[fe80::1]", "http://[fe80::1]"),
        ("https://example.org/coder", "https://example.org/coder"),
        ("example.org/coder/api/v2/", "https://example.org/coder"),
    ] {
        let address = config(&[("CODER_API_URL", written)]).coder.address;
        assert_eq!(address.site, site, "{written}");
        assert_eq!(address.api, format!("{site}/api/v2"), "{written}");
    }
}

#[test]
fn a_host_is_never_mistaken_for_the_end_of_the_path() {
    for (written, site) in [("http://api", "http://api"), ("api/api/v2", "https://api")] {
        assert_eq!(
            config(&[("CODER_API_URL", written)]).coder.address.site,
            site,
            "{written}"
        );
    }
}

#[test]
fn coder_over_plain_http_is_warned_of_unless_it_is_on_this_machine() {
    for (url, warned) in [
        ("http://coder.example.org", true),
        ("HTTP://coder.example.org", true),
        ("http://192.168.1.5:3000", true),
        ("https://coder.example.org", false),
        ("http://127.0.0.1:3000", false),
        ("http://localhost:3000", false),
        ("http://[::1]:3000", false),
    ] {
        let warnings = config(&[("CODER_API_URL", url)]).warnings;
        assert_eq!(
            warnings.iter().any(|w| w.what.contains("CODER_API_URL")),
            warned,
            "{url}"
        );
    }
}

#[test]
fn the_fragment_of_the_webhook_url_comes_off() {
    let url = "https://sms.example.org/inbound?a=b#rc=3&rp=ct,rt,5xx";
    let twilio = config(&[("TWILIO_WEBHOOK_URL", url)]).twilio;
    assert_eq!(
        twilio.webhook_url.as_str(),
        "https://sms.example.org/inbound?a=b"
    );
    assert_eq!(twilio.webhook_url.path(), "/inbound");
}

#[test]
fn replies_come_from_a_number_or_a_service() {
    for (written, sender) in [
        ("+14155550100", Sender::Number("+14155550100".to_owned())),
        (
            "+1 (415) 555-0100",
            Sender::Number("+14155550100".to_owned()),
        ),
        ("+1.415.555.0100", Sender::Number("+14155550100".to_owned())),
        ("+18005550100", Sender::Number("+18005550100".to_owned())),
        ("+491701234567", Sender::Number("+491701234567".to_owned())),
        ("12345", Sender::Number("12345".to_owned())),
        ("787878", Sender::Number("787878".to_owned())),
        (SERVICE, Sender::Service(SERVICE.to_owned())),
    ] {
        assert_eq!(
            config(&[("FROM_NUM", written)]).twilio.sender,
            sender,
            "{written}"
        );
    }
}

#[test]
fn an_account_lives_as_long_as_the_remove_time_says() {
    for (written, span) in [
        ("720", Some(minutes(720))),
        ("0", None),
        ("0h", None),
        ("90m", Some(minutes(90))),
        ("12h", Some(minutes(720))),
        ("2d", Some(minutes(2_880))),
        ("30s", Some(Duration::from_secs(30))),
    ] {
        let class = config(&[("CODER_REMOVE_TIME", written)]).class;
        assert_eq!(class.remove_after, span, "{written}");
    }
}

#[test]
fn hints_may_be_switched_off() {
    for (written, pause) in [
        ("off", None),
        ("Never", None),
        ("0", None),
        ("on", Some(minutes(60))),
        ("15", Some(minutes(15))),
        ("2h", Some(minutes(120))),
    ] {
        let class = config(&[("CODER_REG_HINTS", written)]).class;
        assert_eq!(class.hint_interval, pause, "{written}");
    }
}

#[test]
fn levels_and_surroundings_are_read_in_any_case() {
    for (env, level, expected) in [
        ("prod", "info", LevelFilter::Info),
        ("Production", "WARN", LevelFilter::Warn),
        ("prod", "warning", LevelFilter::Warn),
        ("prod", "error", LevelFilter::Error),
        ("dev", "debug", LevelFilter::Debug),
        ("DEVELOPMENT", "Debug", LevelFilter::Debug),
    ] {
        let config = config(&[("CODER_REG_ENV", env), ("CODER_REG_LOG_LEVEL", level)]);
        assert_eq!(config.service.log_level, expected, "{env} {level}");
    }
}

#[test]
fn the_data_folder_follows_the_surroundings_unless_it_is_set() {
    assert_eq!(
        config(&[("CODER_REG_ENV", "dev")]).service.data_dir,
        Path::new("./data")
    );
    let both = [
        ("CODER_REG_ENV", "dev"),
        ("CODER_REG_DATA_DIR", "/srv/class"),
    ];
    assert_eq!(config(&both).service.data_dir, Path::new("/srv/class"));
}

#[test]
fn an_e_mail_domain_is_one_that_coder_accepts() {
    for (written, domain) in [
        ("example.org", "example.org"),
        ("@Class.Example.ORG", "class.example.org"),
        ("a-b.example.museum", "a-b.example.museum"),
        ("42.example.org", "42.example.org"),
    ] {
        assert_eq!(
            config(&[("CODER_EMAIL_DOM", written)]).coder.email_domain,
            domain
        );
    }
}

#[test]
fn the_listener_is_an_address_a_port_or_both() {
    for (written, address) in [
        ("127.0.0.1:9000", "127.0.0.1:9000"),
        ("[::]:8000", "[::]:8000"),
        (":8001", "0.0.0.0:8001"),
        ("8002", "0.0.0.0:8002"),
        ("localhost:8003", "127.0.0.1:8003"),
    ] {
        assert_eq!(
            config(&[("CODER_REG_LISTEN", written)])
                .service
                .listen
                .to_string(),
            address
        );
    }
}

#[test]
fn two_tokens_sign_and_the_first_one_sends() {
    for list in ["old,new", "old, new", "old new", " old ,new, "] {
        let changes = [
            ("TWILIO_ACCOUNT_TOKEN", list),
            ("TWILIO_AUTH_TOKEN", ""),
            ("TWILIO_AUTH_SID", ""),
        ];
        let twilio = config(&changes).twilio;
        assert_eq!(
            twilio.webhook_tokens,
            [Secret::new("old"), Secret::new("new")],
            "{list}"
        );
        assert_eq!(twilio.auth_token, Secret::new("old"), "{list}");
    }
}

#[test]
fn the_account_itself_sends_unless_somebody_else_is_named() {
    let account = config(&[("TWILIO_AUTH_SID", ""), ("TWILIO_AUTH_TOKEN", "")]).twilio;
    assert_eq!(account.auth_sid, ACCOUNT);
    assert_eq!(account.auth_token, account.webhook_tokens[0]);
    let key = config(&[
        ("TWILIO_AUTH_SID", "SK0123456789abcdef0123456789abcdef"),
        ("TWILIO_AUTH_TOKEN", "its secret"),
    ])
    .twilio;
    assert_eq!(
        (key.auth_sid.as_str(), key.auth_token.reveal()),
        ("SK0123456789abcdef0123456789abcdef", "its secret")
    );
}

#[test]
fn phones_are_hashed_with_their_own_key_or_one_of_each_token() {
    let tokens = ("TWILIO_ACCOUNT_TOKEN", "old,new");
    let own = config(&[tokens, ("CODER_REG_PHONE_KEY", "mine")]);
    assert_eq!(own.service.phone_keys, [PhoneKey::derive("mine")]);
    let derived = config(&[tokens, ("CODER_REG_PHONE_KEY", "")]);
    assert_eq!(
        derived.service.phone_keys,
        [PhoneKey::derive("old"), PhoneKey::derive("new")]
    );
}

#[test]
fn a_setting_that_nobody_knows_is_warned_of() {
    for (name, warned) in [
        ("CODER_REG_PARALEL", true),
        ("CODER_REG_LISTEN_FILE", true),
        ("CODER_REG_PASS_FILE", false),
        ("CODER_URL", false),
        ("PATH", false),
    ] {
        let warnings = config(&[(name, "")]).warnings;
        assert_eq!(
            warnings.iter().any(|w| w.what.contains(name)),
            warned,
            "{name}: {warnings:?}"
        );
    }
}

#[test]
fn values_that_work_but_look_wrong_are_warned_of() {
    for (changes, word) in [
        (&[("CODER_REG_PASS", "hi 5")][..], "CODER_REG_PASS"),
        (&[("REDIS_HOST", "redis"), ("REDIS_PW", "")], "REDIS_PW"),
    ] {
        let warnings = config(changes).warnings;
        assert!(
            warnings.len() == 1 && warnings[0].what.contains(word),
            "{warnings:?}"
        );
    }
    for host in ["/run/redis.sock", "localhost", "::1"] {
        let warnings = config(&[("REDIS_HOST", host), ("REDIS_PW", "")]).warnings;
        assert!(warnings.is_empty(), "{warnings:?}");
    }
}

#[test]
fn a_short_life_is_doubted_in_its_own_unit() {
    for (written, told) in [
        (
            "12",
            "CODER_REMOVE_TIME is 12 min: if you meant hours, write 12h",
        ),
        (
            "1",
            "CODER_REMOVE_TIME is 1 min: if you meant hours, write 1h",
        ),
        (
            "40s",
            "CODER_REMOVE_TIME is 40 s: set a longer time, unless that is what you want",
        ),
        (
            "90s",
            "CODER_REMOVE_TIME is 1 min 30 s: set a longer time, unless that is what you want",
        ),
    ] {
        let warnings = config(&[("CODER_REMOVE_TIME", written)]).warnings;
        let warnings: Vec<String> = warnings.iter().map(ToString::to_string).collect();
        assert_eq!(warnings, [told], "{written}");
    }
}

#[test]
fn receipts_come_to_the_host_of_the_webhook_over_https_only() {
    for (webhook, given, signed) in [
        (
            "https://sms.example.org/inbound#rc=3&rp=ct",
            "https://sms.example.org/status",
            None,
        ),
        (
            "https://sms.example.org",
            "https://sms.example.org/status",
            None,
        ),
        (
            "HTTPS://sms.example.org:8443/a/b?c=d",
            "https://sms.example.org:8443/status",
            None,
        ),
        (
            "https://sms.example.org/status?a",
            "https://sms.example.org/delivery",
            None,
        ),
        (
            "https://twilio:word@sms.example.org/inbound",
            "https://twilio:word@sms.example.org/status",
            Some("https://sms.example.org/status"),
        ),
    ] {
        let config = config(&[("TWILIO_WEBHOOK_URL", webhook)]);
        let receipts = config.twilio.receipts.expect(webhook);
        assert_eq!(receipts.given.reveal(), given, "{webhook}");
        assert_eq!(
            receipts.signed.as_str(),
            signed.unwrap_or(given),
            "{webhook}"
        );
        assert!(!format!("{receipts:?}").contains("word"), "{receipts:?}");
    }
    let plain = config(&[("TWILIO_WEBHOOK_URL", "http://sms.example.org/inbound")]);
    assert_eq!(plain.twilio.receipts, None);
}

#[test]
fn blanking_is_on_unless_it_is_switched_off() {
    for (value, on) in [
        ("", true),
        ("on", true),
        ("Yes", true),
        ("off", false),
        ("0", false),
    ] {
        assert_eq!(
            config(&[("CODER_REG_REDACT", value)]).service.redact,
            on,
            "{value:?}"
        );
    }
}

#[test]
fn metrics_are_shown_where_it_says_and_what_is_open_to_others_is_warned_of() {
    for (written, address) in [
        ("", None),
        ("off", None),
        ("Never", None),
        ("0", None),
        ("127.0.0.1:9464", Some("127.0.0.1:9464")),
        ("localhost:9464", Some("127.0.0.1:9464")),
        (":9464", Some("127.0.0.1:9464")),
        ("9464", Some("127.0.0.1:9464")),
        ("[::1]:9464", Some("[::1]:9464")),
        ("0.0.0.0:9464", Some("0.0.0.0:9464")),
        ("[::]:9464", Some("[::]:9464")),
        ("192.0.2.1:9464", Some("192.0.2.1:9464")),
    ] {
        let config = config(&[("CODER_REG_METRICS", written)]);
        let found = config.service.metrics.map(|address| address.to_string());
        assert_eq!(found.as_deref(), address, "{written:?}");
        let open = config
            .service
            .metrics
            .is_some_and(|address| !address.ip().is_loopback());
        let warned = config
            .warnings
            .iter()
            .any(|warning| warning.what.starts_with("CODER_REG_METRICS "));
        assert_eq!(warned, open, "{written:?}");
        let table = config.table();
        let line = table
            .lines()
            .find(|line| line.starts_with("CODER_REG_METRICS"));
        assert!(
            line.unwrap().ends_with(address.unwrap_or("off")),
            "{line:?}"
        );
    }
}
