//! Requests whose path is not the webhook's own, as the pages see them, and the pages' answers as HTTP.

use std::io::Cursor;
use std::net::{IpAddr, Ipv4Addr};

use tiny_http::{Header, Method, Request, Response, StatusCode};

use super::WebhookResponse;
use super::judge::{header, read_body};
use crate::domain::{LONGEST_FORM, PageMethod, PageRequest, PageResponse};
use crate::gate::CLIENT_HEADER;

/// Answers what browsers ask; `None` = no page has this path.
pub type PageHandler = Box<dyn FnMut(&PageRequest) -> Option<PageResponse> + Send>;

/// Reads a request as far as a page may depend on it.
pub(super) fn read(request: &mut Request) -> PageRequest {
    let method = match request.method() {
        Method::Get => PageMethod::Get,
        Method::Head => PageMethod::Head,
        Method::Post => PageMethod::Post,
        _ => PageMethod::Other,
    };
    let url = request.url();
    let path = url.split('?').next().unwrap_or(url).to_owned();
    // A header without a value says as little as a missing one.
    let sent = |name| Some(header(request, name).to_owned()).filter(|value| !value.is_empty());
    let (screen, class, known) = (sent("X-Screen"), sent("X-Class"), sent("If-None-Match"));
    let site = sent("Sec-Fetch-Site");
    let client = header(request, CLIENT_HEADER).parse();
    let form = match method {
        PageMethod::Post => read_body(request, LONGEST_FORM as u64).ok(),
        _ => Some(Vec::new()),
    };
    PageRequest {
        method,
        path,
        screen,
        class,
        known,
        form,
        site,
        // Without the gate all clients are one.
        client: client.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
    }
}

/// The answer of a page as it is sent.
pub(super) fn response(page: PageResponse) -> WebhookResponse {
    let length = page.body.len();
    let headers = page.headers.iter();
    // The pages make their headers of ASCII; another one would be left out.
    let headers =
        headers.filter_map(|(name, value)| Header::from_bytes(*name, value.as_str()).ok());
    Response::new(
        StatusCode(page.status),
        headers.collect(),
        Cursor::new(page.body),
        Some(length),
        None,
    )
    // Beyond its own threshold tiny_http answers in chunks, which the gate does not take.
    .with_chunked_threshold(usize::MAX)
}
