//! The grammar of `?q=` and the numbers of paging.

use super::super::clock;
use super::super::random::parse_uuid;
use super::super::server::Request;
use super::fault::Fault;

/// A search in lower case: bare words, and `key:value` terms.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Search {
    /// Elements without a colon.
    pub words: Vec<String>,
    /// Elements with one.
    pub terms: Vec<(String, String)>,
}

impl Search {
    /// Reads `q`. `what` goes into the error message: `user` or `workspace`.
    pub fn parse(request: &Request, what: &str, known: &[&str]) -> Result<Self, Fault> {
        let text = request.query_value("q").unwrap_or_default().to_lowercase();
        let refuse = |field: &str, detail: String| {
            Fault::new(400, &format!("Invalid {what} search query.")).field(field, detail)
        };
        let mut search = Self::default();
        for element in split_outside_quotes(&text, ' ')
            .into_iter()
            .filter(|element| !element.is_empty())
        {
            if element.starts_with(':') || element.ends_with(':') {
                return Err(refuse(
                    "q",
                    format!("Query element {element:?} cannot start or end with ':'"),
                ));
            }
            match split_outside_quotes(&element, ':').as_slice() {
                [word] => search.words.push(word.clone()),
                [key, value] => search
                    .add(key, value, known)
                    .map_err(|detail| refuse(key, detail))?,
                _ => {
                    return Err(refuse(
                        "q",
                        format!("Query element {element:?} can only contain 1 ':'"),
                    ));
                }
            }
        }
        Ok(search)
    }

    fn add(&mut self, key: &str, value: &str, known: &[&str]) -> Result<(), String> {
        if !known.contains(&key) {
            return Err(format!("{key:?} is not a valid query param"));
        }
        if self.terms.iter().any(|(other, _)| other == key) {
            return Err(format!(
                "Query param {key:?} provided more than once, found 2 times"
            ));
        }
        let value = unquote(value);
        if (key.ends_with("_before") || key.ends_with("_after")) && clock::parse(&value).is_none() {
            return Err(format!("Query param {key:?} must be a valid date format"));
        }
        self.terms.push((key.to_owned(), value));
        Ok(())
    }

    /// The value of a key.
    pub fn term(&self, key: &str) -> Option<&str> {
        self.terms
            .iter()
            .find(|(known, _)| known == key)
            .map(|(_, value)| value.as_str())
    }
}

fn split_outside_quotes(text: &str, separator: char) -> Vec<String> {
    let mut pieces = vec![String::new()];
    let mut quoted = false;
    for character in text.chars() {
        quoted ^= character == '"';
        if character == separator && !quoted {
            pieces.push(String::new());
        } else if let Some(piece) = pieces.last_mut() {
            piece.push(character);
        }
    }
    pieces
}

fn unquote(text: &str) -> String {
    text.trim_matches('"').to_owned()
}

/// `limit` (0 is all), `offset` and `after_id`.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Paging {
    limit: usize,
    offset: usize,
    /// The user after which the page begins.
    pub after_id: Option<String>,
}

impl Paging {
    /// Reads the three parameters.
    pub fn parse(request: &Request) -> Result<Self, Fault> {
        let refuse = |field: &str, detail: String| {
            Fault::new(400, "Query parameters have invalid values.").field(field, detail)
        };
        let number = |name: &str| match request.query_value(name).filter(|text| !text.is_empty()) {
            None => Ok(0),
            Some(text) => text
                .parse::<u32>()
                .map(|number| number as usize)
                .map_err(|error| {
                    refuse(
                        name,
                        format!("Query param {name:?} must be a valid positive integer: {error}"),
                    )
                }),
        };
        let (limit, offset) = (number("limit")?, number("offset")?);
        let after_id = match request
            .query_value("after_id")
            .filter(|text| !text.is_empty())
        {
            None => None,
            Some(text) => {
                let wrong = || {
                    refuse(
                        "after_id",
                        "Query param \"after_id\" must be a valid uuid".to_owned(),
                    )
                };
                Some(parse_uuid(&text).ok_or_else(wrong)?)
            }
        };
        Ok(Self {
            limit,
            offset,
            after_id,
        })
    }

    /// The page out of all rows.
    pub fn cut<T>(&self, rows: Vec<T>) -> Vec<T> {
        let limit = if self.limit == 0 {
            usize::MAX
        } else {
            self.limit
        };
        rows.into_iter().skip(self.offset).take(limit).collect()
    }
}
