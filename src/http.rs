//! The HTTP client, shared by the clients of Coder and Twilio. Only this module uses ureq.
//!
//! It sets the time limits, and the rules for redirects, proxies and connection pools. If a request
//! fails without a status, its error says whether the request may have reached the server.

mod names;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;
use ureq::http::{HeaderMap, Method, Request};
use ureq::unversioned::resolver::DefaultResolver;
use ureq::unversioned::transport::DefaultConnector;
use ureq::{Agent, Timeout};

use crate::clock::unix_now;
use crate::domain::UnixSeconds;
use crate::metrics::{Family, Histogram, labels};
use names::{KnownAddresses, Names};

/// The largest answer that is read, in bytes. A list of a thousand workspaces is far smaller.
const ANSWER_LIMIT: u64 = 8 * 1024 * 1024;

/// How long a connection may be idle, and the address of a host counts as known.
const IDLE: Duration = Duration::from_secs(5);

/// In a container the usual cause is a name server that containers cannot reach.
const NO_SUCH_HOST: &str =
    "host name not found: is it spelt right, and does the name server answer here?";

const NO_LOOK_UP: &str = "name look-up timed out: does the name server answer here?";

/// Reasons for a failed TLS handshake.
pub(crate) const EXPIRED: &str = "its TLS certificate has expired, or is not valid yet";
pub(crate) const OTHER_NAME: &str = "its TLS certificate is for another name";
pub(crate) const UNTRUSTED: &str =
    "its TLS certificate is self-signed, or lacks the intermediate certificate of its issuer";
pub(crate) const NO_TLS: &str = "the server does not use TLS on this port";
const TLS_FAILED: &str = "TLS handshake failed";

/// An HTTP client. It is cheap to clone; all clones share their connections.
#[derive(Clone)]
pub struct Http {
    agent: Agent,
    addresses: Arc<KnownAddresses>,
    calls: Arc<Calls>,
}

/// The durations of calls, by the class of their status.
pub type Calls = Family<Status, Histogram>;

labels! {
    /// The class of the status of an answer.
    pub enum Status {
        /// Success.
        Done => "2xx",
        /// A redirect.
        Elsewhere => "3xx",
        /// A client error.
        Refused => "4xx",
        /// A server error.
        Failed => "5xx",
        /// No complete answer.
        NoAnswer => "no_answer",
    }
}

impl Status {
    fn of(result: &Result<HttpResponse, HttpError>) -> Self {
        match result.as_ref().map(|answer| answer.status) {
            Err(_) => Self::NoAnswer,
            Ok(..=299) => Self::Done,
            Ok(300..=399) => Self::Elsewhere,
            Ok(400..=499) => Self::Refused,
            Ok(500..) => Self::Failed,
        }
    }
}

/// An answer with any status.
#[derive(Debug)]
pub struct HttpResponse {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, up to 8 MiB.
    pub body: Vec<u8>,
}

/// Why a request has no complete answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HttpError {
    /// It certainly did not reach the server.
    NotSent(&'static str),
    /// It may have reached the server and been carried out.
    Unknown(&'static str),
}

impl fmt::Display for HttpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotSent(why) | Self::Unknown(why) => f.write_str(why),
        }
    }
}

impl Http {
    /// A client whose calls each end within `limit`, including connecting and reading the answer.
    pub fn new(limit: Duration) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(limit))
            .timeout_connect(Some(limit.min(Duration::from_secs(5))))
            // A redirect would send the token, a custom header, to any host that it names.
            .max_redirects(0)
            .max_redirects_will_error(false)
            // A proxy from the environment would also be used for loopback and internal networks.
            .proxy(None)
            .user_agent(concat!("coder-sms-register/", env!("CARGO_PKG_VERSION")))
            .input_buffer_size(16 * 1024)
            .output_buffer_size(16 * 1024)
            .max_idle_connections(16)
            .max_idle_connections_per_host(8)
            .max_idle_age(IDLE)
            .build();
        let addresses = Arc::new(KnownAddresses::new(IDLE));
        let names = Names::new(Arc::clone(&addresses), DefaultResolver::default());
        Self {
            agent: Agent::with_parts(config, DefaultConnector::default(), names),
            addresses,
            calls: new_calls(),
        }
    }

    /// A clone with its own [`Calls`], which it shares with its own clones, to measure the calls to
    /// one peer.
    pub fn to_a_peer(&self) -> Self {
        Self {
            agent: self.agent.clone(),
            addresses: Arc::clone(&self.addresses),
            calls: new_calls(),
        }
    }

    /// The durations of the calls of this client and its clones.
    pub fn calls(&self) -> Arc<Calls> {
        Arc::clone(&self.calls)
    }

    /// Interrupts the calls in progress and refuses later ones.
    pub fn shut_down(&self) {
        self.agent.clone().shutdown();
    }

    /// Makes one request. An empty `body` is sent as `Content-Length: 0` if the method is POST, PUT
    /// or PATCH, and not at all otherwise.
    ///
    /// # Errors
    /// [`HttpError`] if there is no complete answer. Any status is an answer.
    pub fn call(
        &self,
        method: Method,
        url: &str,
        headers: &[(&'static str, &str)],
        body: Vec<u8>,
    ) -> Result<HttpResponse, HttpError> {
        let began = Instant::now();
        let result = self.exchange(method, url, headers, body);
        if matches!(result, Err(HttpError::NotSent(_))) {
            self.addresses.forget();
        }
        if let Some(durations) = self.calls.get(Status::of(&result)) {
            durations.observe(began.elapsed());
        }
        result
    }

    fn exchange(
        &self,
        method: Method,
        url: &str,
        headers: &[(&'static str, &str)],
        body: Vec<u8>,
    ) -> Result<HttpResponse, HttpError> {
        // Without a body, ureq would announce a chunked one for PUT, which not every server
        // accepts.
        let has_body = matches!(method, Method::POST | Method::PUT | Method::PATCH);
        let mut request = Request::builder().method(method).uri(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let result = if body.is_empty() && !has_body {
            request.body(()).map(|request| self.agent.run(request))
        } else {
            request.body(body).map(|request| self.agent.run(request))
        };
        let result = result.map_err(|_| HttpError::NotSent("the request cannot be written"))?;
        let mut response = result.map_err(|error| classify(&error))?;
        let read = response
            .body_mut()
            .with_config()
            .limit(ANSWER_LIMIT)
            .read_to_vec();
        Ok(HttpResponse {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body: read.map_err(|error| HttpError::Unknown(classify(&error).why()))?,
        })
    }
}

fn new_calls() -> Arc<Calls> {
    let all = Status::ALL.iter().copied();
    Arc::new(Family::with(all, Histogram::of_calls))
}

/// The stage at which a request failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HttpStage {
    /// The host name could not be resolved.
    Name,
    /// The connection could not be opened.
    Connection,
    /// The TLS handshake failed, for example because the certificate is not trusted.
    Tls,
    /// The request was sent, but there was no valid answer.
    Response,
}

impl HttpError {
    /// The stage at which the request failed.
    pub fn stage(self) -> HttpStage {
        match self.why() {
            NO_SUCH_HOST | NO_LOOK_UP => HttpStage::Name,
            EXPIRED | OTHER_NAME | UNTRUSTED | NO_TLS | TLS_FAILED => HttpStage::Tls,
            _ => match self {
                Self::NotSent(_) => HttpStage::Connection,
                Self::Unknown(_) => HttpStage::Response,
            },
        }
    }

    fn why(self) -> &'static str {
        match self {
            Self::NotSent(why) | Self::Unknown(why) => why,
        }
    }
}

/// Decides whether the request of a failed call may have reached the server. ureq's own message is
/// dropped, because it may contain the URL and so a phone number.
fn classify(error: &ureq::Error) -> HttpError {
    use std::io::ErrorKind;
    match error {
        ureq::Error::HostNotFound => HttpError::NotSent(NO_SUCH_HOST),
        ureq::Error::ConnectionFailed => HttpError::NotSent("no connection"),
        ureq::Error::BadUri(_) | ureq::Error::Http(_) => HttpError::NotSent("unusable URL"),
        ureq::Error::Timeout(Timeout::Resolve) => HttpError::NotSent(NO_LOOK_UP),
        ureq::Error::Timeout(Timeout::Connect) => HttpError::NotSent("connecting timed out"),
        ureq::Error::Timeout(_) => HttpError::Unknown("timed out"),
        ureq::Error::Io(e) if e.kind() == ErrorKind::ConnectionRefused => {
            HttpError::NotSent("connection refused")
        }
        ureq::Error::Io(e)
            if matches!(
                e.kind(),
                ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable
            ) =>
        {
            HttpError::NotSent("host unreachable")
        }
        ureq::Error::Io(e) if e.kind() == ErrorKind::InvalidData => match tls_words(&e.to_string())
        {
            Some(why) => HttpError::NotSent(why),
            None => HttpError::Unknown("no valid TLS or HTTP"),
        },
        // The standard library has no error kind for it.
        ureq::Error::Io(e) if e.to_string().starts_with("failed to lookup address") => {
            HttpError::NotSent(NO_SUCH_HOST)
        }
        ureq::Error::Io(_) => HttpError::Unknown("connection broke"),
        ureq::Error::Rustls(e) => {
            HttpError::NotSent(tls_words(&e.to_string()).unwrap_or(TLS_FAILED))
        }
        ureq::Error::BodyExceedsLimit(_) => HttpError::Unknown("answer too large"),
        _ => HttpError::Unknown("no usable answer"),
    }
}

/// The reason for a failed TLS handshake, by the words in rustls' message. A bad certificate is
/// reported with the first rule that it breaks, even if it breaks several.
fn tls_words(error: &str) -> Option<&'static str> {
    let has = |part: &str| error.contains(part);
    if has("invalid peer certificate") {
        let expired =
            has("expired") || has("Expired") || has("NotValidYet") || has("not valid yet");
        let other = has("not valid for name") || has("NotValidForName");
        return Some(match (expired, other) {
            (true, _) => EXPIRED,
            (_, true) => OTHER_NAME,
            _ => UNTRUSTED,
        });
    }
    if has("corrupt message") || has("InvalidContentType") {
        return Some(NO_TLS);
    }
    (has("peer") || has("alert") || has("handshake")).then_some(TLS_FAILED)
}

impl HttpResponse {
    /// The value of a header; `None` if it is missing or not text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The body as JSON; `None` if its type or its content is not JSON of this form.
    pub fn json<T: serde::de::DeserializeOwned>(&self) -> Option<T> {
        let is_json = self
            .header("content-type")
            .is_some_and(|t| t.to_ascii_lowercase().contains("json"));
        if !is_json {
            return None;
        }
        serde_json::from_slice(&self.body).ok()
    }

    /// The time of the server, by its `Date` header.
    pub fn date(&self) -> Option<UnixSeconds> {
        let date = OffsetDateTime::parse(self.header("date")?, &Rfc2822).ok()?;
        Some(date.unix_timestamp())
    }

    /// Seconds by which the local clock is ahead of the server's; `None` without a `Date` header.
    pub fn clock_ahead(&self) -> Option<UnixSeconds> {
        self.date().map(|theirs| unix_now() - theirs)
    }

    /// The wait that the server asks for in `Retry-After`, at most an hour. A date instead of
    /// seconds is ignored.
    pub fn retry_after(&self) -> Option<Duration> {
        let seconds: u64 = self.header("retry-after")?.trim().parse().ok()?;
        Some(Duration::from_secs(seconds.min(3_600)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_to_an_unknown_host_is_not_sent() {
        let http = Http::new(Duration::from_secs(5));
        // No name server has to be asked for a label of more than 63 characters.
        let url = format!("http://{}.example.org/", "a".repeat(70));
        let broken = http.call(Method::GET, &url, &[], Vec::new()).unwrap_err();
        assert_eq!(broken, HttpError::NotSent(NO_SUCH_HOST));
    }
}
