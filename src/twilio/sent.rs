//! Reads sent texts from Twilio's log, all to one phone or one by its SID, and redacts them.

use serde::Deserialize;
use ureq::http::Method;

use super::error::{SmsError, SmsErrorKind};
use super::sms::Sms;
use super::wire;
use crate::config::Sender;
use crate::domain::{Delivery, MessageSid, Phone, RCS, Receipt, UnixSeconds};
use crate::http::HttpResponse;

/// Twilio's code for a resource that does not exist.
const NOT_FOUND: u32 = 20404;

/// The most pages that are read in the search for one text. Twilio returns the latest texts first,
/// though it does not promise that; one phone has only a few texts.
const MAX_PAGES: usize = 4;

/// A text that we sent, in Twilio's log. Any field may be absent.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct LoggedText {
    /// Its SID.
    #[serde(deserialize_with = "wire::text")]
    pub sid: Option<String>,
    #[serde(deserialize_with = "wire::text")]
    body: Option<String>,
    #[serde(deserialize_with = "wire::text")]
    direction: Option<String>,
    #[serde(deserialize_with = "wire::text")]
    from: Option<String>,
    #[serde(deserialize_with = "wire::text")]
    messaging_service_sid: Option<String>,
    #[serde(deserialize_with = "wire::text")]
    date_created: Option<String>,
    #[serde(deserialize_with = "wire::text")]
    date_sent: Option<String>,
}

impl LoggedText {
    /// Its body; empty if it was redacted. Some accounts redact all texts.
    pub fn body(&self) -> &str {
        self.body.as_deref().unwrap_or_default()
    }

    /// When Twilio accepted it; `None` if Twilio does not report it.
    pub fn accepted_at(&self) -> Option<UnixSeconds> {
        wire::date(self.date_created.as_deref().or(self.date_sent.as_deref()))
    }

    /// Whether this is the text `sid` without its body. Twilio may leave out the SID or the body,
    /// but an answer without both proves nothing.
    fn shows_redacted(&self, sid: &MessageSid) -> bool {
        match (self.sid.as_deref(), self.body.as_deref()) {
            (Some(named), body) => named == sid.as_str() && body.unwrap_or_default().is_empty(),
            (None, body) => body == Some(""),
        }
    }

    /// Whether it was sent by `sender`, and not by another program that uses the account. A text
    /// that waits in a Messaging Service has no number yet.
    fn is_from(&self, sender: &Sender) -> bool {
        match sender {
            Sender::Number(number) => self.from.as_ref().is_none_or(|from| from == number),
            Sender::Service(service) => self.messaging_service_sid.as_ref() == Some(service),
        }
    }
}

#[derive(Deserialize)]
struct SentPage {
    #[serde(deserialize_with = "wire::entries")]
    messages: Vec<LoggedText>,
    #[serde(default, deserialize_with = "wire::text")]
    next_page_uri: Option<String>,
}

/// The delivery state of one text in the log.
#[derive(Default, Deserialize)]
#[serde(default)]
struct SentEntry {
    #[serde(deserialize_with = "wire::text")]
    status: Option<String>,
    #[serde(deserialize_with = "wire::code")]
    error_code: Option<u32>,
}

impl Sms {
    /// The latest texts that our sender sent to `to`, up to 200.
    ///
    /// Not filtered by date: a text that waits in Twilio's queue has no `date_sent` yet. A
    /// Messaging Service may have sent the text by RCS; then the log does not contain the plain
    /// number.
    ///
    /// # Errors
    /// The log cannot be read.
    pub fn sent_to(&self, to: &Phone) -> Result<Vec<LoggedText>, SmsError> {
        let mut found = self.sent_to_address(to.reveal())?;
        if matches!(self.sender, Sender::Service(_)) {
            found.extend(self.sent_to_address(&format!("{RCS}:{}", to.reveal()))?);
        }
        Ok(found)
    }

    fn sent_to_address(&self, to: &str) -> Result<Vec<LoggedText>, SmsError> {
        const OPERATION: &str = "search the log for a text";
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("To", to);
        if let Sender::Number(number) = &self.sender {
            query.append_pair("From", number);
        }
        query.append_pair("PageSize", "50");
        let mut url = format!("{}?{}", self.messages, query.finish());
        let mut found = Vec::new();
        for _ in 0..MAX_PAGES {
            let answer = self.call(OPERATION, Method::GET, &url, Vec::new())?;
            let page: SentPage = self.read(OPERATION, &answer)?;
            let ours = |text: &LoggedText| {
                text.direction.as_deref() != Some("inbound") && text.is_from(&self.sender)
            };
            found.extend(page.messages.into_iter().filter(ours));
            let next = page.next_page_uri;
            match next.and_then(|uri| wire::same_list(&self.messages, &uri)) {
                Some(next) => url = next,
                None => break,
            }
        }
        Ok(found)
    }

    /// The delivery state of the text `sid`; `None` if Twilio's log does not have it.
    ///
    /// # Errors
    /// The log cannot be read. An unknown state counts as queued.
    pub fn receipt(&self, sid: &MessageSid) -> Result<Option<Receipt>, SmsError> {
        const OPERATION: &str = "look up a text";
        let answer = self.call(OPERATION, Method::GET, &self.text_url(sid), Vec::new())?;
        if is_absent(OPERATION, &answer) {
            return Ok(None);
        }
        let entry: SentEntry = self.read(OPERATION, &answer)?;
        let delivery = entry.status.as_deref().and_then(Delivery::parse);
        Ok(Some(Receipt {
            sid: sid.clone(),
            delivery: delivery.unwrap_or(Delivery::Queued),
            code: entry.error_code,
        }))
    }

    /// Redacts the text `sid`: removes its body from Twilio's log. A text that does not exist
    /// counts as redacted.
    ///
    /// # Errors
    /// Twilio refused, or its answer did not show the text without its body. It is safe to repeat
    /// the call.
    pub fn redact(&self, sid: &MessageSid) -> Result<(), SmsError> {
        const OPERATION: &str = "redact a text";
        let form = b"Body=".to_vec();
        let answer = self.call(OPERATION, Method::POST, &self.text_url(sid), form)?;
        if is_absent(OPERATION, &answer) {
            return Ok(());
        }
        let logged: LoggedText = self.read(OPERATION, &answer)?;
        if logged.shows_redacted(sid) {
            return Ok(());
        }
        let why = "the answer does not show the text without its body";
        Err(SmsError::new(OPERATION, SmsErrorKind::Unclear, why))
    }

    /// The body of an answer with status 200.
    ///
    /// # Errors
    /// It has another status, or an unexpected body.
    pub(super) fn read<T: serde::de::DeserializeOwned>(
        &self,
        operation: &'static str,
        answer: &HttpResponse,
    ) -> Result<T, SmsError> {
        let body = answer.json().filter(|_| answer.status == 200);
        body.ok_or_else(|| SmsError::of(operation, answer))
    }

    fn text_url(&self, sid: &MessageSid) -> String {
        let list = self.messages.strip_suffix(".json");
        format!("{}/{sid}.json", list.unwrap_or(&self.messages))
    }
}

/// Whether Twilio itself reports that there is no such text.
fn is_absent(operation: &'static str, answer: &HttpResponse) -> bool {
    answer.status == 404 && SmsError::of(operation, answer).code == Some(NOT_FOUND)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NUMBER: &str = "+14155550100";
    const SERVICE: &str = "MG0123456789abcdef0123456789abcdef";
    const OTHER: &str = "MGffffffffffffffffffffffffffffffff";

    #[test]
    fn an_answer_shows_a_redacted_text_by_its_sid_or_an_empty_body() {
        let sid = MessageSid::parse("SM6262211c157aa9623d96f03ffb638c3f").unwrap();
        let other = "SM00000000000000000000000000000000";
        for (named, body, shows) in [
            (Some(sid.as_str()), Some(""), true),
            (Some(sid.as_str()), None, true),
            (None, Some(""), true),
            (Some(sid.as_str()), Some("Your login"), false),
            (None, Some("Your login"), false),
            (None, None, false),
            (Some(other), Some(""), false),
            (Some(""), Some(""), false),
        ] {
            let logged = LoggedText {
                sid: named.map(str::to_owned),
                body: body.map(str::to_owned),
                ..LoggedText::default()
            };
            assert_eq!(logged.shows_redacted(&sid), shows, "{named:?} {body:?}");
        }
    }

    #[test]
    fn a_text_is_ours_by_number_or_service() {
        let number = Sender::Number(NUMBER.to_owned());
        let service = Sender::Service(SERVICE.to_owned());
        for (sender, from, messaging_service_sid, ours) in [
            (&number, Some(NUMBER), None, true),
            (&number, Some(NUMBER), Some(OTHER), true),
            (&number, None, None, true),
            (&number, Some("+14155550199"), None, false),
            (&service, None, Some(SERVICE), true),
            (&service, Some(NUMBER), Some(SERVICE), true),
            (&service, None, Some(OTHER), false),
            (&service, Some(NUMBER), None, false),
            (&service, None, None, false),
        ] {
            let logged = LoggedText {
                from: from.map(str::to_owned),
                messaging_service_sid: messaging_service_sid.map(str::to_owned),
                ..LoggedText::default()
            };
            assert_eq!(logged.is_from(sender), ours, "{sender:?} {logged:?}");
        }
    }
}
