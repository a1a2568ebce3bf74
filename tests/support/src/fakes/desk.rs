//! The desk in front of a fake's rules: it notes every call, makes trouble, waits, runs hooks, and only then asks the rules.
//!
//! Both fakes put one [`FakeServer`] in front of themselves and lend its verbs to the tests.

mod serving;

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use super::lock;
use super::random::Dice;
use super::server::{Reply, Request, Server};
use super::trouble::{Op, Plans, Predicate, Trouble, When, Which};

/// The rules of one system.
pub trait Api: Send + Sync + 'static {
    /// Which operation a request asks for; [`Op::UNKNOWN`] if it is none.
    fn op(&self, request: &Request) -> Op;
    /// Applies the request and answers it.
    fn answer(&self, request: &Request) -> Reply;
}

/// One request as a test may print it: no headers, no body, no query values that could be private.
#[derive(Debug, Clone)]
pub struct Call {
    /// When it had arrived.
    pub at: Instant,
    /// What it asked for.
    pub op: String,
    /// `GET`, `POST` ...
    pub method: String,
    /// The path, without the query.
    pub path: String,
    /// The query: harmless values in full, of the others the names only.
    pub query: String,
    /// What the client was told; `None` while it waits, or if no answer was written.
    pub status: Option<u16>,
    /// What the rules said, whether or not the client got to know it; `None` if nothing was applied.
    pub applied: Option<u16>,
    /// What went wrong on purpose.
    pub trouble: Option<Trouble>,
}

type HookFn = Box<dyn FnMut(&Call) + Send>;

/// Stands around every call: the call is applied when the gate runs the deed, and answered only if the
/// gate says so; otherwise its connection is closed.
pub type Gate = Box<dyn Fn(&Call, &mut dyn FnMut()) -> bool + Send + Sync>;

struct Hook {
    which: Which,
    when: When,
    times: usize,
    run: Arc<Mutex<HookFn>>,
}

#[derive(Default)]
struct DeskState {
    calls: Vec<Call>,
    unexpected: Vec<String>,
    plans: Plans,
    hooks: Vec<Hook>,
    dice: Option<(Dice, u64)>,
    latencies: Vec<(Op, Duration)>,
    gate: Option<Arc<Gate>>,
}

struct Desk {
    state: Mutex<DeskState>,
    changed: Condvar,
    api: Box<dyn Api>,
}

/// A server with a desk in front of an [`Api`]. All verbs take effect at once and may be used from any thread.
pub struct FakeServer {
    server: Server,
    desk: Arc<Desk>,
    name: &'static str,
    born: Instant,
}

impl FakeServer {
    /// Opens the desk on this address.
    pub fn start_at(name: &'static str, address: SocketAddr, api: impl Api) -> Self {
        let desk = Arc::new(Desk {
            state: Mutex::default(),
            changed: Condvar::new(),
            api: Box::new(api),
        });
        let server = Server::start_at(address, {
            let desk = Arc::clone(&desk);
            move |request| desk.serve(request)
        });
        Self {
            server,
            desk,
            name,
            born: Instant::now(),
        }
    }

    /// `http://127.0.0.1:port`, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.server.address())
    }

    /// Every connection is closed at once, those that are open too, until [`FakeServer::comes_back`].
    pub fn goes_down(&self) {
        self.server.goes_down();
    }

    /// Ends what [`FakeServer::goes_down`] began.
    pub fn comes_back(&self) {
        self.server.comes_back();
    }

    /// The next `times` calls of this kind go wrong; `usize::MAX` means all to come. Earlier plans go first.
    pub fn trouble(&self, which: impl Into<Which>, times: usize, trouble: Trouble) {
        lock(&self.desk.state)
            .plans
            .add(which.into(), times, trouble);
    }

    /// The next `times` calls that look like this go wrong.
    pub fn trouble_when(&self, predicate: Predicate, times: usize, trouble: Trouble) {
        self.trouble(predicate, times, trouble);
    }

    /// Forgets all troubles that are still to come, the random ones too.
    pub fn no_more_trouble(&self) {
        let mut state = lock(&self.desk.state);
        state.plans.clear();
        state.dice = None;
    }

    /// From now on `percent` of all calls are applied and then lose their reply, by a dice with this seed.
    pub fn unreliable(&self, seed: u64, percent: u64) {
        lock(&self.desk.state).dice = (percent > 0).then(|| (Dice::new(seed), percent));
    }

    /// Every call of this kind takes this long, half of it before it is applied and half after. The latest word for
    /// an operation counts; one for [`Op::ANY`] is the default of the others.
    pub fn latency(&self, op: Op, time: Duration) {
        let mut state = lock(&self.desk.state);
        state.latencies.retain(|(known, _)| *known != op);
        state.latencies.push((op, time));
    }

    /// Runs `hook` at the next `times` calls of this kind that are really applied. The call waits for it.
    pub fn on(
        &self,
        which: impl Into<Which>,
        when: When,
        times: usize,
        mut hook: Box<dyn FnMut() + Send>,
    ) {
        self.add_hook(which.into(), when, times, Box::new(move |_| hook()));
    }

    /// Holds the next call of this kind that is really applied, before or after it has its effect, until something is
    /// sent or the sender is dropped.
    pub fn hold(&self, which: impl Into<Which>, when: When) -> Sender<()> {
        let (go, held) = channel();
        let wait = Box::new(move || {
            let _ = held.recv();
        });
        self.on(which, when, 1, wait);
        go
    }

    /// From now on every call has to pass this gate, unless trouble meets it first.
    pub fn gate(&self, gate: Gate) {
        lock(&self.desk.state).gate = Some(Arc::new(gate));
    }

    fn add_hook(&self, which: Which, when: When, times: usize, run: HookFn) {
        lock(&self.desk.state).hooks.push(Hook {
            which,
            when,
            times,
            run: Arc::new(Mutex::new(run)),
        });
    }

    /// All calls so far, in the order of their arrival.
    pub fn calls(&self) -> Vec<Call> {
        lock(&self.desk.state).calls.clone()
    }

    /// How often this operation was asked for so far.
    pub fn count(&self, op: Op) -> usize {
        lock(&self.desk.state).count(op)
    }

    /// Waits until this operation was asked for `times` times. `false` if that did not happen within `deadline`.
    pub fn wait_for_calls(&self, op: Op, times: usize, deadline: Duration) -> bool {
        let state = lock(&self.desk.state);
        let waited = self
            .desk
            .changed
            .wait_timeout_while(state, deadline, |state| state.count(op) < times);
        waited.is_ok_and(|(_, timeout)| !timeout.timed_out())
    }

    /// Requests that the real system does not know or that the fake does not model. A test should find none.
    pub fn unexpected(&self) -> Vec<String> {
        lock(&self.desk.state).unexpected.clone()
    }

    /// All calls as text, one a line, for a person who looks at a failed test. Holds no secrets.
    pub fn describe(&self) -> String {
        let mut text = format!("{} at {}\n", self.name, self.url());
        let status = |status: Option<u16>| {
            status.map_or_else(|| "-".to_owned(), |status| status.to_string())
        };
        for call in self.calls() {
            let Call {
                op,
                method,
                path,
                query,
                ..
            } = &call;
            let at = call.at.saturating_duration_since(self.born).as_secs_f64();
            let target = if query.is_empty() {
                path.clone()
            } else {
                format!("{path}?{query}")
            };
            let _ = write!(
                text,
                "{at:9.3}s  {}  {method} {target}  [{op}]",
                status(call.status)
            );
            if let Some(trouble) = &call.trouble {
                let _ = write!(
                    text,
                    "  trouble: {trouble}; by the rules {}",
                    status(call.applied)
                );
            }
            text.push('\n');
        }
        for note in self.unexpected() {
            let _ = writeln!(text, "unexpected: {note}");
        }
        text
    }
}
