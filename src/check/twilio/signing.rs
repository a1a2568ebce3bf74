//! Checks that webhooks are signed with a secret that is configured here.

use crate::check::Notes;
use crate::config::TwilioConfig;
use crate::domain::SignedUrl;
use crate::twilio::account::{Account, SignedBy};

/// The status if the account does not have this API.
const NOT_FOUND: u16 = 404;

pub(super) fn inspect(config: &TwilioConfig, account: &Account, notes: &mut Notes<'_>) {
    let signing = match account.signing() {
        Ok(signing) => signing,
        // Rules are a beta feature: without them, the Auth Token signs.
        Err(error) if error.status() == Some(NOT_FOUND) && config.shared_keys.is_empty() => return,
        Err(error) => {
            return notes.warn(
                format!("unknown what webhooks are signed with: cannot {}", error.what()),
                "text the phrase yourself; the service's log shows if a text is signed with another secret",
            );
        }
    };
    let receipts = config.receipts.as_ref().map(|url| &url.signed);
    for url in [Some(&config.webhook_url), receipts].into_iter().flatten() {
        let mut all_known = true;
        let signers = signing.signers(url);
        for signer in &signers {
            all_known &= judge(config, url, signer, notes);
        }
        if all_known {
            let words: Vec<String> = signers.iter().map(name).collect();
            notes.pass(format!(
                "webhooks to {} are signed with {}",
                url.as_str(),
                words.join(" and ")
            ));
        }
    }
}

fn name(signer: &SignedBy) -> String {
    match signer {
        SignedBy::AuthToken => "the Auth Token".to_owned(),
        SignedBy::SharedKey(Some(id)) => format!("the shared key {id}"),
        SignedBy::SharedKey(None) => "a shared key".to_owned(),
        SignedBy::Unknown => "something unknown".to_owned(),
    }
}

/// Returns whether that secret is configured; a configured shared key without an id may be any.
fn judge(config: &TwilioConfig, url: &SignedUrl, signer: &SignedBy, notes: &mut Notes<'_>) -> bool {
    let known = match signer {
        SignedBy::AuthToken => !config.webhook_tokens.is_empty(),
        SignedBy::SharedKey(id) => config
            .shared_keys
            .iter()
            .any(|key| key.id.is_none() || id.is_none() || key.id == *id),
        SignedBy::Unknown => false,
    };
    if known {
        return true;
    }
    let what = format!(
        "Twilio signs webhooks to {} with {}",
        url.as_str(),
        name(signer)
    );
    match signer {
        SignedBy::AuthToken => notes.fault(
            format!("{what}, and TWILIO_ACCOUNT_TOKEN is not set: all texts would be refused"),
            "create a webhook rule for that URL whose setting names the shared key (docs/deploy.md, \"Without the Auth Token\"), or set TWILIO_ACCOUNT_TOKEN",
        ),
        SignedBy::SharedKey(id) => {
            let id = id.as_ref().map_or("webhooks_sharedkey_...", |id| id.as_str());
            notes.fault(
                format!("{what}, which is not configured: all texts would be refused"),
                format!("set TWILIO_SHARED_KEY to {id}:SECRET (create another key if its secret is lost), or remove the rule"),
            );
        }
        SignedBy::Unknown => notes.fault(
            format!("{what}: such texts would be refused"),
            "let the webhook setting use HMAC_SHA256, or remove the rule",
        ),
    }
    false
}
