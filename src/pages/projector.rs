//! The page on the wall: the number, the phrase, a QR code, and how many are in.

use serde_json::json;

use super::site::{HTML, projector_page};
use super::{json, link, not_allowed, not_found, reads, unkept};
use crate::config::{PagesSite, Reply, readable_number};
use crate::domain::{PageRequest, PageResponse, ProjectorToken};

/// The path of the figures, and in front of a token that of the page.
const PATH: &str = "/class";

/// What the service knows of the class.
pub struct ClassFigures {
    /// The token of the present link.
    pub token: ProjectorToken,
    /// The accounts whose login was texted or shown.
    pub accounts: u32,
}

/// Tells the figures of the class, at once; `None` = they are not known at present.
pub type ClassSource = Box<dyn FnMut() -> Option<ClassFigures> + Send>;

/// The projector.
pub(super) struct Projector {
    page: String,
    policy: &'static str,
    /// All of the figures but the number of accounts.
    fixed: serde_json::Value,
    class: ClassSource,
}

impl Projector {
    pub(super) fn new(reply: Reply, site: &PagesSite, class: ClassSource) -> Self {
        let (page, policy) = projector_page(reply, site);
        let sms = link::sms(&site.number, Some(site.phrase.reveal()));
        let qr = link::qr(&sms);
        let fixed = json!({
            "number": readable_number(&site.number),
            "phrase": site.phrase.reveal(),
            "seats": site.seats,
            "join": site.url,
            "sms": sms,
            "size": qr.as_ref().map(|qr| qr.size),
            "qr": qr.map(|qr| qr.path),
        });
        Self {
            page,
            policy,
            fixed,
            class,
        }
    }

    /// Whether `token` opens the projector's page now.
    pub(super) fn opens(&mut self, token: &str) -> bool {
        (self.class)().is_some_and(|class| class.token.is(token))
    }

    /// The answer, if the path is one of the projector.
    pub(super) fn answer(&mut self, request: &PageRequest) -> Option<PageResponse> {
        let rest = request.path.strip_prefix(PATH)?;
        let token = match rest.strip_prefix('/') {
            Some(token) => token,
            None if rest.is_empty() => request.class.as_str(),
            None => return None,
        };
        if !reads(request) {
            return Some(not_allowed("GET, HEAD"));
        }
        let Some(class) = (self.class)() else {
            return Some(unkept(503, "text/plain", "try again\n"));
        };
        Some(if !class.token.is(token) {
            not_found()
        } else if rest.is_empty() {
            let mut figures = self.fixed.clone();
            figures["in"] = class.accounts.into();
            json(200, &figures)
        } else {
            let mut page = unkept(200, HTML, self.page.as_str());
            page.headers
                .push(("Content-Security-Policy", self.policy.to_owned()));
            page
        })
    }
}
