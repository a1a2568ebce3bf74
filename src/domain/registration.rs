//! The stages of a registration, and the one function that defines the transitions between them.

use std::fmt;

use crate::domain::{ClassName, Fingerprint, Marker, MessageSid, UnixSeconds, Username};

/// The stage of a registration, which links one phone to one Coder user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    /// A username is stored; the Coder user may or may not exist.
    Reserved,
    /// The Coder user exists and its id is stored; no login has been texted.
    Created,
    /// A login was texted.
    Announced,
    /// The removal has begun: the user is locked out, and its workspaces, then the user, are being
    /// removed. It begins when the account is ended, or when it is due and no workspace is busy.
    Reaping,
    /// The user is confirmed to be gone, and the row is deleted. Never stored.
    Gone,
}

/// What happened to a registration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// The username belongs to another user; a new one was drawn.
    Renamed,
    /// Coder is about to be asked once more to create its user.
    UserRequested,
    /// The user exists in Coder.
    UserCreated,
    /// It was due, but the student texted the phrase again.
    Renewed,
    /// The instructor changed the time when it is due.
    Rescheduled,
    /// A login text is about to be sent, or is cancelled before it was sent.
    LoginPrepared,
    /// Twilio accepted a login text, or a screen has fetched the login.
    LoginSent,
    /// The Coder user was removed by another party while the student still needs it.
    UserVanished,
    /// The removal begins.
    RemovalBegun,
    /// The user is confirmed to be gone.
    UserGone,
}

/// A transition that is not allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IllegalStep {
    /// The stage of the registration.
    pub stage: Stage,
    /// The event that is not allowed in it.
    pub event: Event,
}

impl fmt::Display for IllegalStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is not allowed in {:?}", self.event, self.stage)
    }
}

impl std::error::Error for IllegalStep {}

impl Stage {
    /// All stages that are stored.
    pub const STORED: [Self; 4] = [
        Self::Reserved,
        Self::Created,
        Self::Announced,
        Self::Reaping,
    ];

    /// The stage after an event: the only way from one stage to the next.
    ///
    /// # Errors
    /// [`IllegalStep`] if the event is not allowed in this stage.
    pub fn after(self, event: Event) -> Result<Self, IllegalStep> {
        use Event as E;
        match (self, event) {
            (Self::Reserved, E::Renamed | E::UserRequested) => Ok(Self::Reserved),
            (Self::Reserved, E::UserCreated) => Ok(Self::Created),
            (Self::Reserved | Self::Created | Self::Announced, E::Renewed | E::Rescheduled) => {
                Ok(self)
            }
            (Self::Created | Self::Announced, E::LoginPrepared) => Ok(self),
            (Self::Created | Self::Announced, E::LoginSent) => Ok(Self::Announced),
            (Self::Created | Self::Announced, E::UserVanished) => Ok(Self::Reserved),
            (Self::Reserved | Self::Created | Self::Announced, E::RemovalBegun) => {
                Ok(Self::Reaping)
            }
            // The user of a reservation that is being removed may appear late.
            (Self::Reaping, E::UserCreated) => Ok(Self::Reaping),
            // A login text was being sent when the removal began.
            (Self::Reaping, E::LoginSent) => Ok(Self::Reaping),
            (Self::Reaping, E::UserGone) => Ok(Self::Gone),
            (stage, event) => Err(IllegalStep { stage, event }),
        }
    }

    /// Its stored form.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reserved => "reserved",
            Self::Created => "created",
            Self::Announced => "announced",
            Self::Reaping => "reaping",
            Self::Gone => "gone",
        }
    }

    /// Parses its stored form.
    pub fn parse(word: &str) -> Option<Self> {
        Self::STORED
            .into_iter()
            .find(|stage| stage.as_str() == word)
    }
}

/// One phone and its Coder user, as stored in the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registration {
    /// The row number.
    pub id: i64,
    /// The username in Coder.
    pub username: Username,
    /// The display name that proves that the service created the user.
    pub marker: Marker,
    /// The current stage.
    pub stage: Stage,
    /// Coder's id of the user (a UUID), once known.
    pub coder_id: Option<String>,
    /// When the username was stored.
    pub reserved_at: UnixSeconds,
    /// When the last login was texted.
    pub announced_at: Option<UnixSeconds>,
    /// When it is due for removal; `None` = never.
    pub due_at: Option<UnixSeconds>,
    /// When Coder was last asked once more to create its user, because the answer to an earlier request was lost.
    pub create_repeated_at: Option<UnixSeconds>,
    /// A login text that is being sent and whose outcome is not recorded yet.
    pub sending: Option<Sending>,
    /// The number of login texts repeated although the outcome of the previous one was unknown.
    pub doubtful: u32,
    /// The number of login texts since `window_start`.
    pub sent_in_window: u32,
    /// Start of the 24 hours in which login texts are counted.
    pub window_start: UnixSeconds,
    /// The number of attempts at its removal since the last progress.
    pub reap_tries: u32,
    /// What its removal waits for, as last logged.
    pub reap_note: Option<String>,
    /// When the instructor ended it, unless its student has texted the phrase again since.
    pub ended_at: Option<UnixSeconds>,
    /// The sid of the last login text, if known. Its delivery state is stored under this sid.
    pub login_sid: Option<MessageSid>,
    /// When it was adopted: the user was found at Coder but was not in the database. Then the phone
    /// is not known.
    pub adopted_at: Option<UnixSeconds>,
    /// The counter that its password is derived with; `None` = the password is not known, because
    /// the user was found at Coder.
    pub password_counter: Option<u32>,
    /// Whether the user at Coder is known to have had that password.
    pub password_known: bool,
    /// When an operator renewed its password, unless its student has received the new one since.
    pub renewed_at: Option<UnixSeconds>,
    /// When its student got the text that the login cannot be sent, unless a login was sent since.
    pub withheld_at: Option<UnixSeconds>,
    /// The progress of its removal.
    pub removal: Removal,
    /// When a screen fetched its login last.
    pub shown_at: Option<UnixSeconds>,
    /// When a browser with a login from a screen proved last that it is signed in.
    pub arrived_at: Option<UnixSeconds>,
    /// The class that it belongs to; `None` = the one without a name.
    pub class: Option<ClassName>,
    /// When it was made for nobody yet; `None` = it has a student.
    pub spare_since: Option<UnixSeconds>,
}

/// The progress of a removal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Removal {
    /// When it began; `None` = not yet.
    pub since: Option<UnixSeconds>,
    /// When the user was confirmed to be locked out, or not to exist.
    pub locked_at: Option<UnixSeconds>,
    /// Since when Coder refuses a request that the removal needs.
    pub refused_since: Option<UnixSeconds>,
}

#[cfg(test)]
impl Registration {
    /// A new registration for tests.
    pub(crate) fn fresh(username: Username, marker: Marker, reserved_at: UnixSeconds) -> Self {
        Self {
            id: 1,
            username,
            marker,
            stage: Stage::Reserved,
            coder_id: None,
            reserved_at,
            announced_at: None,
            due_at: None,
            create_repeated_at: None,
            sending: None,
            doubtful: 0,
            sent_in_window: 0,
            window_start: 0,
            reap_tries: 0,
            reap_note: None,
            ended_at: None,
            login_sid: None,
            adopted_at: None,
            password_counter: Some(1),
            password_known: true,
            renewed_at: None,
            withheld_at: None,
            removal: Removal::default(),
            shown_at: None,
            arrived_at: None,
            class: None,
            spare_since: None,
        }
    }
}

/// A login text that was sent, or was about to be sent, to Twilio.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sending {
    /// The fingerprint to find it in Twilio's log.
    pub fingerprint: Fingerprint,
    /// When this was stored.
    pub since: UnixSeconds,
}

/// How far a login on a screen has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnScreen {
    /// The screen has fetched it.
    Shown,
    /// The browser has proved that it is signed in.
    SignedIn,
}

impl Registration {
    /// Whether its phone has a login, or may have one: a send whose outcome is not known. For the stages before a removal
    /// the store's `MAY_HAVE_LOGIN` says the same in SQL.
    pub fn may_have_login(&self) -> bool {
        match self.stage {
            Stage::Reserved => false,
            Stage::Created => self.sending.is_some() || self.doubtful > 0,
            Stage::Announced | Stage::Reaping | Stage::Gone => true,
        }
    }

    /// How far its last login has come, if a screen has fetched it.
    pub fn on_screen(&self) -> Option<OnScreen> {
        let shown = self.shown_at.filter(|at| self.announced_at == Some(*at))?;
        Some(match self.arrived_at {
            Some(at) if at >= shown => OnScreen::SignedIn,
            _ => OnScreen::Shown,
        })
    }

    /// Whether it is a spare account, made before a student asks, which nobody has taken.
    pub fn is_spare(&self) -> bool {
        self.spare_since.is_some()
    }

    /// Whether it is due for removal at `now`.
    pub fn is_due(&self, now: UnixSeconds) -> bool {
        self.due_at.is_some_and(|due| due <= now)
    }
}

#[cfg(test)]
mod tests;
