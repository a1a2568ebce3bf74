//! `extend`: gives accounts more time.

use super::arguments::{Arguments, CommandError};
use super::orders::{OrderArguments, as_json};
use super::{Command, print};
use crate::config::{self, Config};
use crate::domain::order::Order;

pub(super) const COMMAND: Command = Command {
    name: "extend",
    operands: "USER...|--class NAME|--all TIME",
    summary: "give accounts more time; the service may be running or stopped",
    details: "\
USER is an account's username or e-mail address, in any case. TIME is minutes, or 90m, 2h, 1d. It is
added to the account's end, or to the present time if that end has passed. CODER_MAX_TIME limits the result.
If one of several names is not known, nothing is changed. The only settings that it needs are CODER_MAX_TIME
and CODER_REG_DATA_DIR or CODER_REG_ENV.

Exit codes: 0 done, 1 failure or not done for all named accounts, 2 wrong usage, 3 no such account
",
    options: OPTIONS,
    run: extend,
};

/// The options, for `--help`.
const OPTIONS: &str = "      --all            every account
      --class NAME     every account of this class
      --dry-run        print what would be done, and change nothing
      --yes            do not ask before --all, --class or more than 7 days
      --json           print one JSON object
";

fn extend(arguments: &mut Arguments) -> Result<(), CommandError> {
    let mut asked = OrderArguments::read(arguments, &[])?;
    let Some(time) = asked.selection.names.pop() else {
        return Err(CommandError::Misused(
            "USER and TIME are missing".to_owned(),
        ));
    };
    let by = config::minutes(&time).map_err(|_| CommandError::Misused(no_time(&time)))?;
    let longest = Config::max_time(arguments.vars()?)?;
    let order = Order::Extend { by, longest };
    let done = asked.carry_out(order, &arguments.data_dir()?)?;
    let dry_run = asked.selection.dry_run;
    if asked.selection.json {
        print(&format!("{}\n", as_json(order, &done, dry_run)));
    } else {
        asked.show(order, &done);
        asked.sum_up(order, &done, "");
    }
    if !done.applied.refused.is_empty() && !asked.means_many() {
        return Err(CommandError::Reported);
    }
    Ok(())
}

/// What is wrong with the last word, which is no TIME. A name never begins with a digit.
fn no_time(word: &str) -> String {
    if !word.starts_with(|c: char| c.is_ascii_digit()) {
        return format!(
            "TIME must be the last word, as in extend happy-tuna 30m, and {word:?} is none"
        );
    }
    format!(
        "{word:?} cannot be TIME: it is one number, of minutes or as in 90m, 2h or 1d, more than 0 and at most 10 years"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_last_word_that_is_no_time_is_told_what_a_time_is() {
        for (word, told) in [
            ("happy-tuna", "TIME must be the last word"),
            ("", "TIME must be the last word"),
            ("0", "more than 0"),
            ("0m", "more than 0"),
            ("1h30m", "one number"),
            ("1.5h", "one number"),
            ("30 x", "one number"),
            ("99999d", "at most 10 years"),
        ] {
            assert!(config::minutes(word).is_err(), "{word}");
            assert!(no_time(word).contains(told), "{word}");
        }
    }
}
