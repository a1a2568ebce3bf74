//! Commands, options, make targets and settings that a document names exist.

use std::collections::BTreeMap;
use std::process::Command;

use coder_sms_register::config::is_setting;
use support::faults::PROOFS;

use super::{pages, read, root};

const PROGRAM: &str = "coder-sms-register";

fn help(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_coder-sms-register"))
        .env_clear()
        .args(arguments)
        .output()
        .unwrap();
    assert!(output.status.success(), "{arguments:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Every command with what its help says.
fn commands() -> BTreeMap<String, String> {
    let whole = help(&["--help"]);
    let lines = whole
        .lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty());
    let names = lines.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let names = names.filter_map(|line| line.split_whitespace().next());
    names
        .map(|name| (name.to_owned(), help(&[name, "--help"])))
        .collect()
}

/// The words of one command line, up to what a shell takes as its end.
fn words(line: &str) -> Vec<&str> {
    let ends = |word: &&str| ["&&", "|", "#", ";", "<", ">"].contains(word);
    line.split_whitespace()
        .map(|word| word.trim_end_matches([';', ',', ')']))
        .take_while(|word| !ends(word))
        .collect()
}

/// Fails if one of `words` is an option that the command does not have.
fn knows_options(help: &str, words: &[&str], place: &str) -> usize {
    let options = words.iter().filter(|word| word.starts_with("--"));
    let mut count = 0;
    for option in options {
        let name = option.split('=').next().unwrap();
        let known = help
            .split_whitespace()
            .any(|word| word.trim_end_matches(',') == name);
        assert!(known, "{place}: no option {name}");
        count += 1;
    }
    count
}

#[test]
fn every_command_and_option_that_a_page_names_exists() {
    let commands = commands();
    let whole = help(&["--help"]);
    assert!(commands.len() >= 14, "{commands:?}");
    let (mut named, mut options) = (0, 0);
    for page in pages() {
        for code in page.code() {
            let place = format!("{}: {code}", page.name);
            let called = code.match_indices(PROGRAM).filter(|(at, _)| {
                let before = code[..*at].chars().next_back();
                before.is_none_or(char::is_whitespace)
            });
            for (at, _) in called {
                let Some(rest) = code[at + PROGRAM.len()..].strip_prefix(' ') else {
                    continue;
                };
                let words = words(rest);
                let name = words.iter().find(|word| !word.starts_with('-'));
                let name = name.filter(|word| word.chars().all(|c| c.is_ascii_lowercase()));
                let help = name.map_or(&whole, |name| {
                    named += 1;
                    commands
                        .get(*name)
                        .unwrap_or_else(|| panic!("{place}: no command {name}"))
                });
                options += knows_options(help, &words, &place);
            }
            // Short forms, such as `end --all`.
            let words = words(&code);
            if let Some(help) = words.first().and_then(|word| commands.get(*word)) {
                options += knows_options(help, &words, &place);
            }
        }
    }
    assert!(
        named >= 20 && options >= 20,
        "{named} commands, {options} options"
    );
}

#[test]
fn the_readme_and_the_page_of_commands_name_every_command() {
    for name in ["README.md", "docs/commands.md"] {
        let pages = pages();
        let page = pages.iter().find(|page| page.name == name).unwrap();
        let code = page.code();
        for command in commands().keys() {
            let named = |code: &String| code.split_whitespace().any(|word| word == command);
            assert!(code.iter().any(named), "{name} does not name {command}");
        }
    }
}

#[test]
fn every_make_target_that_a_page_names_exists() {
    let makefile = read(&root().join("Makefile"));
    let mut seen = 0;
    for page in pages() {
        for code in page.code() {
            let words: Vec<&str> = code.split_whitespace().collect();
            for (at, pair) in words.windows(2).enumerate() {
                // A call stands first, or behind `sudo`, `&&` or `NAME=value`; elsewhere it is a word.
                let before = at.checked_sub(1).map_or("&&", |at| words[at]);
                let called = ["sudo", "&&"].contains(&before) || before.contains('=');
                let target = pair[1].trim_end_matches([';', ',', ')']);
                let is_target = target.starts_with(|c: char| c.is_ascii_lowercase());
                if pair[0] != "make" || !called || !is_target {
                    continue;
                }
                let known = makefile.contains(&format!("\n{target}:"));
                assert!(known, "{} names make {target}", page.name);
                seen += 1;
            }
        }
    }
    assert!(seen >= 20, "only {seen} targets are named");
}

/// Settings of other programs that our pages name, one that they name as misspelt, and the beginning of those of
/// classes.
const OF_OTHERS: &[&str] = &[
    "CADDY_GLOBAL_OPTIONS",
    "CODER_API_RATE_LIMIT",
    "CODER_CLASS_",
    "CODER_PROXY_TRUSTED_HEADERS",
    "CODER_PROXY_TRUSTED_ORIGINS",
    "CODER_REMOVETIME",
    "CODER_TEST_START",
    "CODER_TEST_STOP",
    "CODER_WILDCARD_ACCESS_URL",
    "COMPOSE_PROFILES",
    "SMS_PUBLISH",
];

#[test]
fn every_setting_that_a_page_names_exists() {
    let prefixes = [
        "TWILIO_", "CODER_", "REDIS_", "SMS_", "COMPOSE_", "FROM_", "CADDY_",
    ];
    let mut seen = 0;
    for page in pages() {
        let part_of_name = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
        for word in page.text.split(|c| !part_of_name(c)) {
            if !prefixes.iter().any(|prefix| word.starts_with(prefix)) {
                continue;
            }
            let known = is_setting(word) || OF_OTHERS.contains(&word);
            assert!(known, "{}: {word} is not a setting", page.name);
            seen += 1;
        }
    }
    assert!(seen >= 100, "only {seen} settings are named");
}

#[test]
fn the_readme_is_read_in_one_go() {
    let lines = read(&root().join("README.md")).lines().count();
    assert!(
        lines <= 225,
        "README.md has {lines} lines: move a part to a page"
    );
}

#[test]
fn every_proof_and_test_that_the_table_of_promises_names_exists() {
    let topics = read(&root().join("tests/it/main.rs"));
    let page = read(&root().join("docs/reliability.md"));
    let mut seen = 0;
    for row in page.lines().filter(|line| line.starts_with("| P")) {
        let last = row.trim_end_matches([' ', '|']).rsplit('|').next().unwrap();
        for part in last.split(';').map(str::trim) {
            let names = part.split('`').skip(1).step_by(2);
            for name in names.filter(|name| !name.contains(' ')) {
                let known = match part.starts_with("tests ") {
                    true => topics.contains(&format!("\nmod {name};\n")),
                    false => PROOFS.iter().any(|proof| proof.name == name),
                };
                assert!(known, "{name} of {row}");
                seen += 1;
            }
        }
    }
    assert!(seen >= 40, "only {seen} names");
}
