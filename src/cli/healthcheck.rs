//! `healthcheck`: asks a running service for its health.

use super::arguments::{Arguments, CommandError};
use super::{Command, print};
use crate::config::Config;
use crate::healthcheck;

pub(super) const COMMAND: Command = Command {
    name: "healthcheck",
    operands: "",
    summary: "ask the running service whether it can take texts: prints ok, or says what is wrong",
    details: "\
After ok it prints what keeps students from being served although texts are taken, such as a Coder that \
does not answer: a line each, with what helps. It asks where CODER_REG_LISTEN says, needs no other setting, \
and takes 3 seconds at most.

Exit codes: 0 texts can be taken, 1 they cannot, 2 misused
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
