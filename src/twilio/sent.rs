//! One text that we sent, by its name: what became of it, and its words taken out of Twilio's log.

use serde::Deserialize;
use ureq::http::Method;

use super::sms::{Sms, SmsFault};
use crate::domain::{Delivery, MessageSid, Receipt};
use crate::http::Answer;

/// Twilio's code for something that is not there.
const NOT_THERE: u32 = 20404;

#[derive(Deserialize)]
struct Entry {
    #[serde(default)]
    status: String,
    #[serde(default)]
    error_code: Option<u32>,
}

impl Sms {
    /// What became of the text `sid`; `None` if Twilio's log does not have it.
    ///
    /// # Errors
    /// The log cannot be read. A state that we do not know counts as queued.
    pub fn look_up(&self, sid: &MessageSid) -> Result<Option<Receipt>, SmsFault> {
        const DOING: &str = "look a text up";
        let answer = self.call(DOING, Method::GET, &self.text_url(sid), Vec::new())?;
        let entry: Option<Entry> = answer.json();
        match entry {
            Some(entry) if answer.status == 200 => Ok(Some(Receipt {
                sid: sid.clone(),
                delivery: Delivery::parse(&entry.status).unwrap_or(Delivery::Queued),
                code: entry.error_code,
            })),
            _ => absent_or_fault(DOING, &answer).map(|()| None),
        }
    }

    /// Empties the words of the text `sid` in Twilio's log; one that is not there has none.
    ///
    /// # Errors
    /// It was refused, or nobody knows; saying it again does no harm.
    pub fn blank(&self, sid: &MessageSid) -> Result<(), SmsFault> {
        const DOING: &str = "blank a text";
        let form = b"Body=".to_vec();
        let answer = self.call(DOING, Method::POST, &self.text_url(sid), form)?;
        if answer.status == 200 {
            return Ok(());
        }
        absent_or_fault(DOING, &answer)
    }

    fn text_url(&self, sid: &MessageSid) -> String {
        let list = self.messages.strip_suffix(".json");
        format!("{}/{sid}.json", list.unwrap_or(&self.messages))
    }
}

fn absent_or_fault(doing: &'static str, answer: &Answer) -> Result<(), SmsFault> {
    let fault = SmsFault::of(doing, answer);
    if answer.status == 404 && fault.code == Some(NOT_THERE) {
        return Ok(());
    }
    Err(fault)
}
