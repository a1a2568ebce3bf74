//! What Twilio signs webhooks with. Rules select settings by a webhook's URL, and a setting may
//! name a shared key.

use serde::Deserialize;
use serde_json::Value;

use super::{Account, SmsError};
use crate::domain::{KeyId, SignedUrl};
use crate::twilio::signature::Signer;

/// Rows per page; an account may have 50 of each kind.
const PAGE_SIZE: usize = 100;

/// The rules and settings for the webhooks of an account.
#[derive(Debug, Default)]
pub struct Signing {
    rules: Vec<RuleBody>,
    settings: Vec<SettingBody>,
}

/// The secret that signs, by one setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignedBy {
    /// The Auth Token.
    AuthToken,
    /// A shared key; `None` = its id has an unknown form.
    SharedKey(Option<KeyId>),
    /// An unknown algorithm, or a setting that Twilio does not list.
    Unknown,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RuleBody {
    match_type: Option<String>,
    value: Option<String>,
    prefix: Option<String>,
    settings: Option<Vec<ReferenceBody>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ReferenceBody {
    setting_id: Option<String>,
}

#[derive(Debug, Deserialize)]
struct SettingBody {
    id: Option<String>,
    signature: Option<SignatureBody>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct SignatureBody {
    shared_key_id: Option<String>,
    algorithm: Option<String>,
}

impl Account {
    /// Reads the rules and settings for webhooks.
    ///
    /// # Errors
    /// A call failed. The API is in beta, and not every key may read it.
    pub fn signing(&self) -> Result<Signing, SmsError> {
        const OPERATION: &str = "read the webhook rules";
        let rows = |kind: &str| -> Result<Vec<Value>, SmsError> {
            let url = format!("{}/Webhooks/{kind}?pageSize={PAGE_SIZE}", self.webhooks);
            let answer = self.get(OPERATION, &self.login, &url)?;
            let mut body: Value = super::read(OPERATION, &answer)?;
            let key = body["meta"]["key"].as_str().unwrap_or("items").to_owned();
            match body.get_mut(&key).map(Value::take) {
                Some(Value::Array(rows)) => Ok(rows),
                _ => Err(SmsError::of(OPERATION, &answer)),
            }
        };
        let rules = rows("Rules")?;
        // Without a rule no setting applies.
        let settings = if rules.is_empty() {
            Vec::new()
        } else {
            rows("Settings")?
        };
        Ok(Signing::of(rules, settings))
    }
}

impl Signing {
    /// Rows that cannot be read are left out; a missing setting leads to [`SignedBy::Unknown`].
    fn of(rules: Vec<Value>, settings: Vec<Value>) -> Self {
        let read = |row| serde_json::from_value(row).ok();
        Self {
            rules: rules.into_iter().filter_map(read).collect(),
            settings: settings
                .into_iter()
                .filter_map(|row| serde_json::from_value(row).ok())
                .collect(),
        }
    }

    /// The secrets that may sign a webhook to `url`, one for each setting of the rule that applies.
    /// Twilio tries exact rules first, then prefixes, the longest first in each group, then the
    /// default rule. Without a rule the Auth Token signs.
    pub fn signers(&self, url: &SignedUrl) -> Vec<SignedBy> {
        let Some(rule) = self.rule_for(url) else {
            return vec![SignedBy::AuthToken];
        };
        let references = rule.settings.as_deref().unwrap_or_default();
        references
            .iter()
            .map(|reference| self.signer(reference))
            .collect()
    }

    fn rule_for(&self, url: &SignedUrl) -> Option<&RuleBody> {
        let rank = |rule: &&RuleBody| match rule.match_type.as_deref() {
            Some("EXACT_MATCH") => {
                let value = rule.value.as_deref().unwrap_or_default();
                let same = SignedUrl::parse(value).is_ok_and(|other| other.is_same_as(url));
                same.then_some((2, value.len()))
            }
            Some("PREFIX_MATCH") => {
                let prefix = rule.prefix.as_deref().unwrap_or_default();
                url.as_str()
                    .starts_with(prefix)
                    .then_some((1, prefix.len()))
            }
            Some("DEFAULT") => Some((0, 0)),
            _ => None,
        };
        let applying = self.rules.iter().filter(|rule| rank(rule).is_some());
        applying.max_by_key(rank)
    }

    fn signer(&self, reference: &ReferenceBody) -> SignedBy {
        let id = reference.setting_id.as_ref();
        let found = self
            .settings
            .iter()
            .find(|setting| id.is_some() && setting.id.as_ref() == id);
        let Some(setting) = found else {
            return SignedBy::Unknown;
        };
        let Some(signature) = &setting.signature else {
            return SignedBy::AuthToken;
        };
        // Read like the header that will come with such a webhook.
        let key = signature.shared_key_id.as_deref().unwrap_or_default();
        let algorithm = signature.algorithm.as_deref().unwrap_or_default();
        match Signer::read(&format!("key={key},algorithm={algorithm}")) {
            Signer::SharedKey { id, .. } => SignedBy::SharedKey(id),
            Signer::AuthToken | Signer::Unknown => SignedBy::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const KEY: &str = "webhooks_sharedkey_01kzm8v9x2f7q4t6w8y0a1b2c3";

    fn rule(kind: &str, url: &str, settings: &[&str]) -> Value {
        let settings: Vec<Value> = settings
            .iter()
            .map(|id| json!({ "settingId": id }))
            .collect();
        match kind {
            "EXACT_MATCH" => json!({ "matchType": kind, "value": url, "settings": settings }),
            "PREFIX_MATCH" => json!({ "matchType": kind, "prefix": url, "settings": settings }),
            _ => json!({ "matchType": kind, "value": null, "settings": settings }),
        }
    }

    fn signers(rules: Vec<Value>) -> Vec<SignedBy> {
        let settings = vec![
            json!({ "id": "key", "signature": { "type": "SHARED_KEY", "sharedKeyId": KEY, "algorithm": "HMAC_SHA256" } }),
            json!({ "id": "token", "signature": null }),
            json!({ "id": "new", "signature": { "sharedKeyId": KEY, "algorithm": "HMAC_SHA3" } }),
            json!("odd"),
        ];
        let url = SignedUrl::parse("https://sms.example.org/inbound#rc=3").unwrap();
        Signing::of(rules, settings).signers(&url)
    }

    #[test]
    fn the_rule_that_applies_selects_the_signing_secret() {
        let key = || SignedBy::SharedKey(KeyId::parse(KEY));
        let token = || SignedBy::AuthToken;
        let exact = |setting| {
            rule(
                "EXACT_MATCH",
                "https://sms.example.org:443/inbound",
                &[setting],
            )
        };
        let prefix = |url, setting| rule("PREFIX_MATCH", url, &[setting]);
        let default = |setting| rule("DEFAULT", "", &[setting]);
        for (rules, expected) in [
            (vec![], vec![token()]),
            (vec![default("key")], vec![key()]),
            (vec![default("token")], vec![token()]),
            (vec![default("new")], vec![SignedBy::Unknown]),
            (vec![default("gone")], vec![SignedBy::Unknown]),
            (
                vec![rule("DEFAULT", "", &["token", "key"])],
                vec![token(), key()],
            ),
            (vec![default("key"), exact("token")], vec![token()]),
            (
                vec![
                    exact("key"),
                    prefix("https://sms.example.org/inbound", "token"),
                ],
                vec![key()],
            ),
            (
                vec![
                    prefix("https://sms.example.org", "token"),
                    prefix("https://sms.example.org/in", "key"),
                ],
                vec![key()],
            ),
            (
                vec![prefix("https://else.example.org", "key")],
                vec![token()],
            ),
            (
                vec![rule(
                    "EXACT_MATCH",
                    "https://sms.example.org/status",
                    &["key"],
                )],
                vec![token()],
            ),
            (vec![rule("REGEX", ".*", &["key"]), json!(7)], vec![token()]),
        ] {
            assert_eq!(signers(rules.clone()), expected, "{rules:?}");
        }
    }
}
