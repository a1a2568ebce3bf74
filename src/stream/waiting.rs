//! Looking at what waits in the stream, without taking it.

use std::collections::HashSet;

use redis::{RedisError, Value, cmd, from_redis_value};

use super::take::{RawEntry, StreamEntry, read_entry};
use super::{DEAD, GROUP, LazyConnection, Redis, StreamError, TEXTS};
use crate::domain::{MessageSid, Phone, UnixSeconds};

/// Entries that are looked at in one round trip.
const PAGE: usize = 500;

/// A text that was given up, as its dead letter tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// Redis' name for the letter.
    pub id: String,
    /// Twilio's name for the text; empty if the entry had no readable one.
    pub sid: String,
    /// Why it was given up.
    pub reason: String,
    /// When it was given up.
    pub at: Option<UnixSeconds>,
    /// How often it was tried.
    pub attempts: u32,
}

impl DeadLetter {
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

/// How much waits in the streams.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Depth {
    /// Texts, those in work included.
    pub texts: u64,
    /// When the oldest of them came.
    pub oldest: Option<UnixSeconds>,
    /// Texts that were taken and have no verdict yet.
    pub pending: u64,
    /// When the oldest of those came.
    pub oldest_pending: Option<UnixSeconds>,
    /// Dead letters.
    pub dead: u64,
}

/// When Redis made an entry: its name begins with the milliseconds.
fn time_of(id: &str) -> Option<UnixSeconds> {
    let milliseconds: UnixSeconds = id.split('-').next()?.parse().ok()?;
    Some(milliseconds / 1_000)
}

/// Looks at the stream.
pub struct Waiting {
    line: LazyConnection,
}

impl Waiting {
    /// One that connects when it is first needed.
    pub fn new(redis: Redis) -> Self {
        Self {
            line: LazyConnection::new(redis),
        }
    }

    /// How many texts are in the stream, those in work included, and when the oldest came.
    ///
    /// # Errors
    /// Redis cannot be used.
    pub fn queue(&mut self) -> Result<(usize, Option<UnixSeconds>), StreamError> {
        let mut commands = cmd("XLEN").arg(TEXTS).get_packed_command();
        let oldest = cmd("XRANGE").arg(&[TEXTS, "-", "+", "COUNT", "1"]).take();
        commands.extend(oldest.get_packed_command());
        let mut answers = self.line.say(&commands, 2)?.into_iter();
        let mut next = || answers.next().unwrap_or(Ok(redis::Value::Nil));
        let length: usize = from_redis_value(next()?).map_err(RedisError::from)?;
        let oldest: Vec<RawEntry> = from_redis_value(next()?).map_err(RedisError::from)?;
        let came = oldest.first().and_then(|(id, _)| time_of(id));
        Ok((length, came))
    }

    /// How much waits.
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
        let mut answers = self.line.say(&bytes, commands.len())?.into_iter();
        let mut next = || answers.next().unwrap_or(Ok(Value::Nil));
        let texts = from_redis_value(next()?).map_err(RedisError::from)?;
        let oldest: Vec<RawEntry> = from_redis_value(next()?).map_err(RedisError::from)?;
        // Of a stream that nobody has taken from yet there is no group.
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
        let answers = self.line.say(&range.get_packed_command(), 1)?;
        let answer = answers.into_iter().next().transpose()?;
        let letters = answer.map_or_else(|| Ok(Vec::new()), from_redis_value);
        let letters: Vec<RawEntry> = letters.map_err(RedisError::from)?;
        Ok(letters.into_iter().map(DeadLetter::read).collect())
    }

    /// The names of all texts in the stream, those in work included.
    ///
    /// # Errors
    /// Redis cannot be used.
    pub fn sids(&mut self) -> Result<HashSet<String>, StreamError> {
        let mut sids = HashSet::new();
        self.each(|entry| {
            sids.extend(entry.text.ok().map(|text| text.sid.as_str().to_owned()));
        })?;
        Ok(sids)
    }

    /// The entries of a phone's texts, those in work included, and the texts' names.
    ///
    /// # Errors
    /// Redis cannot be used.
    pub fn texts_of(&mut self, phone: &Phone) -> Result<Vec<(String, MessageSid)>, StreamError> {
        let mut found = Vec::new();
        self.each(|entry| {
            if let Ok(text) = entry.text
                && Phone::of_sender(&text.from).as_ref() == Ok(phone)
            {
                found.push((entry.id, text.sid));
            }
        })?;
        Ok(found)
    }

    /// Shows every entry, oldest first.
    fn each(&mut self, mut visit: impl FnMut(StreamEntry)) -> Result<(), StreamError> {
        let mut from = "-".to_owned();
        loop {
            let range = cmd("XRANGE")
                .arg(&[TEXTS, &from, "+", "COUNT"])
                .arg(PAGE)
                .take();
            let answers = self.line.say(&range.get_packed_command(), 1)?;
            let answer = answers.into_iter().next().transpose()?;
            let page = answer.map_or_else(|| Ok(Vec::new()), from_redis_value);
            let page: Vec<RawEntry> = page.map_err(RedisError::from)?;
            let full = page.len() == PAGE;
            for raw in page {
                let entry = read_entry(raw);
                // "(" = after that one.
                from = format!("({}", entry.id);
                visit(entry);
            }
            if !full {
                return Ok(());
            }
        }
    }
}
