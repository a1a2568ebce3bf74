//! The routes of the API, and the names that tests use for them.

use super::super::server::Request;
use super::super::trouble::Op;

/// `POST .../Messages.json`
pub const SEND: Op = Op("send text");
/// `GET .../Messages.json`
pub const LIST: Op = Op("list texts");
/// `GET .../Messages/{sid}.json`
pub const READ: Op = Op("read text");
/// `POST .../Messages/{sid}.json`
pub const REDACT: Op = Op("redact text");
/// `DELETE .../Messages/{sid}.json`
pub const DELETE: Op = Op("delete text");
/// `GET .../IncomingPhoneNumbers.json`
pub const NUMBERS: Op = Op("list numbers");
/// `GET /2010-04-01/Accounts/{sid}.json`
pub const ACCOUNT: Op = Op("read account");

/// `GET .../SMS/ShortCodes.json`
pub const SHORT_CODES: Op = Op("list short codes");

/// `GET /v1/Services`, and what lies below it, on the messaging host
pub const SERVICES: Op = Op("look at messaging services");
/// `GET /v1/Services/{sid}/ChannelSenders`
pub const CHANNEL_SENDERS: Op = Op("look at channel senders");
/// `GET /v1/Services/{sid}/Compliance/Usa2p`
pub const CAMPAIGNS: Op = Op("look at campaigns");
/// `GET /v1/a2p/BrandRegistrations/{sid}`
pub const BRANDS: Op = Op("look at brands");
/// `GET /v1/Tollfree/Verifications`
pub const TOLL_FREE: Op = Op("look at toll-free verifications");
/// `GET /v1/Webhooks/Rules` and `Settings`, on the webhooks host
pub const HOOKS: Op = Op("look at webhook rules");

/// One request's route, with the account's SID and the message's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TwilioRoute {
    Send(String),
    List(String),
    Read(String, String),
    Change(String, String),
    Delete(String, String),
    Numbers(String),
    ShortCodes(String),
    Account(String),
    Services,
    Service(String),
    Members(String),
    Member(String, String),
    ChannelSenders(String),
    Campaigns(String),
    Brand(String),
    TollFree,
    HookRules,
    HookSettings,
    Unknown,
}

impl TwilioRoute {
    /// Reads method and path.
    pub fn of(request: &Request) -> Self {
        let segments = request.segments();
        let path: Vec<&str> = segments.iter().map(String::as_str).collect();
        let rest = match path.as_slice() {
            ["2010-04-01", "Accounts", rest @ ..] => rest,
            ["v1", rest @ ..] if request.method == "GET" => return Self::of_messaging(rest),
            _ => return Self::Unknown,
        };
        let json = |text: &str| text.strip_suffix(".json").map(str::to_owned);
        match (request.method.as_str(), rest) {
            ("POST", [account, "Messages.json"]) => Self::Send((*account).to_owned()),
            ("GET", [account, "Messages.json"]) => Self::List((*account).to_owned()),
            ("GET", [account, "IncomingPhoneNumbers.json"]) => Self::Numbers((*account).to_owned()),
            ("GET", [account, "SMS", "ShortCodes.json"]) => Self::ShortCodes((*account).to_owned()),
            ("GET", [account]) => json(account).map_or(Self::Unknown, Self::Account),
            (method, [account, "Messages", message]) => match (method, json(message)) {
                ("GET", Some(sid)) => Self::Read((*account).to_owned(), sid),
                ("POST", Some(sid)) => Self::Change((*account).to_owned(), sid),
                ("DELETE", Some(sid)) => Self::Delete((*account).to_owned(), sid),
                _ => Self::Unknown,
            },
            _ => Self::Unknown,
        }
    }

    fn of_messaging(path: &[&str]) -> Self {
        let own = |text: &str| text.to_owned();
        match path {
            ["Services"] => Self::Services,
            ["Services", sid] => Self::Service(own(sid)),
            ["Services", sid, "PhoneNumbers"] => Self::Members(own(sid)),
            ["Services", sid, "PhoneNumbers", number] => Self::Member(own(sid), own(number)),
            ["Services", sid, "ChannelSenders"] => Self::ChannelSenders(own(sid)),
            ["Services", sid, "Compliance", "Usa2p"] => Self::Campaigns(own(sid)),
            ["a2p", "BrandRegistrations", sid] => Self::Brand(own(sid)),
            ["Tollfree", "Verifications"] => Self::TollFree,
            ["Webhooks", "Rules"] => Self::HookRules,
            ["Webhooks", "Settings"] => Self::HookSettings,
            _ => Self::Unknown,
        }
    }

    /// The account in the path.
    pub fn account(&self) -> Option<&str> {
        match self {
            Self::Send(account)
            | Self::List(account)
            | Self::Numbers(account)
            | Self::ShortCodes(account)
            | Self::Account(account) => Some(account),
            Self::Read(account, _) | Self::Change(account, _) | Self::Delete(account, _) => {
                Some(account)
            }
            Self::Services
            | Self::Service(_)
            | Self::Members(_)
            | Self::Member(..)
            | Self::ChannelSenders(_)
            | Self::Campaigns(_)
            | Self::Brand(_)
            | Self::TollFree
            | Self::HookRules
            | Self::HookSettings
            | Self::Unknown => None,
        }
    }

    /// The name for tests.
    pub fn op(&self) -> Op {
        match self {
            Self::Send(_) => SEND,
            Self::List(_) => LIST,
            Self::Read(..) => READ,
            Self::Change(..) => REDACT,
            Self::Delete(..) => DELETE,
            Self::Numbers(_) => NUMBERS,
            Self::Account(_) => ACCOUNT,
            Self::ShortCodes(_) => SHORT_CODES,
            Self::Services | Self::Service(_) | Self::Members(_) | Self::Member(..) => SERVICES,
            Self::ChannelSenders(_) => CHANNEL_SENDERS,
            Self::Campaigns(_) => CAMPAIGNS,
            Self::Brand(_) => BRANDS,
            Self::TollFree => TOLL_FREE,
            Self::HookRules | Self::HookSettings => HOOKS,
            Self::Unknown => Op::UNKNOWN,
        }
    }
}
