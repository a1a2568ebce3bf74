//! Inspecting the streams of texts and dead letters. Nothing is taken or changed.

use std::collections::HashSet;

use redis::{RedisError, Value, cmd, from_redis_value};

use super::take::{RawEntry, StreamEntry, read_entry};
use super::{DEAD, GROUP, LazyConnection, Redis, StreamError, TEXTS};
use crate::domain::{MessageSid, Phone, UnixSeconds};

/// Entries read in one round trip.
const PAGE: usize = 500;

/// A dead letter: the record of a text that could not be served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// Its entry id in Redis.
    pub id: String,
    /// The sid of the text; empty if the entry had no readable one.
    pub sid: String,
    /// Why the text was not served.
    pub reason: String,
    /// When it became a dead letter.
    pub at: Option<UnixSeconds>,
    /// The number of attempts to serve it.
    pub attempts: u32,
}

impl DeadLetter {
    /// What `retry` and `drop` call it: its sid or, without one, its entry id.
    pub fn name(&self) -> &str {
        if self.sid.is_empty() {
            return &self.id;
        }
        &self.sid
    }

    fn read((id, fields): RawEntry) -> Self {
        let fields = fields.unwrap_or_default();
        let field = |name: &str| {
            let mut pairs = fields.chunks_exact(2);
            let pair = pairs.find(|pair| pair[0] == name.as_bytes());
            pair.map_or_else(String::new, |pair| {
                String::from_utf8_lossy(&pair[1]).into_owned()
            })
        };
        Self {
            sid: field("sid"),
            reason: field("reason"),
            at: field("at").parse().ok().or_else(|| time_of(&id)),
            attempts: field("attempts").parse().unwrap_or(0),
            id,
        }
    }
}

/// The lengths of the streams.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Depth {
    /// Texts, including those being worked on.
    pub texts: u64,
    /// When the oldest of them was appended.
    pub oldest: Option<UnixSeconds>,
    /// Texts that were taken and are not settled yet.
    pub pending: u64,
    /// When the oldest of those was appended.
    pub oldest_pending: Option<UnixSeconds>,
    /// Dead letters.
    pub dead: u64,
}

/// When an entry was appended: its id begins with the Unix time in milliseconds.
fn time_of(id: &str) -> Option<UnixSeconds> {
    let milliseconds: UnixSeconds = id.split('-').next()?.parse().ok()?;
    Some(milliseconds / 1_000)
}

/// Inspects the streams.
pub struct StreamInspector {
    connection: LazyConnection,
}

impl StreamInspector {
    /// An inspector that connects when it is first needed.
    pub fn new(redis: Redis) -> Self {
        Self {
            connection: LazyConnection::new(redis),
        }
    }

    /// The number of texts in the stream, including those being worked on, and when the oldest was
    /// appended.
    ///
    /// # Errors
    /// Redis cannot be used.
    pub fn queue(&mut self) -> Result<(usize, Option<UnixSeconds>), StreamError> {
        let mut commands = cmd("XLEN").arg(TEXTS).get_packed_command();
        let oldest = cmd("XRANGE").arg(&[TEXTS, "-", "+", "COUNT", "1"]).take();
        commands.extend(oldest.get_packed_command());
        let mut answers = self.connection.send(&commands, 2)?.into_iter();
        let mut next = || answers.next().unwrap_or(Ok(redis::Value::Nil));
        let length: usize = from_redis_value(next()?).map_err(RedisError::from)?;
        let oldest: Vec<RawEntry> = from_redis_value(next()?).map_err(RedisError::from)?;
        let oldest = oldest.first().and_then(|(id, _)| time_of(id));
        Ok((length, oldest))
    }

    /// The lengths of both streams.
    ///
    /// # Errors
    /// Redis cannot be used.
    pub fn depth(&mut self) -> Result<Depth, StreamError> {
        let commands = [
            cmd("XLEN").arg(TEXTS).take(),
            cmd("XRANGE").arg(&[TEXTS, "-", "+", "COUNT", "1"]).take(),
            cmd("XPENDING").arg(TEXTS).arg(GROUP).take(),
            cmd("XLEN").arg(DEAD).take(),
        ];
        let bytes: Vec<u8> = commands
            .iter()
            .flat_map(redis::Cmd::get_packed_command)
            .collect();
        let mut answers = self.connection.send(&bytes, commands.len())?.into_iter();
        let mut next = || answers.next().unwrap_or(Ok(Value::Nil));
        let texts = from_redis_value(next()?).map_err(RedisError::from)?;
        let oldest: Vec<RawEntry> = from_redis_value(next()?).map_err(RedisError::from)?;
        // Before the first text is taken the group does not exist.
        let pending = match next() {
            Err(error) if error.code() == Some("NOGROUP") => None,
            answer => Some(answer?),
        };
        let pending: Option<(u64, Option<String>, Value, Value)> = pending
            .map(from_redis_value)
            .transpose()
            .map_err(RedisError::from)?;
        let (pending, first) = pending.map_or((0, None), |(count, first, ..)| (count, first));
        Ok(Depth {
            texts,
            oldest: oldest.first().and_then(|(id, _)| time_of(id)),
            pending,
            oldest_pending: first.as_deref().and_then(time_of),
            dead: from_redis_value(next()?).map_err(RedisError::from)?,
        })
    }

    /// The dead letters, oldest first.
    ///
    /// # Errors
    /// Redis cannot be used.
    pub fn dead(&mut self) -> Result<Vec<DeadLetter>, StreamError> {
        let range = cmd("XRANGE").arg(&[DEAD, "-", "+"]).take();
        let answers = self.connection.send(&range.get_packed_command(), 1)?;
        let answer = answers.into_iter().next().transpose()?;
        let entries = answer.map_or_else(|| Ok(Vec::new()), from_redis_value);
        let entries: Vec<RawEntry> = entries.map_err(RedisError::from)?;
        Ok(entries.into_iter().map(DeadLetter::read).collect())
    }

    /// The sids of all texts in the stream, including those being worked on.
    ///
    /// # Errors
    /// Redis cannot be used.
    pub fn sids(&mut self) -> Result<HashSet<String>, StreamError> {
        let mut sids = HashSet::new();
        self.for_each_entry(|entry| {
            sids.extend(entry.text.ok().map(|text| text.sid.as_str().to_owned()));
        })?;
        Ok(sids)
    }

    /// The entry ids and sids of all texts from a phone, including those being worked on.
    ///
    /// # Errors
    /// Redis cannot be used.
    pub fn texts_of(&mut self, phone: &Phone) -> Result<Vec<(String, MessageSid)>, StreamError> {
        let mut found = Vec::new();
        self.for_each_entry(|entry| {
            if let Ok(text) = entry.text
                && Phone::of_sender(&text.from).as_ref() == Ok(phone)
            {
                found.push((entry.id, text.sid));
            }
        })?;
        Ok(found)
    }

    /// Calls `visit` with every entry of the stream of texts, oldest first.
    fn for_each_entry(&mut self, mut visit: impl FnMut(StreamEntry)) -> Result<(), StreamError> {
        let mut from = "-".to_owned();
        loop {
            let range = cmd("XRANGE")
                .arg(&[TEXTS, &from, "+", "COUNT"])
                .arg(PAGE)
                .take();
            let answers = self.connection.send(&range.get_packed_command(), 1)?;
            let answer = answers.into_iter().next().transpose()?;
            let page = answer.map_or_else(|| Ok(Vec::new()), from_redis_value);
            let page: Vec<RawEntry> = page.map_err(RedisError::from)?;
            let full = page.len() == PAGE;
            for raw in page {
                let entry = read_entry(raw);
                // "(" excludes this entry itself from the next page.
                from = format!("({}", entry.id);
                visit(entry);
            }
            if !full {
                return Ok(());
            }
        }
    }
}
