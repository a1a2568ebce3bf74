//! Twilio: are the keys right, is the number ours, do its texts come to us, do carriers take ours?
//!
//! - here: the account and its keys
//! - `sender`: the number, short code or Messaging Service, and where its texts go
//! - `signing`: what webhooks are signed with
//! - `registration`: what carriers know of it
//! - `cures`: what helps where Twilio refuses

mod cures;
mod registration;
mod sender;
mod signing;

use super::{Notes, webhook_target};
use crate::config::{PartialConfig, TwilioConfig};
use crate::domain::UnixSeconds;
use crate::http::Http;
use crate::twilio::account::{Account, TokenCheck};
use crate::twilio::sms::SmsError;

/// What later looks have to know.
#[derive(Default)]
pub(super) struct TwilioFacts {
    /// Seconds by which our clock is ahead of Twilio's, as it tells it; `None` = it was not reached.
    pub(super) clock_ahead: Option<Option<UnixSeconds>>,
}

/// A look ended early, and the reason was noted.
struct EndedEarly;

type StepResult = Result<(), EndedEarly>;

const SENDER: &str = "the number or Messaging Service, its webhook and its registration";

pub(super) fn inspect(parts: &PartialConfig, http: &Http, notes: &mut Notes<'_>) -> TwilioFacts {
    let config = match &parts.twilio {
        Some(config) if !parts.is_faulty(&["TWILIO_", "FROM_NUM"]) => config,
        _ => {
            notes.skip("Twilio", "as its settings have faults");
            return TwilioFacts::default();
        }
    };
    let mut account = Account::new(http.clone(), config);
    match keys(config, &mut account, notes) {
        Ok(is_told) => {
            signing::inspect(config, &account, notes);
            // What is missing is noted where it was asked for.
            let has_campaign = sender::inspect(config, &account, notes).unwrap_or(false);
            if !is_told {
                untold_type(has_campaign, notes);
            }
        }
        Err(EndedEarly) => notes.skip(SENDER, "as nothing is let in at Twilio"),
    }
    TwilioFacts {
        clock_ahead: account.clock_ahead(),
    }
}

/// Notes that Twilio did not answer a question, and what helps.
fn unanswered(fault: &SmsError, notes: &mut Notes<'_>) -> EndedEarly {
    notes.fault(format!("cannot {}", fault.told()), cures::of(fault));
    EndedEarly
}

/// The token signs, the key sends. Returns whether what Twilio tells of the account's type was noted, or why it
/// does not tell it.
fn keys(
    config: &TwilioConfig,
    account: &mut Account,
    notes: &mut Notes<'_>,
) -> Result<bool, EndedEarly> {
    let known = tokens(config, account, notes)?;
    match account.sender_is_let_in() {
        Ok(()) => {
            notes.pass("TWILIO_AUTH_SID is let in, and reads the log");
            Ok(!config.webhook_tokens.is_empty() || told_to_the_key(account, notes))
        }
        Err(fault) if fault.is_refusal() && fault.code.is_some() => {
            notes.fault(
                format!(
                    "Twilio refuses TWILIO_AUTH_SID with TWILIO_AUTH_TOKEN: cannot {}",
                    fault.told()
                ),
                cures::of(&fault),
            );
            // The token may look further.
            if known { Ok(true) } else { Err(EndedEarly) }
        }
        Err(fault) => Err(unanswered(&fault, notes)),
    }
}

/// Notes what a main key is told of the account. Returns whether it is one. An account that is not active lets no key
/// in, so its type is all that would be missing.
fn told_to_the_key(account: &Account, notes: &mut Notes<'_>) -> bool {
    match account.told_to_the_key() {
        Ok(TokenCheck::Right { status, trial }) => {
            state(&status, trial, notes);
            true
        }
        Ok(TokenCheck::Wrong) | Err(_) => false,
    }
}

/// Without the Auth Token Twilio does not tell a standard or restricted key whether the account is a trial one, which
/// could not text our words. A campaign shows it, as Twilio has one upgrade before a long code is registered (help
/// centre: "Trial Limits and US Toll-Free Number Restrictions").
fn untold_type(has_campaign: bool, notes: &mut Notes<'_>) {
    if has_campaign {
        notes.pass("the account is no trial one, which gets no A2P campaign");
    } else {
        notes.skip_until(
            "whether it is a trial account",
            "as Twilio tells that to the Auth Token or a main API key alone",
            "see Twilio's console that it is none; to have it looked at, set TWILIO_ACCOUNT_TOKEN in the environment of this one check, and not in the service's",
        );
    }
}

/// Returns whether one of the tokens is the account's.
fn tokens(
    config: &TwilioConfig,
    account: &mut Account,
    notes: &mut Notes<'_>,
) -> Result<bool, EndedEarly> {
    let (mut known, mut wrong, mut unknown) = (false, 0, 0);
    for token in &config.webhook_tokens {
        match account.token(token) {
            Ok(TokenCheck::Wrong) => wrong += 1,
            Ok(TokenCheck::Right { status, trial }) if !known => {
                known = true;
                account.inspect_with(token);
                state(&status, trial, notes);
            }
            Ok(TokenCheck::Right { .. }) => {}
            Err(fault) => {
                unknown += 1;
                let ended = unanswered(&fault, notes);
                if fault.affects_every_call() {
                    return Err(ended);
                }
            }
        }
    }
    match (known, wrong, unknown) {
        (false, 1.., 0) => notes.fault(
            "Twilio does not take TWILIO_ACCOUNT_TOKEN for TWILIO_ACCOUNT_SID: no signature would be right",
            "copy the Auth Token of that account from Twilio's console (an API key's secret is none)",
        ),
        (true, 1.., _) => notes.warn(
            "Twilio takes only one of the two tokens in TWILIO_ACCOUNT_TOKEN: the rotation is over",
            "leave the other one out once no account from before is left, or set CODER_REG_PHONE_KEY to it",
        ),
        (true, ..) => {
            notes.pass("TWILIO_ACCOUNT_TOKEN is the account's: signatures will be right");
        }
        (false, ..) => {}
    }
    Ok(known)
}

fn state(status: &str, trial: Option<bool>, notes: &mut Notes<'_>) {
    match status {
        "active" => notes.pass("the account is active"),
        "" => notes.skip(
            "whether the account is active",
            "as Twilio does not tell its state",
        ),
        other => notes.fault(format!("the account is {other}"), cures::SUSPENDED),
    }
    match trial {
        Some(false) => {}
        Some(true) => notes.fault(
            "the account is a trial one: it texts verified numbers only, and not its own words",
            "upgrade the account in Twilio's console",
        ),
        None => notes.skip(
            "whether it is a trial account",
            "as Twilio does not tell its type",
        ),
    }
}

/// Rows that could not be read, or that are on pages too far behind, are not looked at.
fn is_whole(whole: bool, what: &str, notes: &mut Notes<'_>) {
    if !whole {
        notes.skip(
            what,
            "as Twilio lists more than can be read; look at the others in its console",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{Area, CheckStatus};

    #[test]
    fn a_type_that_is_not_told_is_ready_only_where_a_campaign_shows_it() {
        for (has_campaign, verdict) in [(true, CheckStatus::Pass), (false, CheckStatus::Skipped)] {
            let mut all = Vec::new();
            untold_type(has_campaign, &mut Notes::of(Area::Twilio, &mut all));
            assert_eq!(all.pop().map(|one| one.verdict), Some(verdict));
        }
    }

    #[test]
    fn an_account_is_ready_where_twilio_says_so() {
        use CheckStatus::{Fault, Pass, Skipped};
        for (status, trial, verdicts) in [
            ("active", Some(false), &[Pass][..]),
            ("active", Some(true), &[Pass, Fault]),
            ("active", None, &[Pass, Skipped]),
            ("suspended", Some(false), &[Fault]),
            ("closed", Some(false), &[Fault]),
            ("", Some(false), &[Skipped]),
        ] {
            let mut all = Vec::new();
            state(status, trial, &mut Notes::of(Area::Twilio, &mut all));
            let found: Vec<CheckStatus> = all.iter().map(|one| one.verdict).collect();
            assert_eq!(found, verdicts, "{status} {trial:?}");
        }
    }
}
