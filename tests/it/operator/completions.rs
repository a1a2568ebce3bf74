//! The completions of bash, as bash itself runs them, against the help of the program.

use std::process::Command;

use super::{out, program};

/// What bash offers for the last of `words`, which follow the program's name.
fn offered(words: &[&str]) -> Vec<String> {
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/deploy/completions/coder-sms-register.bash"
    );
    let script = "source \"$1\"; shift
        COMP_WORDS=(coder-sms-register \"$@\"); COMP_CWORD=$#
        compopt() { COMPREPLY=(FILES); }
        _coder_sms_register coder-sms-register \"${COMP_WORDS[COMP_CWORD]}\" \"${COMP_WORDS[COMP_CWORD-1]}\"
        printf '%s\\n' \"${COMPREPLY[@]}\"";
    let output = Command::new("bash")
        .args(["-c", script, "bash", file])
        .args(words)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(output.stderr.is_empty(), "{output:?}");
    out(&output).lines().map(str::to_owned).collect()
}

/// The long options in the help of a command.
fn options(help: &str) -> Vec<String> {
    let lines = help.lines().skip_while(|line| *line != "Options:");
    let lines = lines.take_while(|line| !line.is_empty());
    let names = lines.filter_map(|line| {
        line.split_whitespace()
            .take(2)
            .find(|word| word.starts_with("--"))
    });
    names.map(str::to_owned).collect()
}

#[test]
fn bash_completes_every_command_and_option() {
    let whole = out(&program(&["--help"]).output().unwrap());
    let commands: Vec<&str> = whole
        .lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty())
        .filter(|line| !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    let words = offered(&[""]);
    assert!(commands.len() > 10, "{whole}");
    for command in &commands {
        assert!(
            words.contains(&(*command).to_owned()),
            "{command}: {words:?}"
        );
        let help = out(&program(&[command, "--help"]).output().unwrap());
        let mut options = options(&help);
        options.sort();
        let mut words = offered(&["--env-file", "file", command, "--"]);
        words.sort();
        assert_eq!(words, options, "{help}");
    }
    assert_eq!(offered(&["help"]), ["help"]);
    assert_eq!(offered(&["help", "stat"]), ["status"]);
    assert_eq!(offered(&["status", "--js"]), ["--json"]);
    assert_eq!(offered(&["restore", ""]), ["FILES"]);
    assert_eq!(offered(&["check", "--env-file", ""]), ["FILES"]);
    assert_eq!(offered(&["end", ""]), [""; 1]);
}
