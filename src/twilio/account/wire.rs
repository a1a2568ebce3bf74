//! Twilio's JSON about an account, as far as we read it, and what may be repeated of it.

use serde::Deserialize;

use super::{Number, Service, Target};

#[derive(Deserialize)]
pub(super) struct AccountBody {
    #[serde(default)]
    pub(super) status: String,
    #[serde(default, rename = "type")]
    pub(super) kind: String,
}

#[derive(Deserialize)]
pub(super) struct NumbersBody {
    pub(super) incoming_phone_numbers: Vec<NumberBody>,
}

#[derive(Deserialize)]
pub(super) struct NumberBody {
    pub(super) sid: String,
    pub(super) phone_number: String,
    #[serde(default)]
    pub(super) sms_url: Option<String>,
    #[serde(default)]
    pub(super) sms_method: Option<String>,
    #[serde(default)]
    pub(super) sms_application_sid: Option<String>,
    #[serde(default)]
    pub(super) capabilities: Capabilities,
}

#[derive(Default, Deserialize)]
pub(super) struct Capabilities {
    #[serde(default)]
    pub(super) sms: bool,
}

#[derive(Deserialize)]
pub(super) struct ServicesBody {
    pub(super) services: Vec<ServiceBody>,
}

#[derive(Deserialize)]
pub(super) struct ServiceBody {
    pub(super) sid: String,
    #[serde(default)]
    pub(super) inbound_request_url: Option<String>,
    #[serde(default)]
    pub(super) inbound_method: Option<String>,
    #[serde(default)]
    pub(super) use_inbound_webhook_on_number: bool,
}

#[derive(Deserialize)]
pub(super) struct MembersBody {
    pub(super) phone_numbers: Vec<MemberBody>,
}

#[derive(Deserialize)]
pub(super) struct MemberBody {
    pub(super) phone_number: String,
    #[serde(default)]
    pub(super) country_code: Option<String>,
    #[serde(default)]
    pub(super) capabilities: Vec<String>,
}

#[derive(Deserialize)]
pub(super) struct CampaignsBody {
    pub(super) compliance: Vec<CampaignBody>,
}

#[derive(Deserialize)]
pub(super) struct CampaignBody {
    #[serde(default)]
    pub(super) campaign_status: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct VerificationsBody {
    pub(super) verifications: Vec<VerificationBody>,
}

#[derive(Deserialize)]
pub(super) struct VerificationBody {
    #[serde(default)]
    pub(super) status: Option<String>,
}

impl From<NumberBody> for Number {
    fn from(body: NumberBody) -> Self {
        Self {
            sid: plain(body.sid),
            sms: body.capabilities.sms,
            target: Target::new(body.sms_url, body.sms_method),
            by_application: body.sms_application_sid.is_some_and(|sid| !sid.is_empty()),
        }
    }
}

impl From<ServiceBody> for Service {
    fn from(body: ServiceBody) -> Self {
        Self {
            sid: plain(body.sid),
            target: Target::new(body.inbound_request_url, body.inbound_method),
            target_on_number: body.use_inbound_webhook_on_number,
        }
    }
}

impl Target {
    fn new(url: Option<String>, method: Option<String>) -> Self {
        Self {
            url: url.unwrap_or_default(),
            method: method.unwrap_or_else(|| "POST".to_owned()),
        }
    }
}

/// One of Twilio's words for a state; nothing else of its answer is repeated.
pub(super) fn word(state: Option<String>) -> String {
    let is_part = |c: &char| c.is_ascii_uppercase() || *c == '_';
    let word: String = state.unwrap_or_default().chars().filter(is_part).collect();
    word.chars().take(40).collect()
}

/// A name or number that may stand in a URL, and in our words.
pub(super) fn plain(name: String) -> String {
    let is_plain = |c: &char| c.is_ascii_alphanumeric() || *c == '+';
    name.chars().filter(is_plain).take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_words_are_repeated() {
        assert_eq!(word(Some("IN_PROGRESS".to_owned())), "IN_PROGRESS");
        assert_eq!(word(Some("\u{1b}[2J{\"A\":1}".to_owned())), "JA");
        assert_eq!(word(None), "");
    }
}
