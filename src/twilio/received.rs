//! Texts that people sent to us, as Twilio's log has them whatever became of their webhooks.

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
