//! `run`: the service itself.

use super::arguments::{Arguments, CommandError};
use super::{Command, PROGRAM, complain};
use crate::{logging, run};

pub(super) const COMMAND: Command = Command {
    name: "run",
    operands: "",
    summary: "run the service: accept texts, create accounts, remove them in time (the default)",
    details: "\
It stays in the foreground, logs to standard error, and stops within 5 seconds after SIGTERM or SIGINT.
",
    options: "",
    run: start,
};

fn start(arguments: &mut Arguments) -> Result<(), CommandError> {
    arguments.end()?;
    let config = arguments.config()?;
    if let Err(error) = logging::start(config.service.log_level) {
        complain(&format!("{PROGRAM}: {error}"));
    }
    run::run(config).map_err(|error| {
        log::error!("{error}");
        CommandError::Reported
    })
}
