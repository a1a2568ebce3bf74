//! Looking at what waits in the stream, without taking it.

use std::collections::HashSet;

use redis::{RedisError, cmd, from_redis_value};

use super::take::{Raw, read_entry};
use super::{Line, Redis, StreamError, TEXTS};

/// Entries that are looked at in one round trip.
const PAGE: usize = 500;

/// Looks at the stream.
pub struct Waiting {
    line: Line,
}

impl Waiting {
    /// One that connects when it is first needed.
    pub fn new(redis: Redis) -> Self {
        Self {
            line: Line::new(redis),
        }
    }

    /// The names of all texts in the stream, those in work included.
    ///
    /// # Errors
    /// Redis cannot be used.
    pub fn sids(&mut self) -> Result<HashSet<String>, StreamError> {
        let mut sids = HashSet::new();
        let mut from = "-".to_owned();
        loop {
            let range = cmd("XRANGE")
                .arg(&[TEXTS, &from, "+", "COUNT"])
                .arg(PAGE)
                .take();
            let answers = self.line.say(&range.get_packed_command(), 1)?;
            let answer = answers.into_iter().next().transpose()?;
            let page = answer.map_or_else(|| Ok(Vec::new()), from_redis_value);
            let page: Vec<Raw> = page.map_err(RedisError::from)?;
            let full = page.len() == PAGE;
            for raw in page {
                let entry = read_entry(raw);
                // "(" = after that one.
                from = format!("({}", entry.id);
                sids.extend(entry.text.ok().map(|text| text.sid.as_str().to_owned()));
            }
            if !full {
                return Ok(sids);
            }
        }
    }
}
