//! Appending texts to the stream, many in one round trip.

use std::time::{Duration, Instant};

use redis::{RedisResult, Value, cmd};

use super::{LazyConnection, PROBE, Redis, StreamError, TEXTS};
use crate::clock::write_moment;
use crate::domain::Text;

/// After a failure, texts are refused for this long without a call to Redis, so that not every
/// retry by Twilio waits for a Redis that hangs.
const PAUSE: Duration = Duration::from_millis(300);

/// Appends texts to the stream.
pub struct Appender {
    connection: LazyConnection,
    paused: Option<(Instant, &'static str)>,
}

/// `Ok` if Redis has confirmed, else the name of the [`RedisFault`](super::RedisFault).
pub type Confirmation = Result<(), &'static str>;

/// The result of appending texts.
#[derive(Debug)]
pub struct AppendResult {
    /// One result for each text, in their order. A text that is not confirmed may still be in the
    /// stream.
    pub texts: Vec<Confirmation>,
    /// The result of the probe; `Ok` if there was none.
    pub alive: Confirmation,
    /// The first error, for the log; the others are alike.
    pub fault: Option<StreamError>,
}

impl Appender {
    /// An appender that connects when it is first needed.
    pub fn new(redis: Redis) -> Self {
        Self {
            connection: LazyConnection::new(redis),
            paused: None,
        }
    }

    /// Appends every text. With `probe`, it also checks whether Redis would take one.
    pub fn append(&mut self, texts: &[&Text], probe: bool) -> AppendResult {
        if let Some((until, name)) = self.paused
            && Instant::now() < until
        {
            return AppendResult::none(texts.len(), name, None);
        }
        self.paused = None;
        let mut commands: Vec<u8> = Vec::with_capacity(256 * texts.len() + 16);
        texts
            .iter()
            .for_each(|text| write_xadd(&mut commands, text));
        if probe {
            write_probe(&mut commands);
        }
        // A text that is appended twice is served once.
        match self
            .connection
            .send(&commands, texts.len() + usize::from(probe))
        {
            Ok(answers) => AppendResult::of(answers, texts.len()),
            Err(error) => {
                let fault = StreamError::from(error);
                self.paused = Some((Instant::now() + PAUSE, fault.name()));
                AppendResult::none(texts.len(), fault.name(), Some(fault))
            }
        }
    }
}

impl AppendResult {
    fn none(texts: usize, name: &'static str, fault: Option<StreamError>) -> Self {
        Self {
            texts: vec![Err(name); texts],
            alive: Err(name),
            fault,
        }
    }

    fn of(answers: Vec<RedisResult<Value>>, texts: usize) -> Self {
        let mut fault = None;
        let mut names = Vec::with_capacity(answers.len());
        for answer in answers {
            names.push(answer.map(drop).map_err(|error| {
                let refusal = StreamError::from(error);
                let name = refusal.name();
                fault.get_or_insert(refusal);
                name
            }));
        }
        let alive = names.get(texts).copied().unwrap_or(Ok(()));
        names.truncate(texts);
        Self {
            texts: names,
            alive,
            fault,
        }
    }
}

/// Writes the XADD of one text. The entry has only what the reply needs.
pub fn write_xadd(bytes: &mut Vec<u8>, text: &Text) {
    let mut xadd = cmd("XADD");
    xadd.arg(TEXTS).arg("*");
    xadd.arg("sid").arg(text.sid.as_str());
    xadd.arg("from").arg(&text.from);
    xadd.arg("to").arg(&text.to);
    xadd.arg("body").arg(&text.body);
    xadd.arg("received").arg(text.received);
    if let Some(heard) = text.heard {
        xadd.arg("heard").arg(write_moment(heard));
    }
    if let Some(word) = text.opt_out {
        xadd.arg("opt_out").arg(word.as_str());
    }
    bytes.extend_from_slice(&xadd.get_packed_command());
}

/// Writes the command of the probe. Redis refuses it whenever it refuses a text: without memory, disk or replicas. A
/// PING is answered even then. It changes nothing, as there is no stream of that name and none is made (`NOMKSTREAM`,
/// Redis 6.2 and later), so it costs no fsync.
pub(super) fn write_probe(bytes: &mut Vec<u8>) {
    let mut xadd = cmd("XADD");
    xadd.arg(PROBE)
        .arg("NOMKSTREAM")
        .arg("*")
        .arg("probe")
        .arg("");
    bytes.extend_from_slice(&xadd.get_packed_command());
}
