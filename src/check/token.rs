//! Our token at Coder: whose it is, until when it is good, and what it may do.

use std::time::Duration;

use super::Notes;
use super::coder::{CoderFacts, unless_everybodys};
use crate::clock::unix_now;
use crate::coder::{Coder, CoderError, Nearness, Rights, Validity};
use crate::config::PartialConfig;
use crate::domain::{UnixSeconds, seconds, span};
use crate::token::RENEWAL;

/// What brings the right to set passwords.
pub(super) const PASSWORD_ROLE: &str = "nothing has to be done; up to Coder 2.35 the role Owner brings that right, with a token that ends after a week";

pub(super) fn token(
    coder: &Coder,
    _: &PartialConfig,
    found: &mut CoderFacts,
    notes: &mut Notes<'_>,
) -> Result<(), CoderError> {
    let holder = coder.holder()?;
    found.let_in = true;
    let name = holder.username.as_deref().unwrap_or("a user");
    let owner = if holder.owner { ", an owner" } else { "" };
    notes.pass(format!("the token is that of {name}{owner}"));
    Ok(())
}

pub(super) fn expiry(
    coder: &Coder,
    parts: &PartialConfig,
    _: &mut CoderFacts,
    notes: &mut Notes<'_>,
) -> Result<(), CoderError> {
    let now = unix_now();
    match coder.validity(now) {
        Ok(validity) => {
            let class = parts.class.as_ref().and_then(|class| class.remove_after);
            time_left(&validity, now, class, notes);
        }
        Err(fault) => return unless_everybodys(fault, "the token's time", notes),
    }
    Ok(())
}

fn time_left(
    validity: &Validity,
    now: UnixSeconds,
    class: Option<Duration>,
    notes: &mut Notes<'_>,
) {
    let Some(expires_at) = validity.expires_at else {
        return notes.skip("the token's time", "as Coder does not tell it");
    };
    let words = format!("the token {}", validity.describe(now));
    match class.map(seconds) {
        _ if validity.is_session => notes.warn(
            format!("{words}, but it is the session of a login, which ends when its user logs out or gets another password"),
            RENEWAL,
        ),
        Some(class) if expires_at - now < class && !validity.is_extended_by_use => notes.warn(
            format!(
                "{words}, and accounts live for {}: they would not be removed",
                span(class)
            ),
            RENEWAL,
        ),
        _ if validity.nearness(now) > Nearness::Far => notes.warn(words, RENEWAL),
        _ => notes.pass(words),
    }
}

pub(super) fn rights(
    coder: &Coder,
    _: &PartialConfig,
    _: &mut CoderFacts,
    notes: &mut Notes<'_>,
) -> Result<(), CoderError> {
    match coder.rights() {
        Ok(rights) => allowances(&rights, notes),
        Err(fault) if fault.is_unsupported_call() => notes.fault(
            "this Coder cannot be asked what the token may do, so no account is removed",
            "update Coder to 2.24 or later",
        ),
        Err(fault) => return unless_everybodys(fault, "what the token may do", notes),
    }
    Ok(())
}

/// By Coder's own word (`POST /authcheck`), for a workspace of somebody else: a list of workspaces is
/// empty as well for a token that may not see any.
fn allowances(rights: &Rights, notes: &mut Notes<'_>) {
    const USERS: &str = "give the token's user the role User Admin";
    const WORKSPACES: &str =
        "give the token's user the role Organization Admin of the default organization";
    for (may, what, so, cure) in [
        (rights.see_users, "see users", "", USERS),
        (
            rights.create_users,
            "create users in the default organization",
            "",
            USERS,
        ),
        (rights.update_users, "suspend users", "", USERS),
        (rights.delete_users, "delete users", "", USERS),
        (
            rights.see_workspaces,
            "see workspaces of others",
            ": their students could not be removed",
            WORKSPACES,
        ),
        (
            rights.stop_workspaces,
            "stop workspaces of others",
            ": those that run on would keep their students here",
            WORKSPACES,
        ),
        (
            rights.delete_workspaces,
            "delete workspaces of others",
            ": their students could not be removed",
            WORKSPACES,
        ),
    ] {
        notes.judge(
            may,
            &format!("it may {what} (authcheck)"),
            &format!("the token may not {what} (authcheck){so}"),
            cure,
        );
    }
    passwords_of_others(rights.set_passwords, notes);
}

fn passwords_of_others(may: Option<bool>, notes: &mut Notes<'_>) {
    match may {
        Some(true) => notes.pass("it may set passwords of others (authcheck)"),
        Some(false) => notes.warn(
            "the token may not set passwords of others: students get the same login again, but not once they have changed its password",
            PASSWORD_ROLE,
        ),
        None => notes.warn(
            "whether the token may set passwords of others cannot be asked of this Coder",
            "coder-sms-register check --write tries it",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{Area, CheckStatus, Finding};

    fn notes(judge: impl FnOnce(&mut Notes<'_>)) -> Vec<Finding> {
        let mut all = Vec::new();
        judge(&mut Notes::of(Area::Coder, &mut all));
        all
    }

    #[test]
    fn a_tokens_time_is_held_against_the_class() {
        let (hour, now) = (3_600, 1_795_000_000);
        let class = Some(Duration::from_secs(12 * 3_600));
        for (left, prolonged, class, verdict) in [
            (11 * hour, false, class, CheckStatus::Warning),
            (13 * hour, false, class, CheckStatus::Warning),
            (71 * hour, false, class, CheckStatus::Warning),
            (73 * hour, false, class, CheckStatus::Pass),
            (167 * hour, false, class, CheckStatus::Pass),
            (167 * hour, false, None, CheckStatus::Pass),
            (30 * hour, false, None, CheckStatus::Warning),
            (5 * hour, true, class, CheckStatus::Pass),
            (-hour, false, None, CheckStatus::Warning),
        ] {
            let validity = Validity {
                expires_at: Some(now + left),
                is_extended_by_use: prolonged,
                is_session: false,
            };
            let found = notes(|notes| time_left(&validity, now, class, notes));
            assert_eq!(found[0].verdict, verdict, "{left}");
        }
    }

    #[test]
    fn a_session_is_no_token_for_a_service() {
        let validity = Validity {
            expires_at: Some(2_000),
            is_extended_by_use: true,
            is_session: true,
        };
        let found = notes(|notes| time_left(&validity, 1_000, None, notes));
        assert_eq!(found[0].verdict, CheckStatus::Warning);
        let unknown = Validity {
            expires_at: None,
            ..validity
        };
        let found = notes(|notes| time_left(&unknown, 1_000, None, notes));
        assert_eq!(found[0].verdict, CheckStatus::Skipped);
    }
}
