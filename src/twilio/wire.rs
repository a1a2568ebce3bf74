//! Readers for Twilio's JSON. By Twilio's documentation almost every field may be null, and one odd
//! entry must not make the others unreadable.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

use crate::domain::UnixSeconds;

/// A string field. Any other value, null included, counts as absent.
pub(super) fn text<'de, D: Deserializer<'de>>(field: D) -> Result<Option<String>, D::Error> {
    Ok(match Value::deserialize(field)? {
        Value::String(text) => Some(text),
        _ => None,
    })
}

/// A field with a code: a number, or its digits in a string. Any other value counts as absent.
pub(super) fn code<'de, D: Deserializer<'de>>(field: D) -> Result<Option<u32>, D::Error> {
    Ok(match Value::deserialize(field)? {
        Value::Number(number) => number.as_u64().and_then(|code| code.try_into().ok()),
        Value::String(digits) => digits.parse().ok(),
        _ => None,
    })
}

/// A time in Twilio's format (RFC 2822). Any other value counts as absent.
pub(super) fn date(field: Option<&str>) -> Option<UnixSeconds> {
    let date = OffsetDateTime::parse(field?, &Rfc2822).ok()?;
    Some(date.unix_timestamp())
}

/// A list, without the entries that are not objects.
pub(super) fn entries<'de, D, T>(field: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    let all = Vec::<Value>::deserialize(field)?;
    // Serde would read a list in the place of an object field by field.
    let read = |entry: Value| {
        entry
            .is_object()
            .then(|| serde_json::from_value(entry).ok())
            .flatten()
    };
    Ok(all.into_iter().filter_map(read).collect())
}

/// The URL of another page of the list at `url`; `None` = `next` does not belong to that list. Only
/// the query of `next` is used, so that our credentials are never sent elsewhere.
pub(super) fn same_list(url: &str, next: &str) -> Option<String> {
    let list = url.split('?').next().unwrap_or(url);
    let (place, query) = next.split_once('?')?;
    let path = match place.split_once("://") {
        Some((_, rest)) => &rest[rest.find('/')?..],
        None => place,
    };
    (path.starts_with('/') && list.ends_with(path)).then(|| format!("{list}?{query}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default, Deserialize, PartialEq)]
    #[serde(default)]
    struct TestEntry {
        #[serde(deserialize_with = "text")]
        body: Option<String>,
        #[serde(deserialize_with = "code")]
        error_code: Option<u32>,
    }

    #[derive(Deserialize)]
    struct TestPage {
        #[serde(deserialize_with = "entries")]
        messages: Vec<TestEntry>,
    }

    fn read(entry: &str) -> Option<TestEntry> {
        let page = format!(r#"{{"messages":[{entry},{{"body":"next"}}]}}"#);
        let mut page: TestPage = serde_json::from_str(&page).unwrap();
        let last = page.messages.pop().unwrap();
        assert_eq!(last.body.as_deref(), Some("next"), "behind {entry}");
        page.messages.pop()
    }

    #[test]
    fn an_odd_field_is_absent_and_an_odd_entry_is_left_out() {
        for (entry, body, error_code) in [
            ("{}", None, None),
            (r#"{"body":null,"error_code":null}"#, None, None),
            (r#"{"body":"","error_code":0}"#, Some(""), Some(0)),
            (
                r#"{"body":"hi","error_code":30003}"#,
                Some("hi"),
                Some(30_003),
            ),
            (r#"{"body":5,"error_code":"30003"}"#, None, Some(30_003)),
            (r#"{"body":["hi"],"error_code":{"code":30003}}"#, None, None),
            (r#"{"body":{},"error_code":-1}"#, None, None),
            (r#"{"error_code":99999999999}"#, None, None),
        ] {
            let expected = TestEntry {
                body: body.map(str::to_owned),
                error_code,
            };
            assert_eq!(read(entry), Some(expected), "{entry}");
        }
        for entry in ["null", "5", r#""SM""#, r#"["hi", 30003]"#] {
            assert_eq!(read(entry), None, "{entry}");
        }
    }

    #[test]
    fn a_page_without_a_list_is_refused() {
        for page in [
            "{}",
            r#"{"messages":null}"#,
            r#"{"messages":{}}"#,
            r#"{"messages":"none"}"#,
        ] {
            assert!(serde_json::from_str::<TestPage>(page).is_err(), "{page}");
        }
    }

    #[test]
    fn another_page_is_accepted_only_if_it_belongs_to_the_same_list() {
        let list = "https://messaging.twilio.com/v1/Services";
        let url = format!("{list}?PageSize=100");
        for next in [
            "https://messaging.twilio.com/v1/Services?PageSize=100&Page=1&PageToken=MG1",
            "/v1/Services?PageSize=100&Page=1&PageToken=MG1",
            // Behind a proxy (TWILIO_API_URL), Twilio's answer still names another host.
            "https://elsewhere.example.org/v1/Services?PageSize=100&Page=1&PageToken=MG1",
        ] {
            let found = same_list(&url, next);
            let wanted = format!("{list}?PageSize=100&Page=1&PageToken=MG1");
            assert_eq!(found, Some(wanted), "{next}");
        }
        for next in [
            "https://messaging.twilio.com/v1/Services/MG1/PhoneNumbers?Page=1",
            "https://messaging.twilio.com/v1/Services",
            "//elsewhere.example.org/v1/Services?Page=1",
            "ervices?Page=1",
            "https://elsewhere.example.org?Page=1",
        ] {
            assert_eq!(same_list(&url, next), None, "{next}");
        }
    }
}
