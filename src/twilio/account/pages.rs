//! A list with all its pages.

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Account, SmsError};
use crate::twilio::wire::same_list;

/// Rows that are asked for at once.
pub(super) const PAGE_SIZE: usize = 100;

/// Pages that are read at most: what one class needs stands on the first.
const PAGES: usize = 20;

/// The rows of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListRows<T> {
    /// Those that can be read.
    pub rows: Vec<T>,
    /// Whether these are all: no row was unreadable, and no page was left out.
    pub whole: bool,
}

impl<T> ListRows<T> {
    /// The same list of what `read` makes of its rows; a row that it makes nothing of is an unreadable one.
    pub(super) fn map<U>(self, read: impl Fn(T) -> Option<U>) -> ListRows<U> {
        let before = self.rows.len();
        let rows: Vec<U> = self.rows.into_iter().filter_map(read).collect();
        ListRows {
            whole: self.whole && rows.len() == before,
            rows,
        }
    }
}

impl Account {
    /// The list at `url`, whose rows stand under `key`.
    pub(super) fn list<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        url: &str,
        key: &str,
    ) -> Result<ListRows<T>, SmsError> {
        let mut listed = ListRows {
            rows: Vec::new(),
            whole: true,
        };
        let mut page = url.to_owned();
        for _ in 0..PAGES {
            let answer = self.get(operation, &self.login, &page)?;
            let mut body: Value = super::read(operation, &answer)?;
            let rows = body.get_mut(key).map(Value::take);
            let Some(Value::Array(rows)) = rows else {
                return Err(SmsError::of(operation, &answer));
            };
            for row in rows {
                match serde_json::from_value(row) {
                    Ok(row) => listed.rows.push(row),
                    Err(_) => listed.whole = false,
                }
            }
            let next = [&body["next_page_uri"], &body["meta"]["next_page_url"]];
            match next.into_iter().find_map(Value::as_str) {
                None | Some("") => return Ok(listed),
                Some(next) => match same_list(url, next) {
                    Some(next) => page = next,
                    None => break,
                },
            }
        }
        listed.whole = false;
        Ok(listed)
    }
}
