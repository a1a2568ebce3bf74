//! Reads received texts from Twilio's log, all since a time or one by its SID. The log contains
//! them even if their webhooks failed.

use serde::Deserialize;
use time::OffsetDateTime;
use ureq::http::Method;

use super::sms::{Sms, SmsError};
use super::wire;
use crate::config::Sender;
use crate::domain::{Delivery, MessageSid, OptWord, Text, UnixSeconds};

/// Texts per page of the log, and the most pages that are read. Twilio does not promise an order,
/// so all texts of the requested days are read, up to 10,000.
const PAGE_SIZE: &str = "200";
const MAX_PAGES: usize = 50;

/// Twilio's code for a resource that does not exist.
const NOT_FOUND: u32 = 20404;

/// A received text in the log.
#[derive(Clone, Debug)]
pub struct ReceivedText {
    /// The text, with the time at which Twilio received it.
    pub text: Text,
    /// Whether it was certainly sent to us. False if the account uses a Messaging Service and the
    /// log does not name the service that received the text.
    pub certainly_ours: bool,
}

/// The result of a search.
#[derive(Debug, Default)]
pub struct ReceivedTexts {
    /// The texts, in the order of the log.
    pub texts: Vec<ReceivedText>,
    /// Whether the log continues after the last page that was read.
    pub is_cut_off: bool,
}

#[derive(Deserialize)]
struct ReceivedPage {
    #[serde(deserialize_with = "wire::entries")]
    messages: Vec<ReceivedEntry>,
    #[serde(default, deserialize_with = "wire::text")]
    next_page_uri: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ReceivedEntry {
    #[serde(deserialize_with = "wire::text")]
    sid: Option<String>,
    #[serde(deserialize_with = "wire::text")]
    direction: Option<String>,
    #[serde(deserialize_with = "wire::text")]
    status: Option<String>,
    #[serde(deserialize_with = "wire::text")]
    from: Option<String>,
    #[serde(deserialize_with = "wire::text")]
    to: Option<String>,
    #[serde(deserialize_with = "wire::text")]
    body: Option<String>,
    #[serde(deserialize_with = "wire::text")]
    messaging_service_sid: Option<String>,
    #[serde(deserialize_with = "wire::text")]
    date_created: Option<String>,
    #[serde(deserialize_with = "wire::text")]
    date_sent: Option<String>,
}

impl ReceivedEntry {
    fn received_at(&self) -> Option<UnixSeconds> {
        wire::date(self.date_created.as_deref()).or_else(|| wire::date(self.date_sent.as_deref()))
    }

    /// Whether Twilio held it back on purpose, to end a loop between two automatic repliers (30038,
    /// 30039).
    fn was_held_back(&self) -> bool {
        let state = self.status.as_deref().and_then(Delivery::parse);
        state.is_some_and(Delivery::has_failed)
    }

    /// The text, if it was sent to `sender` at `since` or later.
    fn read(self, since: UnixSeconds, sender: &Sender) -> Option<ReceivedText> {
        let received = self.received_at().filter(|at| *at >= since)?;
        self.read_undated(received, sender)
    }

    /// The text, if it was sent to `sender` and can be served; a redacted text has no body and
    /// cannot.
    fn read_undated(self, received: UnixSeconds, sender: &Sender) -> Option<ReceivedText> {
        if self.direction.as_deref() != Some("inbound") || self.was_held_back() {
            return None;
        }
        let to = self.to.unwrap_or_default();
        let certainly_ours = match (sender, self.messaging_service_sid) {
            (Sender::Number(number), _) => *number == to,
            (Sender::Service(service), Some(sid)) => *service == sid,
            (Sender::Service(_), None) => false,
        };
        let body = self.body.filter(|body| !body.is_empty())?;
        let text = Text {
            sid: MessageSid::parse(self.sid.as_deref()?)?,
            from: self.from.unwrap_or_default(),
            to,
            body: Text::cut(&body).to_owned(),
            opt_out: Some(OptWord::Unknown),
            received,
            heard: None,
        };
        Some(ReceivedText {
            text,
            certainly_ours,
        })
    }
}

impl Sms {
    /// The texts that were received at `since` or later.
    ///
    /// # Errors
    /// The log cannot be read.
    pub fn received_since(&self, since: UnixSeconds) -> Result<ReceivedTexts, SmsError> {
        const OPERATION: &str = "search the log for missed texts";
        let mut url = self.first_page(since);
        let mut found = ReceivedTexts::default();
        for _ in 0..MAX_PAGES {
            let answer = self.call(OPERATION, Method::GET, &url, Vec::new())?;
            let page: ReceivedPage = self.read(OPERATION, &answer)?;
            let entries = page.messages.into_iter();
            let read = entries.filter_map(|entry| entry.read(since, &self.sender));
            found.texts.extend(read);
            let Some(next) = page.next_page_uri.filter(|uri| !uri.is_empty()) else {
                return Ok(found);
            };
            match wire::same_list(&self.messages, &next) {
                Some(next) => url = next,
                None => break,
            }
        }
        found.is_cut_off = true;
        Ok(found)
    }

    /// The text with this SID, if the log has it with its body.
    ///
    /// # Errors
    /// The log cannot be read.
    pub fn received(&self, sid: &MessageSid) -> Result<Option<Text>, SmsError> {
        const OPERATION: &str = "fetch a text";
        let list = self.messages.trim_end_matches(".json");
        let url = format!("{list}/{}.json", sid.as_str());
        let answer = self.call(OPERATION, Method::GET, &url, Vec::new())?;
        if answer.status == 404 && SmsError::of(OPERATION, &answer).code == Some(NOT_FOUND) {
            return Ok(None);
        }
        let entry: ReceivedEntry = self.read(OPERATION, &answer)?;
        // It was requested by its SID, so its time does not matter.
        let received_at = entry.received_at().unwrap_or_default();
        let found = entry.read_undated(received_at, &self.sender);
        Ok(found.map(|received| received.text))
    }

    fn first_page(&self, since: UnixSeconds) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        if let Sender::Number(number) = &self.sender {
            query.append_pair("To", number);
        }
        // "DateSent>=day" is a parameter named "DateSent>"; Twilio filters by whole UTC days.
        if let Ok(day) = OffsetDateTime::from_unix_timestamp(since) {
            query.append_pair("DateSent>", &day.date().to_string());
        }
        query.append_pair("PageSize", PAGE_SIZE);
        format!("{}?{}", self.messages, query.finish())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NUMBER: &str = "+14155550100";
    const SERVICE: &str = "MG0123456789abcdef0123456789abcdef";

    /// An entry in Twilio's format, with one field changed.
    fn entry(field: &str, value: serde_json::Value) -> ReceivedEntry {
        let mut entry = serde_json::json!({
            "sid": "SM6262211c157aa9623d96f03ffb638c3f",
            "direction": "inbound",
            "from": "+12025550123",
            "to": NUMBER,
            "body": "I am ready to learn",
            "messaging_service_sid": null,
            "date_created": "Thu, 24 Aug 2023 05:01:45 +0000",
            "status": "received",
        });
        entry[field] = value;
        serde_json::from_value(entry).unwrap()
    }

    const RECEIVED_AT: UnixSeconds = 1_692_853_305;

    #[test]
    fn a_text_to_us_is_read_with_the_time_at_which_it_was_received() {
        let sender = Sender::Number(NUMBER.to_owned());
        let read = entry("status", "received".into())
            .read(RECEIVED_AT, &sender)
            .unwrap();
        assert_eq!(read.text.received, RECEIVED_AT);
        assert_eq!(read.text.body, "I am ready to learn");
        assert!(read.certainly_ours);
        for status in [
            "receiving".into(),
            "new word".into(),
            serde_json::Value::Null,
        ] {
            let read = entry("status", status).read(RECEIVED_AT, &sender);
            assert!(read.is_some_and(|read| read.certainly_ours));
        }
    }

    #[test]
    fn entries_that_cannot_be_served_are_left_out() {
        let sender = Sender::Number(NUMBER.to_owned());
        for (field, value) in [
            ("direction", "outbound-api".into()),
            ("direction", "outbound-reply".into()),
            ("direction", serde_json::Value::Null),
            ("sid", "SM1".into()),
            ("sid", serde_json::Value::Null),
            ("status", "failed".into()),
            ("status", "undelivered".into()),
            ("body", "".into()),
            ("body", serde_json::Value::Null),
            ("date_created", "yesterday".into()),
            ("date_created", serde_json::Value::Null),
            ("date_created", "Thu, 24 Aug 2023 05:01:44 +0000".into()),
        ] {
            let shown = format!("{field} {value}");
            assert!(
                entry(field, value).read(RECEIVED_AT, &sender).is_none(),
                "{shown}"
            );
        }
    }

    #[test]
    fn date_sent_replaces_date_created_and_a_text_requested_by_sid_needs_no_date() {
        let sender = Sender::Number(NUMBER.to_owned());
        let mut dated = entry("date_created", serde_json::Value::Null);
        dated.date_sent = Some("Thu, 24 Aug 2023 05:01:45 +0000".to_owned());
        assert_eq!(
            dated.read(RECEIVED_AT, &sender).unwrap().text.received,
            RECEIVED_AT
        );
        let mut odd = entry("date_created", "2023-08-24T05:01:45Z".into());
        odd.date_sent = Some("Thu, 24 Aug 2023 05:01:45 +0000".to_owned());
        assert_eq!(
            odd.read(RECEIVED_AT, &sender).unwrap().text.received,
            RECEIVED_AT
        );
        let undated = entry("date_created", serde_json::Value::Null);
        assert!(undated.read_undated(0, &sender).is_some());
    }

    #[test]
    fn a_text_is_ours_by_number_or_service() {
        let number = Sender::Number(NUMBER.to_owned());
        let service = Sender::Service(SERVICE.to_owned());
        let other = "MGffffffffffffffffffffffffffffffff";
        for (field, value, sender, ours) in [
            ("to", NUMBER.into(), &number, true),
            ("to", "+14155550199".into(), &number, false),
            ("messaging_service_sid", SERVICE.into(), &service, true),
            ("messaging_service_sid", other.into(), &service, false),
            ("to", NUMBER.into(), &service, false),
        ] {
            let shown = format!("{field} {value}");
            let read = entry(field, value).read(RECEIVED_AT, sender).unwrap();
            assert_eq!(read.certainly_ours, ours, "{shown}");
        }
    }
}
