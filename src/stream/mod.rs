//! The Redis stream of received texts: append, take, claim, acknowledge, dead-letter.
//!
//! Only this module uses Redis. An entry has the phone number in clear until its text is settled;
//! then it is deleted and acknowledged. Three types have one connection each, because one of them
//! blocks: [`Appender`] (used by the webhook), [`Taker`] (by the provisioner) and [`Settler`]
//! (shared by all threads that settle texts). [`StreamInspector`] reads without changing anything.

mod append;
mod info;
mod inspect;
mod redis_fault;
mod settle;
mod take;

use std::fmt;
use std::time::Duration;

use redis::io::tcp::TcpSettings;
use redis::{
    Client, Connection, ConnectionAddr, ErrorKind, IntoConnectionInfo, RedisConnectionInfo,
    RedisError, RedisResult, Value, cmd,
};

use socket2::TcpKeepalive;

// Exported for tests/fuzz only, the one user of the feature `fuzzing`.
#[cfg(feature = "fuzzing")]
pub use {append::write_xadd, take::read_text};

pub use append::{AppendResult, Appender, Confirmation};
pub use info::RedisInfo;
pub use inspect::{DeadLetter, Depth, StreamInspector};
pub use redis_fault::RedisFault;
pub use settle::{NewDeadLetter, Settler};
pub use take::{LONGEST_BLOCK, StreamEntry, Taker, UnreadableEntry};

use crate::config::RedisConfig;

/// The stream of texts.
pub const TEXTS: &str = "coder-sms-register:texts";
/// The stream of dead letters: sid, reason and times, without phone number and body.
pub const DEAD: &str = "coder-sms-register:dead";
/// The key with the [`crate::domain::RedisOwner`] of this database. Two services would read each
/// other's pending entries as their own, and a phone could get an account from each.
pub const OWNER: &str = "coder-sms-register:owner";
/// A stream that never exists: what is appended to it shows whether Redis takes texts.
const PROBE: &str = "coder-sms-register:probe";
/// The consumer group, created at the beginning of the stream.
pub const GROUP: &str = "provisioners";
/// The consumer's name in the group. One data folder has one service and one consumer, so after a
/// restart the pending entries of the previous run are its own.
pub const CONSUMER: &str = "provisioner";

/// The time limit of connecting, and of every answer to a command that does not block. Twilio waits for the
/// answer to a webhook and then repeats it, so the service has to know soon that Redis is away.
const ANSWER_TIMEOUT: Duration = Duration::from_millis(1500);

/// The same for a command of the command line: nobody is kept waiting by it, and on a busy machine a late answer
/// is better than none.
const PATIENT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a connection may be idle before the kernel probes the other end, and how long it waits between
/// the [`PROBES`] that must fail. No thread wakes up for that.
const KEEPALIVE: (Duration, Duration) = (Duration::from_secs(15), Duration::from_secs(5));

/// The number of probes without an answer after which a connection counts as broken.
const PROBES: u32 = 3;

/// Why Redis cannot be used.
#[derive(Debug)]
pub enum StreamError {
    /// It cannot be reached, is loading, or is a replica for now.
    Away(String),
    /// It refuses the password or the user.
    Denied,
    /// Its memory is full.
    Full,
    /// A service with another data folder, or with a copy of ours, works on the same Redis database.
    Shared,
    /// Any other error code.
    Refused(String),
}

impl StreamError {
    /// The kind of this error.
    pub fn fault(&self) -> RedisFault {
        match self {
            Self::Away(_) => RedisFault::Away,
            Self::Denied => RedisFault::Denied,
            Self::Full => RedisFault::Full,
            Self::Shared => RedisFault::Shared,
            Self::Refused(_) => RedisFault::Refused,
        }
    }

    /// The name in `GET /healthz` and in metrics. It has no secret.
    pub fn name(&self) -> &'static str {
        self.fault().name()
    }

    /// What is wrong, with the reason that Redis or the system gave.
    pub fn what(&self) -> String {
        let what = self.fault().what();
        match self {
            Self::Away(why) | Self::Refused(why) => format!("{what} ({why})"),
            Self::Denied | Self::Full | Self::Shared => what.to_owned(),
        }
    }

    /// What the operator can do.
    pub fn cure(&self) -> &'static str {
        self.fault().cure()
    }
}

impl fmt::Display for StreamError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.what(), self.cure())
    }
}

impl std::error::Error for StreamError {}

impl From<RedisError> for StreamError {
    fn from(error: RedisError) -> Self {
        match (error.kind(), error.code()) {
            (ErrorKind::AuthenticationFailed, _) | (_, Some("NOAUTH" | "WRONGPASS" | "NOPERM")) => {
                Self::Denied
            }
            (_, Some("OOM")) => Self::Full,
            (ErrorKind::Io, _) => Self::Away(io_reason(&error)),
            (_, Some(code @ ("LOADING" | "READONLY" | "MASTERDOWN" | "CLUSTERDOWN" | "BUSY"))) => {
                Self::Away(code.to_owned())
            }
            // Codes and categories only: the details may contain an argument of the command.
            (_, code) => Self::Refused(code.unwrap_or_else(|| error.category()).to_owned()),
        }
    }
}

fn io_reason(error: &RedisError) -> String {
    let reason = if error.is_timeout() {
        "timed out"
    } else if error.is_connection_refusal() {
        "connection refused"
    } else {
        "connection broke"
    };
    reason.to_owned()
}

/// Sends `count` commands at once and reads their answers, each of which may be an error.
///
/// It stops at the first answer that does not arrive, because each further one would wait for the
/// whole time limit again. The connection must not be used after that.
fn exchange(
    connection: &mut Connection,
    commands: &[u8],
    count: usize,
) -> RedisResult<Vec<RedisResult<Value>>> {
    connection.send_packed_command(commands)?;
    let mut answers = Vec::with_capacity(count);
    for _ in 0..count {
        answers.push(match connection.recv_response()? {
            Value::ServerError(error) => Err(RedisError::from(error)),
            value => Ok(value),
        });
    }
    Ok(answers)
}

/// A connection that is opened when it is needed and kept until it fails.
struct LazyConnection {
    redis: Redis,
    connection: Option<Connection>,
}

impl LazyConnection {
    fn new(redis: Redis) -> Self {
        Self {
            redis,
            connection: None,
        }
    }

    /// Sends `count` packed commands and returns one answer for each.
    ///
    /// If the connection broke while it was idle, for example because Redis was restarted, they are
    /// sent once more on a new one. So it must be safe to send them twice.
    fn send(&mut self, commands: &[u8], count: usize) -> RedisResult<Vec<RedisResult<Value>>> {
        // Kept only after all answers: one still in flight must not be read as a later answer.
        let (mut connection, idle) = match self.connection.take() {
            Some(connection) => (connection, true),
            None => (self.redis.connect()?, false),
        };
        let mut answers = exchange(&mut connection, commands, count);
        if idle
            && answers
                .as_ref()
                .is_err_and(RedisError::is_connection_dropped)
        {
            connection = self.redis.connect()?;
            answers = exchange(&mut connection, commands, count);
        }
        let answers = answers?;
        self.connection = Some(connection);
        Ok(answers)
    }
}

/// The settings of connections to Redis.
#[derive(Clone)]
pub struct Redis {
    client: Client,
    /// The time limit of connecting, and of every answer to a command that does not block.
    answer_timeout: Duration,
}

impl Redis {
    /// The settings for the Redis of `config`. It does not connect.
    ///
    /// # Errors
    /// The address is invalid.
    pub fn new(config: &RedisConfig) -> Result<Self, StreamError> {
        let address = if config.host.starts_with('/') {
            ConnectionAddr::Unix((&config.host).into())
        } else {
            ConnectionAddr::Tcp(config.host.clone(), config.port)
        };
        // Without the library's name in the handshake, connecting takes one round trip less.
        let mut settings = RedisConnectionInfo::default()
            .set_db(config.db)
            .set_skip_set_lib_name();
        if let Some(password) = &config.password {
            settings = settings.set_password(password.reveal());
        }
        // Hours may pass between two texts, and firewalls drop idle connections. A Redis machine that is
        // gone is noticed within 30 s, before a wait for texts ends.
        let (idle, interval) = KEEPALIVE;
        let keepalive = TcpKeepalive::new()
            .with_time(idle)
            .with_interval(interval)
            .with_retries(PROBES);
        let info = address
            .into_connection_info()?
            .set_tcp_settings(
                TcpSettings::default()
                    .set_nodelay(true)
                    .set_keepalive(keepalive),
            )
            .set_redis_settings(settings);
        Ok(Self {
            client: Client::open(info)?,
            answer_timeout: ANSWER_TIMEOUT,
        })
    }

    /// The same Redis for a command of the command line, which waits up to five seconds for an answer.
    #[must_use]
    pub fn patient(mut self) -> Self {
        self.answer_timeout = PATIENT_TIMEOUT;
        self
    }

    /// Opens a connection whose answers may take `answer_timeout`.
    fn connect(&self) -> RedisResult<Connection> {
        let limit = self.answer_timeout;
        let mut connection = self.client.get_connection_with_timeout(limit)?;
        // The call above removes its own time limits again.
        connection.set_read_timeout(Some(limit))?;
        connection.set_write_timeout(Some(limit))?;
        // If a password is missing, Redis says so only now. It would answer a long command with
        // another error.
        for answer in exchange(&mut connection, &cmd("PING").get_packed_command(), 1)? {
            answer?;
        }
        Ok(connection)
    }
}

#[cfg(test)]
mod tests;
