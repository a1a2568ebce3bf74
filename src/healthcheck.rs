//! Asks a running service for its health, as a container's health check does.
//!
//! This room hides one HTTP request over a plain socket, and the meaning of the names in the answer
//! of `/healthz`. No host name is looked up, so it works without `/etc/hosts`.

use std::fmt;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use crate::config::HEALTH_PATH;
use crate::obstacles::Obstacle;
use crate::stream::RedisFault;

/// The longest time for a request.
pub const LIMIT: Duration = Duration::from_secs(3);

/// The pause before a service whose database is slow is asked again.
const PAUSE: Duration = Duration::from_millis(200);

/// The fault that passes by itself on a busy machine: one write took longer than the service waits for it, which
/// is half a second, as it takes no text meanwhile.
const SLOW: &str = "database-stuck";

/// The longest answer that is read, in bytes. Ours has a few hundred.
const ANSWER_LIMIT: usize = 4096;

/// Why the service cannot accept texts.
#[derive(Debug)]
pub enum HealthError {
    /// There is no answer.
    Silent {
        /// The address that was asked.
        address: SocketAddr,
        /// What happened instead.
        why: String,
    },
    /// Another program answers.
    Stranger {
        /// The address that was asked.
        address: SocketAddr,
    },
    /// The service names a fault.
    Ill {
        /// That fault.
        fault: NamedFault,
        /// The obstacles that keep students from being served.
        obstacles: Vec<NamedFault>,
    },
}

/// A fault or an obstacle that a service named in its answer. A newer service may use names that are unknown here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedFault {
    /// The name: lower-case letters and hyphens.
    pub name: String,
}

impl NamedFault {
    fn parse(name: &str) -> Option<Self> {
        is_name(name).then(|| Self {
            name: name.to_owned(),
        })
    }

    /// What is wrong; the name itself if it is unknown here.
    pub fn what(&self) -> &str {
        self.words().map_or(&self.name, |(what, _)| what)
    }

    /// What to do about it, if the name is known here.
    pub fn cure(&self) -> Option<&'static str> {
        self.words().map(|(_, cure)| cure)
    }

    /// Whether all students are served all the same, only some of them later.
    pub fn only_delays(&self) -> bool {
        Obstacle::named(&self.name).is_some_and(Obstacle::only_delays)
    }

    fn words(&self) -> Option<(&'static str, &'static str)> {
        if let Some(fault) = RedisFault::named(&self.name) {
            return Some((fault.what(), fault.cure()));
        }
        let ills = ILLS.iter().find(|(known, ..)| *known == self.name);
        let ills = ills.map(|(_, what, cure)| (*what, *cure));
        ills.or_else(|| Obstacle::named(&self.name)?.words())
    }
}

impl fmt::Display for NamedFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        match self.words() {
            Some((what, cure)) => write!(f, ": {what}: {cure}"),
            None => Ok(()),
        }
    }
}

/// Faults of the database that are not in the list of obstacles: name, what is wrong, what to do.
const ILLS: [(&str, &str, &str); 3] = [
    (
        SLOW,
        "the database does not answer",
        "make sure that the disk works",
    ),
    (
        "database-refuses",
        "the database cannot be checked",
        "the log of the service says why",
    ),
    (
        "no-threads",
        "the system gives the service no more threads",
        "raise the limit of processes of the service's user",
    ),
];

impl HealthError {
    /// What is wrong.
    pub fn what(&self) -> String {
        match self {
            Self::Silent { address, why } => {
                format!("no answer from {address} (CODER_REG_LISTEN): {why}")
            }
            Self::Stranger { address } => format!(
                "something answers at {address} (CODER_REG_LISTEN), but not as this service does"
            ),
            Self::Ill { fault, .. } => fault.what().to_owned(),
        }
    }

    /// What to do about it, if that is known.
    pub fn cure(&self) -> Option<&'static str> {
        match self {
            Self::Silent { .. } => Some("check whether the service runs, and read its log"),
            Self::Stranger { .. } => {
                Some("set CODER_REG_LISTEN to the value of the running service")
            }
            Self::Ill { fault, .. } => fault.cure(),
        }
    }
}

impl fmt::Display for HealthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Silent { .. } | Self::Stranger { .. } => {
                f.write_str(&self.what())?;
                self.cure().map_or(Ok(()), |cure| write!(f, "; {cure}"))
            }
            Self::Ill { fault, obstacles } => {
                write!(f, "{fault}")?;
                obstacles.iter().try_for_each(|one| write!(f, "\n{one}"))
            }
        }
    }
}

impl std::error::Error for HealthError {}

/// Asks the service that listens on `listen`; for "all addresses" it asks loopback. Takes `limit` at most. A service
/// whose database does not answer is asked again until then, as that passes on a busy machine. Returns the obstacles
/// that keep students from being served although texts are accepted.
///
/// # Errors
/// The service cannot accept texts, or there is no service.
pub fn ask(listen: SocketAddr, limit: Duration) -> Result<Vec<NamedFault>, HealthError> {
    let deadline = Instant::now() + limit;
    let left = || deadline.saturating_duration_since(Instant::now());
    let mut answer = ask_once(listen, limit);
    while matches!(&answer, Err(HealthError::Ill { fault, .. }) if fault.name == SLOW)
        && left() > PAUSE
    {
        thread::sleep(PAUSE);
        match ask_once(listen, left()) {
            // What the service said last is worth more than that the time is up.
            Err(HealthError::Silent { .. }) => break,
            later => answer = later,
        }
    }
    answer
}

fn ask_once(listen: SocketAddr, limit: Duration) -> Result<Vec<NamedFault>, HealthError> {
    let address = reached(listen);
    let answer = exchange(address, limit).map_err(|error| HealthError::Silent {
        address,
        why: words(&error, limit),
    })?;
    let stranger = || HealthError::Stranger { address };
    let (status, body) = read(&answer).ok_or_else(stranger)?;
    let mut names = body.lines().map(NamedFault::parse);
    let first = names.next().flatten().ok_or_else(stranger)?;
    let obstacles: Option<Vec<_>> = names.collect();
    let obstacles = obstacles.ok_or_else(stranger)?;
    match (status, first.name.as_str()) {
        (200, "ok") => Ok(obstacles),
        (503, _) => Err(HealthError::Ill {
            fault: first,
            obstacles,
        }),
        _ => Err(stranger()),
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

/// Sends the request, and reads until the answer is complete, the peer closes, or the time is up.
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
        // Set again for each part, so that a slow answer has no more time than none.
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

/// Status and body. `None` = not a complete answer with a known length.
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
    Some((head.code?, body))
}

/// Whether it has the form of our names. No other part of an answer is printed.
fn is_name(name: &str) -> bool {
    (1..=40).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

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
        assert_eq!(read(whole.as_bytes()), Some((200, "ok\n")));
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

    /// A service that gives these answers, one after the other, and the last one again and again.
    fn answers(bodies: &'static [&'static str]) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            let last = bodies.last().into_iter().cycle();
            for (body, stream) in bodies.iter().chain(last).zip(listener.incoming()) {
                let mut stream = stream.unwrap();
                let _ = stream.read(&mut [0; 1024]);
                let status = if body.starts_with("ok") { 200 } else { 503 };
                let length = body.len();
                let _ = write!(
                    stream,
                    "HTTP/1.1 {status} -\r\nContent-Length: {length}\r\n\r\n{body}"
                );
            }
        });
        address
    }

    #[test]
    fn a_database_that_is_slow_for_a_moment_is_no_fault() {
        let patient = Duration::from_secs(60);
        let names =
            |found: Vec<NamedFault>| found.into_iter().map(|one| one.name).collect::<Vec<_>>();
        let slow = answers(&["database-stuck\n", "database-stuck\n", "ok\ncoder-away\n"]);
        assert_eq!(names(ask(slow, patient).unwrap()), ["coder-away"]);
        let worse = answers(&["database-stuck\n", "database-not-writable\n", "ok\n"]);
        let fault = |answer| match answer {
            Err(HealthError::Ill { fault, .. }) => fault.name,
            other => panic!("{other:?}"),
        };
        assert_eq!(fault(ask(worse, patient)), "database-not-writable");
        let stuck = answers(&["database-stuck\n"]);
        assert_eq!(fault(ask(stuck, 4 * PAUSE)), "database-stuck");
    }

    #[test]
    fn every_name_has_words() {
        let redis = [
            StreamError::Away(String::new()),
            StreamError::Denied,
            StreamError::Full,
            StreamError::Shared,
            StreamError::Refused(String::new()),
        ];
        let redis = redis.iter().map(StreamError::name);
        let obstacles = Obstacle::ALL.iter().map(|one| one.as_str());
        let ills = ILLS.iter().map(|(name, ..)| *name);
        for name in redis.chain(obstacles).chain(ills) {
            let fault = NamedFault::parse(name).expect("it has the form of a name");
            assert!(fault.words().is_some(), "{name}");
        }
    }

    #[test]
    fn every_fault_of_redis_is_an_obstacle() {
        for obstacle in Obstacle::ALL {
            let is_of_redis = RedisFault::named(obstacle.as_str()).is_some();
            assert_eq!(is_of_redis, obstacle.words().is_none(), "{obstacle}");
        }
        for fault in [StreamError::Denied, StreamError::Shared, StreamError::Full] {
            assert!(Obstacle::named(fault.name()).is_some());
        }
    }
}
