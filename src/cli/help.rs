//! What `--help` says.

use super::{COMMANDS, Command, PROGRAM};
use crate::config::{SETTINGS, Setting};
use crate::similar::closest;

const OPTIONS: &str = "      --env-file FILE  read settings from FILE, in the form of .env-template; what is set in the
                       environment wins
  -h, --help           print help, also of one command: COMMAND --help
  -V, --version        print the version
";

/// Of one command, or of all.
pub(super) fn of(command: Option<&Command>) -> String {
    let Some(command) = command else {
        return whole();
    };
    let blank = if command.operands.is_empty() { "" } else { " " };
    format!(
        "{}\n\nUsage: {PROGRAM} {}{blank}{} [OPTIONS]\n\n{}\nOptions:\n{}{OPTIONS}",
        sentence(command.summary),
        command.name,
        command.operands,
        command.details,
        command.options,
    )
}

/// What is wrong with an option that `command` does not have.
pub(super) fn unknown_option(command: Option<&Command>, option: &str) -> String {
    let dashes = if option.chars().count() == 1 {
        "-"
    } else {
        "--"
    };
    let own = command.map_or("", |command| command.options);
    let names = [own, OPTIONS].into_iter().flat_map(str::split_whitespace);
    let names = names.filter_map(|word| word.strip_prefix("--"));
    let guess =
        closest(option, names).map_or_else(String::new, |name| format!(", did you mean --{name}?"));
    format!("unknown option {dashes}{option}{guess}")
}

fn sentence(summary: &str) -> String {
    let mut chars = summary.chars();
    let first = chars.next().map(|c| c.to_ascii_uppercase());
    first.into_iter().chain(chars).collect::<String>() + "."
}

fn whole() -> String {
    let width = COMMANDS.iter().map(|c| c.name.len()).max().unwrap_or(0);
    let commands: String = COMMANDS
        .iter()
        .map(|c| format!("  {:width$}  {}\n", c.name, c.summary))
        .collect();
    format!(
        "\
Students text a phrase and get a temporary Coder account.

Usage: {PROGRAM} [COMMAND] [OPTIONS]

Commands:
{commands}
Options:
{OPTIONS}
Exit codes: 0 all well, 1 it failed, 2 wrong command line or settings, 3 nothing to act on

Settings are environment variables; * = must be set, + = may also be given as a file, by NAME_FILE, or
as a credential of systemd:
{}",
        settings()
    )
}

fn settings() -> String {
    let names = SETTINGS.iter().map(|setting| setting.name.len());
    let width = names.max().unwrap_or(0);
    let line = |setting: &Setting| {
        let required = if setting.required { '*' } else { ' ' };
        let file = if setting.secret { '+' } else { ' ' };
        let unit = match setting.measure().as_str() {
            "" => String::new(),
            unit => format!(" [{unit}]"),
        };
        let default = setting
            .default
            .map_or_else(String::new, |d| format!(" (default: {d})"));
        format!(
            "  {required}{file} {:width$}  {}{unit}{default}\n",
            setting.name, setting.meaning
        )
    };
    SETTINGS.iter().map(line).collect()
}
