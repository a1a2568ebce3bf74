//! The group "Twilio": how Twilio is recognised and called.

use super::reader::{Faulty, Reader};
use super::{Sender, StatusUrl, addresses, signing, twilio_url};
use crate::domain::{Secret, SharedKey, SignedUrl};

/// How Twilio is recognised and called.
#[derive(Clone, Debug)]
pub struct TwilioConfig {
    /// The account whose texts are taken.
    pub account_sid: String,
    /// Auth Tokens that a webhook may be signed with; none where shared keys sign instead.
    pub webhook_tokens: Vec<Secret>,
    /// Shared keys that a webhook may be signed with; empty only where there is an Auth Token.
    pub shared_keys: Vec<SharedKey>,
    /// User name of API calls.
    pub auth_sid: String,
    /// Password of API calls.
    pub auth_token: Secret,
    /// Whom replies come from.
    pub sender: Sender,
    /// The URL that Twilio signs.
    pub webhook_url: SignedUrl,
    /// Where Twilio tells what became of a text; `None` = our public URL is not https.
    pub receipts: Option<StatusUrl>,
    /// Base of the API, without a slash at the end.
    pub api_url: String,
}

impl TwilioConfig {
    /// All that a webhook may be signed with, the first Auth Token first; never empty.
    pub fn signing_secrets(&self) -> Vec<Secret> {
        let keys = self.shared_keys.iter().map(|key| &key.secret);
        self.webhook_tokens.iter().chain(keys).cloned().collect()
    }

    /// What a setting of this group came to mean, where that may differ from what is written.
    pub(super) fn understood(&self, name: &str) -> Option<String> {
        Some(match name {
            "TWILIO_AUTH_SID" => self.auth_sid.clone(),
            "TWILIO_WEBHOOK_URL" => self.webhook_url.as_str().to_owned(),
            "FROM_NUM" => format!("{:?}", self.sender),
            _ => return None,
        })
    }
}

/// Reads the group.
pub(super) fn read(r: &mut Reader) -> Result<TwilioConfig, Faulty> {
    let account_sid = r.value("TWILIO_ACCOUNT_SID", addresses::account_sid);
    let shared_keys = signing::read_shared_keys(r);
    let replaced = !shared_keys.is_empty() || r.is_faulty("TWILIO_SHARED_KEY");
    let webhook_tokens = signing::read_tokens(r, replaced);
    let auth_token = r.get("TWILIO_AUTH_TOKEN").map(Secret::new);
    let auth_sid = r.optional("TWILIO_AUTH_SID", addresses::auth_sid);
    let is_key = matches!(&auth_sid, Ok(Some(sid)) if sid.starts_with("SK"));
    if is_key && auth_token.is_none() && !r.is_faulty("TWILIO_AUTH_TOKEN") {
        r.fault(
            "TWILIO_AUTH_TOKEN",
            "missing: TWILIO_AUTH_SID is an API key and needs its own secret",
        );
    }
    if webhook_tokens.is_empty() && !shared_keys.is_empty() {
        signing::replace_token(r);
    }
    let sender = r.value("FROM_NUM", addresses::sender);
    let webhook_url = r.value("TWILIO_WEBHOOK_URL", addresses::webhook_url);
    let receipts = r.get("TWILIO_WEBHOOK_URL").and_then(addresses::status_url);
    let api_url = r.value("TWILIO_API_URL", twilio_url::parse);
    let account_sid = account_sid?;
    let auth_token = auth_token.or_else(|| webhook_tokens.first().cloned());
    Ok(TwilioConfig {
        // One with a fault is as good as none here; `check` goes on with what is in order.
        auth_sid: auth_sid
            .ok()
            .flatten()
            .unwrap_or_else(|| account_sid.clone()),
        account_sid,
        auth_token: auth_token.ok_or(Faulty)?,
        webhook_tokens,
        shared_keys,
        sender: sender?,
        webhook_url: webhook_url?,
        receipts,
        api_url: api_url?,
    })
}
