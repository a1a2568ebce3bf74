//! Reads lists with all their pages.

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Account, SmsError};
use crate::twilio::wire::same_list;

/// Rows per page.
pub(super) const PAGE_SIZE: usize = 100;

/// The most pages that are read. What one class needs is on the first.
const MAX_PAGES: usize = 20;

/// The rows of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListRows<T> {
    /// The rows that could be read.
    pub rows: Vec<T>,
    /// Whether the list is complete: no row was unreadable, and no page was left out.
    pub complete: bool,
}

impl<T> ListRows<T> {
    /// Converts the rows by `read`; a row for which it returns `None` counts as unreadable.
    pub(super) fn map<U>(self, read: impl Fn(T) -> Option<U>) -> ListRows<U> {
        let before = self.rows.len();
        let rows: Vec<U> = self.rows.into_iter().filter_map(read).collect();
        ListRows {
            complete: self.complete && rows.len() == before,
            rows,
        }
    }
}

impl Account {
    /// The list at `url`, whose rows are in the field `key`.
    pub(super) fn list<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        url: &str,
        key: &str,
    ) -> Result<ListRows<T>, SmsError> {
        let mut listed = ListRows {
            rows: Vec::new(),
            complete: true,
        };
        let mut page = url.to_owned();
        for _ in 0..MAX_PAGES {
            let answer = self.get(operation, &self.login, &page)?;
            let mut body: Value = super::read(operation, &answer)?;
            let rows = body.get_mut(key).map(Value::take);
            let Some(Value::Array(rows)) = rows else {
                return Err(SmsError::of(operation, &answer));
            };
            for row in rows {
                match serde_json::from_value(row) {
                    Ok(row) => listed.rows.push(row),
                    Err(_) => listed.complete = false,
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
        listed.complete = false;
        Ok(listed)
    }
}
