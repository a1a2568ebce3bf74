//! Servers with nothing around them: a tiny_http, the least that any service on it costs, and hyper as its peer.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rustix::process::Pid;
use tiny_http::{Header, Request, Response, Server, StatusCode};

use coder_sms_register::config::Config;
use coder_sms_register::webhook::Judge;

use super::process::Process;

/// What the bare server does before it answers 200.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BareKind {
    /// Nothing.
    Answers,
    /// Reads the body, decodes the form and checks the signature, by the service's own code.
    Checks,
}

impl BareKind {
    /// The word of the command line.
    pub fn word(self) -> &'static str {
        match self {
            Self::Answers => "answers",
            Self::Checks => "checks",
        }
    }

    /// The kind of a word of the command line.
    pub fn of(word: &str) -> Option<Self> {
        [Self::Answers, Self::Checks]
            .into_iter()
            .find(|kind| kind.word() == word)
    }
}

/// A running one, as a process of its own or, in a short version, as a thread of this one.
pub struct Bare {
    /// Where it listens.
    pub address: SocketAddr,
    child: Option<Child>,
}

impl Bare {
    /// Starts one with the settings of a service; `own` is the program that this is.
    pub fn start(own: Option<&Path>, kind: BareKind, settings: &BTreeMap<String, String>) -> Self {
        let Some(own) = own else {
            let (server, address) = listen();
            let judge = judge(settings.clone());
            std::thread::spawn(move || serve(&server, kind, &judge));
            return Self {
                address,
                child: None,
            };
        };
        let mut command = Command::new(own);
        command.args(["--serve-bare", kind.word()]);
        Self::run(command.env_clear().envs(settings))
    }

    /// Starts hyper's smallest server, a program of its own (`tests/peers`).
    pub fn hyper(program: &Path) -> Self {
        Self::run(Command::new(program).env_clear())
    }

    /// Runs a program that prints its address, and ends when its input is closed.
    fn run(command: &mut Command) -> Self {
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = piped.spawn().expect("the program can be started");
        let mut line = String::new();
        let output = child.stdout.take().expect("a piped output");
        let read = BufReader::new(output).read_line(&mut line);
        read.expect("the bare server says where it listens");
        Self {
            address: line.trim().parse().expect("an address"),
            child: Some(child),
        }
    }

    /// Its process, if it has one of its own.
    pub fn process(&self) -> Option<Process> {
        let child = self.child.as_ref()?;
        Some(Process::of(Pid::from_child(child)))
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Serves as a child of [`Bare::start`], until that one ends.
pub fn serve_as_child(kind: BareKind) {
    let (server, address) = listen();
    let judge = judge(std::env::vars());
    let mut output = std::io::stdout();
    let _ = writeln!(output, "{address}").and_then(|()| output.flush());
    std::thread::spawn(|| {
        // Ends when the other end is closed, whatever ended that process.
        let _ = std::io::stdin().read(&mut [0]);
        std::process::exit(0);
    });
    serve(&server, kind, &judge);
}

fn listen() -> (Server, SocketAddr) {
    let server = Server::http("127.0.0.1:0").expect("a free port");
    let address = server.server_addr().to_ip().expect("a TCP listener");
    (server, address)
}

fn judge(settings: impl IntoIterator<Item = (String, String)>) -> Judge {
    let read = |path: &Path| std::fs::read_to_string(path);
    let config = Config::from_vars(settings, &read).expect("the settings of a service");
    Judge::new(&config.twilio)
}

fn serve(server: &Server, kind: BareKind, judge: &Judge) {
    let header = Header::from_bytes("Content-Type", "text/xml").expect("a header");
    while let Ok(mut request) = server.recv() {
        let fine = kind == BareKind::Answers || is_signed(&mut request, judge);
        let answer = Response::from_string("<Response/>").with_header(header.clone());
        let status = if fine { 200 } else { 403 };
        let _ = request.respond(answer.with_status_code(StatusCode(status)));
    }
}

fn is_signed(request: &mut Request, judge: &Judge) -> bool {
    let mut headers = request.headers().iter();
    let signature = headers.find(|header| header.field.equiv("X-Twilio-Signature"));
    let signature = signature.map_or_else(String::new, |header| header.value.to_string());
    let mut body = Vec::with_capacity(request.body_length().unwrap_or(0));
    let read = request.as_reader().read_to_end(&mut body);
    read.is_ok() && judge.judge_form(&signature, &body).is_ok()
}
