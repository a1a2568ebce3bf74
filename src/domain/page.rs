//! What a browser asks of the pages, and what it is answered.

use std::fmt;
use std::net::IpAddr;

/// The longest form that a page may send, in bytes.
pub const LONGEST_FORM: usize = 4 * 1024;

/// The paths that the pages serve. The webhook cannot have one of them.
pub mod page_path {
    /// The join page.
    pub const JOIN: &str = "/";
    /// The page about privacy.
    pub const PRIVACY: &str = "/privacy";
    /// The terms.
    pub const TERMS: &str = "/terms";
    /// The style of all pages.
    pub const STYLE: &str = "/page.css";
    /// The script of all pages.
    pub const SCRIPT: &str = "/page.js";
    /// Browsers ask for it unasked.
    pub const ICON: &str = "/favicon.ico";
    /// The figures of a class, and in front of a token its page on the wall.
    pub const CLASS: &str = "/class";
    /// A screen: a new one, or its state.
    pub const SCREEN: &str = "/screen";
    /// The answer of the person at a screen.
    pub const ANSWER: &str = "/screen/answer";
    /// A screen says that the login has arrived.
    pub const ARRIVED: &str = "/screen/arrived";

    /// Whether the pages serve this path.
    pub fn is_one(path: &str) -> bool {
        let all = [
            JOIN, PRIVACY, TERMS, STYLE, SCRIPT, ICON, CLASS, SCREEN, ANSWER, ARRIVED,
        ];
        let behind = path.strip_prefix(CLASS);
        all.contains(&path) || behind.is_some_and(|rest| rest.starts_with('/'))
    }
}

/// The method of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageMethod {
    /// GET.
    Get,
    /// HEAD: as GET, and the server leaves out the body of the answer.
    Head,
    /// POST.
    Post,
    /// Any other method.
    Other,
}

/// A request of a browser, as far as a page depends on it.
#[derive(Clone, PartialEq, Eq)]
pub struct PageRequest {
    /// Its method.
    pub method: PageMethod,
    /// Its path, without the query.
    pub path: String,
    /// The header `X-Screen`: the secret of a screen.
    pub screen: Option<String>,
    /// The header `X-Class`: the token of the projector, which says of which class it shows the figures.
    pub class: Option<String>,
    /// The header `If-None-Match`: which version the browser has.
    pub known: Option<String>,
    /// The body; `None` = it is longer than [`LONGEST_FORM`], or incomplete.
    pub form: Option<Vec<u8>>,
    /// The header `Sec-Fetch-Site`: how the browser says that the asking page belongs to this one. Programs and older
    /// browsers send none.
    pub site: Option<String>,
    /// Who asks, as the gate sees it. Only for limits against floods.
    pub client: IpAddr,
}

impl fmt::Debug for PageRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The path and the rest may contain secrets.
        write!(f, "PageRequest({:?}, ..)", self.method)
    }
}

/// The answer to a browser.
#[derive(Clone, PartialEq, Eq)]
pub struct PageResponse {
    /// The HTTP status.
    pub status: u16,
    /// Its headers, in ASCII; the length is added by the server.
    pub headers: Vec<(&'static str, String)>,
    /// Its body.
    pub body: Vec<u8>,
}

impl fmt::Debug for PageResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PageResponse({}, ..)", self.status)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_shown_without_what_it_holds() {
        let secret = || Some("a secret".to_owned());
        let request = PageRequest {
            method: PageMethod::Get,
            path: "/a-secret".to_owned(),
            screen: secret(),
            class: secret(),
            known: secret(),
            form: Some(b"a secret".to_vec()),
            site: None,
            client: IpAddr::from([192, 0, 2, 1]),
        };
        assert_eq!(format!("{request:?}"), "PageRequest(Get, ..)");
    }

    #[test]
    fn an_answer_is_shown_without_what_it_says() {
        let answer = PageResponse {
            status: 200,
            headers: vec![("Set-Cookie", "a secret".to_owned())],
            body: b"a login".to_vec(),
        };
        assert_eq!(format!("{answer:?}"), "PageResponse(200, ..)");
    }
}
