//! A registration in the model, its moments, and the registration that the pure rules read.

use std::sync::OnceLock;

use crate::domain::registration::{Registration, Sending, Stage};
use crate::domain::{Fingerprint, InstanceId, Marker, PhoneKey, UnixSeconds, Username};

/// A moment, in units of [`TICK`] seconds.
pub(super) type Tick = u8;

/// Seconds between two moments: longer than any call, shorter than anything that is counted in hours.
pub(super) const TICK: UnixSeconds = 100;

/// When the model begins, in seconds.
const BEGIN: UnixSeconds = 1_800_000_000;

/// The first second of a moment.
pub(super) fn seconds(at: Tick) -> UnixSeconds {
    BEGIN + UnixSeconds::from(at) * TICK
}

/// A moment of these seconds.
pub(super) fn tick(at: UnixSeconds) -> Tick {
    Tick::try_from((at - BEGIN) / TICK).expect("a moment of the model")
}

/// What identifies a login text in Twilio's log: the account, and how much time it had left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Print {
    pub(super) name: u8,
    pub(super) left: u8,
}

/// A registration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Row {
    pub(super) id: u8,
    /// The phone; `None` = it was parted from it.
    pub(super) phone: Option<u8>,
    /// Its name and marker, which are drawn together.
    pub(super) name: u8,
    /// Whether a stranger has that name at Coder.
    pub(super) foreign: bool,
    pub(super) stage: Stage,
    /// Coder's id of the user.
    pub(super) user: Option<u8>,
    pub(super) announced: Option<Tick>,
    pub(super) due: Tick,
    /// When its create was repeated last.
    pub(super) repeated: Option<Tick>,
    pub(super) sending: Option<(Print, Tick)>,
    pub(super) doubtful: bool,
    pub(super) ended: Option<Tick>,
    pub(super) reaping: Option<Tick>,
    pub(super) locked: Option<Tick>,
}

impl Row {
    /// A registration that has just been reserved: for no phone, with the name 0, due at 0. What is not known of a row
    /// looks like this as well.
    pub(super) fn reserved(id: u8) -> Self {
        Self {
            id,
            phone: None,
            name: 0,
            foreign: false,
            stage: Stage::Reserved,
            user: None,
            announced: None,
            due: 0,
            repeated: None,
            sending: None,
            doubtful: false,
            ended: None,
            reaping: None,
            locked: None,
        }
    }

    /// The row as the pure rules read it.
    pub(super) fn registration(&self) -> Registration {
        static FRESH: OnceLock<Registration> = OnceLock::new();
        let fresh = FRESH.get_or_init(|| {
            let username = Username::parse("happy-tuna").expect("a name");
            let key = PhoneKey::derive("model");
            let marker = Marker::draw(&username, &key, &InstanceId::from_stored("0001"));
            Registration::fresh(username, marker, BEGIN)
        });
        let mut one = fresh.clone();
        one.id = self.id.into();
        one.stage = self.stage;
        one.announced_at = self.announced.map(seconds);
        one.due_at = Some(seconds(self.due));
        one.create_repeated_at = self.repeated.map(seconds);
        one.sending = self.sending.map(|(print, since)| Sending {
            fingerprint: fingerprint(print),
            since: seconds(since),
        });
        one.doubtful = u32::from(self.doubtful);
        one.ended_at = self.ended.map(seconds);
        one.removal.since = self.reaping.map(seconds);
        one.removal.locked_at = self.locked.map(seconds);
        one
    }
}

/// The fingerprint of a print.
fn fingerprint(print: Print) -> Fingerprint {
    let mut bytes = [0; 20];
    (bytes[0], bytes[1]) = (print.name, print.left);
    Fingerprint::from_bytes(&bytes).expect("twenty bytes")
}
