//! A fake in a container of its own, and the window through which the test inspects it.
//!
//! The service calls the fake on port 80. Port 81 is the window: it answers as JSON what a test in the same process
//! would ask the fake directly.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::classroom::http;
use crate::fakes::coder::{FakeCoder, Version, ops};
use crate::fakes::server::{Action, Reply, Request, Server};
use crate::fakes::trouble::Op;
use crate::fakes::twilio::{FakeTwilio, TwilioAccount};

const API: u16 = 80;
const WINDOW: u16 = 81;

fn everywhere(port: u16) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), port)
}

/// Runs a fake until it is killed.
pub fn play(guest: &str, settings: &[&str]) -> ExitCode {
    let window = match (guest, settings) {
        ("coder", []) => coder(),
        ("twilio", [account_sid, account_token, auth_sid, auth_token, from]) => {
            let text = |word: &&str| (*word).to_owned();
            twilio(TwilioAccount {
                account_sid: text(account_sid),
                account_token: text(account_token),
                auth_sid: text(auth_sid),
                auth_token: text(auth_token),
                from_numbers: vec![text(from)],
                service_sid: TwilioAccount::random().service_sid,
            })
        }
        _ => {
            eprintln!("containers play: coder, or twilio with five words");
            return ExitCode::from(2);
        }
    };
    loop {
        std::thread::park();
        let _ = &window;
    }
}

fn coder() -> Server {
    let coder = Arc::new(FakeCoder::start_at(everywhere(API), Version::Newest));
    coder.rate_limits(false);
    coder.latency(Op::ANY, Duration::from_millis(50));
    coder.latency(ops::CREATE_USER, Duration::from_millis(250));
    Server::start_at(everywhere(WINDOW), move |request| {
        Action::Reply(coder_window(&coder, request))
    })
}

fn coder_window(coder: &FakeCoder, request: &Request) -> Reply {
    let query = request.query_pairs();
    let word = |name: &str| {
        let found = query.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value)
    };
    let shown = match request.path.as_str() {
        "/token" => json!(coder.token()),
        "/students" => {
            let students = coder.students();
            json!(
                students
                    .iter()
                    .map(|user| &user.username)
                    .collect::<Vec<_>>()
            )
        }
        "/created-ever" => json!(coder.created_ever()),
        "/complaints" => json!([coder.unexpected(), coder.touched_foreign()].concat()),
        "/workspaces" => {
            let left = coder.all_workspaces().into_iter().filter(|w| !w.deleted);
            json!(left.map(|w| w.owner).collect::<Vec<_>>())
        }
        "/logs-in" => json!(coder.password_works(word("email"), word("password"))),
        "/rest-a-workspace" => {
            let made = coder.running_workspace(word("owner"), "dev").is_some();
            json!(made && coder.stop_workspace(word("owner"), "dev"))
        }
        _ => return Reply::text(404, "no such window"),
    };
    Reply::text(200, &shown.to_string())
}

fn twilio(account: TwilioAccount) -> Server {
    let twilio = Arc::new(FakeTwilio::start_at(everywhere(API), account));
    twilio.latency(Op::ANY, Duration::from_millis(150));
    Server::start_at(everywhere(WINDOW), move |request| {
        Action::Reply(twilio_window(&twilio, request))
    })
}

fn twilio_window(twilio: &FakeTwilio, request: &Request) -> Reply {
    let shown = match request.path.as_str() {
        "/texts" => {
            let texts = twilio.texts();
            json!(texts.iter().map(|t| (&t.to, &t.body)).collect::<Vec<_>>())
        }
        "/complaints" => json!(twilio.unexpected()),
        _ => return Reply::text(404, "no such window"),
    };
    Reply::text(200, &shown.to_string())
}

/// A window, as the test uses it.
pub struct GuestWindow {
    address: SocketAddr,
}

impl GuestWindow {
    /// The window that is published at this address.
    pub fn at(address: SocketAddr) -> Self {
        Self { address }
    }

    /// What the window answers. Waits until the fake has started.
    pub fn see(&self, target: &str) -> Value {
        for _ in 0..100 {
            if let Ok(answer) = http::request(self.address, "GET", target, &[], &[])
                && answer.status == 200
            {
                return serde_json::from_str(answer.body()).expect("JSON");
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("no answer at {}{target}", self.address);
    }

    /// A list of words.
    pub fn words(&self, target: &str) -> Vec<String> {
        serde_json::from_value(self.see(target)).expect("a list of words")
    }
}
