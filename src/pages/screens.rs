//! What the script of the join page says and hears. See `screen` for the rules.

use std::sync::Arc;
use std::time::Instant;

use serde_json::{Value, json};

use super::{json, link, not_allowed, unkept};
use crate::config::{PagesSite, readable_number};
use crate::domain::page_path::{ANSWER, ARRIVED, SCREEN};
use crate::domain::{PageMethod, PageRequest, PageResponse, Secret};
use crate::screen::{NewScreen, ScreenState, Screens};

/// The screens, as the join page sees them.
pub(super) struct ScreenApi {
    screens: Arc<Screens>,
    /// The number as it is shown, and as it is texted.
    shown_number: String,
    number: String,
}

impl ScreenApi {
    pub(super) fn new(site: &PagesSite, screens: Arc<Screens>) -> Self {
        Self {
            screens,
            shown_number: readable_number(&site.number),
            number: site.number.clone(),
        }
    }

    /// The answer, if the path is one of these. `phrase` is that of the class whose projector a
    /// token opens.
    pub(super) fn answer(
        &self,
        request: &PageRequest,
        phrase: impl FnOnce(&str) -> Option<Secret>,
    ) -> Option<PageResponse> {
        let now = Instant::now();
        let screen = request.screen.as_deref();
        Some(match (request.path.as_str(), request.method) {
            (SCREEN, PageMethod::Get) => answer_of(self.state(screen, now)),
            (SCREEN, PageMethod::Post) if is_foreign(request) => foreign(),
            (SCREEN, PageMethod::Post) => match PageForm::read(request) {
                None => too_large(),
                Some(form) => self.open(request, form.get("class").and_then(phrase), now),
            },
            // Not HEAD: to ask for the state takes the login, and HEAD would not show it.
            (SCREEN, _) => not_allowed("GET, POST"),
            (ANSWER, PageMethod::Post) => match PageForm::read(request) {
                None => too_large(),
                Some(form) => answer_of(self.confirm(screen, &form, now)),
            },
            (ARRIVED, PageMethod::Post) => {
                match screen.and_then(|screen| self.screens.arrived(screen, now)) {
                    None => answer_of(ScreenState::Gone),
                    Some(path) if path.is_empty() => unkept(204, "text/plain", ""),
                    Some(path) => json(200, &json!({"path": path})),
                }
            }
            (ANSWER | ARRIVED, _) => not_allowed("POST"),
            _ => return None,
        })
    }

    fn open(&self, request: &PageRequest, phrase: Option<Secret>, now: Instant) -> PageResponse {
        let Ok(NewScreen {
            secret,
            code,
            lives,
        }) = self.screens.open(request.client, now)
        else {
            return json(503, &json!({"error": "full"}));
        };
        let code = code.to_string();
        let phrase = phrase.as_ref();
        let sms = link::sms(&self.number, Some(&link::text(phrase, &code)));
        let mut opened = json!({
            "code": code,
            "secret": secret,
            "lives": lives.as_secs(),
            "number": self.shown_number,
        });
        if let Some(qr) = link::qr(&sms) {
            opened["qr"] = qr.path.into();
            opened["size"] = qr.size.into();
        }
        opened["sms"] = sms.into();
        if let Some(phrase) = phrase {
            opened["phrase"] = phrase.reveal().into();
        }
        json(201, &opened)
    }

    /// What the page has to show; a request that names no screen hears that it is gone.
    fn state(&self, screen: Option<&str>, now: Instant) -> ScreenState {
        screen.map_or(ScreenState::Gone, |screen| self.screens.state(screen, now))
    }

    /// Passes on the answer of the person at the laptop. Anything but a clear yes or no changes nothing.
    fn confirm(&self, screen: Option<&str>, form: &PageForm, now: Instant) -> ScreenState {
        let claim = form.get("claim").and_then(|claim| claim.parse().ok());
        match (screen, claim, form.get("yes")) {
            (Some(screen), Some(claim), Some(yes @ ("1" | "0"))) => {
                self.screens.answer(screen, claim, yes == "1", now)
            }
            _ => self.state(screen, now),
        }
    }
}

fn answer_of(state: ScreenState) -> PageResponse {
    let status = if state == ScreenState::Gone { 404 } else { 200 };
    json(status, &value_of(state))
}

fn value_of(state: ScreenState) -> Value {
    match state {
        ScreenState::Open => json!({"state": "open"}),
        ScreenState::Question { claim, ends } => {
            json!({"state": "question", "claim": claim, "ends": ends})
        }
        ScreenState::Making => json!({"state": "making"}),
        ScreenState::Login { login, wait } => json!({
            "state": "login",
            "username": login.username.as_str(),
            "email": login.email,
            "password": login.password.reveal(),
            "wait": u64::try_from(wait.as_millis()).unwrap_or(u64::MAX),
        }),
        ScreenState::Notice(words) => json!({"state": "notice", "words": words}),
        ScreenState::Gone => json!({"state": "gone"}),
    }
}

/// Whether another site's page asks. It could read no answer, but its visitors would use up the room for screens from
/// thousands of addresses. Whatever else changes something needs a header that browsers let no foreign page send.
fn is_foreign(request: &PageRequest) -> bool {
    !matches!(request.site.as_deref(), None | Some("same-origin"))
}

fn foreign() -> PageResponse {
    json(403, &json!({"error": "another site"}))
}

fn too_large() -> PageResponse {
    json(413, &json!({"error": "too large"}))
}

/// The fields of a form.
struct PageForm(Vec<(String, String)>);

impl PageForm {
    /// `None` if the body is too large or incomplete.
    fn read(request: &PageRequest) -> Option<Self> {
        let body = request.form.as_deref()?;
        Some(Self(form_urlencoded::parse(body).into_owned().collect()))
    }

    fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }
}
