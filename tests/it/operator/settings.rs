//! Settings from files and credentials, and help.

use std::fs;

use coder_sms_register::config::SETTINGS;

use super::{out, program, said};
use crate::plan;
use support::classroom::Classroom;

/// A class whose settings stand in a file. Returns its path.
fn with_file(class: &Classroom) -> String {
    let lines = class.settings().into_iter();
    let text: String = lines
        .map(|(name, value)| format!("{name}='{value}'\r\n"))
        .collect();
    let file = class.folder().join("env");
    fs::write(&file, text).unwrap();
    file.display().to_string()
}

#[test]
fn settings_come_from_a_file_named_before_or_behind_the_command() {
    let class = plan().prepare();
    let file = with_file(&class);
    let joined = format!("--env-file={file}");
    let told = class.try_service(&["config"]).stdout;
    for arguments in [
        &["--env-file", &file, "config"][..],
        &["config", "--env-file", &file],
        &["config", &joined],
    ] {
        let output = program(arguments).output().unwrap();
        assert_eq!(out(&output), told, "{arguments:?}: {}", said(&output).1);
    }
    let mut command = program(&["--env-file", &file, "config"]);
    let output = command
        .env("REDIS_PORT", "7777")
        .env("REDIS_PW_FILE", "/nowhere")
        .output()
        .unwrap();
    let (code, words) = said(&output);
    assert_eq!(code, Some(2));
    assert!(words.contains("has 1 fault in "), "{words}");
    assert!(
        words.contains("/env and the environment\n  REDIS_PW_FILE"),
        "{words}"
    );
}

#[test]
fn faults_of_a_file_name_line_and_variable_beside_all_others_and_tell_no_value() {
    let class = plan().prepare();
    let file = class.folder().join("env");
    fs::write(
        &file,
        "# x\nREDIS_PW=open sesame\nREDIS_PORT 6379\nCODER_REMOVE_TIME=soon\nREDIS_DB=1\n",
    )
    .unwrap();
    let path = file.display().to_string();
    let config = ["config", "--env-file", &path];
    let (code, words) = said(&program(&config).output().unwrap());
    assert_eq!(code, Some(2));
    for told in [
        &format!("REDIS_PW               line 2 of {path} has something after"),
        &format!("{path}  line 3 is not"),
        "CODER_REMOVE_TIME      \"soon\" is not a whole number",
        "CODER_API_KEY          missing:",
    ] {
        let told: Vec<&str> = told.split_whitespace().collect();
        let said = words.split_whitespace().collect::<Vec<_>>();
        let found = said.windows(told.len()).any(|window| window == told);
        assert!(found, "{told:?}: {words}");
    }
    assert!(
        !words.contains("sesame") && !words.contains("6379"),
        "{words}"
    );
    let (code, words) = said(
        &program(&["run", "--env-file", "/no/such"])
            .output()
            .unwrap(),
    );
    assert_eq!(code, Some(2));
    assert!(
        words.contains("cannot read the settings in /no/such"),
        "{words}"
    );
}

#[test]
fn a_file_that_holds_no_settings_is_one_line() {
    let class = plan().prepare();
    let file = class.folder().join("env");
    let path = file.display().to_string();
    let utf_16: Vec<u8> = "\u{feff}REDIS_DB=1\n"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    for (bytes, told) in [
        (&utf_16[..], "is UTF-16: save it again as UTF-8"),
        (b"\x7fELF\x02\x01\x01\0\0", "is not a text file"),
    ] {
        fs::write(&file, bytes).unwrap();
        let output = program(&["config", "--env-file", &path]).output().unwrap();
        let (code, words) = said(&output);
        assert_eq!(code, Some(2));
        assert_eq!(words.trim_end().lines().count(), 1, "{words}");
        assert!(words.contains(&format!("{path} {told}")), "{words}");
    }
}

#[test]
fn a_misspelt_or_repeated_setting_is_told_at_the_start_and_by_config() {
    let class = plan().prepare();
    let file = with_file(&class);
    let mut text = fs::read_to_string(&file).unwrap();
    text.push_str("CODER_REMOVETIME=60\nCODER_REG_COLOUR=blue\nREDIS_DB=0\nREDIS_DB=0\n");
    fs::write(&file, text).unwrap();
    let output = program(&["config", "--env-file", &file]).output().unwrap();
    let (code, words) = said(&output);
    assert_eq!(code, Some(0), "{words}");
    for told in [
        "CODER_REMOVETIME is not a setting and has no effect: did you mean CODER_REMOVE_TIME?",
        "CODER_REG_COLOUR is not a setting and has no effect: correct its name, or remove it",
        "REDIS_DB is set twice in the file, and the last one counts: remove one",
    ] {
        assert!(words.contains(told), "{told}: {words}");
    }
    assert!(!words.contains("blue"), "{words}");

    class.set("CODER_REMOVETIME", "60");
    class.start_service();
    let log = class.log();
    let line = log
        .lines()
        .find(|line| line.contains("CODER_REMOVETIME is not a setting"));
    assert!(line.is_some_and(|line| line.contains("WARN")), "{log}");
}

#[test]
fn a_life_of_minutes_is_doubted_and_one_beyond_the_longest_refused() {
    let class = plan().prepare();
    for (remove, max, code, told) in [
        (
            "12",
            "",
            0,
            "CODER_REMOVE_TIME is 12 min: if you meant hours, write 12h",
        ),
        (
            "12h",
            "11h",
            2,
            "CODER_MAX_TIME  is shorter than CODER_REMOVE_TIME",
        ),
        ("12h", "12h", 0, ""),
    ] {
        class.set("CODER_REG_ENV", "prod");
        class.set("CODER_REG_LOG_LEVEL", "info");
        class.set("CODER_REMOVE_TIME", remove);
        class.set("CODER_MAX_TIME", max);
        let ended = class.try_service(&["config"]);
        assert_eq!(ended.code, Some(code), "{}", ended.stderr);
        assert!(ended.stderr.contains(told), "{}", ended.stderr);
        if told.is_empty() {
            assert!(
                !ended.stderr.contains("CODER_REMOVE_TIME"),
                "{}",
                ended.stderr
            );
        }
    }
}

#[test]
fn a_service_runs_on_a_file_and_credentials() {
    let class = plan().prepare();
    let folder = class.folder().join("credentials");
    fs::create_dir(&folder).unwrap();
    for (name, file) in [
        ("TWILIO_ACCOUNT_TOKEN", "TWILIO_ACCOUNT_TOKEN"),
        ("TWILIO_AUTH_TOKEN", "secret_TWILIO_AUTH_TOKEN"),
        ("CODER_API_KEY", "CODER_API_KEY"),
        ("CODER_REG_PASS", "secret_CODER_REG_PASS"),
        ("REDIS_PW", "secret_REDIS_PW"),
    ] {
        let value = class.settings()[name].clone();
        fs::write(folder.join(file), format!("{value}\n")).unwrap();
        class.set(name, "");
    }
    class.set("CREDENTIALS_DIRECTORY", folder.to_str().unwrap());
    let table = class.try_service(&["config"]).stdout;
    assert_eq!(
        table.matches("  credential  ********").count(),
        5,
        "{table}"
    );
    class.start_service();
    let ana = class.student();
    ana.gets_a_login();
    assert!(ana.can_log_in());
}

#[test]
fn every_command_has_help_and_help_lists_every_command() {
    let whole = out(&program(&["--help"]).output().unwrap());
    assert!(
        whole.lines().all(|line| line.chars().count() <= 80),
        "{whole}"
    );
    for command in [
        "run",
        "config",
        "check",
        "healthcheck",
        "status",
        "extend",
        "end",
        "renew",
        "forget",
        "retry",
        "drop",
        "reconcile",
        "backup",
        "restore",
    ] {
        let line = whole
            .lines()
            .find(|line| line.starts_with(&format!("  {command} ")));
        assert!(line.is_some(), "{command}: {whole}");
        let output = program(&[command, "--help"]).output().unwrap();
        assert_eq!(output.status.code(), Some(0));
        let help = out(&output);
        assert!(
            help.contains(&format!("Usage: coder-sms-register {command}")),
            "{help}"
        );
        assert!(
            help.lines().all(|line| line.chars().count() <= 80),
            "{help}"
        );
        for setting in SETTINGS {
            let is_entry = |line: &str| {
                line.starts_with("  ") && line.trim_start_matches([' ', '*', '+']) == setting.name
            };
            assert_eq!(help.lines().any(is_entry), command == "config", "{help}");
        }
        assert_eq!(help, out(&program(&["help", command]).output().unwrap()));
    }
    assert_eq!(whole, out(&program(&["help"]).output().unwrap()));
}

#[test]
fn what_is_not_understood_is_named_with_the_way_to_help() {
    for (arguments, words) in [
        (
            &["backup"][..],
            "FILE (or - for standard output) is missing; see coder-sms-register backup --help",
        ),
        (&["backup", "a", "b"], "unexpected \"b\""),
        (
            &["backup", "--forse", "a"],
            "unknown option --forse, did you mean --force?; see",
        ),
        (
            &["status", "--jsn"],
            "unknown option --jsn, did you mean --json?; see coder-sms-register status --help",
        ),
        (
            &["statsu"],
            "unknown command \"statsu\", did you mean status?; see coder-sms-register --help",
        ),
        (&["frobnicate"], "unknown command \"frobnicate\"; see"),
        (
            &["config", "-x"],
            "unknown option -x; see coder-sms-register config --help",
        ),
        (
            &["--frob"],
            "unknown option --frob; see coder-sms-register --help",
        ),
        (&["run", "now"], "unexpected \"now\""),
        (
            &["end", "all"],
            "unexpected \"all\", did you mean --all?; see coder-sms-register end --help",
        ),
        (
            &["extend", "Everybody", "30m"],
            "unexpected \"Everybody\", did you mean --all?; see",
        ),
        (&["retry", "all"], "unexpected \"all\", did you mean --all?"),
        (
            &["reconcile", "all"],
            "unexpected \"all\", did you mean --all?",
        ),
        (&["config", "--env-file"], "--env-file"),
        (
            &["--env-file", "a", "config", "--env-file", "b"],
            "--env-file is given twice",
        ),
    ] {
        let (code, said) = said(&program(arguments).output().unwrap());
        assert_eq!(code, Some(2), "{arguments:?}: {said}");
        assert!(said.contains(words), "{arguments:?}: {said}");
    }
}
