//! Finding messages.

use std::time::SystemTime;

use serde_json::{Value, json};

use super::super::clock;
use super::super::server::{Reply, Request};
use super::fault::TwilioFault;
use super::records::Message;
use super::student::form_encode;
use super::{State, TwilioAccount};

const LARGEST_PAGE: usize = 1000;

/// The filters of a list. Days are whole UTC days, whatever time of day was given.
#[derive(Default)]
struct Filter {
    to: Option<String>,
    from: Option<String>,
    day: Option<String>,
    first_day: Option<String>,
    last_day: Option<String>,
    page: usize,
    page_size: usize,
    unknown: Option<String>,
}

impl Filter {
    fn read(request: &Request) -> Result<Self, TwilioFault> {
        let mut filter = Self {
            page_size: 50,
            ..Self::default()
        };
        for (name, value) in request.query_pairs() {
            let day = || {
                clock::parse(&value)
                    .map(clock::day)
                    .map(Some)
                    .ok_or_else(|| invalid(&name))
            };
            let number = || value.parse::<usize>().map_err(|_| invalid(&name));
            match name.as_str() {
                "To" => filter.to = Some(value),
                "From" => filter.from = Some(value),
                "DateSent" => filter.day = day()?,
                // `DateSent>=2026-10-05` in a query is a parameter named `DateSent>`.
                "DateSent>" | "DateSent>=" => filter.first_day = day()?,
                "DateSent<" | "DateSent<=" => filter.last_day = day()?,
                "Page" => filter.page = number()?,
                "PageSize" => filter.page_size = number()?.clamp(1, LARGEST_PAGE),
                "PageToken" => {}
                _ => filter.unknown = Some(name),
            }
        }
        Ok(filter)
    }

    fn fits(&self, date: SystemTime, to: Option<&str>, from: Option<&str>) -> bool {
        let day = clock::day(date);
        let same = |wanted: &Option<String>, value: &str| {
            wanted.as_ref().is_none_or(|wanted| wanted == value)
        };
        same(&self.to, to.unwrap_or_default())
            && same(&self.from, from.unwrap_or_default())
            && same(&self.day, &day)
            && self.first_day.as_ref().is_none_or(|first| day >= *first)
            && self.last_day.as_ref().is_none_or(|last| day <= *last)
    }
}

fn invalid(name: &str) -> TwilioFault {
    TwilioFault::bad(20001, &format!("Invalid parameter: {name}"))
}

/// The same request for another page.
fn page_uri(request: &Request, filter: &Filter, page: usize) -> String {
    let kept =
        |(name, _): &(String, String)| !matches!(name.as_str(), "Page" | "PageSize" | "PageToken");
    let mut pairs: Vec<(String, String)> = request.query_pairs().into_iter().filter(kept).collect();
    pairs.push(("PageSize".to_owned(), filter.page_size.to_string()));
    pairs.push(("Page".to_owned(), page.to_string()));
    format!("{}?{}", request.path, form_encode(&pairs))
}

/// All entries that the filter lets through, each with its time.
fn rows(state: &State, account: &TwilioAccount, filter: &Filter) -> Vec<(SystemTime, Value)> {
    let to = |message: &Message| {
        let by_rcs = state.setup.by_rcs && message.service.is_some();
        let channel = if by_rcs { "rcs:" } else { "" };
        format!("{channel}{}", message.to)
    };
    let is_shown = |message: &&Message| {
        let hidden = !message.inbound && message.at.elapsed() < state.hidden_for;
        let fits = filter.fits(message.date, Some(&to(message)), Some(&message.from));
        !message.deleted && !hidden && fits
    };
    let mut messages: Vec<&Message> = state.messages.iter().filter(is_shown).collect();
    messages.sort_by_key(|message| (message.date, message.at));
    let messages = messages.into_iter().map(|message| {
        let status = message.status(state.delivery_time);
        let mut entry = message.json(account, status);
        entry["to"] = json!(to(message));
        (message.date, entry)
    });
    let others = state
        .others
        .iter()
        .filter(|(date, entry)| filter.fits(*date, entry["to"].as_str(), entry["from"].as_str()));
    let mut rows: Vec<(SystemTime, Value)> = messages.chain(others.cloned()).collect();
    rows.sort_by_key(|(date, _)| *date);
    if !state.oldest_first {
        rows.reverse();
    }
    rows
}

/// `GET .../Messages.json`: newest first, both directions.
pub fn messages(
    state: &State,
    account: &TwilioAccount,
    request: &Request,
) -> Result<Reply, TwilioFault> {
    if state.list_unavailable {
        return Err(TwilioFault::new(503, 20503, "Service Unavailable"));
    }
    let filter = Filter::read(request)?;
    let rows = rows(state, account, &filter);
    let start = filter.page * filter.page_size;
    let page = rows.iter().skip(start).take(filter.page_size);
    let page: Vec<Value> = page.map(|(_, entry)| entry.clone()).collect();
    let more = start + page.len() < rows.len();
    let body = json!({
        "first_page_uri": page_uri(request, &filter, 0),
        "next_page_uri": more.then(|| {
            format!("{}{}", state.setup.pages_at, page_uri(request, &filter, filter.page + 1))
        }),
        "previous_page_uri": (filter.page > 0).then(|| page_uri(request, &filter, filter.page - 1)),
        "uri": page_uri(request, &filter, filter.page),
        "page": filter.page,
        "page_size": filter.page_size,
        "start": start,
        "end": (start + page.len()).saturating_sub(1),
        "messages": page,
    });
    let reply = Reply::json(200, &body);
    Ok(match filter.unknown {
        Some(name) => reply.noting(format!("{name} is no filter of messages")),
        None => reply,
    })
}
