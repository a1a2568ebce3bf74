//! The group "Twilio": how webhooks of Twilio are recognised and its API is called.

use super::SettingProblem;
use super::reader::{Faulty, Reader};
use super::{Reply, Sender, StatusUrl, addresses, pages, signing, twilio_url};
use crate::domain::{Secret, SharedKey, SignedUrl};

/// How Twilio is recognised and called.
#[derive(Clone, Debug)]
pub struct TwilioConfig {
    /// The account whose texts are accepted.
    pub account_sid: String,
    /// Auth Tokens that may sign a webhook; empty if shared keys sign instead.
    pub webhook_tokens: Vec<Secret>,
    /// Shared keys that may sign a webhook; empty only if there is an Auth Token.
    pub shared_keys: Vec<SharedKey>,
    /// User name of API calls.
    pub auth_sid: String,
    /// Password of API calls. Empty if nothing is sent and no credentials are set: then there are no
    /// calls.
    pub auth_token: Secret,
    /// The sender of replies.
    pub sender: Sender,
    /// The URL that Twilio signs.
    pub webhook_url: SignedUrl,
    /// The URL for delivery receipts; `None` = our public URL is not https.
    pub receipts: Option<StatusUrl>,
    /// Base of the API, without a slash at the end.
    pub api_url: String,
}

impl TwilioConfig {
    /// All secrets that may sign a webhook, the first Auth Token first; never empty.
    pub fn signing_secrets(&self) -> Vec<Secret> {
        let keys = self.shared_keys.iter().map(|key| &key.secret);
        self.webhook_tokens.iter().chain(keys).cloned().collect()
    }

    /// The effective value of a setting of this group, if it may differ from the written one.
    pub(super) fn effective(&self, name: &str) -> Option<String> {
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
            SettingProblem::new(
                "missing",
                "TWILIO_AUTH_SID is an API key and needs its own secret",
            ),
        );
    }
    // A fault of this setting is reported with its own group.
    let sends = pages::read_reply(r).is_ok_and(Reply::by_text);
    if webhook_tokens.is_empty() && !shared_keys.is_empty() {
        signing::replace_token(r, sends);
    }
    let sender = r.value("FROM_NUM", addresses::sender);
    let with_pages = r.get("CODER_REG_PAGES_URL").is_some();
    let webhook_url = r.value("TWILIO_WEBHOOK_URL", |value| {
        addresses::webhook_url(value, with_pages)
    });
    let receipts = r.get("TWILIO_WEBHOOK_URL").and_then(addresses::status_url);
    let api_url = r.value("TWILIO_API_URL", twilio_url::parse);
    let account_sid = account_sid?;
    let auth_token = auth_token.or_else(|| webhook_tokens.first().cloned());
    let auth_token = auth_token.or_else(|| (!sends).then(|| Secret::new("")));
    Ok(TwilioConfig {
        // A faulty value counts as missing here, so that `check` can continue with the rest.
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
