//! `config`: the settings as the program reads them.

use super::arguments::{Arguments, CommandError};
use super::{Command, complain_raw, harmless, print};
use crate::terminal::{Colours, Tone};

pub(super) const COMMAND: Command = Command {
    name: "config",
    operands: "",
    summary: "print the settings as they are understood, with secrets masked, or all faults in them",
    details: "\
The second column is the source of a value: set (environment or --env-file), file (NAME_FILE), credential
(systemd) or default. The text after = is how the program understands the value.
",
    options: "",
    run: show,
};

fn show(arguments: &mut Arguments) -> Result<(), CommandError> {
    arguments.end()?;
    let config = arguments.config()?;
    let label = Colours::of(&std::io::stderr()).paint(Tone::Warning, "warning:");
    for warning in &config.warnings {
        complain_raw(&format!("{label} {}", harmless(&warning.to_string())));
    }
    print(&config.table());
    Ok(())
}
