//! Settings from files and credentials, and help.

use std::fs;

use super::{out, program, said};
use crate::classroom::Classroom;
use crate::plan;

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
    assert!(words.contains("has 1 fault\n  REDIS_PW_FILE"), "{words}");
}

#[test]
fn faults_of_a_file_are_told_by_line_and_without_values() {
    let class = plan().prepare();
    let file = class.folder().join("env");
    fs::write(&file, "# x\nREDIS_PW=open sesame\nREDIS_PORT 6379\n").unwrap();
    let path = file.display().to_string();
    let (code, words) = said(&program(&["config", "--env-file", &path]).output().unwrap());
    assert_eq!(code, Some(2));
    assert!(
        words.contains(&format!("{path} has 2 faults\n  line 2  ")),
        "{words}"
    );
    assert!(words.contains("\n  line 3  is not NAME=value"), "{words}");
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
    for command in ["run", "config", "healthcheck", "backup", "restore"] {
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
        (&["backup", "--forse", "a"], "unknown option --forse"),
        (
            &["config", "-x"],
            "unknown option -x; see coder-sms-register config --help",
        ),
        (
            &["--frob"],
            "unknown option --frob; see coder-sms-register --help",
        ),
        (&["run", "now"], "unexpected \"now\""),
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
