//! What the desk does with one call.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use super::{Call, Desk, DeskState};
use crate::fakes::lock;
use crate::fakes::server::{Action, Reply, Request};
use crate::fakes::trouble::{Op, Trouble, When};

impl DeskState {
    pub(super) fn count(&self, op: Op) -> usize {
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
    pub(super) fn serve(&self, request: &Request) -> Action {
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
