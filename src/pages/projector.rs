//! The page on the wall: the number, the phrase, a QR code, and how many are in.

use serde_json::json;

use super::site::{HTML, projector_page};
use super::{json, link, not_allowed, not_found, reads, unkept};
use crate::config::{ClassSettings, PagesSite, Reply, readable_number};
use crate::domain::{PageRequest, PageResponse, ProjectorToken, Secret, page_path};

/// What the service knows of the class.
pub struct ClassFigures {
    /// The token of the present link.
    pub token: ProjectorToken,
    /// The accounts whose login was texted or shown.
    pub accounts: u32,
}

/// Tells the figures of each class, in the order of the settings, at once; `None` = they are not known at
/// present.
pub type ClassSource = Box<dyn FnMut() -> Option<Vec<ClassFigures>> + Send>;

/// What the page of one class shows.
struct ClassPage {
    phrase: Secret,
    /// All of the figures but the number of accounts.
    fixed: serde_json::Value,
}

/// The projector.
pub(super) struct Projector {
    page: String,
    policy: &'static str,
    /// Of each class what does not change.
    classes: Vec<ClassPage>,
    source: ClassSource,
}

impl Projector {
    pub(super) fn new(
        reply: Reply,
        site: &PagesSite,
        classes: &[ClassSettings],
        source: ClassSource,
    ) -> Self {
        let (page, policy) = projector_page(reply, site);
        Self {
            page,
            policy,
            classes: classes
                .iter()
                .map(|class| ClassPage::new(site, class))
                .collect(),
            source,
        }
    }

    /// The class whose page `token` opens now, and its figures; `None` = there is none.
    fn opened(&mut self, token: &str) -> Option<Option<(&ClassPage, u32)>> {
        let figures = (self.source)()?;
        let mut known = self.classes.iter().zip(figures);
        let found = known.find(|(_, figures)| figures.token.is(token));
        Some(found.map(|(class, figures)| (class, figures.accounts)))
    }

    /// The phrase of the class whose page `token` opens now.
    pub(super) fn phrase(&mut self, token: &str) -> Option<Secret> {
        let (class, _) = self.opened(token)??;
        Some(class.phrase.clone())
    }

    /// The answer, if the path is one of the projector.
    pub(super) fn answer(&mut self, request: &PageRequest) -> Option<PageResponse> {
        let rest = request.path.strip_prefix(page_path::CLASS)?;
        let token = match rest.strip_prefix('/') {
            Some(token) => Some(token),
            None if rest.is_empty() => request.class.as_deref(),
            None => return None,
        };
        if !reads(request) {
            return Some(not_allowed("GET, HEAD"));
        }
        let Some(token) = token else {
            return Some(not_found());
        };
        let Some(opened) = self.opened(token) else {
            let mut busy = unkept(503, "text/plain", "try again\n");
            // Nobody sits at the keyboard of a wall, so its browser asks again by itself.
            busy.headers.push(("Refresh", "1".to_owned()));
            return Some(busy);
        };
        Some(if let Some((class, accounts)) = opened {
            if rest.is_empty() {
                let mut figures = class.fixed.clone();
                figures["in"] = accounts.into();
                return Some(json(200, &figures));
            }
            let mut page = unkept(200, HTML, self.page.as_str());
            page.headers
                .push(("Content-Security-Policy", self.policy.to_owned()));
            page
        } else {
            not_found()
        })
    }
}

impl ClassPage {
    fn new(site: &PagesSite, class: &ClassSettings) -> Self {
        let phrase = class.written.clone();
        let sms = link::sms(&site.number, Some(phrase.reveal()));
        let qr = link::qr(&sms);
        let fixed = json!({
            "number": readable_number(&site.number),
            "phrase": phrase.reveal(),
            "seats": class.seats_are_set.then_some(class.seats),
            "join": site.url,
            "sms": sms,
            "size": qr.as_ref().map(|qr| qr.size),
            "qr": qr.map(|qr| qr.path),
        });
        Self { phrase, fixed }
    }
}
