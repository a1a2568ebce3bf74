//! A list in pages, as the two generations of Twilio's API show one.

use serde_json::{Map, Value, json};

use super::super::server::{Reply, Request};
use super::fault::TwilioFault;
use super::student::form_encode;

const LARGEST_PAGE: usize = 1000;

/// Which part of a list is asked for.
struct Part {
    page: usize,
    size: usize,
}

impl Part {
    fn read(request: &Request) -> Result<Self, TwilioFault> {
        let number = |name: &str, usual: usize| {
            let value = request.query_value(name);
            let read = value.map_or(Some(usual), |value| value.parse().ok());
            read.ok_or_else(|| TwilioFault::bad(20001, &format!("Invalid parameter: {name}")))
        };
        Ok(Self {
            page: number("Page", 0)?,
            size: number("PageSize", 50)?.clamp(1, LARGEST_PAGE),
        })
    }

    /// The same request for another page.
    fn uri(&self, request: &Request, page: usize) -> String {
        let mut pairs: Vec<(String, String)> = request.query_pairs();
        pairs.retain(|(name, _)| !matches!(name.as_str(), "Page" | "PageSize" | "PageToken"));
        pairs.push(("PageSize".to_owned(), self.size.to_string()));
        pairs.push(("Page".to_owned(), page.to_string()));
        format!("{}?{}", request.path, form_encode(&pairs))
    }

    fn of(&self, rows: Vec<Value>) -> (Vec<Value>, bool) {
        let start = self.page * self.size;
        let more = rows.len() > start + self.size;
        (rows.into_iter().skip(start).take(self.size).collect(), more)
    }
}

/// A list of the API of 2010: relative addresses beside the rows.
pub fn of_2010(request: &Request, key: &str, rows: Vec<Value>) -> Result<Reply, TwilioFault> {
    let part = Part::read(request)?;
    let start = part.page * part.size;
    let (rows, more) = part.of(rows);
    let mut body = json!({
        "first_page_uri": part.uri(request, 0),
        "next_page_uri": more.then(|| part.uri(request, part.page + 1)),
        "previous_page_uri": part.page.checked_sub(1).map(|page| part.uri(request, page)),
        "uri": part.uri(request, part.page),
        "page": part.page,
        "page_size": part.size,
        "start": start,
        "end": (start + rows.len()).saturating_sub(1),
    });
    body[key] = Value::Array(rows);
    Ok(Reply::json(200, &body))
}

/// A list of the messaging API: absolute addresses under `meta`.
pub fn of_messaging(request: &Request, key: &str, rows: Vec<Value>) -> Result<Reply, TwilioFault> {
    let part = Part::read(request)?;
    let host = "https://messaging.twilio.com";
    let url = |page: usize| format!("{host}{}", part.uri(request, page));
    let (rows, more) = part.of(rows);
    let meta = json!({
        "page": part.page,
        "page_size": part.size,
        "first_page_url": url(0),
        "previous_page_url": part.page.checked_sub(1).map(&url),
        "next_page_url": more.then(|| url(part.page + 1)),
        "url": url(part.page),
        "key": key,
    });
    let mut body = Map::new();
    body.insert("meta".to_owned(), meta);
    body.insert(key.to_owned(), Value::Array(rows));
    Ok(Reply::json(200, &Value::Object(body)))
}

/// A row in which these fields are null.
pub fn with_nulls(mut row: Value, nulls: &[&str]) -> Value {
    for name in nulls {
        if let Some(field) = row.get_mut(name) {
            *field = Value::Null;
        }
    }
    row
}
