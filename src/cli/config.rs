//! `config`: what was understood of the settings.

use super::arguments::{Arguments, CommandError};
use super::{Command, complain, print};

pub(super) const COMMAND: Command = Command {
    name: "config",
    operands: "",
    summary: "print what was understood of the settings, secrets masked, or all that is wrong with them",
    details: "\
The second column says where a value comes from: set (environment or --env-file), file (NAME_FILE),
credential (systemd), default. Behind = stands what it was taken to mean.
",
    options: "",
    run: show,
};

fn show(arguments: &mut Arguments) -> Result<(), CommandError> {
    arguments.end()?;
    let config = arguments.config()?;
    for warning in &config.warnings {
        complain(&format!("warning: {warning}"));
    }
    print(&config.table());
    Ok(())
}
