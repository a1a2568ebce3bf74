//! The command line: the commands, their help and their exit codes.
//!
//! All printing except the log is done here. A command is a module with a `Command` in it and a line in
//! `COMMANDS`. It reads its own options from `Arguments`, which reads the options that all commands have.

mod arguments;
mod backup;
mod campaign;
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
#[cfg(test)]
mod pages;
mod projector;
mod reconcile;
mod renew;
mod restore;
mod run;
mod selection;
mod status;
mod table;

use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

use crate::similar::closest;
use crate::terminal::{self, Colours, Tone};
use arguments::{ArgumentWord, Arguments, CommandError};

/// The name of the program in its messages.
const PROGRAM: &str = "coder-sms-register";

/// The service ended or could not start, or a command did not do all of its work, for a reason outside the
/// program.
const FAILED: u8 = 1;
/// The command line or the configuration is wrong.
const MISUSED: u8 = 2;
/// There is nothing that a command could act on.
const UNMATCHED: u8 = 3;

/// Every exit code and its meaning, for help and the manual page.
const EXIT_CODES: [(u8, &str); 4] = [
    (0, "success"),
    (FAILED, "failure"),
    (MISUSED, "wrong command line or settings"),
    (UNMATCHED, "nothing to act on"),
];

/// One command of the program.
struct Command {
    /// The word on the command line.
    name: &'static str,
    /// What may follow that word.
    operands: &'static str,
    /// One line for the list of commands.
    summary: &'static str,
    /// The paragraphs of `COMMAND --help`, an empty line between them; ends with a newline.
    details: &'static str,
    /// The options of this command only, one per line.
    options: &'static str,
    /// Carries the command out.
    run: fn(&mut Arguments) -> Result<(), CommandError>,
}

/// Every command, in the order of the list in help.
const COMMANDS: [&Command; 16] = [
    &run::COMMAND,
    &config::COMMAND,
    &check::COMMAND,
    &healthcheck::COMMAND,
    &status::COMMAND,
    &projector::COMMAND,
    &extend::COMMAND,
    &end::COMMAND,
    &renew::COMMAND,
    &forget::COMMAND,
    &dead_letters::RETRY,
    &dead_letters::DROP,
    &reconcile::COMMAND,
    &campaign::COMMAND,
    &backup::COMMAND,
    &restore::COMMAND,
];

/// Runs the command in `arguments`, which do not include the program's name.
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
        Err(CommandError::Faulty(problem)) => (MISUSED, problem),
        Err(CommandError::FaultySettings(faults)) => {
            let width = terminal::width_of(&std::io::stderr());
            (MISUSED, faults.told(&arguments.sources(), width))
        }
        Err(CommandError::Failed(error)) => (FAILED, error),
        Err(CommandError::Unmatched(what)) => (UNMATCHED, what),
    };
    let label = Colours::of(&std::io::stderr()).paint(Tone::Fault, &format!("{PROGRAM}:"));
    complain_raw(&format!("{label} {}", harmless(&words)));
    ExitCode::from(code)
}

/// A problem with the command line, with a pointer to the help.
fn with_help(arguments: &Arguments, problem: &str) -> String {
    let command = arguments
        .command()
        .map_or_else(|| PROGRAM.to_owned(), |c| format!("{PROGRAM} {}", c.name));
    format!("{problem}; see {command} --help")
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
    let name = if word == "help" {
        match arguments.next()? {
            Some(ArgumentWord::Value(word)) => word,
            _ => return Err(CommandError::Help),
        }
    } else {
        word.clone()
    };
    let Some(command) = COMMANDS.iter().find(|command| name == command.name) else {
        let names = COMMANDS.iter().map(|command| command.name);
        let meant = name.to_str().and_then(|word| closest(word, names));
        let guess = meant.map_or_else(String::new, |name| format!(", did you mean {name}?"));
        return Err(CommandError::Misused(format!(
            "unknown command {name:?}{guess}"
        )));
    };
    arguments.enter(command);
    if word == "help" {
        return Err(CommandError::Help);
    }
    (command.run)(arguments)
}

/// Prints to standard output. A closed pipe (`| head`) is not a failure.
fn print(text: &str) {
    print_raw(&harmless(text));
}

/// Prints text that may contain control sequences. Its parts from outside must be [`harmless`].
fn print_raw(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// Prints a line to standard error.
fn complain(text: &str) {
    complain_raw(&harmless(text));
}

/// The same for text that may contain control sequences. Its parts from outside must be [`harmless`].
fn complain_raw(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// `text` without control characters. It may contain names from Coder or Redis, and such a name must not be
/// able to control the operator's terminal.
fn harmless(text: &str) -> String {
    let is_control = |c: char| c.is_control() && c != '\n';
    text.replace(is_control, "\u{fffd}")
}

#[cfg(test)]
mod tests {
    use super::harmless;

    #[test]
    fn control_characters_are_not_printed() {
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
