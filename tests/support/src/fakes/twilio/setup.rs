//! How the account is set up, as its console has it.

use super::super::trouble::Op;
use super::hooks::HookRule;

/// How the account is set up, as its console has it.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Where texts to the numbers go.
    pub sms_url: String,
    /// By which method.
    pub sms_method: String,
    /// A TwiML application that takes them instead; empty = none.
    pub sms_application_sid: String,
    /// Whether the numbers can text.
    pub sms: bool,
    /// Whether the account still owns its numbers.
    pub owns_numbers: bool,
    /// Numbers beside those of the account, owned and in the Messaging Service.
    pub more_numbers: Vec<String>,
    /// Short codes that the account has.
    pub short_codes: Vec<String>,
    /// A secondary token, which opens the API as the primary one does.
    pub second_token: Option<String>,
    /// The primary token is not valid any more.
    pub first_token_revoked: bool,
    /// What a restricted key may do; `None` = it is a standard one.
    pub key_rights: Option<Vec<Op>>,
    /// Whether the key is a main one, which opens the account's own record as well.
    pub main_key: bool,
    /// The refusal that every call meets: HTTP status, code and message.
    pub refusal: Option<(u16, u32, String)>,
    /// `active`, `suspended` or `closed`.
    pub status: String,
    /// `Full` or `Trial`.
    pub kind: String,
    /// Whether the numbers are in the Messaging Service.
    pub in_service: bool,
    /// Senders of other channels in the Messaging Service, such as `rcs:brand_agent`.
    pub channel_senders: Vec<String>,
    /// Whether its texts go by RCS, and stand in the log with that address.
    pub by_rcs: bool,
    /// What the addresses of further pages of the log begin with, such as `https://api.twilio.com`.
    pub pages_at: String,
    /// Messaging Services of other things, listed before it.
    pub other_services: usize,
    /// Where the Messaging Service sends texts; `None` = nowhere.
    pub service_url: Option<String>,
    /// By which method.
    pub service_method: String,
    /// Whether it leaves that to its numbers, as new ones do.
    pub on_number: bool,
    /// Whether it is the account's default one, which texts by a number alone are sent through as well.
    pub is_default: bool,
    /// Its A2P campaigns.
    pub campaigns: Vec<Campaign>,
    /// How far the brand behind them is.
    pub brand: String,
    /// Whether that is a mock.
    pub brand_mock: bool,
    /// How far the verification of its toll-free numbers is; `None` = there is none.
    pub toll_free: Option<String>,
    /// Fields that are null in all rows about account, numbers, services and registrations.
    pub nulls: Vec<&'static str>,
    /// What webhooks are signed with; without rules the account's token.
    pub hook_rules: Vec<HookRule>,
    /// Seconds by which Twilio's clock is ahead of this machine's.
    pub clock_ahead: i64,
}

/// An A2P campaign.
#[derive(Clone, Debug)]
pub struct Campaign {
    /// How far it is.
    pub status: String,
    /// Whether it is a mock.
    pub mock: bool,
    /// Whether it was registered outside Twilio.
    pub elsewhere: bool,
    /// What the review has found: code and description.
    pub error: Option<(u32, String)>,
}

impl Campaign {
    /// A real one in this state.
    pub fn of(status: &str) -> Self {
        Self {
            status: status.to_owned(),
            mock: false,
            elsewhere: false,
            error: None,
        }
    }
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            sms_url: String::new(),
            sms_method: "POST".to_owned(),
            sms_application_sid: String::new(),
            sms: true,
            owns_numbers: true,
            more_numbers: Vec::new(),
            short_codes: Vec::new(),
            second_token: None,
            first_token_revoked: false,
            key_rights: None,
            main_key: false,
            refusal: None,
            status: "active".to_owned(),
            kind: "Full".to_owned(),
            in_service: true,
            channel_senders: Vec::new(),
            by_rcs: false,
            pages_at: String::new(),
            other_services: 0,
            service_url: None,
            service_method: "POST".to_owned(),
            on_number: true,
            is_default: false,
            campaigns: vec![Campaign::of("VERIFIED")],
            brand: "APPROVED".to_owned(),
            brand_mock: false,
            toll_free: None,
            nulls: Vec::new(),
            hook_rules: Vec::new(),
            clock_ahead: 0,
        }
    }
}
