//! Checks our token at Coder: its owner, its expiry and its rights.

use std::time::Duration;

use super::Notes;
use super::coder::{CoderFacts, skip_unless_general};
use crate::clock::unix_now;
use crate::coder::{Coder, CoderError, Nearness, Rights, Validity};
use crate::config::PartialConfig;
use crate::domain::{UnixSeconds, seconds, span};
use crate::token::RENEWAL;

/// How to get the right to set passwords.
pub(super) const PASSWORD_ROLE: &str = "no action is needed; up to Coder 2.35 only the role Owner has that right, with a token that expires after a week";

pub(super) fn token(
    coder: &Coder,
    _: &PartialConfig,
    found: &mut CoderFacts,
    notes: &mut Notes<'_>,
) -> Result<(), CoderError> {
    let holder = coder.holder()?;
    found.accepted = true;
    let name = holder.username.as_deref().unwrap_or("a user");
    let owner = if holder.owner { ", an owner" } else { "" };
    notes.pass(format!("the token belongs to {name}{owner}"));
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
            let class = parts.class.as_ref();
            let class = class.and_then(|class| class.last_end(now));
            judge_expiry(&validity, now, class, notes);
        }
        Err(error) => return skip_unless_general(error, "the token's expiry", notes),
    }
    Ok(())
}

fn judge_expiry(
    validity: &Validity,
    now: UnixSeconds,
    class: Option<Duration>,
    notes: &mut Notes<'_>,
) {
    let Some(expires_at) = validity.expires_at else {
        return notes.skip("the token's expiry", "as Coder does not report it");
    };
    let words = format!("the token {}", validity.describe(now));
    match class.map(seconds) {
        _ if validity.is_session => notes.warn(
            format!("{words}, but it is the session of a login, which ends when its user logs out or changes the password"),
            RENEWAL,
        ),
        Some(class) if expires_at - now < class && !validity.is_extended_by_use => notes.warn(
            format!(
                "{words}, but accounts may exist for another {}: they would not be removed",
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
        Ok(rights) => judge_rights(&rights, notes),
        Err(error) if error.is_unsupported_call() => notes.fault(
            "this version of Coder cannot tell what the token may do, so no account is removed",
            "update Coder to 2.24 or later",
        ),
        Err(error) if error.hides_default_organization() => {
            notes.fault(format!("cannot {error}"), error.cure());
        }
        Err(error) => return skip_unless_general(error, "what the token may do", notes),
    }
    Ok(())
}

/// Judges the rights that Coder itself reports (`POST /authcheck`). A list of workspaces would
/// prove nothing: it is empty as well for a token that may not see any.
fn judge_rights(rights: &Rights, notes: &mut Notes<'_>) {
    const USERS: &str = "give the token's user the role User Admin";
    const WORKSPACES: &str =
        "give the token's user the role Organization Admin of the default organization";
    for (may, what, effect, cure) in [
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
            ": students with running workspaces could not be removed",
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
            &format!("the token may not {what} (authcheck){effect}"),
            cure,
        );
    }
    judge_password_right(rights.set_passwords, notes);
}

fn judge_password_right(may: Option<bool>, notes: &mut Notes<'_>) {
    match may {
        Some(true) => notes.pass("it may set passwords of others (authcheck)"),
        Some(false) => notes.warn(
            "the token may not set passwords of others: students who ask again get the same login, unless they have changed its password",
            PASSWORD_ROLE,
        ),
        None => notes.warn(
            "this version of Coder cannot tell whether the token may set passwords of others",
            "test it with coder-sms-register check --write",
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
    fn a_tokens_expiry_is_compared_with_the_class() {
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
            let found = notes(|notes| judge_expiry(&validity, now, class, notes));
            assert_eq!(found[0].verdict, verdict, "{left}");
        }
    }

    #[test]
    fn a_session_is_not_a_token_for_a_service() {
        let validity = Validity {
            expires_at: Some(2_000),
            is_extended_by_use: true,
            is_session: true,
        };
        let found = notes(|notes| judge_expiry(&validity, 1_000, None, notes));
        assert_eq!(found[0].verdict, CheckStatus::Warning);
        let unknown = Validity {
            expires_at: None,
            ..validity
        };
        let found = notes(|notes| judge_expiry(&unknown, 1_000, None, notes));
        assert_eq!(found[0].verdict, CheckStatus::Skipped);
    }
}
