//! The states of a registration, and the one function that says what may follow what.

use std::fmt;

use crate::domain::{Fingerprint, Marker, MessageSid, UnixSeconds, Username};

/// Where the bond of one phone and one Coder user stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    /// A name is written down; the Coder user may or may not exist.
    Reserved,
    /// The Coder user exists and its id is known; no login has reached the student.
    Created,
    /// A login was texted.
    Announced,
    /// It was ended, or the time is up and no workspace was busy: it is locked out, and its workspaces,
    /// then the user, are being removed.
    Reaping,
    /// The user is proved gone; the row is forgotten. Never stored.
    Gone,
}

/// What happened to a registration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// The name turned out to be a stranger's; another was drawn.
    Renamed,
    /// Coder has the user.
    UserCreated,
    /// Its time was up, but the student asks again.
    Renewed,
    /// The instructor gave it another time.
    Rescheduled,
    /// A login text is about to be sent, or is taken back before it left.
    LoginPrepared,
    /// Twilio took a login text.
    LoginSent,
    /// Somebody removed the Coder user behind our back while the student still wants it.
    UserVanished,
    /// Removal begins.
    ReapBegun,
    /// The user is proved gone.
    UserGone,
}

/// A step that no registration may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IllegalStep {
    /// Where it stood.
    pub stage: Stage,
    /// What was said to have happened.
    pub event: Event,
}

impl fmt::Display for IllegalStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} cannot follow on {:?}", self.event, self.stage)
    }
}

impl std::error::Error for IllegalStep {}

impl Stage {
    /// All that a registration may be stored in.
    pub const STORED: [Self; 4] = [
        Self::Reserved,
        Self::Created,
        Self::Announced,
        Self::Reaping,
    ];

    /// The only way from one stage to the next.
    ///
    /// # Errors
    /// [`IllegalStep`] names both sides.
    pub fn after(self, event: Event) -> Result<Self, IllegalStep> {
        use Event as E;
        match (self, event) {
            (Self::Reserved, E::Renamed) => Ok(Self::Reserved),
            (Self::Reserved, E::UserCreated) => Ok(Self::Created),
            (Self::Reserved | Self::Created | Self::Announced, E::Renewed | E::Rescheduled) => {
                Ok(self)
            }
            (Self::Created | Self::Announced, E::LoginPrepared) => Ok(self),
            (Self::Created | Self::Announced, E::LoginSent) => Ok(Self::Announced),
            (Self::Created | Self::Announced, E::UserVanished) => Ok(Self::Reserved),
            (Self::Reserved | Self::Created | Self::Announced, E::ReapBegun) => Ok(Self::Reaping),
            // The user of a reservation that is being reaped may turn up late.
            (Self::Reaping, E::UserCreated) => Ok(Self::Reaping),
            // A login that was on its way when the removal began.
            (Self::Reaping, E::LoginSent) => Ok(Self::Reaping),
            (Self::Reaping, E::UserGone) => Ok(Self::Gone),
            (stage, event) => Err(IllegalStep { stage, event }),
        }
    }

    /// The word under which it is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reserved => "reserved",
            Self::Created => "created",
            Self::Announced => "announced",
            Self::Reaping => "reaping",
            Self::Gone => "gone",
        }
    }

    /// Reads a stored word back.
    pub fn parse(word: &str) -> Option<Self> {
        Self::STORED
            .into_iter()
            .find(|stage| stage.as_str() == word)
    }
}

/// One phone and its Coder user, as the database knows them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registration {
    /// Row number; never reused while the row lives.
    pub id: i64,
    /// The name in Coder.
    pub username: Username,
    /// The display name by which the user is known to be ours.
    pub marker: Marker,
    /// Where it stands.
    pub stage: Stage,
    /// Coder's id of the user (a UUID), once known.
    pub coder_id: Option<String>,
    /// When the name was written down.
    pub reserved_at: UnixSeconds,
    /// When the last login was texted.
    pub announced_at: Option<UnixSeconds>,
    /// When its time is up; `None` = never.
    pub due_at: Option<UnixSeconds>,
    /// A login text that is on its way and whose outcome is not recorded yet.
    pub sending: Option<Sending>,
    /// Login texts repeated although nobody could say what became of the one before.
    pub doubtful: u32,
    /// Login texts since `window_start`.
    pub sent_in_window: u32,
    /// Start of the 24 hours in which texts are counted.
    pub window_start: UnixSeconds,
    /// Looks at a removal since something last changed.
    pub reap_tries: u32,
    /// What a removal waits for, as last logged.
    pub reap_note: Option<String>,
    /// When the instructor ended it, unless its student has asked again since.
    pub ended_at: Option<UnixSeconds>,
    /// Twilio's name for the last login text, if it is known. What became of that text is kept by
    /// this name.
    pub login_sid: Option<MessageSid>,
    /// When it was taken over from Coder, as the database did not know it. Its phone is not known then.
    pub adopted_at: Option<UnixSeconds>,
    /// Which of the passwords that follow from the key it is to have; `None` = nobody knows its
    /// password, as it was found at Coder.
    pub password_counter: Option<u32>,
    /// Whether its user at Coder is known to have had that password.
    pub password_known: bool,
    /// When an operator renewed its password, unless its student has got the new one since.
    pub renewed_at: Option<UnixSeconds>,
    /// When its student was told that the login cannot be sent, unless one was sent since.
    pub withheld_at: Option<UnixSeconds>,
    /// How far its removal has come.
    pub removal: Removal,
}

/// How far a removal has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Removal {
    /// When it began; `None` = it has not.
    pub since: Option<UnixSeconds>,
    /// When the user was seen to be locked out, or not to exist.
    pub locked_at: Option<UnixSeconds>,
    /// Since when Coder refuses something that it needs.
    pub refused_since: Option<UnixSeconds>,
}

#[cfg(test)]
impl Registration {
    /// A registration as a test begins with it: nothing has happened to it yet.
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
        }
    }
}

/// A login text that was handed, or was about to be handed, to Twilio.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sending {
    /// By which it is found in Twilio's log.
    pub fingerprint: Fingerprint,
    /// When it was written down.
    pub since: UnixSeconds,
}

impl Registration {
    /// Whether the time is up at `now`.
    pub fn is_due(&self, now: UnixSeconds) -> bool {
        self.due_at.is_some_and(|due| due <= now)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::properties::drawn;
    use Stage::{Announced, Created, Gone, Reaping, Reserved};

    #[test]
    fn the_whole_table() {
        let events = [
            Event::Renamed,
            Event::UserCreated,
            Event::Renewed,
            Event::Rescheduled,
            Event::LoginPrepared,
            Event::LoginSent,
            Event::UserVanished,
            Event::ReapBegun,
            Event::UserGone,
        ];
        let table = [
            (
                Reserved,
                [
                    Some(Reserved),
                    Some(Created),
                    Some(Reserved),
                    Some(Reserved),
                    None,
                    None,
                    None,
                    Some(Reaping),
                    None,
                ],
            ),
            (
                Created,
                [
                    None,
                    None,
                    Some(Created),
                    Some(Created),
                    Some(Created),
                    Some(Announced),
                    Some(Reserved),
                    Some(Reaping),
                    None,
                ],
            ),
            (
                Announced,
                [
                    None,
                    None,
                    Some(Announced),
                    Some(Announced),
                    Some(Announced),
                    Some(Announced),
                    Some(Reserved),
                    Some(Reaping),
                    None,
                ],
            ),
            (
                Reaping,
                [
                    None,
                    Some(Reaping),
                    None,
                    None,
                    None,
                    Some(Reaping),
                    None,
                    None,
                    Some(Gone),
                ],
            ),
            (Gone, [None; 9]),
        ];
        for (stage, row) in table {
            for (event, expected) in events.into_iter().zip(row) {
                assert_eq!(stage.after(event).ok(), expected, "{stage:?} {event:?}");
            }
        }
    }

    #[test]
    fn an_illegal_step_names_both_sides() {
        let step = Reserved.after(Event::LoginSent).unwrap_err();
        assert_eq!(step.to_string(), "LoginSent cannot follow on Reserved");
    }

    #[test]
    fn stages_are_read_back() {
        for stage in [Reserved, Created, Announced, Reaping] {
            assert_eq!(Stage::parse(stage.as_str()), Some(stage));
        }
        assert_eq!(Stage::parse("gone"), None);
    }

    const EVENTS: [Event; 9] = [
        Event::Renamed,
        Event::UserCreated,
        Event::Renewed,
        Event::Rescheduled,
        Event::LoginPrepared,
        Event::LoginSent,
        Event::UserVanished,
        Event::ReapBegun,
        Event::UserGone,
    ];

    proptest! {
        #![proptest_config(drawn())]

        #[test]
        fn no_walk_leaves_the_way(
            walk in prop::collection::vec(prop::sample::select(EVENTS.to_vec()), 0..60)
        ) {
            let mut stage = Reserved;
            let (mut user, mut login, mut reaping) = (false, false, false);
            for event in walk {
                let Ok(next) = stage.after(event) else {
                    prop_assert_eq!(stage.after(event), Err(IllegalStep { stage, event }));
                    continue;
                };
                match event {
                    Event::UserCreated => user = true,
                    Event::UserVanished => (user, login) = (false, false),
                    Event::LoginSent => login = !reaping || login,
                    Event::ReapBegun => reaping = true,
                    _ => {}
                }
                prop_assert!(stage != Gone, "{event:?} after the end");
                prop_assert!(user || !login, "a login without a user");
                prop_assert_eq!(next == Announced, login && !reaping);
                prop_assert_eq!(next == Reserved, !user && !reaping);
                prop_assert_eq!(matches!(next, Reaping | Gone), reaping, "a removal that ends");
                prop_assert_eq!(next == Gone, event == Event::UserGone);
                prop_assert_eq!(Stage::parse(next.as_str()), (next != Gone).then_some(next));
                stage = next;
            }
        }

        #[test]
        fn no_other_word_is_a_stage(word in "[a-z]{0,9}|\\PC{0,9}") {
            prop_assert!(Stage::parse(&word).is_none_or(|stage| stage.as_str() == word));
        }
    }
}
