//! The completions of bash, zsh and fish, as these shells run them, against the help of the program.

use std::process::Command;

use super::shells::{Shell, fish_offers};
use super::{out, program};
use crate::class;

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

/// Every command of the program, with its long options in the order of the alphabet.
fn commands() -> Vec<(String, Vec<String>)> {
    let whole = out(&program(&["--help"]).output().unwrap());
    let commands: Vec<&str> = whole
        .lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty())
        .filter(|line| !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert!(commands.len() > 10, "{whole}");
    let options = |command: &str| {
        let help = out(&program(&[command, "--help"]).output().unwrap());
        let mut options = options(&help);
        options.sort();
        options
    };
    let commands = commands.into_iter();
    commands
        .map(|command| (command.to_owned(), options(command)))
        .collect()
}

#[test]
fn bash_completes_every_command_and_option() {
    let words = offered(&[""]);
    for (command, options) in commands() {
        assert!(words.contains(&command), "{command}: {words:?}");
        let mut words = offered(&["--env-file", "file", &command, "--"]);
        words.sort();
        assert_eq!(words, options, "{command}");
    }
    assert_eq!(offered(&["help"]), ["help"]);
    assert_eq!(offered(&["help", "stat"]), ["status"]);
    assert_eq!(offered(&["status", "--js"]), ["--json"]);
    assert_eq!(offered(&["restore", ""]), ["FILES"]);
    assert_eq!(offered(&["check", "--env-file", ""]), ["FILES"]);
    assert_eq!(offered(&["--env-file", "=", ""]), ["FILES"]);
    assert_eq!(
        offered(&["--env-file", "=", "file", "he"]),
        ["healthcheck", "help"]
    );
    assert_eq!(offered(&["reconcile", ""]), [""; 1]);
}

#[test]
fn on_a_terminal_bash_and_zsh_complete_commands_options_and_accounts() {
    let class = class();
    let login = class.logins(1).remove(0);
    let name = login.username();
    for shell in ["bash", "zsh"] {
        let Some(mut shell) = Shell::start(shell, &class) else {
            continue;
        };
        let program = "coder-sms-register";
        for (typed, completed) in [
            ("heal", "healthcheck "),
            ("status --off", "status --offline "),
            ("status --watch 5 --off", "--watch 5 --offline "),
            ("help stat", "help status "),
            ("--env-file /etc/hostn", "--env-file /etc/hostname"),
            ("backup /etc/hostn", "backup /etc/hostname"),
            ("--env-file /etc/hostname reco", "reconcile "),
        ] {
            shell.completes(&format!("{program} {typed}"), completed);
        }
        for command in ["end", "extend", "renew"] {
            let typed = format!("{program} {command} {}", &name[..3]);
            shell.completes(&typed, &format!("{command} {name}"));
        }
        let words = shell.lists(&format!("{program} "));
        for (command, options) in commands() {
            assert!(words.contains(&command), "{words}");
            let words = shell.lists(&format!("{program} {command} --"));
            for option in options {
                assert!(words.contains(&option), "{command} {option}: {words}");
            }
        }
    }
}

#[test]
fn fish_completes_commands_options_and_accounts() {
    let class = class();
    let login = class.logins(1).remove(0);
    let offered = |typed: &str| fish_offers(&class, &format!("coder-sms-register {typed}"));
    let Some(words) = offered("") else {
        return;
    };
    for (command, options) in commands() {
        assert!(words.contains(&command), "{command}: {words:?}");
        let mut words = offered(&format!("--env-file file {command} --")).expect("fish");
        words.sort();
        assert_eq!(words, options, "{command}");
    }
    let name = login.username();
    for (typed, expected) in [
        ("stat", vec!["status"]),
        ("--env-file=/etc/hostname stat", vec!["status"]),
        ("help stat", vec!["status"]),
        ("backup /etc/hostn", vec!["/etc/hostname"]),
        ("--env-file /etc/hostn", vec!["/etc/hostname"]),
        ("end ", vec![name]),
        ("extend ", vec![name]),
        ("renew ", vec![name]),
        ("reconcile ", vec![]),
        ("status ", vec![]),
    ] {
        assert_eq!(offered(typed).expect("fish"), expected, "{typed}");
    }
}
