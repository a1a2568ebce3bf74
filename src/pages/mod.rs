//! The public pages: what browsers are shown. Everything is made at the start and served from memory.
//!
//! - `words` reads the words and fills the pages with them and with the settings.
//! - `site` holds the pages that are the same for everybody.
//! - `projector` shows the class what to text, and how many are in.
//! - `screens` speaks with the script of the join page.
//! - `link` makes links that begin a text, and their QR codes.
//!
//! The webhook passes on every request whose path is not its own. The pages know of tiny_http, the
//! database and the gate nothing.

mod link;
mod projector;
mod screens;
mod site;
mod words;

use std::sync::Arc;

pub use projector::{ClassFigures, ClassSource};
pub use site::SignInPlace;

use crate::config::{Config, PagesConfig, PagesSite};
use crate::domain::{PageMethod, PageRequest, PageResponse};
use crate::screen::Screens;
use projector::Projector;
use screens::ScreenApi;
use site::Site;

/// A header of an answer.
type Header = (&'static str, String);

/// All pages.
pub struct Pages {
    site: Site,
    projector: Projector,
    /// `None` = logins go by text only, so no page shows a code.
    screens: Option<ScreenApi>,
}

impl Pages {
    /// The pages that `config` describes; `None` if there are none. `class` tells the projector of the
    /// class. Codes are shown only if logins go to `screens`.
    pub fn new(config: &Config, class: ClassSource, screens: Arc<Screens>) -> Option<Self> {
        let site = config.pages.site.as_ref()?;
        let on_screens = config.pages.reply.on_screens();
        Some(Self {
            site: Site::new(
                &config.pages,
                site,
                &SignInPlace::new(&config.coder, &config.class),
            ),
            projector: Projector::new(config.pages.reply, site, &config.class.classes, class),
            screens: on_screens.then(|| ScreenApi::new(site, screens)),
        })
    }

    /// The answer to a request; `None` = no page has this path.
    pub fn answer(&mut self, request: &PageRequest) -> Option<PageResponse> {
        if let Some(answer) = self.site.answer(request) {
            return Some(answer);
        }
        if let Some(answer) = self.projector.answer(request) {
            return Some(answer);
        }
        self.screens
            .as_ref()?
            .answer(request, |token| self.projector.phrase(token))
    }
}

/// The join page as it is served with these settings, for `check`.
pub fn join_page(pages: &PagesConfig, site: &PagesSite, coder: &SignInPlace<'_>) -> Vec<u8> {
    Site::new(pages, site, coder).join_page().to_vec()
}

/// Headers that every answer has.
fn common() -> Vec<Header> {
    vec![
        ("Referrer-Policy", "no-referrer".to_owned()),
        ("X-Content-Type-Options", "nosniff".to_owned()),
        ("Cross-Origin-Opener-Policy", "same-origin".to_owned()),
    ]
}

/// An answer that no browser and no proxy keeps.
fn unkept(status: u16, media_type: &str, body: impl Into<Vec<u8>>) -> PageResponse {
    let mut headers = common();
    headers.push(("Content-Type", media_type.to_owned()));
    headers.push(("Cache-Control", "no-store".to_owned()));
    PageResponse {
        status,
        headers,
        body: body.into(),
    }
}

fn json(status: u16, value: &serde_json::Value) -> PageResponse {
    unkept(status, "application/json", value.to_string())
}

fn not_found() -> PageResponse {
    unkept(404, "text/plain", "not found\n")
}

fn not_allowed(methods: &str) -> PageResponse {
    let mut answer = unkept(405, "text/plain", "method not allowed\n");
    answer.headers.push(("Allow", methods.to_owned()));
    answer
}

/// Whether a request reads.
fn reads(request: &PageRequest) -> bool {
    matches!(request.method, PageMethod::Get | PageMethod::Head)
}

#[cfg(test)]
mod tests;
