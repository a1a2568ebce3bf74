//! Taking entries: first the pending ones of this consumer, then new ones, and at intervals those
//! that another consumer left behind.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use redis::{Cmd, Connection, ErrorKind, RedisError, RedisResult, Value, cmd, from_redis_value};

use super::{ANSWER_TIMEOUT, CONSUMER, GROUP, OWNER, Redis, StreamError, TEXTS, exchange};
use crate::clock::read_moment;
use crate::domain::{MessageSid, OptWord, RedisOwner, Text};

/// How long another consumer's entry must be idle before it is claimed. Far above the time that any
/// entry is worked on without a command to Redis.
const CLAIM_AFTER_IDLE: Duration = Duration::from_secs(60);

/// The time between two searches for entries that another consumer has left behind. All services use
/// the same consumer, so there are such entries only if somebody reads the stream by hand.
const CLAIM_INTERVAL: Duration = Duration::from_secs(600);

/// How long a service owns the Redis database after it last renewed its ownership.
const OWNERSHIP_TIME: Duration = Duration::from_secs(120);

/// The longest time that [`Taker::take`] may wait for a text. The ownership is renewed in the answer that
/// ends the wait, so an idle service wakes up once in this time.
pub const LONGEST_BLOCK: Duration = Duration::from_secs(105);

/// How old the last renewal may be when a wait begins. Then the longest wait ends ten seconds before the
/// ownership does.
const FRESH: Duration = Duration::from_secs(5);

/// The shortest block that Redis supports; 0 would block without end.
const SHORTEST_BLOCK: Duration = Duration::from_millis(1);

/// One entry of the stream.
#[derive(Debug)]
pub struct StreamEntry {
    /// Its entry id in Redis.
    pub id: String,
    /// The text in it.
    pub text: Result<Text, UnreadableEntry>,
}

/// An entry without a valid text: fields are missing or malformed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnreadableEntry {
    /// Whether it has no fields at all, because it was deleted while pending.
    pub deleted: bool,
}

/// Takes entries. It recovers from any failure of Redis: the next call connects again, creates the
/// group if it is missing, and reads this consumer's pending entries again.
pub struct Taker {
    redis: Redis,
    connection: Option<Connection>,
    client_id: Arc<AtomicI64>,
    /// The pending entry of this consumer that was read last; `None` once all have been read.
    pending_after: Option<String>,
    claim_after: Instant,
    /// Where the next claim starts; `None` if no round of claims is in progress.
    claim_from: Option<String>,
    /// The required owner of the database: this service.
    owner: RedisOwner,
    renew_at: Instant,
}

impl Taker {
    /// A taker for the service `owner`. It connects when it is first needed.
    pub fn new(redis: Redis, owner: &RedisOwner) -> Self {
        Self {
            redis,
            connection: None,
            client_id: Arc::new(AtomicI64::new(0)),
            pending_after: None,
            claim_after: Instant::now(),
            claim_from: None,
            owner: owner.clone(),
            renew_at: Instant::now(),
        }
    }

    /// The client id of the blocking connection, for [`super::Settler::unblock`]; 0 while there is
    /// no connection.
    pub fn client_id(&self) -> Arc<AtomicI64> {
        Arc::clone(&self.client_id)
    }

    /// Takes up to `count` entries. It waits up to `block` (at most [`LONGEST_BLOCK`]) for the first one,
    /// but not on a new connection. After a reconnection, an entry that is still being worked on may be returned
    /// again.
    ///
    /// # Errors
    /// Redis cannot be used; the next call starts over.
    pub fn take(&mut self, count: usize, block: Duration) -> Result<Vec<StreamEntry>, StreamError> {
        match self.try_take(count, block) {
            Ok(Some(entries)) => Ok(entries),
            Ok(None) => {
                self.disconnect();
                Err(StreamError::Shared)
            }
            Err(error) if matches!(error.code(), Some("UNBLOCKED" | "NOGROUP")) => {
                // The stream was deleted meanwhile; the next read finds that the group is missing. Valkey and newer Redis
                // servers say NOGROUP to a read that waits.
                self.disconnect();
                Ok(Vec::new())
            }
            Err(error) => {
                self.disconnect();
                Err(error.into())
            }
        }
    }

    fn disconnect(&mut self) {
        self.connection = None;
        self.client_id.store(0, Ordering::Relaxed);
    }

    /// `None` if another service owns the database.
    fn try_take(&mut self, count: usize, block: Duration) -> RedisResult<Option<Vec<StreamEntry>>> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.connect()?,
        };
        if !self.renew_ownership(&mut connection)? {
            return Ok(None);
        }
        let block = block.min(LONGEST_BLOCK);
        let mut entries = self.read(&mut connection, count, block);
        if entries
            .as_ref()
            .is_err_and(|error| error.code() == Some("NOGROUP"))
        {
            // Redis is new or was emptied. The group is created only then, because a full Redis
            // refuses this command even if the group exists.
            create_group(&mut connection)?;
            entries = self.read(&mut connection, count, block);
        }
        let entries = entries?;
        if entries.is_some() {
            self.connection = Some(connection);
        }
        Ok(entries)
    }

    /// Whether this service owns the database. If so, it renews the ownership when needed.
    fn renew_ownership(&mut self, connection: &mut Connection) -> RedisResult<bool> {
        if Instant::now() < self.renew_at {
            return Ok(true);
        }
        let seconds = OWNERSHIP_TIME.as_secs();
        let owner: Option<String> = cmd("GET").arg(OWNER).query(connection)?;
        let ours = match owner {
            Some(owner) if owner == self.owner.as_str() => {
                cmd("EXPIRE").arg(OWNER).arg(seconds).exec(connection)?;
                true
            }
            Some(_) => false,
            None => {
                let taken: RedisResult<Option<String>> = cmd("SET")
                    .arg(&[OWNER, self.owner.as_str(), "NX", "EX"])
                    .arg(seconds)
                    .query(connection);
                match taken {
                    Ok(taken) => taken.is_some(),
                    // A full Redis refuses new keys, but its entries still have to be settled.
                    Err(error) if error.code() == Some("OOM") => true,
                    Err(error) => return Err(error),
                }
            }
        };
        if ours {
            self.renew_at = Instant::now() + FRESH;
        }
        Ok(ours)
    }

    fn connect(&mut self) -> RedisResult<Connection> {
        let mut connection = self.redis.connect()?;
        let id: i64 = cmd("CLIENT").arg("ID").query(&mut connection)?;
        self.client_id.store(id, Ordering::Relaxed);
        self.pending_after = Some("0".to_owned());
        self.claim_after = Instant::now();
        // The connection may have been gone for longer than the ownership lasts.
        self.renew_at = Instant::now();
        Ok(connection)
    }

    /// `None` if another service has taken the database meanwhile. Then the entries are left to it.
    fn read(
        &mut self,
        connection: &mut Connection,
        count: usize,
        block: Duration,
    ) -> RedisResult<Option<Vec<StreamEntry>>> {
        let mut block = block;
        if let Some(after) = self.pending_after.clone() {
            // The first call on a new connection returns at once, so that the caller learns before
            // the next text that Redis is back.
            block = SHORTEST_BLOCK;
            let own = read_entries(read_group(count, None, &after).query(connection)?);
            self.pending_after = own.last().map(|entry| entry.id.clone());
            if !own.is_empty() {
                return Ok(Some(own));
            }
        }
        if Instant::now() >= self.claim_after {
            self.claim_after = Instant::now() + CLAIM_INTERVAL;
            self.claim_from = Some("0-0".to_owned());
        }
        while let Some(from) = self.claim_from.take() {
            let (next, claimed) = claim(connection, count, &from)?;
            self.claim_from = (next != "0-0").then_some(next);
            if !claimed.is_empty() {
                return Ok(Some(claimed));
            }
        }
        self.wait(connection, count, block)
    }

    /// Waits for new entries. The ownership is renewed by two commands that Redis carries out when the wait
    /// ends, so that all answers arrive together and an idle service wakes up only once.
    fn wait(
        &mut self,
        connection: &mut Connection,
        count: usize,
        block: Duration,
    ) -> RedisResult<Option<Vec<StreamEntry>>> {
        let mut commands = read_group(count, Some(block), ">").get_packed_command();
        commands.extend(cmd("GET").arg(OWNER).get_packed_command());
        let seconds = OWNERSHIP_TIME.as_secs();
        commands.extend(cmd("EXPIRE").arg(OWNER).arg(seconds).get_packed_command());
        // The first command blocks, so the time limit of the socket has to be longer.
        connection.set_read_timeout(Some(block + 2 * ANSWER_TIMEOUT))?;
        let answers = exchange(connection, &commands, 3)?;
        connection.set_read_timeout(Some(ANSWER_TIMEOUT))?;
        let [entries, owner, renewed] = <[_; 3]>::try_from(answers).map_err(|_| {
            RedisError::from((ErrorKind::Client, "not as many answers as commands"))
        })?;
        let entries = from_redis_value(entries?)?;
        let owner: Option<String> = from_redis_value(owner?)?;
        let renewed: bool = from_redis_value(renewed?)?;
        match owner {
            Some(owner) if owner != self.owner.as_str() => return Ok(None),
            Some(_) if renewed => self.renew_at = Instant::now() + FRESH,
            // Nobody owns it: Redis was emptied, or we were asleep for too long.
            _ => self.renew_at = Instant::now(),
        }
        Ok(Some(read_entries(entries)))
    }
}

/// Creates the group at "0", not "$", so that texts that arrived before it are served too.
fn create_group(connection: &mut Connection) -> RedisResult<()> {
    let created: RedisResult<()> = cmd("XGROUP")
        .arg(&["CREATE", TEXTS, GROUP, "0", "MKSTREAM"])
        .query(connection);
    match created {
        Err(error) if error.code() == Some("BUSYGROUP") => Ok(()),
        other => other,
    }
}

/// An entry in Redis' protocol: its id, and its field names and values in turn (`None` if it was
/// deleted). They are bytes, so that one malformed entry does not make the whole answer unreadable.
pub(super) type RawEntry = (String, Option<Vec<Vec<u8>>>);

/// The entries of each stream; `None` if there are none.
type Streams = Option<Vec<(String, Vec<RawEntry>)>>;

/// The command that reads entries after `after`; it waits only if there is a `block`.
fn read_group(count: usize, block: Option<Duration>, after: &str) -> Cmd {
    let mut read = cmd("XREADGROUP");
    read.arg("GROUP")
        .arg(GROUP)
        .arg(CONSUMER)
        .arg("COUNT")
        .arg(count);
    if let Some(block) = block {
        // 0 would block without end.
        read.arg("BLOCK")
            .arg(u64::try_from(block.as_millis()).unwrap_or(u64::MAX).max(1));
    }
    read.arg("STREAMS").arg(TEXTS).arg(after);
    read
}

fn read_entries(streams: Streams) -> Vec<StreamEntry> {
    let entries = streams
        .into_iter()
        .flatten()
        .flat_map(|(_, entries)| entries);
    entries.map(read_entry).collect()
}

/// Claims entries that a consumer has left idle for [`CLAIM_AFTER_IDLE`]. Also returns where the
/// next claim starts; "0-0" = the round is complete.
fn claim(
    connection: &mut Connection,
    count: usize,
    from: &str,
) -> RedisResult<(String, Vec<StreamEntry>)> {
    let answer: RedisResult<Vec<Value>> = cmd("XAUTOCLAIM")
        .arg(&[TEXTS, GROUP, CONSUMER])
        .arg(u64::try_from(CLAIM_AFTER_IDLE.as_millis()).unwrap_or(u64::MAX))
        .arg(from)
        .arg("COUNT")
        .arg(count)
        .query(connection);
    let mut answer = match answer {
        // Redis before 6.2 has no such command; there, only entries of this consumer are read
        // again.
        Err(error) if error.code() == Some("ERR") => return Ok(("0-0".to_owned(), Vec::new())),
        other => other?.into_iter(),
    };
    let next = answer
        .next()
        .map_or_else(|| Ok("0-0".to_owned()), from_redis_value)?;
    // Before Redis 7.0 the list has a nil for an entry that was deleted meanwhile.
    let entries: Vec<Option<RawEntry>> = answer
        .next()
        .map_or_else(|| Ok(Vec::new()), from_redis_value)?;
    Ok((
        next,
        entries.into_iter().flatten().map(read_entry).collect(),
    ))
}

pub(super) fn read_entry((id, fields): RawEntry) -> StreamEntry {
    StreamEntry {
        text: read_text(&fields.unwrap_or_default()),
        id,
    }
}

/// Parses the text of an entry. `fields` are its field names and values in turn.
pub fn read_text(fields: &[Vec<u8>]) -> Result<Text, UnreadableEntry> {
    let unreadable = UnreadableEntry {
        deleted: fields.is_empty(),
    };
    let field = |name: &str| -> Option<String> {
        let pair = fields
            .chunks_exact(2)
            .find(|pair| pair[0] == name.as_bytes())?;
        String::from_utf8(pair[1].clone()).ok()
    };
    let text = || {
        Some(Text {
            sid: MessageSid::parse(&field("sid")?)?,
            from: field("from")?,
            to: field("to")?,
            body: field("body")?,
            opt_out: field("opt_out").and_then(|word| OptWord::from_stored(&word)),
            received: field("received")?.parse().ok()?,
            heard: field("heard").and_then(|words| read_moment(&words)),
        })
    };
    text().ok_or(unreadable)
}
