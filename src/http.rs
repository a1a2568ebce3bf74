//! One outgoing HTTP request at a time: the room around ureq, shared by the Coder and Twilio clients.
//!
//! What is hidden here: time limits, redirects, proxies and pools. A caller learns one thing that a
//! status code cannot tell: whether a failed request may have reached the other side.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;
use ureq::http::{HeaderMap, Method, Request};
use ureq::{Agent, Timeout};

use crate::clock::unix_now;
use crate::domain::UnixSeconds;
use crate::metrics::{Family, Histogram, labels};

/// The largest answer that is read, in bytes. A thousand workspaces stay well below it.
const ANSWER_LIMIT: u64 = 8 * 1024 * 1024;

/// In a container the usual cause is a name server that containers do not reach.
const NO_SUCH_HOST: &str =
    "host name not found: is it spelt right, and does the name server answer here?";

const NO_LOOK_UP: &str = "name look-up timed out: does the name server answer here?";

/// Words for what is wrong with the other side's certificate, or with its TLS.
pub(crate) const EXPIRED: &str = "its TLS certificate has expired, or is not valid yet";
pub(crate) const OTHER_NAME: &str = "its TLS certificate is for another name";
pub(crate) const UNTRUSTED: &str =
    "its TLS certificate is self-signed, or lacks the intermediate certificate of its issuer";
pub(crate) const NO_TLS: &str = "what answers there does not speak TLS";
const TLS_FAILED: &str = "TLS handshake failed";

/// Makes requests; cheap to clone, all clones share their connections.
#[derive(Clone)]
pub struct Http {
    agent: Agent,
    calls: Arc<Calls>,
}

/// How long calls took, by what came back.
pub type Calls = Family<Status, Histogram>;

labels! {
    /// What came back.
    pub enum Status {
        /// It was done.
        Done => "2xx",
        /// Another place was named.
        Elsewhere => "3xx",
        /// It was refused.
        Refused => "4xx",
        /// The other side failed.
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

/// What came back, whatever its status.
#[derive(Debug)]
pub struct HttpResponse {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, up to 8 MiB.
    pub body: Vec<u8>,
}

/// A request without an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HttpError {
    /// It surely never reached the other side.
    NotSent(&'static str),
    /// It may have been carried out.
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
    /// An agent whose every call ends within `limit`, connecting and reading included.
    pub fn new(limit: Duration) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(limit))
            .timeout_connect(Some(limit.min(Duration::from_secs(5))))
            // A redirect would carry our token, a custom header, to whatever host it names.
            .max_redirects(0)
            .max_redirects_will_error(false)
            // A proxy from the environment also takes calls to loopback and inner networks away.
            .proxy(None)
            .user_agent(concat!("coder-sms-register/", env!("CARGO_PKG_VERSION")))
            .input_buffer_size(16 * 1024)
            .output_buffer_size(16 * 1024)
            .max_idle_connections(16)
            .max_idle_connections_per_host(8)
            .max_idle_age(Duration::from_secs(5))
            .build();
        Self {
            agent: Agent::new_with_config(config),
            calls: new_calls(),
        }
    }

    /// A clone whose calls, and those of its clones, are counted apart: those to one peer.
    pub fn to_a_peer(&self) -> Self {
        Self {
            agent: self.agent.clone(),
            calls: new_calls(),
        }
    }

    /// How long calls of this one and its clones took.
    pub fn calls(&self) -> Arc<Calls> {
        Arc::clone(&self.calls)
    }

    /// Interrupts the calls in progress and refuses later ones.
    pub fn shut_down(&self) {
        self.agent.clone().shutdown();
    }

    /// Makes one request. An empty `body` is sent as `Content-Length: 0` where the method has bodies,
    /// and not at all elsewhere.
    ///
    /// # Errors
    /// [`HttpError`] where no complete answer came. Every status is an answer.
    pub fn call(
        &self,
        method: Method,
        url: &str,
        headers: &[(&'static str, &str)],
        body: Vec<u8>,
    ) -> Result<HttpResponse, HttpError> {
        let began = Instant::now();
        let result = self.exchange(method, url, headers, body);
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
        // ureq would announce a chunked body for a PUT without one, which not every server takes.
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

/// How far a request came that got no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HttpStage {
    /// The host's name leads nowhere.
    Name,
    /// Nobody takes the connection.
    Connection,
    /// Somebody takes it, but not with a certificate to trust.
    Tls,
    /// Somebody took the request, and did not answer it in order.
    HttpResponse,
}

impl HttpError {
    /// How far the request came.
    pub fn stage(self) -> HttpStage {
        match self.why() {
            NO_SUCH_HOST | NO_LOOK_UP => HttpStage::Name,
            EXPIRED | OTHER_NAME | UNTRUSTED | NO_TLS | TLS_FAILED => HttpStage::Tls,
            _ => match self {
                Self::NotSent(_) => HttpStage::Connection,
                Self::Unknown(_) => HttpStage::HttpResponse,
            },
        }
    }

    fn why(self) -> &'static str {
        match self {
            Self::NotSent(why) | Self::Unknown(why) => why,
        }
    }
}

/// Sorts an error into "never left" and "who knows". ureq's own words are dropped, as they may hold
/// the URL and in it a phone number.
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
        // The standard library has no kind of its own for it.
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

/// What is wrong with the other side's TLS, by the words that rustls has for it. A certificate that
/// is trusted by nobody fails by the first of several rules, whichever it breaks.
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
    /// A header as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The body as JSON; `None` where it claims to be, or is, something else.
    pub fn json<T: serde::de::DeserializeOwned>(&self) -> Option<T> {
        let is_json = self
            .header("content-type")
            .is_some_and(|t| t.to_ascii_lowercase().contains("json"));
        if !is_json {
            return None;
        }
        serde_json::from_slice(&self.body).ok()
    }

    /// The other side's clock, as it tells it.
    pub fn date(&self) -> Option<UnixSeconds> {
        let date = OffsetDateTime::parse(self.header("date")?, &Rfc2822).ok()?;
        Some(date.unix_timestamp())
    }

    /// Seconds by which our clock is ahead of the other side's; `None` where it does not tell its time.
    pub fn clock_ahead(&self) -> Option<UnixSeconds> {
        self.date().map(|theirs| unix_now() - theirs)
    }

    /// How long the other side asks us to wait, at most an hour; a date instead of seconds counts
    /// as none.
    pub fn retry_after(&self) -> Option<Duration> {
        let seconds: u64 = self.header("retry-after")?.trim().parse().ok()?;
        Some(Duration::from_secs(seconds.min(3_600)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_not_found_was_never_sent_to() {
        let http = Http::new(Duration::from_secs(5));
        // No name server has to be asked for a label of more than 63 characters.
        let url = format!("http://{}.example.org/", "a".repeat(70));
        let broken = http.call(Method::GET, &url, &[], Vec::new()).unwrap_err();
        assert_eq!(broken, HttpError::NotSent(NO_SUCH_HOST));
    }
}
