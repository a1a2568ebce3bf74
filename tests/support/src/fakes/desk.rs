//! The desk in front of a fake's rules: it notes every call, makes trouble, waits, runs hooks, and only then asks the rules.
//!
//! Both fakes put one [`FakeServer`] in front of themselves and lend its verbs to the tests.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use super::lock;
use super::random::Dice;
use super::server::{Action, Reply, Request, Server};
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
struct State {
    calls: Vec<Call>,
    unexpected: Vec<String>,
    plans: Plans,
    hooks: Vec<Hook>,
    dice: Option<(Dice, u64)>,
    latencies: Vec<(Op, Duration)>,
    gate: Option<Arc<Gate>>,
}

struct Desk {
    state: Mutex<State>,
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

impl State {
    fn count(&self, op: Op) -> usize {
        self.calls
            .iter()
            .filter(|call| op == Op::ANY || call.op == op.0)
            .count()
    }

    fn latency_of(&self, op: Op) -> Duration {
        let find = |wanted: Op| {
            self.latencies
                .iter()
                .find(|(known, _)| *known == wanted)
                .map(|(_, time)| *time)
        };
        find(op).or_else(|| find(Op::ANY)).unwrap_or_default()
    }

    fn next_trouble(&mut self, op: Op, request: &Request) -> Option<Trouble> {
        let planned = self.plans.take(op, request);
        let rolled = self
            .dice
            .as_mut()
            .is_some_and(|(dice, percent)| dice.below(100) < *percent);
        planned.or_else(|| rolled.then_some(Trouble::LoseReply))
    }
}

impl Desk {
    fn serve(&self, request: &Request) -> Action {
        let op = self.api.op(request);
        let (number, trouble, latency) = self.note_arrival(op, request);
        match trouble {
            Some(Trouble::CutBefore) => return Action::Close,
            Some(Trouble::Hang(time)) => return Action::Hold(time),
            Some(Trouble::Status(status, headers, content_type, body)) => {
                thread::sleep(latency);
                self.note(number, |call| call.status = Some(status));
                let content_type = Some(content_type);
                let body = body.into_bytes();
                return Action::Reply(Reply {
                    headers,
                    content_type,
                    body,
                    ..Reply::empty(status)
                });
            }
            Some(Trouble::Delay(time)) => thread::sleep(time),
            Some(Trouble::LoseReply | Trouble::HangAfter(_)) | None => {}
        }
        thread::sleep(latency / 2);
        let reply = self.pass_gate(number, || self.apply(number, op, request));
        thread::sleep(latency / 2);
        match (trouble, reply) {
            (Some(Trouble::LoseReply), _) | (_, None) => Action::Close,
            (Some(Trouble::HangAfter(time)), _) => Action::Hold(time),
            (_, Some(reply)) => {
                self.note(number, |call| call.status = Some(reply.status));
                Action::Reply(reply)
            }
        }
    }

    fn apply(&self, number: usize, op: Op, request: &Request) -> Reply {
        self.run_hooks(number, op, request, When::Before);
        let reply = self.api.answer(request);
        self.note_result(number, op, request, &reply);
        self.run_hooks(number, op, request, When::After);
        reply
    }

    /// The answer, if the gate lets the call through and the answer back. The gate runs without the desk's lock.
    fn pass_gate(&self, number: usize, apply: impl Fn() -> Reply) -> Option<Reply> {
        let (gate, call) = {
            let state = lock(&self.state);
            (state.gate.clone(), state.calls[number].clone())
        };
        let Some(gate) = gate else {
            return Some(apply());
        };
        let mut reply = None;
        let is_answered = gate(&call, &mut || reply = Some(apply()));
        reply.filter(|_| is_answered)
    }

    fn note_arrival(&self, op: Op, request: &Request) -> (usize, Option<Trouble>, Duration) {
        let mut state = lock(&self.state);
        let trouble = state.next_trouble(op, request);
        state.calls.push(Call {
            at: request.at,
            op: op.0.to_owned(),
            method: request.method.clone(),
            path: request.path.clone(),
            query: harmless_query(request),
            status: None,
            applied: None,
            trouble: trouble.clone(),
        });
        self.changed.notify_all();
        (state.calls.len() - 1, trouble, state.latency_of(op))
    }

    fn note_result(&self, number: usize, op: Op, request: &Request, reply: &Reply) {
        let mut state = lock(&self.state);
        state.calls[number].applied = Some(reply.status);
        let why = reply
            .unexpected
            .clone()
            .or_else(|| (op == Op::UNKNOWN).then(|| "no such route".to_owned()));
        // A port may have belonged to the service of another class, to which Twilio still offers a text, or a laptop
        // still sends its questions.
        let for_services = ["X-Twilio-Signature", "X-Screen"];
        let is_for_another = for_services
            .iter()
            .any(|name| request.header(name).is_some());
        if let Some(why) = why.filter(|_| !is_for_another) {
            state
                .unexpected
                .push(format!("{} {}: {why}", request.method, request.path));
        }
    }

    fn note(&self, number: usize, change: impl FnOnce(&mut Call)) {
        change(&mut lock(&self.state).calls[number]);
    }

    /// Hooks run without the desk's lock, so that they may use the fake.
    fn run_hooks(&self, number: usize, op: Op, request: &Request, when: When) {
        let mut due = Vec::new();
        let call = {
            let mut state = lock(&self.state);
            for hook in &mut state.hooks {
                if hook.when == when && hook.times > 0 && hook.which.matches(op, request) {
                    hook.times -= 1;
                    due.push(Arc::clone(&hook.run));
                }
            }
            state.calls[number].clone()
        };
        for hook in due {
            lock(&hook)(&call);
        }
    }
}

/// The query with the values of parameters that never hold private things; of the others only the names.
fn harmless_query(request: &Request) -> String {
    const HARMLESS: [&str; 8] = [
        "q",
        "limit",
        "offset",
        "after_id",
        "include_deleted",
        "expect_status",
        "PageSize",
        "Page",
    ];
    let show = |(name, value): (String, String)| match HARMLESS.contains(&name.as_str()) {
        true => format!("{name}={value}"),
        false => name,
    };
    request
        .query_pairs()
        .into_iter()
        .map(show)
        .collect::<Vec<_>>()
        .join("&")
}
