//! What can go wrong on purpose, and for which calls.

use std::fmt;
use std::time::Duration;

use super::server::Request;

/// The name of one thing a fake can be asked to do, such as "create user". Each fake lists its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Op(pub &'static str);

impl Op {
    /// Stands for every call where a plan, a hook or a count asks for an operation.
    pub const ANY: Self = Self("any");
    /// A request to a route that the fake does not know.
    pub const UNKNOWN: Self = Self("unknown route");
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// One way for a call to go wrong.
#[derive(Debug, Clone)]
pub enum Trouble {
    /// The connection is cut; nothing was applied.
    CutBefore,
    /// The call is applied; then the connection is cut instead of an answer.
    LoseReply,
    /// Nothing is applied; silence for this long or until the client leaves, then the connection is closed.
    Hang(Duration),
    /// The call is applied; then silence for this long or until the client leaves, then the connection is closed.
    HangAfter(Duration),
    /// This answer instead of the call; nothing is applied. Status, headers, content type, body.
    Status(u16, Vec<(String, String)>, String, String),
    /// The call takes this much longer and is then normal.
    Delay(Duration),
}

impl Trouble {
    /// A proxy's HTML page: 502.
    pub fn bad_gateway() -> Self {
        Self::html(502, "Bad Gateway")
    }

    /// A proxy's HTML page: 503.
    pub fn unavailable() -> Self {
        Self::html(503, "Service Temporarily Unavailable")
    }

    /// A proxy's HTML page with this status and title.
    pub fn html(status: u16, title: &str) -> Self {
        let heading = format!("{status} {title}");
        let page = format!(
            "<html>\r\n<head><title>{heading}</title></head>\r\n<body>\r\n<center><h1>{heading}</h1></center>\r\n\
             <hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
        );
        Self::Status(status, Vec::new(), "text/html".to_owned(), page)
    }

    /// 429 with `Retry-After`, as a proxy or an API would send it.
    pub fn too_many_requests(retry_after_seconds: u64) -> Self {
        let headers = vec![("Retry-After".to_owned(), retry_after_seconds.to_string())];
        let body =
            r#"{"message":"You've been rate limited for sending more than 512 requests in 1m0s."}"#;
        Self::Status(
            429,
            headers,
            "application/json; charset=utf-8".to_owned(),
            body.to_owned(),
        )
    }

    /// An answer with a JSON body.
    pub fn json(status: u16, body: &serde_json::Value) -> Self {
        Self::Status(
            status,
            Vec::new(),
            "application/json; charset=utf-8".to_owned(),
            body.to_string(),
        )
    }

    /// The same answer with one header more.
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        if let Self::Status(_, headers, ..) = &mut self {
            headers.push((name.to_owned(), value.to_owned()));
        }
        self
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CutBefore => f.write_str("cut before"),
            Self::LoseReply => f.write_str("reply lost"),
            Self::Hang(time) => write!(f, "hung for {time:?}, not applied"),
            Self::HangAfter(time) => write!(f, "applied, then hung for {time:?}"),
            Self::Status(status, ..) => write!(f, "answered {status} instead"),
            Self::Delay(time) => write!(f, "delayed by {time:?}"),
        }
    }
}

/// Decides by the look of a request.
pub type Predicate = Box<dyn Fn(&Request) -> bool + Send>;

/// Which calls a plan or a hook is meant for.
pub enum Which {
    /// Calls of this operation; [`Op::ANY`] means all.
    Op(Op),
    /// Calls that look like this.
    When(Predicate),
}

impl Which {
    /// Calls with this method to this exact path.
    pub fn path(method: &'static str, path: impl Into<String>) -> Self {
        let path = path.into();
        Self::When(Box::new(move |request| {
            request.method == method && request.path == path
        }))
    }

    /// Does it mean this call?
    pub fn matches(&self, op: Op, request: &Request) -> bool {
        match self {
            Self::Op(wanted) => *wanted == Op::ANY || *wanted == op,
            Self::When(predicate) => predicate(request),
        }
    }
}

impl From<Op> for Which {
    fn from(op: Op) -> Self {
        Self::Op(op)
    }
}

impl From<Predicate> for Which {
    fn from(predicate: Predicate) -> Self {
        Self::When(predicate)
    }
}

/// When a hook runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// The request is complete; nothing has been applied.
    Before,
    /// The call has been applied; the answer has not been written.
    After,
}

/// Troubles still to come: the first plan that fits a call takes it.
#[derive(Default)]
pub struct Plans(Vec<(Which, usize, Trouble)>);

impl Plans {
    /// The next `times` calls of this kind go wrong in this way. Earlier plans go first.
    pub fn add(&mut self, which: Which, times: usize, trouble: Trouble) {
        self.0.push((which, times, trouble));
    }

    /// What is to go wrong with this call. Uses up one of the times.
    pub fn take(&mut self, op: Op, request: &Request) -> Option<Trouble> {
        let (_, times, trouble) = self
            .0
            .iter_mut()
            .find(|(which, times, _)| *times > 0 && which.matches(op, request))?;
        *times -= 1;
        let trouble = trouble.clone();
        self.0.retain(|(_, times, _)| *times > 0);
        Some(trouble)
    }

    /// Forgets all plans.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}
