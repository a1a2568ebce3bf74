//! The service's own rooms in this process, without threads, Redis or a clock: a store on a file, and
//! what is built on it. A proof tells them what time it is.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use coder_sms_register::coder::Coder;
use coder_sms_register::domain::{
    InstanceId, Marker, MessageSid, PasswordKey, Phone, PhoneHash, PhoneKey, Secret, UnixSeconds,
    Username,
};
use coder_sms_register::http::Http;
use coder_sms_register::reap::Reaper;
use coder_sms_register::reconcile::Reconciler;
use coder_sms_register::store::{Reservation, ReserveResult, Seats, Store, StoreError};
use coder_sms_register::token::CoderToken;

use crate::classroom::folder::Folder;
use crate::fakes::coder::FakeCoder;

/// Domain of the students' addresses.
pub const DOMAIN: &str = "class.example.org";

/// The name of the data folder, in the markers.
pub fn home() -> InstanceId {
    InstanceId::from_stored("0123456789ABCDEF")
}

/// Pause between two looks at an account that is in use.
pub const INTERVAL: UnixSeconds = 900;

/// A data folder, and connections that last from one proof to the next.
pub struct Inside {
    store: Option<Arc<Store>>,
    file: rusqlite::Connection,
    key: PhoneKey,
    http: Http,
    folder: Folder,
    phones: u32,
}

/// How long a call or a lock may take.
const LIMIT: Duration = Duration::from_secs(10);

/// A row of the table of registrations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredRow {
    pub id: i64,
    pub username: String,
    pub stage: String,
    pub coder_id: Option<String>,
    pub due_at: Option<UnixSeconds>,
    pub note: Option<String>,
}

impl Default for Inside {
    fn default() -> Self {
        Self::new()
    }
}

impl Inside {
    /// An empty data folder.
    pub fn new() -> Self {
        let folder = Folder::new();
        let key = PhoneKey::derive("a key of our own");
        let store = open(&folder, &key);
        let path = folder.path().join("registrations.db");
        let file = rusqlite::Connection::open(path).expect("the database opens");
        file.busy_timeout(LIMIT).expect("a time limit");
        Self {
            store: Some(store),
            file,
            key,
            http: Http::new(LIMIT),
            folder,
            phones: 0,
        }
    }

    /// Closes the store and opens it again, as a restart does. Nobody else may hold it.
    pub fn restart(&mut self) {
        self.store = None;
        self.store = Some(open(&self.folder, &self.key));
    }

    /// The store.
    pub fn store(&self) -> &Arc<Store> {
        self.store.as_ref().expect("it is open")
    }

    /// The key of hashes and markers.
    pub fn key(&self) -> &PhoneKey {
        &self.key
    }

    /// The key of passwords.
    pub fn passwords(&self) -> PasswordKey {
        let key = self.store().password_key(self.folder.path());
        key.expect("the key of passwords").0
    }

    /// What makes the calls.
    pub fn http(&self) -> &Http {
        &self.http
    }

    /// A client of that server with its present token.
    pub fn client(&self, coder: &FakeCoder) -> Arc<Coder> {
        let api = format!("{}/api/v2", coder.url());
        let token = Secret::new(coder.token());
        Arc::new(Coder::new(self.http.clone(), &api, token))
    }

    /// A reaper at that server.
    pub fn reaper(&self, client: &Arc<Coder>) -> Reaper {
        Reaper {
            store: Arc::clone(self.store()),
            coder: Arc::clone(client),
            token: Arc::new(CoderToken::of(Arc::clone(client), Arc::default())),
            email_domain: DOMAIN.to_owned(),
            check_interval: Duration::from_secs(INTERVAL.unsigned_abs()),
            stop_after: None,
            call_limit: LIMIT,
            parallel: 2,
            by_clock: Vec::new(),
        }
    }

    /// What looks for accounts there that the store does not know.
    pub fn reconciler(&self, client: &Arc<Coder>) -> Reconciler {
        Reconciler {
            store: Arc::clone(self.store()),
            coder: Arc::clone(client),
            keys: vec![self.key.clone()],
            instance_id: home(),
            email_domain: DOMAIN.to_owned(),
            remove_after: Some(Duration::from_secs(3_600)),
        }
    }

    /// A phone that was never used before.
    pub fn new_phone(&mut self) -> String {
        self.phones += 1;
        format!("+1202{}", 2_000_000 + self.phones)
    }

    /// A name and its marker, written down for a new phone. Gives the row's number.
    pub fn reserve(&mut self, now: UnixSeconds, due: UnixSeconds) -> (i64, Username, Marker) {
        let phone = self.new_phone();
        let hash = self.hash(&phone);
        loop {
            let username = Username::draw(0);
            let marker = Marker::draw(&username, &self.key, &home());
            let store = self.store();
            let reserved = store.reserve(
                Reservation {
                    phone: &hash,
                    text: &sid(u64::MAX),
                    received: now,
                    username: &username,
                    marker: &marker,
                    now,
                    due_at: due,
                },
                Seats {
                    class: None,
                    limit: u32::MAX,
                },
            );
            if reserved.expect("a reservation") == ReserveResult::Done {
                let row = store.find(&hash).expect("the store answers");
                return (row.expect("just reserved").id, username, marker);
            }
        }
    }

    /// The hash of a phone.
    pub fn hash(&self, phone: &str) -> PhoneHash {
        Phone::parse(phone).expect("a phone").hash(&self.key)
    }

    /// All rows, as the file holds them.
    pub fn rows(&self) -> BTreeMap<i64, StoredRow> {
        let read = |row: &rusqlite::Row<'_>| {
            Ok(StoredRow {
                id: row.get(0)?,
                username: row.get(1)?,
                stage: row.get(2)?,
                coder_id: row.get(3)?,
                due_at: row.get(4)?,
                note: row.get(5)?,
            })
        };
        let mut statement = self
            .file
            .prepare_cached(
                "SELECT id, username, stage, coder_id, due_at, reap_note FROM registrations",
            )
            .expect("a table");
        let rows = statement.query_map([], read).expect("rows");
        rows.map(|row| row.expect("a row"))
            .map(|row| (row.id, row))
            .collect()
    }

    /// The time of all accounts is up at `now`.
    pub fn time_is_up(&self, now: UnixSeconds) {
        let end = "UPDATE registrations SET due_at = ?1";
        self.file.execute(end, [now]).expect("a changed table");
    }

    /// From now on the database counts the accounts of each class at every change, for
    /// [`Inside::most_at_once`].
    pub fn watch_seats(&self) {
        let count = "INSERT INTO most_at_once
             VALUES (NEW.class, (SELECT count(*) FROM registrations WHERE class = NEW.class))
             ON CONFLICT (class) DO UPDATE SET accounts = max(accounts, excluded.accounts);";
        let watch = format!(
            "CREATE TABLE IF NOT EXISTS most_at_once (class TEXT PRIMARY KEY, accounts INTEGER);
             DELETE FROM most_at_once;
             CREATE TRIGGER IF NOT EXISTS seat_taken AFTER INSERT ON registrations BEGIN {count} END;
             CREATE TRIGGER IF NOT EXISTS seat_changed AFTER UPDATE OF class ON registrations
             BEGIN {count} END;"
        );
        self.file.execute_batch(&watch).expect("a watched table");
    }

    /// The most accounts that each class had at any moment since [`Inside::watch_seats`].
    pub fn most_at_once(&self) -> BTreeMap<String, usize> {
        self.counts("SELECT class, accounts FROM most_at_once")
    }

    /// The accounts of each class.
    pub fn accounts_of_classes(&self) -> BTreeMap<String, usize> {
        self.counts("SELECT class, count(*) FROM registrations WHERE class NOT NULL GROUP BY class")
    }

    fn counts(&self, query: &str) -> BTreeMap<String, usize> {
        let mut statement = self.file.prepare_cached(query).expect("a table");
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get::<_, u32>(1)? as usize)));
        let rows = rows.expect("rows");
        rows.collect::<Result<_, _>>().expect("counts")
    }

    /// Removes all rows behind the store's back, so that the next proof begins with none.
    pub fn clear(&self) {
        let clear = "DELETE FROM registrations; DELETE FROM seen; DELETE FROM contacts";
        self.file.execute_batch(clear).expect("an empty table");
    }
}

fn open(folder: &Folder, key: &PhoneKey) -> Arc<Store> {
    let began = Instant::now();
    loop {
        match Store::open(folder.path(), std::slice::from_ref(key)) {
            Ok((store, _)) => return Arc::new(store),
            // A child that another test has just forked holds the earlier lock until it executes.
            Err(StoreError::Taken { .. }) if began.elapsed() < LIMIT => {
                std::thread::park_timeout(Duration::from_millis(1));
            }
            Err(error) => panic!("the store opens: {error}"),
        }
    }
}

/// Twilio's name for text number `number`.
pub fn sid(number: u64) -> MessageSid {
    MessageSid::parse(&format!("SM{number:032x}")).expect("a name of Twilio's form")
}

/// Runs `work` for every seed from 0 up to `count`, side by side on a data folder for each thread.
pub fn for_each_seed<T: Send>(
    count: u64,
    progress: &(dyn Fn(u64) + Sync),
    work: impl Fn(&mut Inside, u64) -> T + Sync,
) -> Vec<T> {
    use std::sync::atomic::{AtomicU64, Ordering};
    let next = AtomicU64::new(0);
    let workers = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        let worker = || {
            let mut inside = Inside::new();
            let mut results = Vec::new();
            loop {
                let seed = next.fetch_add(1, Ordering::Relaxed);
                if seed >= count {
                    return results;
                }
                results.push(work(&mut inside, seed));
                progress(seed + 1);
            }
        };
        let threads: Vec<_> = (0..workers.clamp(2, 4))
            .map(|_| scope.spawn(worker))
            .collect();
        let results = threads.into_iter().map(|thread| thread.join());
        results
            .flat_map(|result| result.expect("no worker panics"))
            .collect()
    })
}
