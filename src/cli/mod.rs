//! The command line: which of a few things to do, and how it ended.
//!
//! What is hidden here: help, exit codes, and all printing that is not the log. A command is a module
//! with a `Command` in it and a line in `COMMANDS`; it takes its own options from `Arguments`,
//! which sees to those that all commands have.

mod arguments;
mod backup;
mod check;
mod config;
mod dead_letters;
mod end;
mod extend;
mod folder_owner;
mod forget;
mod healthcheck;
mod help;
mod naming;
mod orders;
mod reconcile;
mod renew;
mod restore;
mod run;
mod selection;
mod status;
mod table;
pub(crate) mod terminal;

use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

use crate::similar::closest;
use arguments::{ArgumentWord, Arguments, CommandError};

/// The name by which the program speaks of itself.
const PROGRAM: &str = "coder-sms-register";

/// The service ended, could not start, or something asked for was not done, for a reason that lies
/// outside.
const FAILED: u8 = 1;
/// The command line or the configuration is wrong.
const MISUSED: u8 = 2;
/// Nothing is there that a command could act on.
const UNMATCHED: u8 = 3;

/// One thing that the program can be asked to do.
struct Command {
    /// The word that asks for it.
    name: &'static str,
    /// What may stand behind that word.
    operands: &'static str,
    /// One line for the list of commands.
    summary: &'static str,
    /// What `COMMAND --help` says besides; ends with a newline.
    details: &'static str,
    /// Its own options, a line each.
    options: &'static str,
    /// Does it.
    run: fn(&mut Arguments) -> Result<(), CommandError>,
}

/// Every command, in the order in which help lists them.
const COMMANDS: [&Command; 14] = [
    &run::COMMAND,
    &config::COMMAND,
    &check::COMMAND,
    &healthcheck::COMMAND,
    &status::COMMAND,
    &extend::COMMAND,
    &end::COMMAND,
    &renew::COMMAND,
    &forget::COMMAND,
    &dead_letters::RETRY,
    &dead_letters::DROP,
    &reconcile::COMMAND,
    &backup::COMMAND,
    &restore::COMMAND,
];

/// Does what `arguments` (without the program's name) ask for.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let mut arguments = Arguments::new(arguments);
    let (code, words) = match dispatch(&mut arguments) {
        Ok(()) => return ExitCode::SUCCESS,
        Err(CommandError::Help) => {
            print(&help::of(arguments.command()));
            return ExitCode::SUCCESS;
        }
        Err(CommandError::Version) => {
            print(&format!("{PROGRAM} {}\n", env!("CARGO_PKG_VERSION")));
            return ExitCode::SUCCESS;
        }
        Err(CommandError::Reported) => return ExitCode::from(FAILED),
        Err(CommandError::Misused(problem)) => (MISUSED, with_help(&arguments, &problem)),
        Err(CommandError::UnknownOption(option)) => {
            let problem = help::unknown_option(arguments.command(), &option);
            (MISUSED, with_help(&arguments, &problem))
        }
        Err(CommandError::Faulty(faults)) => (MISUSED, faults),
        Err(CommandError::Failed(error)) => (FAILED, error),
        Err(CommandError::Unmatched(what)) => (UNMATCHED, what),
    };
    complain(&format!("{PROGRAM}: {words}"));
    ExitCode::from(code)
}

/// A problem with the command line, and where to read how it is used.
fn with_help(arguments: &Arguments, problem: &str) -> String {
    let asked = arguments
        .command()
        .map_or_else(|| PROGRAM.to_owned(), |c| format!("{PROGRAM} {}", c.name));
    format!("{problem}; see {asked} --help")
}

fn dispatch(arguments: &mut Arguments) -> Result<(), CommandError> {
    let word = match arguments.next()? {
        None => return (run::COMMAND.run)(arguments),
        Some(ArgumentWord::Option(option)) => return Err(CommandError::unknown_option(&option)),
        Some(ArgumentWord::Value(word)) => word,
    };
    if word == "version" {
        return Err(CommandError::Version);
    }
    let asked = if word == "help" {
        match arguments.next()? {
            Some(ArgumentWord::Value(word)) => word,
            _ => return Err(CommandError::Help),
        }
    } else {
        word.clone()
    };
    let Some(command) = COMMANDS.iter().find(|command| asked == command.name) else {
        let names = COMMANDS.iter().map(|command| command.name);
        let meant = asked.to_str().and_then(|word| closest(word, names));
        let guess = meant.map_or_else(String::new, |name| format!(", did you mean {name}?"));
        return Err(CommandError::Misused(format!(
            "unknown command {asked:?}{guess}"
        )));
    };
    arguments.enter(command);
    if word == "help" {
        return Err(CommandError::Help);
    }
    (command.run)(arguments)
}

/// Prints to standard output; a closed pipe (`| head`) is no failure.
fn print(text: &str) {
    print_raw(&harmless(text));
}

/// The same for words that are all our own, and may move the cursor.
fn print_raw(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// Says something on standard error, where it does not mix with what was asked for.
fn complain(text: &str) {
    let _ = writeln!(std::io::stderr(), "{}", harmless(text));
}

/// Text in which nothing steers a terminal: names that Coder or Redis tell stand in it, and whoever chose
/// them shall not choose what an instructor sees.
fn harmless(text: &str) -> String {
    let steers = |c: char| c.is_control() && c != '\n';
    text.replace(steers, "\u{fffd}")
}

#[cfg(test)]
mod tests {
    use super::harmless;

    #[test]
    fn nothing_that_steers_a_terminal_is_printed() {
        for (text, shown) in [
            (
                "two\nlines, \u{e9} \u{2026}\n",
                "two\nlines, \u{e9} \u{2026}\n",
            ),
            ("\u{1b}[2Jgone", "\u{fffd}[2Jgone"),
            ("a\rb\u{7}\u{9b}31m", "a\u{fffd}b\u{fffd}\u{fffd}31m"),
        ] {
            assert_eq!(harmless(text), shown);
        }
    }
}
