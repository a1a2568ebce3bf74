//! An open join page, as far as it costs the service something: it asks what the page's script asks, over a connection
//! that stays open, as browsers keep theirs.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use serde_json::Value;

use crate::classroom::http::Answer;
use crate::classroom::wire::Wire;

/// How long a page that is seen waits between an answer and its next question (`page.js`).
pub(super) const REST: Duration = Duration::from_millis(800);

/// How long a page waits that got no state (`page.js`).
pub(super) const LATER: Duration = Duration::from_secs(2);

/// One open page.
pub(super) struct BenchPage {
    address: SocketAddr,
    client: IpAddr,
    wire: Wire,
    /// What the student texts.
    code: String,
    /// The headers of every question.
    headers: String,
}

impl BenchPage {
    /// A page that a client opens at this address of the service.
    pub(super) fn open(address: SocketAddr, client: IpAddr) -> Self {
        let mut page = Self {
            address,
            client,
            wire: connect(client, address),
            code: String::new(),
            headers: String::new(),
        };
        page.takes_code();
        page
    }

    /// The code that it shows.
    pub(super) fn code(&self) -> &str {
        &self.code
    }

    /// It asks for a new code.
    pub(super) fn takes_code(&mut self) {
        let mut tries = 0;
        let opened = loop {
            tries += 1;
            assert!(tries < 60, "no room for a page");
            let opened = self.says(
                "POST /screen HTTP/1.1\r\nHost: sms.class.example.org\r\nContent-Length: 0\r\n\r\n",
            );
            match read(&opened) {
                Value::Null => std::thread::sleep(LATER),
                opened => break opened,
            }
        };
        let field = |name: &str| opened[name].as_str().expect("a screen").to_owned();
        self.code = field("code");
        // About as many headers as a browser sends.
        self.headers = format!(
            "Host: sms.class.example.org\r\nX-Screen: {}\r\nAccept: */*\r\n\
             Accept-Encoding: gzip, deflate, br\r\nAccept-Language: en\r\nSec-Fetch-Mode: cors\r\n\
             Sec-Fetch-Site: same-origin\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36\r\n",
            field("secret")
        );
    }

    /// It asks for its state.
    pub(super) fn asks(&mut self) -> Answer {
        self.says(&format!("GET /screen HTTP/1.1\r\n{}\r\n", self.headers))
    }

    /// The state that it is told; null if the service had no time for it, as on a machine that is too busy.
    pub(super) fn state(&mut self) -> Value {
        read(&self.asks())
    }

    /// The person in front of it says yes to this claim. Returns the state that follows.
    pub(super) fn says_yes(&mut self, claim: &Value) -> Value {
        read(&self.posts("/screen/answer", &format!("claim={claim}&yes=1")))
    }

    /// It reports that its browser is signed in.
    pub(super) fn arrives(&mut self) {
        let answer = self.posts("/screen/arrived", "");
        assert!([200, 204].contains(&answer.status), "{}", answer.status);
    }

    fn posts(&mut self, path: &str, form: &str) -> Answer {
        self.says(&format!(
            "POST {path} HTTP/1.1\r\n{}Content-Length: {}\r\n\r\n{form}",
            self.headers,
            form.len()
        ))
    }

    fn says(&mut self, request: &str) -> Answer {
        for _ in 0..3 {
            if self.wire.sends(request.as_bytes())
                && let Some(answer) = self.wire.answer()
                && answer.status != 0
            {
                return answer;
            }
            // A server may end a connection that was quiet; a browser opens another one.
            self.wire = connect(self.client, self.address);
        }
        panic!("no answer");
    }
}

fn read(answer: &Answer) -> Value {
    match answer.status {
        408 | 503 | 504 => Value::Null,
        _ => serde_json::from_str(answer.body()).expect("JSON"),
    }
}

fn connect(client: IpAddr, address: SocketAddr) -> Wire {
    Wire::open_from(client, address).expect("the service lets us in")
}
