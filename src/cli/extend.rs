//! `extend`: accounts live longer.

use super::Command;
use super::arguments::{Arguments, Failure};
use super::class::{Asked, OPTIONS};
use crate::config::{self, Config};
use crate::hand::Order;

pub(super) const COMMAND: Command = Command {
    name: "extend",
    operands: "USER...|--all TIME",
    summary: "let accounts live longer by TIME; the service may be running or not",
    details: "\
USER is an account's username, in any case. TIME is minutes, or 90m, 2h, 1d; it counts from when the
account's time would be up, or from now if it is. CODER_MAX_TIME limits it. If one of several names is not
known nothing is changed. Needs no settings but these and CODER_REG_DATA_DIR or CODER_REG_ENV.

Exit codes: 0 done, 1 failed or not done for all that were named, 2 misused, 3 no such account
",
    options: OPTIONS,
    run: extend,
};

fn extend(arguments: &mut Arguments) -> Result<(), Failure> {
    let mut asked = Asked::read(arguments)?;
    let Some(time) = asked.words.pop() else {
        return Err(Failure::Misused("USER and TIME are missing".to_owned()));
    };
    let by = config::minutes(&time).map_err(|problem| {
        Failure::Misused(format!(
            "TIME comes last, as in extend happy-tuna 30m: {problem}"
        ))
    })?;
    let longest = Config::max_time(arguments.vars()?)?;
    asked.carry_out(Order::Extend { by, longest }, &arguments.data_dir()?)
}
