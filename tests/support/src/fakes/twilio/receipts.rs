//! What becomes of a text that was taken, and the status callbacks that tell of it: signed posts from a thread.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use super::super::lock;
use super::hooks::signed_headers;
use super::student::{form_encode, sign, webhook_headers};
use super::{Exchange, TwilioAccount};

/// How long Twilio waits for an answer.
const PATIENCE: Duration = Duration::from_secs(15);

/// What becomes of a text, step by step. Steps may come in any order and more than once, as they do.
#[derive(Debug, Clone)]
pub struct Fate {
    /// The pause before each step.
    pub pause: Duration,
    /// A state, and an error code with it.
    pub steps: Vec<(&'static str, Option<u32>)>,
}

impl Fate {
    /// Sent, then delivered.
    pub fn delivered() -> Self {
        Self::of(&["sent", "delivered"])
    }

    /// Sent, then refused by the carrier with this code.
    pub fn undelivered(code: u32) -> Self {
        Self {
            steps: vec![("sent", None), ("undelivered", Some(code))],
            ..Self::of(&[])
        }
    }

    /// These states, without codes.
    pub fn of(states: &[&'static str]) -> Self {
        Self {
            pause: Duration::from_millis(10),
            steps: states.iter().map(|state| (*state, None)).collect(),
        }
    }

    /// With this pause before each step.
    pub fn slowly(mut self, pause: Duration) -> Self {
        self.pause = pause;
        self
    }
}

/// A status callback that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentReceipt {
    /// The text.
    pub sid: String,
    /// The state that it told.
    pub state: String,
    /// The status of the answer, 0 if none came.
    pub answer: u16,
}

fn rank(state: &str) -> u8 {
    match state {
        "accepted" | "queued" => 0,
        "sending" => 1,
        "sent" => 2,
        "read" => 4,
        _ => 3,
    }
}

/// Begins the fate of a message, if it has one.
pub(super) fn begin(exchange: &Arc<Exchange>, account: &TwilioAccount, sid: &str) {
    let mut state = lock(&exchange.state);
    let Some(message) = state.messages.iter().find(|message| message.sid == sid) else {
        return;
    };
    let fate = state
        .fates
        .get(&message.to)
        .or(state.fate.as_ref())
        .cloned();
    let Some(fate) = fate else {
        return;
    };
    if let Some(message) = state.messages.iter_mut().find(|message| message.sid == sid) {
        message.state = Some(("queued", None));
    }
    drop(state);
    let (exchange, account, sid) = (Arc::clone(exchange), account.clone(), sid.to_owned());
    let courier = thread::Builder::new().stack_size(256 * 1024);
    let run = move || {
        for step in fate.steps {
            thread::sleep(fate.pause);
            take(&exchange, &account, &sid, step);
        }
    };
    drop(courier.spawn(run).expect("a thread"));
}

/// One step: the log shows it, and the URL that asked for receipts gets one.
fn take(
    exchange: &Exchange,
    account: &TwilioAccount,
    sid: &str,
    (state, code): (&'static str, Option<u32>),
) {
    let told = {
        let mut world = lock(&exchange.state);
        let Some(message) = world.messages.iter_mut().find(|message| message.sid == sid) else {
            return;
        };
        let known = message.state.map_or("queued", |(known, _)| known);
        if rank(state) > rank(known) {
            message.state = Some((state, code));
        }
        let message = message.clone();
        message.callback.clone().map(|url| {
            let mut params = receipt_params(sid, &message.to, &message.from, state, code, account);
            if let Some(service) = &message.service {
                params.push(("MessagingServiceSid".to_owned(), service.clone()));
            }
            let reach = world
                .reach
                .iter()
                .find(|(origin, _)| url.starts_with(origin.as_str()));
            let address = reach.map(|(_, address)| *address);
            let url = signed_url(&url);
            let headers = signed_headers(account, &world.setup, &url, &params);
            (url, params, headers, address)
        })
    };
    let Some((url, params, headers, address)) = told else {
        return;
    };
    let answer = address.map_or(0, |address| {
        // Only a connection that fails is tried again, once.
        let once = || post_with(address, &headers, &url, &params);
        once().or_else(|_| once()).unwrap_or(0)
    });
    lock(&exchange.state).receipts.push(SentReceipt {
        sid: sid.to_owned(),
        state: state.to_owned(),
        answer,
    });
    exchange.arrived.notify_all();
}

/// What Twilio signs of a URL: neither the user nor the fragment.
fn signed_url(url: &str) -> String {
    let url = url.split('#').next().unwrap_or(url);
    let (scheme, rest) = url.split_once("://").unwrap_or(("https", url));
    let (host, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let host = host.rsplit('@').next().unwrap_or(host);
    format!("{scheme}://{host}{path}")
}

/// The parameters of a status callback.
pub fn receipt_params(
    sid: &str,
    to: &str,
    from: &str,
    state: &str,
    code: Option<u32>,
    account: &TwilioAccount,
) -> Vec<(String, String)> {
    let mut params = vec![
        ("SmsSid", sid.to_owned()),
        ("MessageSid", sid.to_owned()),
        ("AccountSid", account.account_sid.clone()),
        ("MessageStatus", state.to_owned()),
        ("SmsStatus", state.to_owned()),
        ("To", to.to_owned()),
        ("From", from.to_owned()),
        ("ApiVersion", "2010-04-01".to_owned()),
    ];
    if matches!(state, "delivered" | "undelivered") {
        params.push(("RawDlrDoneDate", "2610051230".to_owned()));
    }
    if let (Some(code), "failed" | "undelivered") = (code, state) {
        params.push(("ErrorCode", code.to_string()));
    }
    let owned = params.into_iter();
    owned
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

/// Posts a signed form to the host of `url`, which is at `address`. The error is one of connecting.
pub fn post(
    address: SocketAddr,
    token: &str,
    url: &str,
    params: &[(String, String)],
) -> std::io::Result<u16> {
    post_with(
        address,
        &webhook_headers(&sign(token, url, params)),
        url,
        params,
    )
}

fn post_with(
    address: SocketAddr,
    headers: &[(String, String)],
    url: &str,
    params: &[(String, String)],
) -> std::io::Result<u16> {
    let mut stream = TcpStream::connect(address)?;
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let body = form_encode(params);
    let mut head = format!("POST {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n");
    for (name, value) in headers {
        head += &format!("{name}: {value}\r\n");
    }
    head += &format!("Content-Length: {}\r\n\r\n{body}", body.len());
    let mut talk = || {
        stream.set_read_timeout(Some(PATIENCE)).ok()?;
        stream.write_all(head.as_bytes()).ok()?;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let answer = String::from_utf8_lossy(&answer).into_owned();
        answer.split(' ').nth(1)?.parse().ok()
    };
    Ok(talk().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_user_nor_fragment_is_signed() {
        assert_eq!(
            signed_url("https://u:p@sms.example.org:8443/status#rc=3"),
            "https://sms.example.org:8443/status"
        );
        assert_eq!(signed_url("https://a.org/s?b=c"), "https://a.org/s?b=c");
    }
}
