//! The command line: which of a few things to do, and how it ended.

use std::io::Write;
use std::process::ExitCode;

use crate::config::{Config, SETTINGS, Setting};
use crate::{logging, run};

/// The service ended, or could not start, for a reason that lies outside.
const FAILED: u8 = 1;
/// The command line or the configuration is wrong.
const MISUSED: u8 = 2;

const USAGE: &str = "\
Students text a phrase and get a temporary Coder account.

Usage: coder-sms-register [COMMAND]

Commands:
  run      take texts, make accounts, remove them in time (the default)
  config   print what was understood of the settings, secrets masked, or all that is wrong with them

Options:
  -h, --help       print this
  -V, --version    print the version

Exit codes: 0 all well, 1 the service failed, 2 wrong command line or settings

Settings are environment variables; * = must be set, + = may also be given as a file, by NAME_FILE:
";

/// Does what `arguments` (without the program's name) ask for.
pub fn main(arguments: impl IntoIterator<Item = String>) -> ExitCode {
    let arguments: Vec<String> = arguments.into_iter().collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        [] | ["run"] => run_service(),
        ["config"] => show_config(),
        ["-h" | "--help" | "help"] | ["run" | "config", "-h" | "--help"] => print(&help()),
        ["-V" | "--version" | "version"] => print(concat!(
            "coder-sms-register ",
            env!("CARGO_PKG_VERSION"),
            "\n"
        )),
        _ => {
            complain(&format!(
                "coder-sms-register: unknown command {:?}; see coder-sms-register --help",
                words.join(" ")
            ));
            ExitCode::from(MISUSED)
        }
    }
}

fn run_service() -> ExitCode {
    let config = match Config::from_env() {
        Ok(config) => config,
        Err(faults) => {
            complain(&format!("coder-sms-register: {faults}"));
            return ExitCode::from(MISUSED);
        }
    };
    if let Err(error) = logging::start(config.log_level) {
        complain(&format!("coder-sms-register: {error}"));
    }
    match run::run(config) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            log::error!("{error}");
            ExitCode::from(FAILED)
        }
    }
}

fn show_config() -> ExitCode {
    match Config::from_env() {
        Ok(config) => {
            for warning in &config.warnings {
                complain(&format!("warning: {warning}"));
            }
            print(&config.table())
        }
        Err(faults) => {
            complain(&format!("coder-sms-register: {faults}"));
            ExitCode::from(MISUSED)
        }
    }
}

fn help() -> String {
    let width = SETTINGS
        .iter()
        .map(|setting| setting.name.len())
        .max()
        .unwrap_or(0);
    let line = |setting: &Setting| {
        let required = if setting.required { '*' } else { ' ' };
        let file = if setting.secret { '+' } else { ' ' };
        let unit = match setting.unit.name() {
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
    USAGE.to_owned() + &SETTINGS.iter().map(line).collect::<String>()
}

/// Prints to standard output; a closed pipe (`| head`) is no failure.
fn print(text: &str) -> ExitCode {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    ExitCode::SUCCESS
}

fn complain(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
