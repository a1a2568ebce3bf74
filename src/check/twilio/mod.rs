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

use super::{Notes, target};
use crate::config::{Parts, TwilioConfig};
use crate::domain::UnixSeconds;
use crate::http::Http;
use crate::twilio::account::{Account, Token};
use crate::twilio::sms::SmsFault;

/// What later looks have to know.
#[derive(Default)]
pub(super) struct AtTwilio {
    /// Seconds by which our clock is ahead of Twilio's, as it tells it; `None` = it was not reached.
    pub(super) clock_ahead: Option<Option<UnixSeconds>>,
}

/// A look ended early, and the reason was noted.
struct Ended;

type Step = Result<(), Ended>;

const SENDER: &str = "the number or Messaging Service, its webhook and its registration";

pub(super) fn look(parts: &Parts, http: &Http, notes: &mut Notes<'_>) -> AtTwilio {
    let config = match &parts.twilio {
        Some(config) if !parts.is_faulty(&["TWILIO_", "FROM_NUM"]) => config,
        _ => {
            notes.skip("Twilio", "as its settings have faults");
            return AtTwilio::default();
        }
    };
    let mut account = Account::new(http.clone(), config);
    match keys(config, &mut account, notes) {
        Ok(()) => {
            signing::look(config, &account, notes);
            // What is missing is noted where it was asked for.
            drop(sender::look(config, &account, notes));
        }
        Err(Ended) => notes.skip(SENDER, "as nothing is let in at Twilio"),
    }
    AtTwilio {
        clock_ahead: account.clock_ahead(),
    }
}

/// Notes that Twilio did not answer a question, and what helps.
fn unanswered(fault: &SmsFault, notes: &mut Notes<'_>) -> Ended {
    notes.fault(format!("cannot {}", fault.told()), cures::of(fault));
    Ended
}

/// The token signs, the key sends.
fn keys(config: &TwilioConfig, account: &mut Account, notes: &mut Notes<'_>) -> Step {
    let known = tokens(config, account, notes)?;
    match account.sender_is_let_in() {
        Ok(()) => {
            notes.pass("TWILIO_AUTH_SID is let in, and reads the log");
            if config.webhook_tokens.is_empty() {
                // An account that is not active lets nobody in; its type is told to its token alone.
                notes.warn(
                    "Twilio does not tell an API key whether the account is a trial one, which could not text our words",
                    "see Twilio's console that it is none",
                );
            }
            Ok(())
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
            if known { Ok(()) } else { Err(Ended) }
        }
        Err(fault) => Err(unanswered(&fault, notes)),
    }
}

/// Returns whether one of the tokens is the account's.
fn tokens(
    config: &TwilioConfig,
    account: &mut Account,
    notes: &mut Notes<'_>,
) -> Result<bool, Ended> {
    let (mut known, mut wrong, mut unknown) = (false, 0, 0);
    for token in &config.webhook_tokens {
        match account.token(token) {
            Ok(Token::Wrong) => wrong += 1,
            Ok(Token::Right { status, trial }) if !known => {
                known = true;
                account.look_with(token);
                state(&status, trial, notes);
            }
            Ok(Token::Right { .. }) => {}
            Err(fault) => {
                unknown += 1;
                let ended = unanswered(&fault, notes);
                if fault.is_everybodys() {
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
    use crate::check::{Area, Verdict};

    #[test]
    fn an_account_is_ready_where_twilio_says_so() {
        use Verdict::{Fault, Pass, Skipped};
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
            let found: Vec<Verdict> = all.iter().map(|one| one.verdict).collect();
            assert_eq!(found, verdicts, "{status} {trial:?}");
        }
    }
}
