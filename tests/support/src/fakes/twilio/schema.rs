//! The fields of Twilio's answers: names, types, and which may be null. Written down from Twilio's OpenAPI
//! description, release 2.6.7 (2026-04-14). The fake's answers are held against it.

mod fields;
#[cfg(test)]
mod tests;

use serde_json::{Map, Value};

use super::ops::TwilioRoute;
use fields::{
    ACCOUNT, BRAND, CAMPAIGN, CHANNEL_SENDER, FAULT, HOOK_RULE, HOOK_SETTING, MEMBER, MESSAGE,
    META, NUMBER, PAGE, SERVICE, SHORT_CODE, TOKENS, VERIFICATION,
};

/// One field of an object.
pub struct Field {
    name: &'static str,
    kind: Kind,
    /// The description lets it be null.
    nullable: bool,
}

/// What a field holds.
#[derive(Clone, Copy)]
pub enum Kind {
    /// Any text.
    Text,
    /// A whole number.
    Whole,
    /// `true` or `false`.
    Flag,
    /// An object.
    Object,
    /// A list.
    List,
    /// One of these words.
    Word(&'static [&'static str]),
    /// Twilio's name for a thing of this kind: two capitals and 32 hexadecimal digits. Names of what is not
    /// there may be empty.
    Sid(&'static str),
    /// A date as in `Mon, 05 Oct 2026 08:00:00 +0000`.
    Rfc2822,
    /// A date as in `2026-10-05T08:00:00Z`.
    Rfc3339,
}

impl Kind {
    fn fits(self, value: &Value) -> bool {
        let text = value.as_str();
        match self {
            Self::Text => text.is_some(),
            Self::Whole => value.is_i64() || value.is_u64(),
            Self::Flag => value.is_boolean(),
            Self::Object => value.is_object(),
            Self::List => value.is_array(),
            Self::Word(words) => text.is_some_and(|text| words.contains(&text)),
            Self::Sid(kinds) => text.is_some_and(|text| text.is_empty() || is_sid(kinds, text)),
            Self::Rfc2822 => {
                text.is_some_and(|text| has_form("aaa, 00 aaa 0000 00:00:00 +0000", text))
            }
            Self::Rfc3339 => text.is_some_and(|text| has_form("0000-00-00a00:00:00a", text)),
        }
    }
}

/// Whether `text` has a letter where `form` has an `a`, a digit where it has a `0`, and else the same.
fn has_form(form: &str, text: &str) -> bool {
    let fits = |(form, byte): (u8, u8)| match form {
        b'a' => byte.is_ascii_alphabetic(),
        b'0' => byte.is_ascii_digit(),
        same => byte == same,
    };
    form.len() == text.len() && form.bytes().zip(text.bytes()).all(fits)
}

/// `kinds` are pairs of capitals, separated by a bar.
fn is_sid(kinds: &str, text: &str) -> bool {
    let (kind, rest) = text.split_at_checked(2).unwrap_or_default();
    kinds.split('|').any(|one| one == kind)
        && rest.len() == 32
        && rest.bytes().all(|b| b.is_ascii_hexdigit())
}

/// What an answer consists of.
enum Shape {
    One(&'static [Field]),
    /// A page of the API of 2010, with its rows under that name.
    Page(&'static str, &'static [Field]),
    /// A page of the messaging API.
    Meta(&'static str, &'static [Field]),
    /// A page of the webhooks API, which the description does not have yet: fields of the official helper 9.13.0.
    Tokens(&'static [Field]),
}

impl Shape {
    /// The shape of a success; `None` = it has no body, or the route is none of Twilio's.
    fn of(route: &TwilioRoute) -> Option<Self> {
        Some(match route {
            TwilioRoute::Send(_) | TwilioRoute::Read(..) | TwilioRoute::Change(..) => {
                Self::One(MESSAGE)
            }
            TwilioRoute::List(_) => Self::Page("messages", MESSAGE),
            TwilioRoute::Numbers(_) => Self::Page("incoming_phone_numbers", NUMBER),
            TwilioRoute::ShortCodes(_) => Self::Page("short_codes", SHORT_CODE),
            TwilioRoute::Account(_) => Self::One(ACCOUNT),
            TwilioRoute::Services => Self::Meta("services", SERVICE),
            TwilioRoute::Service(_) => Self::One(SERVICE),
            TwilioRoute::Members(_) => Self::Meta("phone_numbers", MEMBER),
            TwilioRoute::Member(..) => Self::One(MEMBER),
            TwilioRoute::ChannelSenders(_) => Self::Meta("senders", CHANNEL_SENDER),
            TwilioRoute::Campaigns(_) => Self::Meta("compliance", CAMPAIGN),
            TwilioRoute::Brand(_) => Self::One(BRAND),
            TwilioRoute::TollFree => Self::Meta("verifications", VERIFICATION),
            TwilioRoute::HookRules => Self::Tokens(HOOK_RULE),
            TwilioRoute::HookSettings => Self::Tokens(HOOK_SETTING),
            TwilioRoute::Delete(..) | TwilioRoute::Unknown => return None,
        })
    }

    /// Where `body` differs.
    fn differences(&self, body: &Value) -> Vec<String> {
        match self {
            Self::One(fields) => object("", fields, body),
            Self::Page(key, fields) => {
                let mut all = object("", PAGE, &without(body, key));
                all.extend(rows(key, fields, &body[key]));
                all
            }
            Self::Meta(key, fields) => with_meta(META, key, fields, body),
            Self::Tokens(fields) => with_meta(TOKENS, "items", fields, body),
        }
    }
}

fn with_meta(meta: &[Field], key: &str, fields: &[Field], body: &Value) -> Vec<String> {
    let mut all = object("meta.", meta, &body["meta"]);
    all.extend(rows(key, fields, &body[key]));
    let more = without(&without(body, key), "meta");
    all.extend(object("", &[], &more));
    all
}

/// Where an answer differs from the description.
pub fn differences(route: &TwilioRoute, status: u16, body: &[u8]) -> Vec<String> {
    let body: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
    match (status, Shape::of(route)) {
        (200 | 201, Some(shape)) => shape.differences(&body),
        (200 | 201, None) => vec!["an answer that is not described".to_owned()],
        (204, None) => Vec::new(),
        (400.., _) => object("", FAULT, &body),
        (status, _) => vec![format!("status {status} is not described")],
    }
}

fn without(body: &Value, key: &str) -> Value {
    let mut fields: Map<String, Value> = body.as_object().cloned().unwrap_or_default();
    fields.remove(key);
    Value::Object(fields)
}

fn rows(key: &str, fields: &[Field], rows: &Value) -> Vec<String> {
    match rows.as_array() {
        None => vec![format!("{key} is no list")],
        Some(rows) => rows
            .iter()
            .flat_map(|row| object(key, fields, row))
            .collect(),
    }
}

fn object(place: &str, fields: &[Field], value: &Value) -> Vec<String> {
    let Some(found) = value.as_object() else {
        return vec![format!("{place} is no object")];
    };
    let mut differences = Vec::new();
    for Field {
        name,
        kind,
        nullable,
    } in fields
    {
        match found.get(*name) {
            None => differences.push(format!("{place} {name} is missing")),
            Some(Value::Null) if *nullable => {}
            Some(value) if kind.fits(value) => {}
            Some(value) => differences.push(format!("{place} {name} cannot be {value}")),
        }
    }
    let is_known = |name: &&String| fields.iter().any(|field| field.name == name.as_str());
    let unknown = found.keys().filter(|name| !is_known(name));
    differences.extend(unknown.map(|name| format!("{place} {name} is not described")));
    differences
}
