//! Asks a running service how it is, as a container's health check does.
//!
//! What is hidden here: one HTTP request over a plain socket, and the words for people behind the
//! names that `/healthz` answers with. No name is looked up, so it works where there is no
//! `/etc/hosts`.

use std::fmt;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use crate::config::HEALTH_PATH;
use crate::stream::RedisFault;

/// The longest that anybody has to wait for an answer.
pub const LIMIT: Duration = Duration::from_secs(3);

/// The longest answer that is read, in bytes. Ours has a few hundred.
const ANSWER_LIMIT: usize = 4096;

/// Why the service is not well.
#[derive(Debug)]
pub enum HealthError {
    /// Nobody answers.
    Silent {
        /// Who was asked.
        address: SocketAddr,
        /// What happened instead.
        why: String,
    },
    /// Somebody answers, but not our service.
    Stranger {
        /// Who was asked.
        address: SocketAddr,
    },
    /// The service names what is wrong.
    Ill {
        /// That name.
        name: String,
    },
}

/// What the names mean that are no fault of Redis, and what helps.
const ILLS: [(&str, &str); 4] = [
    (
        "database-not-writable",
        "the database cannot be written: is the disk full, or the data folder not this user's?",
    ),
    (
        "database-stuck",
        "the database does not answer: does the disk hang?",
    ),
    ("database-refuses", "the database cannot be looked at"),
    ("no-threads", "the system gives the service no more threads"),
];

impl fmt::Display for HealthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Silent { address, why } => {
                write!(f, "no answer from {address} (CODER_REG_LISTEN): {why}")
            }
            Self::Stranger { address } => write!(
                f,
                "something answers at {address} (CODER_REG_LISTEN), but not as this service does"
            ),
            Self::Ill { name } => {
                f.write_str(name)?;
                if let Some(fault) = RedisFault::named(name) {
                    return write!(f, ": {}: {}", fault.what(), fault.cure());
                }
                let meaning = ILLS.iter().find(|(known, _)| known == name);
                meaning.map_or(Ok(()), |(_, words)| write!(f, ": {words}"))
            }
        }
    }
}

impl std::error::Error for HealthError {}

/// Asks the service that listens on `listen`; "all addresses" are asked by way of loopback. Takes
/// `limit` at most.
///
/// # Errors
/// It is not well, or not there.
pub fn ask(listen: SocketAddr, limit: Duration) -> Result<(), HealthError> {
    let address = reached(listen);
    let answer = exchange(address, limit).map_err(|error| HealthError::Silent {
        address,
        why: words(&error, limit),
    })?;
    match read(&answer) {
        Some((200, "ok")) => Ok(()),
        Some((503, name)) if is_name(name) => Err(HealthError::Ill {
            name: name.to_owned(),
        }),
        _ => Err(HealthError::Stranger { address }),
    }
}

fn reached(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

fn words(error: &io::Error, limit: Duration) -> String {
    match error.kind() {
        ErrorKind::ConnectionRefused => "nothing listens there".to_owned(),
        ErrorKind::TimedOut | ErrorKind::WouldBlock => {
            format!("it took longer than {} s", limit.as_secs())
        }
        _ => error.to_string(),
    }
}

/// Sends the request and reads until the answer is complete, the other side closes, or time is up.
fn exchange(address: SocketAddr, limit: Duration) -> io::Result<Vec<u8>> {
    let deadline = Instant::now() + limit;
    let left = || {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::Error::from(ErrorKind::TimedOut));
        }
        Ok(left)
    };
    let mut stream = TcpStream::connect_timeout(&address, left()?)?;
    stream.set_write_timeout(Some(left()?))?;
    let request =
        format!("GET {HEALTH_PATH} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    let mut part = [0; 1024];
    while answer.len() < ANSWER_LIMIT && read(&answer).is_none() {
        // Set anew for each part, so that a dripping answer has no more time than a silent one.
        stream.set_read_timeout(Some(left()?))?;
        match stream.read(&mut part) {
            Ok(0) => break,
            Ok(count) => answer.extend_from_slice(&part[..count]),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(answer)
}

/// Status and body, without its line end. `None` where that is not a complete answer of a known
/// length.
fn read(answer: &[u8]) -> Option<(u16, &str)> {
    let mut headers = [httparse::EMPTY_HEADER; 16];
    let mut head = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(length) = head.parse(answer).ok()? else {
        return None;
    };
    let announced = head
        .headers
        .iter()
        .find(|header| header.name.eq_ignore_ascii_case("content-length"))?;
    let announced: usize = std::str::from_utf8(announced.value).ok()?.parse().ok()?;
    let body = &answer[length..];
    if body.len() != announced {
        return None;
    }
    let body = std::str::from_utf8(body).ok()?;
    Some((head.code?, body.strip_suffix('\n').unwrap_or(body)))
}

/// Whether it looks like a name of ours; nothing else of an answer is repeated.
fn is_name(name: &str) -> bool {
    (1..=40).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream::StreamError;

    #[test]
    fn all_addresses_are_reached_by_loopback() {
        for (listen, asked) in [
            ("0.0.0.0:8000", "127.0.0.1:8000"),
            ("[::]:8000", "[::1]:8000"),
            ("192.0.2.1:80", "192.0.2.1:80"),
            ("[::1]:80", "[::1]:80"),
        ] {
            assert_eq!(reached(listen.parse().unwrap()), asked.parse().unwrap());
        }
    }

    #[test]
    fn only_a_complete_answer_counts() {
        let whole = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n";
        assert_eq!(read(whole.as_bytes()), Some((200, "ok")));
        for length in 0..whole.len() {
            assert_eq!(read(&whole.as_bytes()[..length]), None);
        }
        for strange in [
            "HTTP/1.1 200 OK\r\n\r\nok\n",
            "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\nok\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok\n",
            "ok\n",
        ] {
            assert_eq!(read(strange.as_bytes()), None, "{strange}");
        }
    }

    #[test]
    fn every_trouble_with_redis_has_words() {
        for fault in [
            StreamError::Away(String::new()),
            StreamError::Denied,
            StreamError::Full,
            StreamError::Shared,
            StreamError::Refused(String::new()),
        ] {
            let name = fault.name();
            let told = HealthError::Ill {
                name: name.to_owned(),
            }
            .to_string();
            assert!(told.len() > name.len() + 10 && is_name(name), "{told}");
        }
    }
}
