//! Gets a login to the screen whose code was texted.
//!
//! A text with a code claims the screen at once, so that the person at the laptop can be asked while the
//! account is made. When the login is ready it is offered, and the attempt ends; what happens at the screen
//! wakes the text, and the next attempt records it. Nothing is recorded as shown that the screen has not
//! fetched.

use std::time::{Duration, Instant};

use log::info;

use super::decide::window;
use super::outcome::{AttemptEnd, Completion, Outcome, RetryTime, Silence};
use super::serving::is_refused;
use super::{Provisioner, Request, reply};
use crate::domain::registration::{Registration, Stage};
use crate::domain::{Password, PhraseMatch, ScreenCode, Text, UnixSeconds, seconds};
use crate::screen::{ClaimState, NewClaim, ScreenLogin};
use crate::store::{ShownLogin, StoreError};

/// How long a text waits for the record of a login that was shown to its phone.
const RECORDING: Duration = Duration::from_secs(1);

/// Why a text that is not for a screen gets no answer where logins go to screens only.
pub(super) fn without_code(matched: PhraseMatch) -> Silence {
    match matched {
        PhraseMatch::Other => Silence::NoHints,
        PhraseMatch::Phrase => Silence::NoCode,
        PhraseMatch::WrongCode => Silence::WrongCode,
        PhraseMatch::WithCode(_) => Silence::NoScreen,
    }
}

impl Provisioner {
    /// Whether a text carries the code of a screen, as far as its words tell.
    pub fn claims_screen(&self, text: &Text) -> bool {
        let asked = self.class.asked(&text.body, self.reply.on_screens());
        matches!(asked, Some((_, PhraseMatch::WithCode(_))))
    }

    /// Serves a text with a code. `None` = the screen does not take the login, and it goes by text.
    pub(super) fn on_screen(
        &self,
        request: &Request<'_>,
        code: ScreenCode,
    ) -> Result<Option<Completion>, AttemptEnd> {
        let silence = match self.claim(request, code) {
            ClaimState::Waiting { until: Some(until) } if self.stands(request)? => {
                return Err(at_screen(Some(until)));
            }
            ClaimState::Waiting { until } => {
                if until.is_some() {
                    self.screens.withdraw(&request.text.sid, Instant::now());
                }
                // An opt-out is about texts, and this login is none.
                let by_text = request.by_text
                    && request.contact.opted_out_at.is_none()
                    && !is_refused(&request.contact, request.now);
                let request = Request {
                    on_screen: true,
                    by_text,
                    ..request.clone()
                };
                return self.login(&request).map(Some);
            }
            ClaimState::Shown { offered, at } => {
                return self.record_shown(request, offered, at).map(Some);
            }
            ClaimState::Superseded => return Ok(Some(Completion::Silent(Silence::NewerText))),
            ClaimState::Doubled => return Ok(Some(Completion::Silent(Silence::Doubled))),
            // What was shown counts for the limits of the phone as soon as it is recorded.
            ClaimState::ShownBefore { recorded: false } => {
                return Err(at_screen(Some(Instant::now() + RECORDING)));
            }
            ClaimState::ShownBefore { recorded: true } => Silence::ShownBefore,
            ClaimState::Declined => Silence::Declined,
            ClaimState::Lost => Silence::ScreenTaken,
            ClaimState::Expired => Silence::NotFetched,
            ClaimState::NoScreen => {
                self.record_perhaps_shown(request)?;
                Silence::NoScreen
            }
        };
        Ok((!request.by_text).then_some(Completion::Silent(silence)))
    }

    fn claim(&self, request: &Request<'_>, code: ScreenCode) -> ClaimState {
        let text = request.text;
        let digits = request.phone.reveal();
        let ends = &digits[digits.len().saturating_sub(2)..];
        let claim = NewClaim {
            code,
            sid: &text.sid,
            phone: &request.hash,
            ends,
            heard: text.heard,
        };
        self.screens.claim(claim, Instant::now())
    }

    /// Whether the login that waits at the screen is still that of the phone: meanwhile somebody may have ended the
    /// account, or replaced its password.
    fn stands(&self, request: &Request<'_>) -> Result<bool, AttemptEnd> {
        let ended_at = request.contact.ended_at;
        if ended_at.is_some_and(|at| request.precedes(at)) {
            return Ok(false);
        }
        let Some(offered) = self.screens.offered(&request.text.sid, Instant::now()) else {
            // It was fetched or has ended meanwhile, which wakes the text.
            return Ok(true);
        };
        let found = self.store.find(&request.hash)?;
        let found = found.filter(|one| one.stage != Stage::Reaping);
        Ok(found.is_some_and(|one| {
            one.username == offered.username && self.passwords.password_of(&one) == offered.password
        }))
    }

    /// Offers the login of an existing account to the screen, if it may have one more today. `None` = read
    /// the registration again.
    pub(super) fn announce_on_screen(
        &self,
        request: &Request<'_>,
        registration: &Registration,
    ) -> Result<Option<Completion>, AttemptEnd> {
        let now = request.now;
        let has_login = registration.stage == Stage::Announced;
        if has_login && window(registration, now).1 >= self.class.resend_daily {
            return Ok(Some(Completion::Silent(Silence::DailyLimit)));
        }
        let mut due = registration.due_at;
        if registration.is_due(now)
            && let Some(renewed) = self.first_due(request, registration, now)
        {
            // The reaper must not remove it meanwhile.
            self.store.renew(registration.id, renewed)?;
            due = Some(renewed);
        }
        self.login_again(request, registration, due)
    }

    /// Offers a login to the screen. The attempt ends here.
    pub(super) fn offer(
        &self,
        request: &Request<'_>,
        registration: &Registration,
        email: &str,
        password: Password,
    ) -> AttemptEnd {
        let workspace = match self.made_workspace(registration) {
            Ok(path) => path,
            Err(error) => return error.into(),
        };
        let login = ScreenLogin {
            username: registration.username.clone(),
            email: email.to_owned(),
            password,
            workspace,
        };
        match self.screens.offer(&request.text.sid, login, Instant::now()) {
            ClaimState::Waiting { until } => at_screen(until),
            // It has ended meanwhile; the next attempt decides.
            _ => at_screen(None),
        }
    }

    /// The path of a workspace that is made; empty = none is. A browser gets there within a second or two, and Coder's
    /// page of a workspace that is not there yet is an error, and stays one.
    fn made_workspace(&self, registration: &Registration) -> Result<String, StoreError> {
        let class = registration.class.as_ref();
        Ok(match self.workspace_path(class, &registration.username) {
            Some(path) if self.store.workspace_is_made(registration.id)? => path,
            _ => String::new(),
        })
    }

    /// Records that the screen has fetched the login.
    fn record_shown(
        &self,
        request: &Request<'_>,
        offered: Instant,
        at: Instant,
    ) -> Result<Completion, AttemptEnd> {
        let text = request.text;
        let Some(registration) = self.store.find(&request.hash)? else {
            // Its account is removed.
            self.screens.recorded(&text.sid, Instant::now());
            return Ok(Completion::Silent(Silence::Ended));
        };
        if registration.stage == Stage::Reserved {
            // Its user was removed by another party, and another one is being made.
            self.store.finish(&text.sid, request.now)?;
        } else {
            // Not after it was fetched, so that the sign-in comes later.
            let ago = |then: Instant| request.clock() - seconds(then.elapsed());
            self.record_show(request, &registration, ago(offered), ago(at))?;
        }
        self.screens.recorded(&text.sid, Instant::now());
        Ok(Completion::LoginShown {
            username: registration.username,
        })
    }

    fn record_show(
        &self,
        request: &Request<'_>,
        registration: &Registration,
        offered_at: UnixSeconds,
        at: UnixSeconds,
    ) -> Result<(), AttemptEnd> {
        let (window_start, before) = window(registration, request.now);
        let renewed = registration.is_due(request.now);
        let due_at = match registration.stage {
            Stage::Announced if !renewed => registration.due_at,
            _ => self.first_due(request, registration, at),
        };
        let shown = ShownLogin {
            at,
            offered_at,
            due_at,
            window_start,
            sent_in_window: before + 1,
            keep_send: self.reply.by_text(),
        };
        self.store
            .login_shown(registration.id, &request.text.sid, shown)?;
        Ok(())
    }

    /// An account without a login may have had its login on a screen of a previous process, which was killed
    /// before it recorded that. Where no text follows, the account lives as long as if it was shown.
    fn record_perhaps_shown(&self, request: &Request<'_>) -> Result<(), AttemptEnd> {
        if self.reply.by_text() || request.text.heard.is_some() {
            return Ok(());
        }
        let Some(registration) = self.store.find(&request.hash)? else {
            return Ok(());
        };
        if registration.stage == Stage::Created {
            info!(
                "text {}: the login of {} may have been on a screen before the restart; its time starts now",
                request.text.sid, registration.username
            );
            self.record_show(request, &registration, request.now, request.now)?;
        }
        Ok(())
    }

    /// Has the screen of a text that has ended say why no login appears there, so that nobody waits in front
    /// of it.
    pub fn tell_screen(&self, text: &Text, outcome: &Outcome) {
        let words = match outcome {
            Outcome::Done(Completion::Silent(silence)) => reply::no_login(silence.reason()),
            // The reason is for the operator.
            Outcome::Never(_) => reply::no_login("it could not be made"),
            Outcome::Done(_) | Outcome::Later(_) => return,
        };
        self.screens.tell(&text.sid, &words, Instant::now());
    }
}

/// Ends an attempt whose login is at a screen until then; `None` = the claim has ended.
fn at_screen(until: Option<Instant>) -> AttemptEnd {
    let now = Instant::now();
    let rest = until.map_or(Duration::ZERO, |until| until.saturating_duration_since(now));
    AttemptEnd::later(RetryTime::Screen(rest), "the login waits for its screen")
}
