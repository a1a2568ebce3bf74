//! The database on a real file.
//!
//! Here: the fixtures of all these tests. `life`: the stages of one registration. `opening`: folder, file,
//! version, key. `removals`: which accounts are due. `sends`: logins that are about to be sent. `contacts`: hints,
//! opt-outs, refusals, seen texts. `races`: threads that want the same. `adopting`: accounts found at Coder. `costs`:
//! how many statements a step takes. `passwords`: which one is meant, and the key's file. `plans`: what a look-up
//! costs, and what the file never holds. `spares`: accounts made before a student asks.

mod adopting;
mod contacts;
mod costs;
mod deliveries;
mod life;
mod opening;
mod passwords;
mod plans;
mod races;
mod removals;
mod restoring;
mod sends;
mod spares;
mod workspaces;

use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use rusqlite::Connection;
use rusqlite::types::Value;

use super::*;
use crate::domain::registration::{IllegalStep, Sending};
use crate::domain::{InstanceId, MessageSid, Phone, PhoneKey};
use std::path::PathBuf;
use std::time::{Duration, Instant};

fn put_off(until: UnixSeconds, tries: u32, note: &str) -> Postponement<'_> {
    Postponement {
        until,
        tries,
        note,
        refused_since: None,
    }
}

/// A folder of its own for each test, gone with it.
pub(super) struct TempDir(PathBuf);

impl TempDir {
    pub(super) fn new() -> Self {
        static COUNTER: AtomicU32 = AtomicU32::new(0);
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let name = format!("sms-register-store-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// A folder within that is not there yet.
    fn data(&self) -> PathBuf {
        self.0.join("data")
    }

    fn file(&self) -> PathBuf {
        self.data().join("registrations.db")
    }

    fn open(&self) -> Store {
        self.open_with(&[key("ours")]).unwrap().0
    }

    /// A process that another test is starting holds the lock of a database that was just closed, for
    /// the moment before it becomes another program.
    fn open_with(&self, keys: &[PhoneKey]) -> Result<(Store, PhoneKey), StoreError> {
        let deadline = Instant::now() + Duration::from_secs(2);
        loop {
            match Store::open(&self.data(), keys) {
                Err(StoreError::Taken { .. }) if Instant::now() < deadline => {
                    std::thread::sleep(Duration::from_millis(5));
                }
                opened => return opened,
            }
        }
    }

    /// Opens it, which must fail.
    fn refusal(&self, keys: &[PhoneKey]) -> StoreError {
        match self.open_with(keys) {
            Ok(_) => panic!("opened"),
            Err(error) => error,
        }
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn key(secret: &str) -> PhoneKey {
    PhoneKey::derive(secret)
}

fn phone(number: u32) -> PhoneHash {
    Phone::parse(&format!("+1415555{number:04}"))
        .unwrap()
        .hash(&key("ours"))
}

fn sid(number: u32) -> MessageSid {
    MessageSid::parse(&format!("SM{number:032x}")).unwrap()
}

fn name(raw: &str) -> Username {
    Username::parse(raw).unwrap()
}

fn marker(username: &Username) -> Marker {
    Marker::draw(username, &key("ours"), &InstanceId::from_stored("home"))
}

fn sending(since: UnixSeconds) -> Sending {
    Sending {
        fingerprint: key("ours").fingerprint("your login"),
        since,
    }
}

fn sent(at: UnixSeconds, due_at: Option<UnixSeconds>) -> SentLogin<'static> {
    SentLogin {
        text: None,
        at,
        due_at,
        window_start: at,
        sent_in_window: 1,
    }
}

/// A send that surely failed, of an account that is due at 100 without a login.
const NOT_SENT: ClearedSend = ClearedSend::NotSent { without_login: 100 };

/// More seats than any test needs.
const SEATS: Seats<'static> = Seats {
    class: None,
    limit: 1_000,
};

impl Store {
    /// Whether nothing is known of a text.
    fn is_new(&self, sid: &MessageSid) -> bool {
        self.seen(sid).unwrap() == TextHistory::Never
    }

    /// Number of texts sent in the hour before `now`.
    fn sent_last_hour(&self, now: UnixSeconds) -> Result<u32, StoreError> {
        let known = self.known(&sid(0), &phone(0), now)?;
        Ok(known.sent_last_hour)
    }

    /// Reserves a name made of the number, due at 100.
    fn reserved(&self, number: u32) -> Registration {
        let username = name(&format!("happy-tuna-{number}"));
        let marker = marker(&username);
        assert!(
            self.reserve_at(&phone(number), &username, &marker, (10, 100), SEATS)
                .unwrap()
                == ReserveResult::Done
        );
        self.row(number)
    }

    /// Reserves at a moment, due at another, for a text that came then.
    fn reserve_at(
        &self,
        phone: &PhoneHash,
        username: &Username,
        marker: &Marker,
        (now, due_at): (UnixSeconds, UnixSeconds),
        seats: Seats<'_>,
    ) -> Result<ReserveResult, StoreError> {
        let reservation = Reservation {
            phone,
            text: &sid(9_999),
            received: now,
            username,
            marker,
            now,
            due_at,
        };
        self.reserve(reservation, seats)
    }

    fn row(&self, number: u32) -> Registration {
        self.find(&phone(number)).unwrap().unwrap()
    }

    /// A registration brought to `stage`, due at 100 all the way.
    fn at_stage(&self, number: u32, stage: Stage) -> i64 {
        let id = self.reserved(number).id;
        if matches!(stage, Stage::Created | Stage::Announced) {
            self.created(id, "uuid", 100, Some(sending(20))).unwrap();
        }
        if stage == Stage::Announced {
            self.login_sent(id, &sid(number), sent(30, Some(100)))
                .unwrap();
        }
        if stage == Stage::Reaping {
            assert!(self.begin_removal(id, 100).unwrap());
        }
        assert_eq!(self.row(number).stage, stage);
        id
    }

    /// Every column of every registration.
    fn dump(&self) -> Vec<Vec<Value>> {
        let connection = self.lock();
        let mut statement = connection
            .prepare("SELECT * FROM registrations ORDER BY id")
            .unwrap();
        let columns = statement.column_count();
        let rows = statement.query_map([], |row| (0..columns).map(|n| row.get(n)).collect());
        rows.unwrap().map(Result::unwrap).collect()
    }
}
