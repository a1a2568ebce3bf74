//! Taking entries: our own pending ones first, then new ones, now and then those of a dead consumer.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use redis::{Connection, RedisResult, Value, cmd, from_redis_value};

use super::{CONSUMER, GROUP, OWNER, PATIENCE, Redis, StreamError, TEXTS};
use crate::domain::{InstanceId, MessageSid, OptWord, Text};

/// How long another consumer's entry must have lain idle before it counts as left behind. Far above
/// the time that any entry is worked on without a word to Redis.
const LEFT_BEHIND: Duration = Duration::from_secs(60);

/// How long a service that has gone still owns its Redis database.
const OWNED: Duration = Duration::from_secs(60);

/// The shortest wait that Redis knows; 0 would be for ever.
const AT_ONCE: Duration = Duration::from_millis(1);

/// One entry of the stream.
#[derive(Debug)]
pub struct StreamEntry {
    /// Redis' name for it.
    pub id: String,
    /// The text in it.
    pub text: Result<Text, UnreadableEntry>,
}

/// An entry that holds no text: its fields are missing or not of their form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnreadableEntry {
    /// Whether it has no fields at all, as one that was deleted while pending.
    pub deleted: bool,
}

/// Takes entries. It survives any failure of Redis: the next call connects again, makes the group
/// again, and reads our own pending entries again.
pub struct Taker {
    redis: Redis,
    connection: Option<Connection>,
    client_id: Arc<AtomicI64>,
    /// Where we are in our own pending entries; `None` once they have all been read.
    history: Option<String>,
    claim_after: Instant,
    /// Where we are in looking for entries left behind; `None` while we are not.
    claim_from: Option<String>,
    /// Whose the database has to be.
    owner: InstanceId,
    own_again: Instant,
}

impl Taker {
    /// A taker for the data folder of that id; it connects when it is first needed.
    pub fn new(redis: Redis, owner: &InstanceId) -> Self {
        Self {
            redis,
            connection: None,
            client_id: Arc::new(AtomicI64::new(0)),
            history: None,
            claim_after: Instant::now(),
            claim_from: None,
            owner: owner.clone(),
            own_again: Instant::now(),
        }
    }

    /// Redis' name for the connection that blocks, by which [`super::Settler::unblock`] wakes it; 0
    /// while there is none.
    pub fn client_id(&self) -> Arc<AtomicI64> {
        Arc::clone(&self.client_id)
    }

    /// Takes up to `count` entries; waits up to `block` for the first, but not on a new connection.
    /// An entry that is still in work may come again after a reconnection.
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
            Err(error) if error.code() == Some("UNBLOCKED") => {
                // The stream was deleted under us; the next read finds that the group is gone too.
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

    /// `None` = the database is another service's.
    fn try_take(&mut self, count: usize, block: Duration) -> RedisResult<Option<Vec<StreamEntry>>> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.connect()?,
        };
        if !self.owns(&mut connection)? {
            return Ok(None);
        }
        let mut entries = self.read(&mut connection, count, block);
        if entries
            .as_ref()
            .is_err_and(|error| error.code() == Some("NOGROUP"))
        {
            // A new or an emptied Redis. Only then: where it is full, it refuses this command even
            // if the group exists.
            make_group(&mut connection)?;
            entries = self.read(&mut connection, count, block);
        }
        let entries = entries?;
        self.connection = Some(connection);
        Ok(Some(entries))
    }

    /// Whether the database is ours; keeps it ours for a while.
    fn owns(&mut self, connection: &mut Connection) -> RedisResult<bool> {
        if Instant::now() < self.own_again {
            return Ok(true);
        }
        let seconds = OWNED.as_secs();
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
                    // A full Redis takes no new key, but its entries have to go all the same.
                    Err(error) if error.code() == Some("OOM") => true,
                    Err(error) => return Err(error),
                }
            }
        };
        if ours {
            self.own_again = Instant::now() + OWNED / 3;
        }
        Ok(ours)
    }

    fn connect(&mut self) -> RedisResult<Connection> {
        let mut connection = self.redis.connect()?;
        let id: i64 = cmd("CLIENT").arg("ID").query(&mut connection)?;
        self.client_id.store(id, Ordering::Relaxed);
        self.history = Some("0".to_owned());
        self.claim_after = Instant::now();
        Ok(connection)
    }

    fn read(
        &mut self,
        connection: &mut Connection,
        count: usize,
        block: Duration,
    ) -> RedisResult<Vec<StreamEntry>> {
        let mut block = block;
        if let Some(after) = self.history.clone() {
            // The first answer on a new connection comes at once: that Redis is there again is worth
            // knowing before the next text.
            block = AT_ONCE;
            let own = read_group(connection, count, None, &after)?;
            self.history = own.last().map(|entry| entry.id.clone());
            if !own.is_empty() {
                return Ok(own);
            }
        }
        if Instant::now() >= self.claim_after {
            self.claim_after = Instant::now() + LEFT_BEHIND;
            self.claim_from = Some("0-0".to_owned());
        }
        while let Some(from) = self.claim_from.take() {
            let (next, claimed) = claim(connection, count, &from)?;
            self.claim_from = (next != "0-0").then_some(next);
            if !claimed.is_empty() {
                return Ok(claimed);
            }
        }
        // The answer is held back on purpose, so the socket has to be more patient than that.
        connection.set_read_timeout(Some(block + 2 * PATIENCE))?;
        let new = read_group(connection, count, Some(block), ">")?;
        connection.set_read_timeout(Some(PATIENCE))?;
        Ok(new)
    }
}

/// Makes the group from "0", not "$": texts that came before it are texts all the same.
fn make_group(connection: &mut Connection) -> RedisResult<()> {
    let made: RedisResult<()> = cmd("XGROUP")
        .arg(&["CREATE", TEXTS, GROUP, "0", "MKSTREAM"])
        .query(connection);
    match made {
        Err(error) if error.code() == Some("BUSYGROUP") => Ok(()),
        other => other,
    }
}

/// An entry on the wire: its id, and its names and values in turn; none if it was deleted. Read as
/// bytes, so that one unreadable entry does not spoil those beside it.
pub(super) type RawEntry = (String, Option<Vec<Vec<u8>>>);

fn read_group(
    connection: &mut Connection,
    count: usize,
    block: Option<Duration>,
    after: &str,
) -> RedisResult<Vec<StreamEntry>> {
    let mut read = cmd("XREADGROUP");
    read.arg("GROUP")
        .arg(GROUP)
        .arg(CONSUMER)
        .arg("COUNT")
        .arg(count);
    if let Some(block) = block {
        // 0 would mean for ever.
        read.arg("BLOCK")
            .arg(u64::try_from(block.as_millis()).unwrap_or(u64::MAX).max(1));
    }
    read.arg("STREAMS").arg(TEXTS).arg(after);
    let streams: Option<Vec<(String, Vec<RawEntry>)>> = read.query(connection)?;
    let entries = streams
        .into_iter()
        .flatten()
        .flat_map(|(_, entries)| entries);
    Ok(entries.map(read_entry).collect())
}

/// Takes over entries that a consumer has not touched for [`LEFT_BEHIND`], and says where to go on.
fn claim(
    connection: &mut Connection,
    count: usize,
    from: &str,
) -> RedisResult<(String, Vec<StreamEntry>)> {
    let answer: RedisResult<Vec<Value>> = cmd("XAUTOCLAIM")
        .arg(&[TEXTS, GROUP, CONSUMER])
        .arg(u64::try_from(LEFT_BEHIND.as_millis()).unwrap_or(u64::MAX))
        .arg(from)
        .arg("COUNT")
        .arg(count)
        .query(connection);
    let mut answer = match answer {
        // Redis before 6.2 does not know the command; there, only our own entries come back.
        Err(error) if error.code() == Some("ERR") => return Ok(("0-0".to_owned(), Vec::new())),
        other => other?.into_iter(),
    };
    let next = answer
        .next()
        .map_or_else(|| Ok("0-0".to_owned()), from_redis_value)?;
    // Before 7.0 an entry that was deleted meanwhile stands there as nothing at all.
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

/// The text in an entry whose names and values follow each other in `fields`.
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
        })
    };
    text().ok_or(unreadable)
}
