//! `healthcheck`: asks the running service for its health.

use super::arguments::{Arguments, CommandError};
use super::{Command, print};
use crate::config::Config;
use crate::healthcheck;

pub(super) const COMMAND: Command = Command {
    name: "healthcheck",
    operands: "",
    summary: "ask the running service whether it can accept texts; print ok or what is wrong",
    details: "\
After ok it prints a line for each thing that keeps students from being served although texts are accepted, or \
delays them, for example a Coder that does not answer, and what to do.

It connects to the address in CODER_REG_LISTEN, needs no other setting, and takes at most 3 seconds.
",
    options: "",
    run: ask,
};

fn ask(arguments: &mut Arguments) -> Result<(), CommandError> {
    arguments.end()?;
    let listen = Config::listen(arguments.vars()?)?;
    let obstacles = healthcheck::ask(listen, healthcheck::LIMIT)
        .map_err(|why| CommandError::Failed(why.to_string()))?;
    print("ok\n");
    for obstacle in obstacles {
        print(&format!("{obstacle}\n"));
    }
    Ok(())
}
