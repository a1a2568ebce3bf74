//! Checks Twilio: the credentials, the number, where its texts are sent, and its registration with
//! carriers.
//!
//! - here: the account and its credentials
//! - `sender`: the number, short code or Messaging Service, and where its texts are sent
//! - `signing`: what webhooks are signed with
//! - `registration`: the registration with carriers
//! - `cures`: what to do if Twilio refuses

mod cures;
mod registration;
mod sender;
mod signing;

use super::{Notes, sends_texts, webhook_target};
use crate::config::{PartialConfig, TwilioConfig};
use crate::domain::UnixSeconds;
use crate::http::Http;
use crate::twilio::account::{Account, TokenCheck};
use crate::twilio::sms::SmsError;

/// Results that later checks need.
#[derive(Default)]
pub(super) struct TwilioFacts {
    /// Seconds by which our clock is ahead of Twilio's; `Some(None)` = the answer had no date,
    /// `None` = Twilio was not reached.
    pub(super) clock_ahead: Option<Option<UnixSeconds>>,
}

/// A check ended early, and the reason has been noted.
struct EndedEarly;

type StepResult = Result<(), EndedEarly>;

/// What no class needs that sends no texts.
const UNUSED: &str = "credentials, sender, registration and receipts";

const SENDER: &str = "the number or Messaging Service, its webhook and its registration";

pub(super) fn inspect(parts: &PartialConfig, http: &Http, notes: &mut Notes<'_>) -> TwilioFacts {
    let config = match &parts.twilio {
        Some(config) if !parts.is_faulty(&["TWILIO_", "FROM_NUM"]) => config,
        _ => {
            notes.skip("Twilio", "as its settings have faults");
            return TwilioFacts::default();
        }
    };
    if !sends_texts(parts) {
        notes.pass(format!(
            "no text is ever sent (CODER_REG_REPLY=screen), so {UNUSED} are not looked at"
        ));
        notes.warn(
            "it is not checked whether Twilio sends texts to TWILIO_WEBHOOK_URL and signs them with the secret that is set",
            "text the phrase from your own phone; Twilio's log of errors says if the service refused it",
        );
        return TwilioFacts::default();
    }
    let mut account = Account::new(http.clone(), config);
    match keys(config, &mut account, notes) {
        Ok(type_noted) => {
            signing::inspect(config, &account, notes);
            let site = parts.pages.as_ref().and_then(|pages| pages.site.as_ref());
            let shown = site.map(|site| site.number.as_str());
            // `sender` has noted the reason if it ended early.
            let has_campaign = sender::inspect(config, shown, &account, notes).unwrap_or(false);
            if !type_noted {
                unknown_type(has_campaign, notes);
            }
        }
        Err(EndedEarly) => notes.skip(SENDER, "as Twilio accepts none of the credentials"),
    }
    TwilioFacts {
        clock_ahead: account.clock_ahead(),
    }
}

/// Notes a failed call to Twilio and its cure.
fn unanswered(error: &SmsError, notes: &mut Notes<'_>) -> EndedEarly {
    notes.fault(format!("cannot {}", error.what()), cures::of(error));
    EndedEarly
}

/// Checks the Auth Token, which signs, and the key, which sends. Returns whether the account's type
/// was noted, or why Twilio does not report it.
fn keys(
    config: &TwilioConfig,
    account: &mut Account,
    notes: &mut Notes<'_>,
) -> Result<bool, EndedEarly> {
    let known = tokens(config, account, notes)?;
    match account.check_log_access() {
        Ok(()) => {
            notes.pass("Twilio accepts TWILIO_AUTH_SID, which may read the log");
            Ok(!config.webhook_tokens.is_empty() || main_key_view(account, notes))
        }
        Err(error) if error.is_refusal() && error.code.is_some() => {
            notes.fault(
                format!(
                    "Twilio refuses TWILIO_AUTH_SID with TWILIO_AUTH_TOKEN: cannot {}",
                    error.what()
                ),
                cures::of(&error),
            );
            // The checks can continue with the token.
            if known { Ok(true) } else { Err(EndedEarly) }
        }
        Err(error) => Err(unanswered(&error, notes)),
    }
}

/// Notes the account's state as a main API key sees it. Returns whether the key is a main key. An
/// inactive account accepts no key, so for other keys only the type stays unknown.
fn main_key_view(account: &Account, notes: &mut Notes<'_>) -> bool {
    match account.seen_by_the_key() {
        Ok(TokenCheck::Right { status, trial }) => {
            state(&status, trial, notes);
            true
        }
        Ok(TokenCheck::Wrong) | Err(_) => false,
    }
}

/// Without the Auth Token, Twilio does not tell a standard or restricted key whether the account is
/// a trial account, which could not send our texts. A campaign proves that it is not, because
/// Twilio requires an upgrade before a long code is registered (help center: "Trial Limits and US
/// Toll-Free Number Restrictions").
fn unknown_type(has_campaign: bool, notes: &mut Notes<'_>) {
    if has_campaign {
        notes.pass("the account is not a trial account: those get no A2P campaign");
    } else {
        notes.skip_until(
            "whether it is a trial account",
            "as Twilio shows that only to the Auth Token or a main API key",
            "make sure in Twilio's console that it is not; to have it checked, set TWILIO_ACCOUNT_TOKEN in the environment of this one check, not in the service's",
        );
    }
}

/// Checks the Auth Tokens. Returns whether one of them belongs to the account.
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
            Err(error) => {
                unknown += 1;
                let ended = unanswered(&error, notes);
                if error.affects_every_call() {
                    return Err(ended);
                }
            }
        }
    }
    match (known, wrong, unknown) {
        (false, 1.., 0) => notes.fault(
            "TWILIO_ACCOUNT_TOKEN is not the Auth Token of TWILIO_ACCOUNT_SID: all webhooks would be refused as wrongly signed",
            "copy the Auth Token of that account from Twilio's console (an API key's secret is not an Auth Token)",
        ),
        (true, 1.., _) => notes.warn(
            "Twilio accepts only one of the two tokens in TWILIO_ACCOUNT_TOKEN: the rotation has ended",
            "remove the other one once no account from before the rotation remains, or set CODER_REG_PHONE_KEY to it",
        ),
        (true, ..) => {
            notes.pass("TWILIO_ACCOUNT_TOKEN belongs to the account: signatures can be verified");
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
            "as Twilio does not report its state",
        ),
        other => notes.fault(format!("the account is {other}"), cures::SUSPENDED),
    }
    match trial {
        Some(false) => {}
        Some(true) => notes.fault(
            "the account is a trial account: it can text verified numbers only, and no texts of its own",
            "upgrade the account in Twilio's console",
        ),
        None => notes.skip(
            "whether it is a trial account",
            "as Twilio does not report its type",
        ),
    }
}

/// Notes that some rows were not checked, because they could not be read or are too many.
fn note_incomplete(complete: bool, what: &str, notes: &mut Notes<'_>) {
    if !complete {
        notes.skip(
            what,
            "as Twilio lists more than can be read; check the others in its console",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{Area, CheckStatus};

    #[test]
    fn an_unknown_type_is_ready_only_if_a_campaign_proves_it() {
        for (has_campaign, verdict) in [(true, CheckStatus::Pass), (false, CheckStatus::Skipped)] {
            let mut all = Vec::new();
            unknown_type(has_campaign, &mut Notes::of(Area::Twilio, &mut all));
            assert_eq!(all.pop().map(|one| one.verdict), Some(verdict));
        }
    }

    #[test]
    fn an_account_is_ready_only_if_twilio_says_so() {
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
