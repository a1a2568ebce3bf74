//! The Redis stream that texts wait in: append, take, claim, acknowledge, dead-letter.
//!
//! What is hidden here: Redis. An entry holds the phone in clear until its verdict is out; then it
//! is deleted and acknowledged. Three hands hold a connection each, as
//! one of them blocks: [`Appender`] (the webhook's), [`Taker`] (the provisioner's) and [`Settler`]
//! (shared by all who have a verdict).

mod append;
mod info;
mod redis_fault;
mod settle;
mod take;
mod waiting;

use std::fmt;
use std::time::Duration;

use redis::io::tcp::TcpSettings;
use redis::{
    Client, Connection, ConnectionAddr, ErrorKind, IntoConnectionInfo, RedisConnectionInfo,
    RedisError, RedisResult, Value, cmd,
};

use socket2::TcpKeepalive;

// Doors for tests/fuzz; it alone asks for the feature `fuzzing`.
#[cfg(feature = "fuzzing")]
pub use {append::write_xadd, take::read_text};

pub use append::{AppendResult, Appender, Confirmation};
pub use info::RedisInfo;
pub use redis_fault::RedisFault;
pub use settle::{NewDeadLetter, Settler};
pub use take::{StreamEntry, Taker, UnreadableEntry};
pub use waiting::{DeadLetter, Depth, Waiting};

use crate::config::RedisConfig;

/// The stream of texts.
pub const TEXTS: &str = "coder-sms-register:texts";
/// The stream of texts that were given up: sid, reason and times, no phone and no words.
pub const DEAD: &str = "coder-sms-register:dead";
/// Which data folder's service works on this database. Two would read each other's pending entries
/// as their own, and a phone could get an account from each.
pub const OWNER: &str = "coder-sms-register:owner";
/// The consumer group, made from the stream's beginning.
pub const GROUP: &str = "provisioners";
/// Our name in the group. One data folder, one service, one consumer: after a restart the pending
/// entries of the run before are our own.
pub const CONSUMER: &str = "provisioner";

/// Time limit of connecting and of every answer that Redis does not hold back on purpose.
const PATIENCE: Duration = Duration::from_millis(1500);

/// How long a connection may be quiet before the kernel asks whether the other end is there.
const KEEPALIVE: Duration = Duration::from_secs(60);

/// What Redis cannot do for us now.
#[derive(Debug)]
pub enum StreamError {
    /// It cannot be reached, is loading, or is a replica for now.
    Away(String),
    /// It refuses our password or user.
    Denied,
    /// Its memory is full.
    Full,
    /// A service with another data folder works on the same Redis database.
    Shared,
    /// Anything else that it said.
    Refused(String),
}

impl StreamError {
    /// Which fault of Redis this is.
    pub fn fault(&self) -> RedisFault {
        match self {
            Self::Away(_) => RedisFault::Away,
            Self::Denied => RedisFault::Denied,
            Self::Full => RedisFault::Full,
            Self::Shared => RedisFault::Shared,
            Self::Refused(_) => RedisFault::Refused,
        }
    }

    /// The word for `GET /healthz` and for counting; tells nothing secret.
    pub fn name(&self) -> &'static str {
        self.fault().name()
    }

    /// What is wrong, with what Redis or the system said.
    pub fn what(&self) -> String {
        let what = self.fault().what();
        match self {
            Self::Away(why) | Self::Refused(why) => format!("{what} ({why})"),
            Self::Denied | Self::Full | Self::Shared => what.to_owned(),
        }
    }

    /// What helps.
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
            (ErrorKind::Io, _) => Self::Away(io_words(&error)),
            (_, Some(code @ ("LOADING" | "READONLY" | "MASTERDOWN" | "CLUSTERDOWN" | "BUSY"))) => {
                Self::Away(code.to_owned())
            }
            // Codes and categories only: details may repeat an argument.
            (_, code) => Self::Refused(code.unwrap_or_else(|| error.category()).to_owned()),
        }
    }
}

fn io_words(error: &RedisError) -> String {
    let words = if error.is_timeout() {
        "timed out"
    } else if error.is_connection_refusal() {
        "connection refused"
    } else {
        "connection broke"
    };
    words.to_owned()
}

/// Sends `count` commands in one go and reads their answers, each of which may be a refusal.
///
/// Ends at the first answer that does not come: every further one would wait for the whole time
/// limit again. The connection must not be used after that.
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

/// A connection that is made when it is needed and kept while it is whole.
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

    /// Says `commands` and returns an answer to each of them.
    ///
    /// If the connection had died while nobody needed it, as it does when Redis is started anew, they
    /// are said once more. So they must be such as may be said twice.
    fn say(&mut self, commands: &[u8], count: usize) -> RedisResult<Vec<RedisResult<Value>>> {
        // Put back only whole: what is still in flight must not be taken for a later answer.
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

/// How connections are made.
#[derive(Clone)]
pub struct Redis {
    client: Client,
}

impl Redis {
    /// Prepares connections to the Redis of `config`; nothing is connected yet.
    ///
    /// # Errors
    /// The address cannot be used at all.
    pub fn new(config: &RedisConfig) -> Result<Self, StreamError> {
        let address = if config.host.starts_with('/') {
            ConnectionAddr::Unix((&config.host).into())
        } else {
            ConnectionAddr::Tcp(config.host.clone(), config.port)
        };
        // Without the library's name in the handshake there is one round trip less to wait for.
        let mut settings = RedisConnectionInfo::default()
            .set_db(config.db)
            .set_skip_set_lib_name();
        if let Some(password) = &config.password {
            settings = settings.set_password(password.reveal());
        }
        // Hours may pass between two texts, and networks forget quiet connections.
        let keepalive = TcpKeepalive::new().with_time(KEEPALIVE);
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
        })
    }

    /// A connection whose answers may take as long as [`PATIENCE`].
    fn connect(&self) -> RedisResult<Connection> {
        let mut connection = self.client.get_connection_with_timeout(PATIENCE)?;
        // The call above takes its own time limits off again.
        connection.set_read_timeout(Some(PATIENCE))?;
        connection.set_write_timeout(Some(PATIENCE))?;
        // A Redis that wants a password and was given none says so only now, and says it of a long
        // command in other words.
        for answer in exchange(&mut connection, &cmd("PING").get_packed_command(), 1)? {
            answer?;
        }
        Ok(connection)
    }
}

#[cfg(test)]
mod tests;
