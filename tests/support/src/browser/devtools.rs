//! What WebDriver cannot ask of Chromium: windows that share no cookie. Its own protocol can, over a WebSocket
//! (RFC 6455), of which only what is needed is spoken: one short request, one answer.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};
use ureq::http::Method;

use coder_sms_register::http::Http;

use crate::classroom::PATIENCE;

/// A connection to Chromium's debugger.
pub(super) struct DevTools(Mutex<Socket>);

struct Socket {
    stream: TcpStream,
    number: u64,
}

impl DevTools {
    /// Connects to the browser behind this address.
    pub fn at(http: &Http, address: &str) -> Self {
        let address = address.replace("localhost", "127.0.0.1");
        let about = http.call(
            Method::GET,
            &format!("http://{address}/json/version"),
            &[],
            Vec::new(),
        );
        let about = about.expect("the debugger answers").body;
        let about: Value = serde_json::from_slice(&about).expect("JSON");
        let url = about["webSocketDebuggerUrl"].as_str().expect("an address");
        let path = &url[url.find("/devtools").expect("a path")..];
        let stream = TcpStream::connect(&address).expect("the debugger listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a limit");
        let mut socket = Socket { stream, number: 0 };
        socket.shake_hands(&address, path).expect("a WebSocket");
        Self(Mutex::new(socket))
    }

    /// Opens a window with cookies of its own, and gives its handle.
    pub fn private_window(&self) -> String {
        let mut socket = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let context = socket.call("Target.createBrowserContext", &json!({}));
        let target = socket.call(
            "Target.createTarget",
            &json!({ "url": "about:blank", "newWindow": true, "browserContextId": context["browserContextId"] }),
        );
        target["targetId"].as_str().expect("a window").to_owned()
    }
}

impl Socket {
    fn shake_hands(&mut self, host: &str, path: &str) -> std::io::Result<()> {
        // The key is there against caches that take an old answer for a new one; there are none here.
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        self.stream.write_all(request.as_bytes())?;
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.extend(self.take(1)?);
        }
        match head.starts_with(b"HTTP/1.1 101") {
            true => Ok(()),
            false => Err(std::io::Error::other(
                String::from_utf8_lossy(&head).into_owned(),
            )),
        }
    }

    fn call(&mut self, method: &str, parameters: &Value) -> Value {
        self.number += 1;
        let call = json!({ "id": self.number, "method": method, "params": parameters });
        self.say(&call.to_string()).expect("the debugger reads");
        loop {
            let heard = self.hear().expect("the debugger answers");
            let mut heard: Value = serde_json::from_slice(&heard).unwrap_or_default();
            if heard["id"] == self.number {
                assert!(heard["error"].is_null(), "{method}: {}", heard["error"]);
                return heard["result"].take();
            }
        }
    }

    /// Sends a text in one frame. A client has to mask; a mask of zeros changes nothing.
    fn say(&mut self, text: &str) -> std::io::Result<()> {
        let length = u16::try_from(text.len()).map_err(std::io::Error::other)?;
        let mut frame = vec![0x81, 0x80 | 126];
        frame.extend(length.to_be_bytes());
        frame.extend([0; 4]);
        frame.extend(text.as_bytes());
        self.stream.write_all(&frame)
    }

    /// The content of the next frame. Chromium does not split its answers.
    fn hear(&mut self) -> std::io::Result<Vec<u8>> {
        let head = self.take(2)?;
        let length = match head[1] & 0x7f {
            126 => self.number_of(2)?,
            127 => self.number_of(8)?,
            short => usize::from(short),
        };
        self.take(length)
    }

    fn number_of(&mut self, bytes: usize) -> std::io::Result<usize> {
        let bytes = self.take(bytes)?;
        Ok(bytes
            .iter()
            .fold(0, |number, byte| (number << 8) | usize::from(*byte)))
    }

    fn take(&mut self, length: usize) -> std::io::Result<Vec<u8>> {
        let mut bytes = vec![0; length];
        self.stream.read_exact(&mut bytes)?;
        Ok(bytes)
    }
}
