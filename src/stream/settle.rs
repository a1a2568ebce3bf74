//! Settling entries: they are acknowledged and deleted, or become dead letters.

use std::sync::{Mutex, PoisonError};

use redis::{Cmd, cmd, from_redis_value};

use super::{DEAD, GROUP, LazyConnection, Redis, StreamError, TEXTS};
use crate::domain::{MessageSid, UnixSeconds};

/// About this many dead letters are kept; the oldest are removed first.
const DEAD_KEPT: usize = 1_000;

/// Settles entries. It may be shared: each call locks the connection for one round trip.
pub struct Settler {
    connection: Mutex<LazyConnection>,
}

/// The content of a dead letter: enough to find the text in Twilio's console, and no personal data.
#[derive(Debug)]
pub struct NewDeadLetter<'a> {
    /// The text's sid, if the entry had a readable one.
    pub sid: Option<&'a MessageSid>,
    /// Why the text is not served.
    pub reason: &'a str,
    /// When the text was received, if known.
    pub received: Option<UnixSeconds>,
    /// When it became a dead letter.
    pub at: UnixSeconds,
    /// The number of attempts to serve it.
    pub attempts: u32,
}

impl Settler {
    /// A settler that connects when it is first needed.
    pub fn new(redis: Redis) -> Self {
        Self {
            connection: Mutex::new(LazyConnection::new(redis)),
        }
    }

    /// Deletes and acknowledges an entry.
    ///
    /// It does so in this order and without a transaction: a full Redis refuses to queue a
    /// transaction, and would stay full. If the service is killed in between, the entry is read
    /// again without its fields.
    ///
    /// # Errors
    /// Redis did not confirm; the entry will be read again.
    pub fn acknowledge(&self, id: &str) -> Result<(), StreamError> {
        let delete = cmd("XDEL").arg(TEXTS).arg(id).take();
        let acknowledge = cmd("XACK").arg(TEXTS).arg(GROUP).arg(id).take();
        self.run(&[delete, acknowledge])
    }

    /// Moves an entry to the dead letters. If the service is killed in between, there may be two
    /// dead letters for it.
    ///
    /// # Errors
    /// Redis did not confirm; the entry will be read again.
    pub fn record_dead_letter(
        &self,
        id: &str,
        dead_letter: &NewDeadLetter<'_>,
    ) -> Result<(), StreamError> {
        let mut xadd = cmd("XADD");
        xadd.arg(DEAD)
            .arg("MAXLEN")
            .arg("~")
            .arg(DEAD_KEPT)
            .arg("*");
        xadd.arg("sid")
            .arg(dead_letter.sid.map_or("", MessageSid::as_str));
        xadd.arg("reason").arg(dead_letter.reason);
        xadd.arg("received").arg(dead_letter.received.unwrap_or(0));
        xadd.arg("at").arg(dead_letter.at);
        xadd.arg("attempts").arg(dead_letter.attempts);
        self.run(&[xadd])?;
        self.acknowledge(id)
    }

    /// Removes the dead letters with these entry ids.
    ///
    /// # Errors
    /// Redis did not confirm.
    pub fn remove_dead_letters(&self, ids: &[&str]) -> Result<(), StreamError> {
        if ids.is_empty() {
            return Ok(());
        }
        self.run(&[cmd("XDEL").arg(DEAD).arg(ids).take()])
    }

    /// Unblocks the connection with this client id.
    ///
    /// # Errors
    /// Redis did not confirm; the block ends by itself later.
    pub fn unblock(&self, client_id: i64) -> Result<(), StreamError> {
        self.run(&[cmd("CLIENT").arg("UNBLOCK").arg(client_id).take()])
    }

    /// Makes Redis rewrite its append-only file, if it has one. Until then that file still contains
    /// the phone numbers of texts that were settled long ago.
    ///
    /// # Errors
    /// Redis did not start. Some operators forbid the command; then the file is rewritten when Redis
    /// itself finds it too long.
    pub fn compact(&self) -> Result<(), StreamError> {
        let mut info = cmd("INFO");
        info.arg("persistence");
        let answers = {
            let mut connection = self
                .connection
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            connection.send(&info.get_packed_command(), 1)?
        };
        let persistence: Option<String> = answers
            .into_iter()
            .next()
            .transpose()?
            .and_then(|answer| from_redis_value(answer).ok());
        // Without an append-only file the command would create one.
        if persistence.is_some_and(|lines| lines.contains("aof_enabled:1")) {
            self.run(&[cmd("BGREWRITEAOF")])?;
        }
        Ok(())
    }

    fn run(&self, commands: &[Cmd]) -> Result<(), StreamError> {
        let bytes: Vec<u8> = commands.iter().flat_map(Cmd::get_packed_command).collect();
        // Safe to send twice, as `send` requires: each command here is.
        let mut connection = self
            .connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        for answer in connection.send(&bytes, commands.len())? {
            answer?;
        }
        Ok(())
    }
}
