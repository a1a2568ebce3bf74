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

/// One request's route, with the account's SID and the message's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Route {
    Send(String),
    List(String),
    Read(String, String),
    Change(String, String),
    Delete(String, String),
    Numbers(String),
    Account(String),
    Unknown,
}

impl Route {
    /// Reads method and path.
    pub fn of(request: &Request) -> Self {
        let segments = request.segments();
        let path: Vec<&str> = segments.iter().map(String::as_str).collect();
        let ["2010-04-01", "Accounts", rest @ ..] = path.as_slice() else {
            return Self::Unknown;
        };
        let json = |text: &str| text.strip_suffix(".json").map(str::to_owned);
        match (request.method.as_str(), rest) {
            ("POST", [account, "Messages.json"]) => Self::Send((*account).to_owned()),
            ("GET", [account, "Messages.json"]) => Self::List((*account).to_owned()),
            ("GET", [account, "IncomingPhoneNumbers.json"]) => Self::Numbers((*account).to_owned()),
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

    /// The account in the path.
    pub fn account(&self) -> Option<&str> {
        match self {
            Self::Send(account)
            | Self::List(account)
            | Self::Numbers(account)
            | Self::Account(account) => Some(account),
            Self::Read(account, _) | Self::Change(account, _) | Self::Delete(account, _) => {
                Some(account)
            }
            Self::Unknown => None,
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
            Self::Unknown => Op::UNKNOWN,
        }
    }
}
