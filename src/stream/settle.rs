//! Ending an entry: acknowledged and deleted, or moved to the dead letters.

use std::sync::{Mutex, PoisonError};

use redis::{Cmd, cmd, from_redis_value};

use super::{DEAD, GROUP, LazyConnection, Redis, StreamError, TEXTS};
use crate::domain::{MessageSid, UnixSeconds};

/// Dead letters that are kept, about; the oldest go first.
const DEAD_KEPT: usize = 1_000;

/// Ends entries. Shared: each call holds the connection for one round trip.
pub struct Settler {
    line: Mutex<LazyConnection>,
}

/// What is kept of a text that was given up: enough to find it in Twilio's console, nothing personal.
#[derive(Debug)]
pub struct NewDeadLetter<'a> {
    /// Twilio's name for it, if the entry had a readable one.
    pub sid: Option<&'a MessageSid>,
    /// Why it was given up.
    pub reason: &'a str,
    /// When it came, if the entry said so.
    pub received: Option<UnixSeconds>,
    /// When it was given up.
    pub at: UnixSeconds,
    /// How often it was tried.
    pub attempts: u32,
}

impl Settler {
    /// A settler that connects when it is first needed.
    pub fn new(redis: Redis) -> Self {
        Self {
            line: Mutex::new(LazyConnection::new(redis)),
        }
    }

    /// Deletes and acknowledges an entry: nobody will need it again.
    ///
    /// In this order and without a transaction: a full Redis refuses to queue one, and then it would
    /// stay full. If we are killed in between, the entry comes back without its fields.
    ///
    /// # Errors
    /// Redis did not confirm; the entry will come back.
    pub fn acknowledge(&self, id: &str) -> Result<(), StreamError> {
        let delete = cmd("XDEL").arg(TEXTS).arg(id).take();
        let acknowledge = cmd("XACK").arg(TEXTS).arg(GROUP).arg(id).take();
        self.run(&[delete, acknowledge])
    }

    /// Moves an entry to the dead letters. Killed in between, it may come to stand there twice.
    ///
    /// # Errors
    /// Redis did not confirm; the entry will come back.
    pub fn record_dead_letter(
        &self,
        id: &str,
        letter: &NewDeadLetter<'_>,
    ) -> Result<(), StreamError> {
        let mut xadd = cmd("XADD");
        xadd.arg(DEAD)
            .arg("MAXLEN")
            .arg("~")
            .arg(DEAD_KEPT)
            .arg("*");
        xadd.arg("sid")
            .arg(letter.sid.map_or("", MessageSid::as_str));
        xadd.arg("reason").arg(letter.reason);
        xadd.arg("received").arg(letter.received.unwrap_or(0));
        xadd.arg("at").arg(letter.at);
        xadd.arg("attempts").arg(letter.attempts);
        self.run(&[xadd])?;
        self.acknowledge(id)
    }

    /// Removes dead letters, by Redis' names for them.
    ///
    /// # Errors
    /// Redis did not confirm.
    pub fn remove_dead_letters(&self, ids: &[&str]) -> Result<(), StreamError> {
        if ids.is_empty() {
            return Ok(());
        }
        self.run(&[cmd("XDEL").arg(DEAD).arg(ids).take()])
    }

    /// Ends the wait of the connection with that id at once.
    ///
    /// # Errors
    /// Redis did not confirm; the wait ends by itself later.
    pub fn unblock(&self, client_id: i64) -> Result<(), StreamError> {
        self.run(&[cmd("CLIENT").arg("UNBLOCK").arg(client_id).take()])
    }

    /// Has Redis write its append-only file anew, where it keeps one: phones of texts long answered
    /// stand in it until then.
    ///
    /// # Errors
    /// Redis did not begin. Some operators forbid the command; then the file is written anew when
    /// Redis itself finds it too long.
    pub fn compact(&self) -> Result<(), StreamError> {
        let mut info = cmd("INFO");
        info.arg("persistence");
        let answers = {
            let mut line = self.line.lock().unwrap_or_else(PoisonError::into_inner);
            line.say(&info.get_packed_command(), 1)?
        };
        let persistence: Option<String> = answers
            .into_iter()
            .next()
            .transpose()?
            .and_then(|answer| from_redis_value(answer).ok());
        // Where there is no such file the command would make one.
        if persistence.is_some_and(|lines| lines.contains("aof_enabled:1")) {
            self.run(&[cmd("BGREWRITEAOF")])?;
        }
        Ok(())
    }

    fn run(&self, commands: &[Cmd]) -> Result<(), StreamError> {
        let bytes: Vec<u8> = commands.iter().flat_map(Cmd::get_packed_command).collect();
        // All of this may be said twice.
        let mut line = self.line.lock().unwrap_or_else(PoisonError::into_inner);
        for answer in line.say(&bytes, commands.len())? {
            answer?;
        }
        Ok(())
    }
}
