//! The text of `--help`.

use super::{COMMANDS, Command, EXIT_CODES, PROGRAM};
use crate::config::{CLASS_SETTINGS, SETTINGS, Setting};
use crate::similar::closest;
use crate::terminal::hanging;

/// The width of help, in columns.
const WIDTH: usize = 80;

/// The column in which the meaning of an option begins.
const MEANING: usize = 23;

/// The options of all commands.
pub(super) const OPTIONS: &str = "      --env-file FILE  read settings from FILE, in the form of .env-template; the environment takes precedence
  -h, --help           print help, also of one command: COMMAND --help
  -V, --version        print the version
";

/// The help of one command, or of the program.
pub(super) fn of(command: Option<&Command>) -> String {
    let Some(command) = command else {
        return whole();
    };
    let gap = if command.operands.is_empty() { "" } else { " " };
    let settings = if command.name == super::config::COMMAND.name {
        settings()
    } else {
        String::new()
    };
    format!(
        "{}\n\nUsage: {PROGRAM} {}{gap}{} [OPTIONS]\n\n{}\n\nOptions:\n{}{}{settings}",
        hanging(&sentence(command.summary), WIDTH, 0),
        command.name,
        command.operands,
        paragraphs(command.details),
        options(command.options),
        options(OPTIONS),
    )
}

/// The paragraphs of `text`, in lines of at most [`WIDTH`] columns.
fn paragraphs(text: &str) -> String {
    let all = text.trim_end().split("\n\n");
    let all = all.map(|one| hanging(one, WIDTH, 0));
    all.collect::<Vec<_>>().join("\n\n")
}

/// Options, one per line, with their meanings in one column.
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

/// The message about an option that `command` does not have.
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

/// `summary` with a capital letter and a full stop.
pub(super) fn sentence(summary: &str) -> String {
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
{}

Settings are environment variables. They are listed by {PROGRAM}
config --help and by the manual page: man {PROGRAM}
",
        options(OPTIONS),
        hanging(&exit_codes(), WIDTH, 0)
    )
}

fn exit_codes() -> String {
    let code = |(code, meaning): &(u8, &str)| format!("{code} {meaning}");
    let codes: Vec<String> = EXIT_CODES.iter().map(code).collect();
    format!("Exit codes: {}", codes.join(", "))
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
    let intro = "Settings are environment variables; * = required, + = a secret, which may also be read from the file that NAME_FILE names, or from a credential of systemd:";
    let lines: String = SETTINGS.iter().chain(CLASS_SETTINGS).map(line).collect();
    format!("\n{}\n{lines}", hanging(intro, WIDTH, 0))
}
