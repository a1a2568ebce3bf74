//! Behind a proxy each laptop counts by the address that the proxy sees, and by nothing that it says itself.

use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Instant;

use serde_json::json as value;

use super::{class_with_pages, json};
use support::classroom::Classroom;
use support::classroom::http::Answer;
use support::classroom::wire::Wire;

/// What a proxy passes on of what it was told itself in `X-Forwarded-For`.
#[derive(Clone, Copy, Debug)]
enum ForwardedFor {
    /// Nothing, as Caddy and our example for nginx.
    Replaced,
    /// Everything, with the address that it sees behind it, as many others.
    Continued,
}

/// A proxy on this machine, which forwards requests without a body until the tests end.
fn proxy(class: &Classroom, told: ForwardedFor) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    let service = class.service().address();
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            thread::spawn(move || forward(client, service, told));
        }
    });
    address
}

/// Forwards the requests of one connection until its client leaves, each on a connection of its own, as nginx does by
/// default.
fn forward(mut client: TcpStream, service: SocketAddr, told: ForwardedFor) {
    const NAME: &str = "X-Forwarded-For";
    let seen = client.peer_addr().expect("a client").ip();
    while let Some(head) = head_of(&mut client) {
        let (said, others): (Vec<&str>, Vec<&str>) = head
            .lines()
            .filter(|line| !line.is_empty())
            .partition(|line| line.starts_with(NAME));
        let said = said.iter().filter_map(|line| line.split_once(": "));
        let mut addresses: Vec<String> = match told {
            ForwardedFor::Replaced => Vec::new(),
            ForwardedFor::Continued => said.map(|(_, value)| value.to_owned()).collect(),
        };
        addresses.push(seen.to_string());
        let head = others.join("\r\n");
        let addresses = addresses.join(", ");
        let asked = format!("{head}\r\nConnection: close\r\n{NAME}: {addresses}\r\n\r\n");
        let mut upstream = Wire::open(service).expect("the service listens");
        assert!(upstream.sends(asked.as_bytes()));
        let answer = upstream.answer().expect("an answer");
        client
            .write_all(answer.text.as_bytes())
            .expect("the client listens");
    }
}

/// The next request of a client; `None` if it has left.
fn head_of(client: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        match client.read(&mut byte) {
            Ok(1) => head.push(byte[0]),
            Err(fault) if fault.kind() == ErrorKind::Interrupted => {}
            Ok(_) | Err(_) => return None,
        }
    }
    String::from_utf8(head).ok()
}

/// Neighbours behind one address of this machine, on one connection to the proxy.
struct Neighbours {
    wire: Wire,
    asked: u32,
}

impl Neighbours {
    fn behind(last: u8, proxy: SocketAddr) -> Self {
        let source = IpAddr::from(Ipv4Addr::new(127, 0, 0, last));
        Self {
            wire: Wire::open_from(source, proxy).expect("the proxy listens"),
            asked: 0,
        }
    }

    /// Each request claims to come from another address.
    fn ask(&mut self, method: &str, secret: &str) -> Answer {
        self.asked += 1;
        let claimed = Ipv4Addr::from(0xcb00_7100 + self.asked);
        let request = format!(
            "{method} /screen HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: {claimed}\r\nX-Screen: {secret}\r\nContent-Length: 0\r\n\r\n"
        );
        assert!(self.wire.sends(request.as_bytes()));
        self.wire.answer().expect("an answer")
    }

    /// Opens a page; gives its secret, if there is room.
    fn open(&mut self) -> Option<String> {
        let answer = self.ask("POST", "");
        let opened = json(&answer);
        match answer.status {
            201 => Some(opened["secret"].as_str().expect("a secret").to_owned()),
            status => {
                assert_eq!((status, opened), (503, value!({"error": "full"})));
                None
            }
        }
    }

    /// How many of these pages wait for their text.
    fn waiting(&mut self, secrets: &[String]) -> usize {
        let waits = |secret: &&String| {
            let answer = self.ask("GET", secret);
            answer.status == 200 && json(&answer) == value!({"state": "open"})
        };
        secrets.iter().filter(waits).count()
    }
}

#[test]
fn a_classroom_behind_one_address_has_300_pages_and_a_flood_beside_it_takes_none_of_them() {
    for told in [ForwardedFor::Replaced, ForwardedFor::Continued] {
        let class = class_with_pages("both");
        let proxy = proxy(&class, told);
        let mut classroom = Neighbours::behind(9, proxy);
        let first: Vec<String> = (0..300).filter_map(|_| classroom.open()).collect();
        assert_eq!(first.len(), 300, "{told:?}");
        assert_eq!(classroom.waiting(&first), 300, "{told:?}");
        // A flood from another address is one client, whatever headers it sends.
        let mut flood = Neighbours::behind(8, proxy);
        let began = Instant::now();
        let opened: Vec<String> = (0..620).filter_map(|_| flood.open()).collect();
        let minutes = began.elapsed().as_secs() / 60;
        // 600 a minute.
        assert!(
            opened.len() == 600 || (opened.len() > 600 && minutes > 0),
            "{told:?}: {} in {minutes} min",
            opened.len()
        );
        assert_eq!(flood.waiting(&opened), 512, "{told:?}");
        assert_eq!(classroom.waiting(&first), 300, "{told:?}");
        // Everybody reloads at once: all have a page again.
        let second: Vec<String> = (0..300).filter_map(|_| classroom.open()).collect();
        assert_eq!(
            (second.len(), classroom.waiting(&second)),
            (300, 300),
            "{told:?}"
        );
    }
}
