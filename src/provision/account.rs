//! From a phone to a Coder user that is surely ours.

use log::{info, warn};

use super::outcome::{AttemptEnd, Completion, Peer, RetryTime, Silence};
use super::{Provisioner, Request, reply};
use crate::coder::{CoderError, CoderErrorKind, CreateResult, NewUser, User};
use crate::domain::registration::{Event, Registration, Sending, Stage};
use crate::domain::{Marker, UnixSeconds, Username, seconds};
use crate::ownership::find_ours;
use crate::store::{Contact, ReserveResult};

/// How often one attempt may change its mind: names that clash, users that vanish.
const ROUNDS: u32 = 10;

/// How many creates in a row have to meet the same internal error of Coder's before all texts wait.
const ALIKE: u32 = 3;

/// How long a text waits while the account of before is still being removed.
const REMOVAL_WAIT: std::time::Duration = std::time::Duration::from_secs(5);

impl Provisioner {
    /// Gets a login to the phone, from wherever its registration stands.
    pub(super) fn login(
        &self,
        request: &Request<'_>,
        contact: &Contact,
    ) -> Result<Completion, AttemptEnd> {
        let is_before = |ended: UnixSeconds| ended > request.text.received;
        if contact.ended_at.is_some_and(is_before) {
            return Ok(Completion::Silent(Silence::Ended));
        }
        for round in 0..ROUNDS {
            let Some(registration) = self.store.find(&request.hash)? else {
                if self.reserve(request, round)? == ReserveResult::Full {
                    return self.class_is_full(request, contact.full_at);
                }
                continue;
            };
            if let (Some(ended), false) =
                (registration.ended_at, registration.stage == Stage::Reaping)
            {
                if is_before(ended) {
                    return Ok(Completion::Silent(Silence::Ended));
                }
                self.take_end_back(request, &registration)?;
                continue;
            }
            if registration.stage == Stage::Reserved && registration.is_due(request.now) {
                // Given up before, and wanted again: the reaper must not take it from under us.
                self.store
                    .renew(registration.id, request.now + seconds(self.limits.give_up))?;
            }
            let done = match registration.stage {
                Stage::Reserved => self.create(request, &registration, round)?,
                Stage::Created | Stage::Announced => self.announce(request, &registration)?,
                Stage::Reaping | Stage::Gone => match self.reserve(request, round)? {
                    ReserveResult::Done => {
                        warn!(
                            "text {}: the account {} is still not gone; its phone gets another one meanwhile",
                            request.text.sid, registration.username
                        );
                        continue;
                    }
                    ReserveResult::Full => return self.class_is_full(request, contact.full_at),
                    ReserveResult::Clash => return Err(being_removed(&registration)),
                },
            };
            if let Some(done) = done {
                return Ok(done);
            }
        }
        Err(AttemptEnd::later(RetryTime::Away, "no free name was found"))
    }

    /// Writes down which user is about to be made, if there is a seat. If the name or the phone is
    /// taken in our own table, the next round sees what to do.
    fn reserve(&self, request: &Request<'_>, round: u32) -> Result<ReserveResult, AttemptEnd> {
        let username = Username::draw(round);
        let marker = Marker::draw(&username, &self.key, &self.instance_id);
        // A reservation that nothing comes of has a time too, so that the reaper looks after it.
        let due = request.now + seconds(self.limits.give_up);
        let seats = self.limits.max_users;
        let reserved =
            self.store
                .reserve(&request.hash, &username, &marker, request.now, due, seats)?;
        match reserved {
            ReserveResult::Full => self.full_class.turns_away(&request.hash, seats),
            ReserveResult::Done => self.full_class.gave_a_seat(),
            ReserveResult::Clash => {}
        }
        Ok(reserved)
    }

    /// The instructor ended the account, and its student asks for it again before it is removed: as
    /// with any account whose time is up, it gets a full one.
    fn take_end_back(
        &self,
        request: &Request<'_>,
        registration: &Registration,
    ) -> Result<(), AttemptEnd> {
        let due = match registration.stage {
            Stage::Announced => self.first_due(request.now),
            _ => Some(request.now + seconds(self.limits.give_up)),
        };
        Ok(self.store.take_end_back(registration.id, due)?)
    }

    /// Makes the Coder user of a reservation, or finds out that it exists. `None` = look again.
    fn create(
        &self,
        request: &Request<'_>,
        registration: &Registration,
        round: u32,
    ) -> Result<Option<Completion>, AttemptEnd> {
        self.may_send(request.now)?;
        let username = &registration.username;
        let email = username.email(&self.email_domain);
        let counter = registration.password_counter.unwrap_or(1);
        let password = self
            .passwords
            .password(username, &registration.marker, counter);
        let new = NewUser {
            username,
            email: &email,
            marker: &registration.marker,
            password: &password,
        };
        let user = match self.coder.create_user(new).map_err(concerns_all)? {
            CreateResult::Created(user) => user,
            CreateResult::Taken => match find_ours(&self.coder, registration, &email)? {
                // Made by an attempt that did not live to see the answer, with this same password.
                Some(user) if registration.password_known => user,
                // Made before the key of the passwords changed.
                Some(user) => {
                    self.record_user(request, registration, &user, None)?;
                    return Ok(None);
                }
                None => {
                    info!(
                        "text {}: the name {username} is taken at Coder, drawing another",
                        request.text.sid
                    );
                    self.rename(request, registration, Event::Renamed, round + 1)?;
                    return Ok(None);
                }
            },
        };
        let left = self.class.remove_after;
        let body = reply::login(&self.site, &email, &password, left);
        let sending = Sending {
            fingerprint: self.key.fingerprint(&body),
            since: request.clock(),
        };
        self.record_user(request, registration, &user, Some(sending))?;
        self.send_login(
            request,
            registration,
            &body,
            self.first_due(request.clock()),
        )
        .map(Some)
    }

    fn record_user(
        &self,
        request: &Request<'_>,
        registration: &Registration,
        user: &User,
        sending: Option<Sending>,
    ) -> Result<(), AttemptEnd> {
        // Until its login is sent the account lives as long as its text is tried for.
        let due = request.now + seconds(self.limits.give_up);
        match self
            .store
            .created(registration.id, &user.id, due, sending)?
        {
            Stage::Reaping => Err(being_removed(registration)),
            _ => Ok(()),
        }
    }

    /// Draws another name for a registration.
    pub(super) fn rename(
        &self,
        request: &Request<'_>,
        registration: &Registration,
        event: Event,
        clashes: u32,
    ) -> Result<(), AttemptEnd> {
        self.give_name(request, registration, event, &Username::draw(clashes))
    }

    /// Gives a registration that name, for an account that is about to be made.
    pub(super) fn give_name(
        &self,
        request: &Request<'_>,
        registration: &Registration,
        event: Event,
        username: &Username,
    ) -> Result<(), AttemptEnd> {
        let marker = Marker::draw(username, &self.key, &self.instance_id);
        let due = request.now + seconds(self.limits.give_up);
        self.store
            .rename(registration.id, event, username, &marker, due)?;
        Ok(())
    }

    /// Starts over for a student whose Coder user was removed by somebody else.
    pub(super) fn start_over(
        &self,
        request: &Request<'_>,
        registration: &Registration,
    ) -> Result<(), AttemptEnd> {
        if !self.coder.rights()?.see_users {
            // Everybody looks gone to such a token; starting over would forget a living account.
            return Err(AttemptEnd::later(
                RetryTime::Blocked(Peer::Coder),
                "the token (CODER_API_KEY) may not see users any more",
            ));
        }
        warn!(
            "text {}: the user {} is gone from Coder, making another",
            request.text.sid, registration.username
        );
        self.rename(request, registration, Event::UserVanished, 0)
    }

    /// When the time of an account is up whose first login is sent at `now`.
    pub(super) fn first_due(&self, now: UnixSeconds) -> Option<UnixSeconds> {
        self.class.remove_after.map(|span| now + seconds(span))
    }
}

fn being_removed(registration: &Registration) -> AttemptEnd {
    let why = format!("the account {} is being removed", registration.username);
    AttemptEnd::later(RetryTime::Exactly(REMOVAL_WAIT), why)
}

/// A create that Coder refuses for good says nothing about this student, whose name and password we
/// drew ourselves: the organization, the e-mail domain or a stricter password rule concerns everybody.
/// Nobody's text is given up over that; somebody has to act. The same internal error again and again is
/// such a refusal as well: a role that every new user gets and the token may not give is told so.
fn concerns_all(fault: CoderError) -> AttemptEnd {
    match fault.kind {
        CoderErrorKind::Refused => AttemptEnd::later(RetryTime::Blocked(Peer::Coder), fault),
        // Counted are internal errors of Coder's.
        _ if fault.repeats() >= ALIKE => AttemptEnd::later(RetryTime::Failing, fault),
        _ if fault.repeats() > 0 && fault.is_forbidden() => {
            AttemptEnd::later(RetryTime::Failing, fault)
        }
        _ => fault.into(),
    }
}
