//! `end`: accounts' time is up.

use super::Command;
use super::arguments::{Arguments, Failure};
use super::class::{Asked, OPTIONS};
use crate::hand::Order;

pub(super) const COMMAND: Command = Command {
    name: "end",
    operands: "USER...|--all",
    summary: "end the time of accounts now; the service may be running or not",
    details: "\
USER is an account's username, in any case. A running service removes the account within seconds, as any
account whose time is up: one with a workspace that still runs waits for it, or has it stopped after
CODER_STOP_AFTER. Texts that came before count no more; who texts the phrase afterwards gets a login again.
If one of several names is not known nothing is changed. Needs no settings but CODER_REG_DATA_DIR or
CODER_REG_ENV.

Exit codes: 0 done, 1 failed, 2 misused, 3 no such account
",
    options: OPTIONS,
    run: end,
};

fn end(arguments: &mut Arguments) -> Result<(), Failure> {
    let asked = Asked::read(arguments)?;
    asked.carry_out(Order::End, &arguments.data_dir()?)
}
