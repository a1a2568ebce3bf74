//! Webhook rules: which settings Twilio applies to a webhook, and with what it signs it then.

use std::cmp::Reverse;
use std::sync::atomic::{AtomicUsize, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use super::super::random;
use super::super::server::Reply;
use super::{Setup, TwilioAccount, sign, webhook_headers};

/// A shared key of the account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SigningKey {
    /// `webhooks_sharedkey_` and 26 characters.
    pub id: String,
    /// What signs; Twilio shows it when the key is made and never again.
    pub secret: String,
}

impl SigningKey {
    /// A new one.
    pub fn random() -> Self {
        Self {
            id: format!("webhooks_sharedkey_{}", random::hex::<13>()),
            secret: random::letters_and_digits(40),
        }
    }
}

/// A rule: webhooks whose URL it matches get one of its settings.
#[derive(Clone, Debug)]
pub struct HookRule {
    /// `EXACT_MATCH`, `PREFIX_MATCH` or `DEFAULT`.
    pub match_type: &'static str,
    /// The URL or its beginning; nothing by default.
    pub url: String,
    /// The key of each setting; `None` = a setting that says nothing of signatures.
    pub keys: Vec<Option<SigningKey>>,
}

impl HookRule {
    fn matches(&self, url: &str) -> bool {
        match self.match_type {
            "EXACT_MATCH" => self.url == url,
            "PREFIX_MATCH" => url.starts_with(&self.url),
            _ => true,
        }
    }

    fn setting_id(&self, number: usize) -> String {
        let name = format!("{}{}{number}", self.match_type, self.url);
        let letters = name.bytes().fold(7_u64, |all, byte| {
            all.wrapping_mul(31).wrapping_add(byte.into())
        });
        format!("webhooks_setting_{letters:026}")
    }
}

/// The rule for a URL: exact ones longest first, then prefixes longest first, then the default one.
fn rule_for<'a>(setup: &'a Setup, url: &str) -> Option<&'a HookRule> {
    let rank = |rule: &&HookRule| {
        let kind = ["EXACT_MATCH", "PREFIX_MATCH", "DEFAULT"]
            .iter()
            .position(|kind| *kind == rule.match_type);
        (kind, Reverse(rule.url.len()))
    };
    setup
        .hook_rules
        .iter()
        .filter(|rule| rule.matches(url))
        .min_by_key(rank)
}

/// The headers of a webhook that Twilio sends to `url`. Of two settings each has its turn.
pub fn signed_headers(
    account: &TwilioAccount,
    setup: &Setup,
    url: &str,
    params: &[(String, String)],
) -> Vec<(String, String)> {
    static TURN: AtomicUsize = AtomicUsize::new(0);
    let keys = rule_for(setup, url).map_or(&[][..], |rule| &rule.keys);
    let turn = TURN.fetch_add(1, Ordering::Relaxed) % keys.len().max(1);
    match keys.get(turn) {
        Some(Some(key)) => {
            let mut headers = webhook_headers(&sign_with_key(&key.secret, url, params));
            headers.push((
                "X-Twilio-Webhooks-Signature-Settings".to_owned(),
                format!("key={},algorithm=HMAC_SHA256", key.id),
            ));
            headers
        }
        _ => webhook_headers(&sign(&account.account_token, url, params)),
    }
}

/// As [`sign`], by HMAC-SHA256 with the secret of a shared key.
pub fn sign_with_key(secret: &str, url: &str, params: &[(String, String)]) -> String {
    let mut sorted: Vec<&(String, String)> = params.iter().collect();
    sorted.sort();
    sorted.dedup();
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any length will do");
    mac.update(url.as_bytes());
    for (name, value) in sorted {
        mac.update(name.as_bytes());
        mac.update(value.as_bytes());
    }
    STANDARD.encode(mac.finalize().into_bytes())
}

fn page(rows: Vec<Value>) -> Reply {
    let meta = json!({ "key": "items", "pageSize": 50, "nextToken": Value::Null, "previousToken": Value::Null });
    Reply::json(200, &json!({ "meta": meta, "items": rows }))
}

/// `GET /v1/Webhooks/Rules`
pub fn rules(setup: &Setup) -> Reply {
    let row = |rule: &HookRule| {
        let share = 100 / rule.keys.len().max(1);
        let settings: Vec<Value> = (0..rule.keys.len())
            .map(|number| json!({ "settingId": rule.setting_id(number), "percentage": share }))
            .collect();
        let mut row = json!({
            "id": format!("webhooks_rule_{:026}", rule.url.len()),
            "friendlyName": "",
            "description": "",
            "matchType": rule.match_type,
            "value": Value::Null,
            "prefix": Value::Null,
            "settings": settings,
            "createdAt": "2026-10-01T08:00:00Z",
            "updatedAt": "2026-10-01T08:00:00Z",
        });
        match rule.match_type {
            "EXACT_MATCH" => row["value"] = json!(rule.url),
            "PREFIX_MATCH" => row["prefix"] = json!(rule.url),
            _ => {}
        }
        row
    };
    page(setup.hook_rules.iter().map(row).collect())
}

/// `GET /v1/Webhooks/Settings`
pub fn settings(setup: &Setup) -> Reply {
    let row = |id: String, key: &Option<SigningKey>| {
        let signature = key.as_ref().map_or(Value::Null, |key| {
            json!({ "type": "SHARED_KEY", "sharedKeyId": key.id, "algorithm": "HMAC_SHA256" })
        });
        json!({
            "id": id,
            "type": "CUSTOMER",
            "friendlyName": "",
            "description": "",
            "auth": { "source": "NONE" },
            "signature": signature,
            "connection": Value::Null,
            "edgeZones": Value::Null,
            "createdAt": "2026-10-01T08:00:00Z",
            "updatedAt": "2026-10-01T08:00:00Z",
        })
    };
    let rows = setup.hook_rules.iter().flat_map(|rule| {
        let keys = rule.keys.iter().enumerate();
        keys.map(|(number, key)| row(rule.setting_id(number), key))
    });
    page(rows.collect())
}
