//! Texts that people sent to us, all of a time or one by name, as Twilio's log has them whatever became
//! of their webhooks.

use serde::Deserialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;
use ureq::http::Method;

use super::sms::{Sms, SmsFault};
use crate::config::Sender;
use crate::domain::{MessageSid, Text, UnixSeconds};

/// Texts on one page of the log, and pages that are read at most: 4,000 texts are more than any
/// class sends in the time that may be asked for.
const PAGE_SIZE: &str = "200";
const PAGES: usize = 20;

/// Twilio's code for what it does not have.
const NOT_FOUND: u32 = 20404;

/// A text in the log.
#[derive(Clone, Debug)]
pub struct Received {
    /// The text, with the time at which Twilio received it.
    pub text: Text,
    /// Whether it was surely sent to us: not where the account replies through a Messaging Service
    /// and the log does not say which one the text came to.
    pub surely_ours: bool,
}

#[derive(Deserialize)]
struct Page {
    messages: Vec<Entry>,
    #[serde(default)]
    next_page_uri: Option<String>,
}

#[derive(Deserialize)]
struct Entry {
    sid: String,
    #[serde(default)]
    direction: String,
    // Twilio says null where a sender is unknown or a text was blanked.
    #[serde(default)]
    from: Option<String>,
    #[serde(default)]
    to: Option<String>,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    messaging_service_sid: Option<String>,
    #[serde(default)]
    date_created: Option<String>,
}

impl Entry {
    fn received_at(&self) -> Option<UnixSeconds> {
        let date = self.date_created.as_deref()?;
        let date = OffsetDateTime::parse(date, &Rfc2822).ok()?;
        Some(date.unix_timestamp())
    }

    /// The text, if it is one to `sender` that can be served; blanked ones have no words any more.
    fn read(self, since: UnixSeconds, sender: &Sender) -> Option<Received> {
        let received = self.received_at().filter(|at| *at >= since)?;
        if self.direction != "inbound" {
            return None;
        }
        let to = self.to.unwrap_or_default();
        let surely_ours = match (sender, self.messaging_service_sid) {
            (Sender::Number(number), _) => *number == to,
            (Sender::Service(service), Some(sid)) => *service == sid,
            (Sender::Service(_), None) => false,
        };
        let body = self.body.filter(|body| !body.is_empty())?;
        let text = Text {
            sid: MessageSid::parse(&self.sid)?,
            from: self.from.unwrap_or_default(),
            to,
            body: body.chars().take(Text::LENGTH).collect(),
            opt_out: None,
            received,
        };
        Some(Received { text, surely_ours })
    }
}

impl Sms {
    /// Texts that came since then, newest first.
    ///
    /// # Errors
    /// The log cannot be read.
    pub fn received_since(&self, since: UnixSeconds) -> Result<Vec<Received>, SmsFault> {
        const DOING: &str = "look for missed texts";
        let mut url = self.first_page(since);
        let mut found = Vec::new();
        for _ in 0..PAGES {
            let answer = self.call(DOING, Method::GET, &url, Vec::new())?;
            let page: Option<Page> = answer.json();
            let Some(page) = page.filter(|_| answer.status == 200) else {
                return Err(SmsFault::of(DOING, &answer));
            };
            // The log is sorted by time, newest first, in both directions together.
            let last = page.messages.iter().filter_map(Entry::received_at).min();
            let entries = page.messages.into_iter();
            found.extend(entries.filter_map(|entry| entry.read(since, &self.sender)));
            match page.next_page_uri.and_then(|uri| self.page_url(&uri)) {
                Some(next) if last.is_some_and(|at| at >= since) => url = next,
                _ => break,
            }
        }
        Ok(found)
    }

    /// The text of that name, if the log has it with its words.
    ///
    /// # Errors
    /// The log cannot be read.
    pub fn received(&self, sid: &MessageSid) -> Result<Option<Text>, SmsFault> {
        const DOING: &str = "fetch a text";
        let list = self.messages.trim_end_matches(".json");
        let url = format!("{list}/{}.json", sid.as_str());
        let answer = self.call(DOING, Method::GET, &url, Vec::new())?;
        if answer.status == 404 && SmsFault::of(DOING, &answer).code == Some(NOT_FOUND) {
            return Ok(None);
        }
        let entry: Option<Entry> = answer.json();
        let entry = entry
            .filter(|_| answer.status == 200)
            .ok_or_else(|| SmsFault::of(DOING, &answer))?;
        let found = entry.read(UnixSeconds::MIN, &self.sender);
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

    /// A page's address, believed only where it leads to our own log.
    fn page_url(&self, uri: &str) -> Option<String> {
        let list = self.messages.strip_prefix(&self.base)?;
        let rest = uri.strip_prefix(list)?;
        rest.starts_with('?').then(|| format!("{}{uri}", self.base))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NUMBER: &str = "+14155550100";
    const SERVICE: &str = "MG0123456789abcdef0123456789abcdef";

    /// An entry as Twilio writes it, with one field changed.
    fn entry(field: &str, value: serde_json::Value) -> Entry {
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

    const CAME: UnixSeconds = 1_692_853_305;

    #[test]
    fn a_text_to_us_is_read_with_the_time_at_which_it_came() {
        let sender = Sender::Number(NUMBER.to_owned());
        let read = entry("status", "received".into())
            .read(CAME, &sender)
            .unwrap();
        assert_eq!(read.text.received, CAME);
        assert_eq!(read.text.body, "I am ready to learn");
        assert!(read.surely_ours);
    }

    #[test]
    fn what_is_no_text_to_serve_is_left_out() {
        let sender = Sender::Number(NUMBER.to_owned());
        for (field, value) in [
            ("direction", "outbound-api".into()),
            ("direction", "outbound-reply".into()),
            ("sid", "SM1".into()),
            ("body", "".into()),
            ("body", serde_json::Value::Null),
            ("date_created", "yesterday".into()),
            ("date_created", serde_json::Value::Null),
            ("date_created", "Thu, 24 Aug 2023 05:01:44 +0000".into()),
        ] {
            let shown = format!("{field} {value}");
            assert!(entry(field, value).read(CAME, &sender).is_none(), "{shown}");
        }
    }

    #[test]
    fn whose_a_text_is_goes_by_number_or_service() {
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
            let read = entry(field, value).read(CAME, sender).unwrap();
            assert_eq!(read.surely_ours, ours, "{shown}");
        }
    }
}
