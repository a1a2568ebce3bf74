//! Gives a phone a spare account: one that was made before, so that its login needs no call to Coder.
//!
//! The password is derived from the name and the marker of the account, so the account was made with the one
//! that is sent now. Everything that decides is one transaction. If the attempt ends after it, the next one
//! finds an account without a login, and proves its password before it sends the login.

use log::debug;

use super::decide::{due_with_login, first_due};
use super::outcome::{AttemptEnd, Completion};
use super::{Provisioner, Request, reply};
use crate::config::ClassState;
use crate::domain::registration::{Registration, Sending};
use crate::domain::{OptWord, Password, PhraseMatch};
use crate::store::{SpareCondition, SpareRequest};

impl Provisioner {
    /// Gives a spare account to a phone of which nothing is known yet, and sends its login. This is all in one turn at
    /// the database, as a whole class may come at once. `None` = the text is to be served in the usual way.
    pub(super) fn newcomer(&self, request: &Request<'_>) -> Result<Option<Completion>, AttemptEnd> {
        let Request {
            text, class, now, ..
        } = *request;
        let is_plain = class.warm > 0
            && request.by_text
            && request.matched == PhraseMatch::Phrase
            && class.state(text.received, now) == ClassState::Open
            && text.opt_out.is_none()
            && OptWord::in_body(&text.body).is_none()
            && !reply::holds_login(&text.body, &self.email_domain);
        if !is_plain {
            return Ok(None);
        }
        let hourly_texts = self.limits.hourly_texts;
        self.give_spare(request, Ok(()), SpareCondition::Newcomer { hourly_texts })
    }

    /// Takes a spare account and sends its login, if the class has one that nobody has used. `None` = it has
    /// none, or no seat.
    pub(super) fn spare_login(
        &self,
        request: &Request<'_>,
    ) -> Result<Option<Completion>, AttemptEnd> {
        if request.class.warm == 0 {
            return Ok(None);
        }
        let may_send = self.may_send_login(request);
        self.give_spare(request, may_send, SpareCondition::NotEnded)
    }

    fn give_spare(
        &self,
        request: &Request<'_>,
        may_send: Result<(), AttemptEnd>,
        condition: SpareCondition,
    ) -> Result<Option<Completion>, AttemptEnd> {
        let by_text = !request.on_screen && may_send.is_ok();
        let mut text = None;
        let prepare = |registration: &Registration| {
            let password = self.passwords.password_of(registration);
            let body = by_text.then(|| self.spare_text(request, registration, &password));
            let sending = body.as_deref().map(|body| Sending {
                fingerprint: self.key.fingerprint(body),
                since: request.clock(),
            });
            text = Some((password, body));
            sending
        };
        let wanted = self.spare_request(request, by_text, condition);
        let taken = self.store.take_spare(wanted, prepare)?;
        let (Some(registration), Some((password, body))) = (taken, text) else {
            return Ok(None);
        };
        self.full_class.seat_given(request.class);
        debug!(
            "text {}: the spare account {} is given to its phone",
            request.text.sid, registration.username
        );
        may_send?;
        let Some(body) = body else {
            let email = registration.username.email(&self.email_domain);
            return Err(self.offer(request, &registration, &email, password));
        };
        let due = self.first_due(request, &registration, request.clock());
        self.send_login(request, &registration, &body, due)
            .map(Some)
    }

    /// What the store needs to know of a text that asks for a spare.
    fn spare_request<'a>(
        &self,
        request: &'a Request<'_>,
        by_text: bool,
        condition: SpareCondition,
    ) -> SpareRequest<'a> {
        let class = request.class;
        let pending = self.pending_due(request, None);
        let promised = first_due(class.life(request.clock()), request.clock());
        SpareRequest {
            phone: &request.hash,
            text: &request.text.sid,
            received: request.text.received,
            now: request.now,
            due_at: match by_text {
                true => due_with_login(promised, pending),
                false => Some(pending),
            },
            seats: self.seats(request),
            with_workspace: self.class.workspace_of(class.name.as_ref()).is_some(),
            condition,
        }
    }

    fn spare_text(
        &self,
        request: &Request<'_>,
        registration: &Registration,
        password: &Password,
    ) -> String {
        let username = &registration.username;
        let left = request.class.life(request.clock());
        let class = registration.class.as_ref();
        self.login_text(
            class,
            username,
            &username.email(&self.email_domain),
            password,
            left,
        )
    }
}
