//! What `--help` says.

use super::terminal::hanging;
use super::{COMMANDS, Command, PROGRAM};
use crate::config::{SETTINGS, Setting};
use crate::similar::closest;

/// How wide help is.
const WIDTH: usize = 80;

/// Where the meaning of an option begins.
const MEANING: usize = 23;

const OPTIONS: &str = "      --env-file FILE  read settings from FILE, in the form of .env-template; what is set in the environment wins
  -h, --help           print help, also of one command: COMMAND --help
  -V, --version        print the version
";

/// Of one command, or of all.
pub(super) fn of(command: Option<&Command>) -> String {
    let Some(command) = command else {
        return whole();
    };
    let blank = if command.operands.is_empty() { "" } else { " " };
    let settings = if command.name == super::config::COMMAND.name {
        settings()
    } else {
        String::new()
    };
    format!(
        "{}\n\nUsage: {PROGRAM} {}{blank}{} [OPTIONS]\n\n{}\n\nOptions:\n{}{}{settings}",
        hanging(&sentence(command.summary), WIDTH, 0),
        command.name,
        command.operands,
        paragraphs(command.details),
        options(command.options),
        options(OPTIONS),
    )
}

/// Paragraphs, an empty line between them, in lines of our width.
fn paragraphs(text: &str) -> String {
    let all = text.trim_end().split("\n\n");
    let all = all.map(|one| hanging(one, WIDTH, 0));
    all.collect::<Vec<_>>().join("\n\n")
}

/// Options, a line each, with their meanings below each other.
fn options(lines: &str) -> String {
    let line = |line: &str| {
        let words = line.trim_start();
        let indent = line.len() - words.len();
        let (name, meaning) = words.split_once("  ").unwrap_or((words, ""));
        let name = format!("{:indent$}{name}", "");
        let start = if name.len() + 2 > MEANING {
            format!("{name}\n{:MEANING$}", "")
        } else {
            format!("{name:MEANING$}")
        };
        format!("{start}{}\n", hanging(meaning.trim(), WIDTH, MEANING))
    };
    lines.lines().map(line).collect()
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
        .map(|c| {
            format!(
                "  {:width$}  {}\n",
                c.name,
                hanging(c.summary, WIDTH, width + 4)
            )
        })
        .collect();
    format!(
        "\
Students text a phrase and get a temporary Coder account.

Usage: {PROGRAM} [COMMAND] [OPTIONS]

Commands:
{commands}
Options:
{}
Exit codes: 0 all well, 1 it failed, 2 wrong command line or settings, 3 nothing
to act on

Settings are environment variables. {PROGRAM} config --help lists them;
so does the manual page: man {PROGRAM}
",
        options(OPTIONS)
    )
}

fn settings() -> String {
    const INDENT: usize = 9;
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
        let meaning = format!("{}{unit}{default}", setting.meaning);
        format!(
            "  {required}{file} {}\n{:INDENT$}{}\n",
            setting.name,
            "",
            hanging(&meaning, WIDTH, INDENT)
        )
    };
    let intro = "Settings are environment variables; * = must be set, + = may also be given as a file, by NAME_FILE, or as a credential of systemd:";
    let lines: String = SETTINGS.iter().map(line).collect();
    format!("\n{}\n{lines}", hanging(intro, WIDTH, 0))
}
