//! Gets a phone a Coder user that is surely ours.

use log::{info, warn};

use super::decide::{NextStep, TakenName, due_with_login, first_due, next_step, taken_name};
use super::outcome::{AttemptEnd, Completion, Peer, RetryTime, Silence};
use super::{Provisioner, Request};
use crate::coder::{CoderError, CoderErrorKind, CreateResult, NewUser, User};
use crate::domain::registration::{Event, Registration, Sending, Stage};
use crate::domain::{Marker, UnixSeconds, Username};
use crate::ownership::find_ours;
use crate::store::{Reservation, ReserveResult, StoreError};

/// How often one attempt may start over, because of names that clash or users that vanish.
const ROUNDS: u32 = 10;

/// Number of creates in a row that must meet the same internal error of Coder before all texts wait.
const ALIKE: u32 = 3;

/// How long a text waits while the phone's previous account is being removed.
const REMOVAL_WAIT: std::time::Duration = std::time::Duration::from_secs(5);

impl Provisioner {
    /// Gets a login to the phone, from any stage of its registration.
    pub(super) fn login(&self, request: &Request<'_>) -> Result<Completion, AttemptEnd> {
        if request
            .contact
            .ended_at
            .is_some_and(|at| request.precedes(at))
        {
            return Ok(Completion::Silent(Silence::Ended));
        }
        // The name that an earlier attempt has drawn, and has perhaps asked Coder to make.
        let earlier = request.registration.as_ref().map(|one| &one.marker);
        for round in 0..ROUNDS {
            let mut found = match round {
                0 => request.registration.clone(),
                _ => self.store.find(&request.hash)?,
            };
            if let Some(done) = self.admit(request, &mut found)? {
                return Ok(done);
            }
            let done = match found {
                None => self.take_seat(request, round)?,
                Some(registration) => {
                    let is_new = earlier != Some(&registration.marker);
                    self.advance(request, &registration, (round, is_new))?
                }
            };
            if let Some(done) = done {
                return Ok(done);
            }
        }
        Err(AttemptEnd::later(RetryTime::Away, "no free name was found"))
    }

    /// Makes a registration for a phone without one, or gives it a spare account with its login. `None` = read
    /// the registration.
    fn take_seat(
        &self,
        request: &Request<'_>,
        round: u32,
    ) -> Result<Option<Completion>, AttemptEnd> {
        if let Some(done) = self.spare_login(request)? {
            return Ok(Some(done));
        }
        match self.reserve(request, round)? {
            ReserveResult::Done | ReserveResult::Clash => Ok(None),
            ReserveResult::Full => self.class_is_full(request).map(Some),
            ReserveResult::Ended => Ok(Some(Completion::Silent(Silence::Ended))),
        }
    }

    /// Takes a registration further towards its login. `is_new` = this attempt has drawn its name. `None` = read the
    /// registration again.
    fn advance(
        &self,
        request: &Request<'_>,
        registration: &Registration,
        (round, is_new): (u32, bool),
    ) -> Result<Option<Completion>, AttemptEnd> {
        match next_step(registration, request.text.received, request.now) {
            NextStep::Ended => Ok(Some(Completion::Silent(Silence::Ended))),
            NextStep::UndoEnd => {
                self.undo_end(request, registration)?;
                Ok(None)
            }
            NextStep::Create { renew } => {
                if renew {
                    self.store.renew(
                        registration.id,
                        self.pending_due(request, Some(registration)),
                    )?;
                }
                self.may_send_login(request)?;
                if !is_new {
                    self.store.begin_create(registration.id, request.clock())?;
                }
                self.create(request, registration, round)
            }
            NextStep::Announce => self.announce(request, registration),
            NextStep::TakeAnother => match self.reserve(request, round)? {
                ReserveResult::Done => {
                    warn!(
                        "text {}: the account {} is still not removed; its phone gets a new one beside it",
                        request.text.sid, registration.username
                    );
                    Ok(None)
                }
                ReserveResult::Full => self.class_is_full(request).map(Some),
                ReserveResult::Ended => Ok(Some(Completion::Silent(Silence::Ended))),
                ReserveResult::Clash => Err(being_removed(registration)),
            },
        }
    }

    /// Records which user is about to be made, if there is a free seat. If the name or the phone is
    /// already in our own table, the next round decides what to do.
    fn reserve(&self, request: &Request<'_>, round: u32) -> Result<ReserveResult, AttemptEnd> {
        let username = Username::draw(round);
        let marker = Marker::draw(&username, &self.key, &self.instance_id);
        let reservation = Reservation {
            phone: &request.hash,
            text: &request.text.sid,
            received: request.text.received,
            username: &username,
            marker: &marker,
            now: request.now,
            // A reservation has a time limit, so that the reaper removes it if no account follows.
            due_at: self.pending_due(request, None),
        };
        let reserved = self.store.reserve(reservation, self.seats(request))?;
        match reserved {
            ReserveResult::Full => self.full_class.turn_away(&request.hash, request.class),
            ReserveResult::Done => self.full_class.seat_given(request.class),
            ReserveResult::Clash | ReserveResult::Ended => {}
        }
        Ok(reserved)
    }

    /// Undoes the instructor's end of an account, because its student asks for it again before it is
    /// removed. Like any account whose time is up, it gets a full time.
    fn undo_end(
        &self,
        request: &Request<'_>,
        registration: &Registration,
    ) -> Result<(), AttemptEnd> {
        let due = match registration.stage {
            Stage::Announced => self.first_due(request, registration, request.now),
            _ => Some(self.pending_due(request, Some(registration))),
        };
        Ok(self.store.undo_end(registration.id, due)?)
    }

    /// Makes the Coder user of a reservation, or finds that it exists. `None` = read the registration
    /// again.
    fn create(
        &self,
        request: &Request<'_>,
        registration: &Registration,
        round: u32,
    ) -> Result<Option<Completion>, AttemptEnd> {
        let username = &registration.username;
        let email = username.email(&self.email_domain);
        let password = self.passwords.password_of(registration);
        let new = NewUser::of(registration, &email, &password);
        let Some(user) = self.make_user(request, registration, round, new)? else {
            return Ok(None);
        };
        // A user that was made before CODER_EMAIL_DOM was changed has the old address.
        let address = Some(user.email.as_str()).filter(|address| !address.is_empty());
        if request.on_screen {
            self.record_user(request, registration, |due| {
                self.store
                    .created_for_screen(registration.id, &user.id, due)
            })?;
            let address = address.unwrap_or(&email);
            return Err(self.offer(request, registration, address, password));
        }
        let now = request.clock();
        let left = self.class_of(request, registration).life(now);
        let promised = self.first_due(request, registration, now);
        let class = registration.class.as_ref();
        let body = self.login_text(class, username, address.unwrap_or(&email), &password, left);
        let sending = Sending {
            fingerprint: self.key.fingerprint(&body),
            since: now,
        };
        self.record_user(request, registration, |pending| {
            let due = due_with_login(promised, pending);
            self.store
                .created(registration.id, &user.id, due, Some(sending))
        })?;
        let due = self.first_due(request, registration, request.clock());
        self.send_login(request, registration, &body, due).map(Some)
    }

    /// Makes a Coder user, or finds the one that an interrupted attempt has made. `None` = read the
    /// registration again.
    fn make_user(
        &self,
        request: &Request<'_>,
        registration: &Registration,
        round: u32,
        new: NewUser<'_>,
    ) -> Result<Option<User>, AttemptEnd> {
        if let CreateResult::Created(user) = self.coder.create_user(new).map_err(create_failed)? {
            return Ok(Some(user));
        }
        let found = find_ours(&self.coder, registration, new.email)?;
        match (taken_name(registration, found.is_some()), found) {
            (TakenName::Ours, Some(user)) => return Ok(Some(user)),
            (TakenName::OtherPassword, Some(user)) => {
                self.record_user(request, registration, |due| {
                    self.store.created(registration.id, &user.id, due, None)
                })?;
            }
            _ => {
                info!(
                    "text {}: the name {} is taken at Coder, drawing another",
                    request.text.sid, new.username
                );
                self.rename(request, registration, Event::Renamed, round + 1)?;
            }
        }
        Ok(None)
    }

    /// Records a Coder user with `record`, which gets the due time of an account without a login and returns the
    /// reached stage.
    fn record_user(
        &self,
        request: &Request<'_>,
        registration: &Registration,
        record: impl FnOnce(UnixSeconds) -> Result<Stage, StoreError>,
    ) -> Result<(), AttemptEnd> {
        // Until its login is sent, the account may live as long as its text is tried.
        match record(self.pending_due(request, Some(registration)))? {
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

    /// Gives a registration this name, for an account that is about to be made.
    pub(super) fn give_name(
        &self,
        request: &Request<'_>,
        registration: &Registration,
        event: Event,
        username: &Username,
    ) -> Result<(), AttemptEnd> {
        let marker = Marker::draw(username, &self.key, &self.instance_id);
        let due = self.pending_due(request, Some(registration));
        self.store
            .rename(registration.id, event, username, &marker, due)?;
        Ok(())
    }

    /// Starts over for a student whose Coder user was removed by someone else.
    pub(super) fn start_over(
        &self,
        request: &Request<'_>,
        registration: &Registration,
    ) -> Result<(), AttemptEnd> {
        if !self.coder.rights()?.see_users {
            // With such a token every user seems to be gone, and a living account would be forgotten.
            return Err(AttemptEnd::later(
                RetryTime::Blocked(Peer::Coder),
                "the token (CODER_API_KEY) may not see users any more",
            ));
        }
        warn!(
            "text {}: the user {} is gone from Coder, another one is made",
            request.text.sid, registration.username
        );
        self.rename(request, registration, Event::UserVanished, 0)
    }

    /// When the time of an account is up if its first login is sent at `now`.
    pub(super) fn first_due(
        &self,
        request: &Request<'_>,
        registration: &Registration,
        now: UnixSeconds,
    ) -> Option<UnixSeconds> {
        first_due(self.class_of(request, registration).life(now), now)
    }
}

pub(super) fn being_removed(registration: &Registration) -> AttemptEnd {
    let why = format!("the account {} is being removed", registration.username);
    AttemptEnd::later(RetryTime::Exactly(REMOVAL_WAIT), why)
}

/// What a failed create means. A refusal says nothing about this student, because we drew the name and
/// the password: the organization, the e-mail domain or a stricter password rule affects all students.
/// So no text is given up, and a person must act. The same internal error several times in a row is such
/// a refusal as well: Coder reports it so if new users get a role that the token may not assign.
fn create_failed(fault: CoderError) -> AttemptEnd {
    match fault.kind {
        CoderErrorKind::Refused => AttemptEnd::later(RetryTime::Blocked(Peer::Coder), fault),
        // `repeats` counts internal errors of Coder.
        _ if fault.repeats() >= ALIKE => AttemptEnd::later(RetryTime::Failing, fault),
        _ if fault.repeats() > 0 && fault.is_forbidden() => {
            AttemptEnd::later(RetryTime::Failing, fault)
        }
        _ => fault.into(),
    }
}
