//! Appending, many texts in one round trip.

use std::time::{Duration, Instant};

use redis::{RedisResult, Value, cmd};

use super::{LazyConnection, Redis, StreamError, TEXTS};
use crate::domain::Text;

/// After a failure texts are turned away unasked for this long, so that Twilio's retries are not
/// each kept waiting for a Redis that hangs.
const REST: Duration = Duration::from_millis(300);

/// Appends texts to the stream.
pub struct Appender {
    line: LazyConnection,
    resting: Option<(Instant, &'static str)>,
}

/// `Ok` once Redis has confirmed, else the name of what is wrong.
pub type Confirmation = Result<(), &'static str>;

/// What became of some texts.
#[derive(Debug)]
pub struct AppendResult {
    /// The fate of each, in their order. One that is not confirmed may be in the stream all the same.
    pub texts: Vec<Confirmation>,
    /// The sign of life; `Ok` if none was asked for.
    pub alive: Confirmation,
    /// What went wrong first, for the log; the others are alike.
    pub fault: Option<StreamError>,
}

impl Appender {
    /// An appender that connects when it is first needed.
    pub fn new(redis: Redis) -> Self {
        Self {
            line: LazyConnection::new(redis),
            resting: None,
        }
    }

    /// Appends every text and, with `ping`, asks Redis for a sign of life besides.
    pub fn append(&mut self, texts: &[&Text], ping: bool) -> AppendResult {
        if let Some((until, name)) = self.resting
            && Instant::now() < until
        {
            return AppendResult::none(texts.len(), name, None);
        }
        self.resting = None;
        let mut commands: Vec<u8> = Vec::with_capacity(256 * texts.len() + 16);
        texts
            .iter()
            .for_each(|text| write_xadd(&mut commands, text));
        if ping {
            commands.extend_from_slice(&cmd("PING").get_packed_command());
        }
        // A text that gets in twice is served once.
        match self.line.say(&commands, texts.len() + usize::from(ping)) {
            Ok(answers) => AppendResult::of(answers, texts.len()),
            Err(error) => {
                let fault = StreamError::from(error);
                self.resting = Some((Instant::now() + REST, fault.name()));
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

/// Writes the XADD of one text. The entry has what the answer needs and nothing else.
pub fn write_xadd(bytes: &mut Vec<u8>, text: &Text) {
    let mut xadd = cmd("XADD");
    xadd.arg(TEXTS).arg("*");
    xadd.arg("sid").arg(text.sid.as_str());
    xadd.arg("from").arg(&text.from);
    xadd.arg("to").arg(&text.to);
    xadd.arg("body").arg(&text.body);
    xadd.arg("received").arg(text.received);
    if let Some(word) = text.opt_out {
        xadd.arg("opt_out").arg(word.as_str());
    }
    bytes.extend_from_slice(&xadd.get_packed_command());
}
