//! `healthcheck`: asks a running service how it is.

use super::arguments::{Arguments, CommandError};
use super::{Command, print};
use crate::config::Config;
use crate::healthcheck;

pub(super) const COMMAND: Command = Command {
    name: "healthcheck",
    operands: "",
    summary: "ask the running service whether it can take texts: prints ok, or says what is wrong",
    details: "\
It asks where CODER_REG_LISTEN says, needs no other setting, and takes 3 seconds at most.
",
    options: "",
    run: ask,
};

fn ask(arguments: &mut Arguments) -> Result<(), CommandError> {
    arguments.end()?;
    let listen = Config::listen(arguments.vars()?)?;
    healthcheck::ask(listen, healthcheck::LIMIT)
        .map_err(|why| CommandError::Failed(why.to_string()))?;
    print("ok\n");
    Ok(())
}
