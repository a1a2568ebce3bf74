//! A class in a box: the real binary, a real Redis, a database in a folder of its own, and fakes of
//! Coder and Twilio. It offers verbs, waits for events with a deadline, and stops everything on drop.
//!
//! When a class ends well it looks for every phone, password and token that it handed out in the
//! service's log and in its files; finding one fails the test. When a test fails it prints all that
//! was seen, so that nobody has to run it again.

// The tests and the demo each use a part of it.
#![allow(dead_code)]

pub mod clock;
pub mod folder;
pub mod http;
pub mod redis;
pub mod service;
pub mod student;
pub mod wire;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::fakes::coder::{FakeCoder, Version};
use crate::fakes::twilio::FakeTwilio;
use folder::Folder;
use redis::Redis;
use service::Service;
use student::Student;

/// How long anything may take before a test gives up on it.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// The phrase of every class.
pub const PHRASE: &str = "I am ready to learn";

/// A class.
pub struct Classroom {
    // Dropped in this order: first who talks, then who is talked to, then the files.
    service: RefCell<Option<Arc<Service>>>,
    coder: Arc<FakeCoder>,
    twilio: Arc<FakeTwilio>,
    redis: Redis,
    settings: RefCell<BTreeMap<String, String>>,
    logs: RefCell<Vec<String>>,
    phones: Cell<u32>,
    texts_own_words: RefCell<Vec<String>>,
    binary: PathBuf,
    open_files: Option<u32>,
    folder: Folder,
}

/// What a class is to be like before it opens.
pub struct Plan {
    settings: BTreeMap<String, String>,
    version: Version,
    binary: PathBuf,
    fsync: bool,
    shared: Option<Redis>,
    open_files: Option<u32>,
    clock: bool,
}

impl Plan {
    /// A class with the binary at `binary`.
    pub fn new(binary: impl Into<PathBuf>) -> Self {
        Self {
            settings: BTreeMap::new(),
            version: Version::Newest,
            binary: binary.into(),
            fsync: false,
            shared: None,
            open_files: None,
            clock: false,
        }
    }

    /// With this setting.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.settings.insert(name.to_owned(), value.to_owned());
        self
    }

    /// With a Coder server of this age.
    pub fn coder_of(mut self, version: Version) -> Self {
        self.version = version;
        self
    }

    /// With a Redis that writes every text to its disk before it confirms.
    pub fn with_safe_redis(mut self) -> Self {
        self.fsync = true;
        self
    }

    /// With a database of a Redis that others use as well, and with files in memory: one of many
    /// classes at once.
    pub fn beside_others(mut self, redis: Redis) -> Self {
        self.shared = Some(redis);
        self
    }

    /// With a service that may open no more files and sockets than this at once.
    pub fn with_open_files(mut self, limit: u32) -> Self {
        self.open_files = Some(limit);
        self
    }

    /// With a clock of the service's own, for [`Classroom::sets_the_clock`].
    pub fn with_clock_shim(mut self) -> Self {
        self.clock = true;
        self
    }

    /// Opens the class; the service is ready when this returns.
    pub fn open(self) -> Classroom {
        let class = self.prepare();
        class.start_service();
        class
    }

    /// Prepares everything but the service itself.
    pub fn prepare(self) -> Classroom {
        let (folder, redis) = match self.shared {
            Some(redis) => (Folder::in_memory(), redis),
            None => {
                let folder = Folder::new();
                let redis = Redis::start(folder.path(), self.fsync);
                (folder, redis)
            }
        };
        let coder = Arc::new(FakeCoder::start_version(self.version));
        // A class in the tests asks more often than a real one may.
        coder.rate_limits(false);
        let twilio = Arc::new(FakeTwilio::start_default());
        let mut settings = default_settings(&coder, &twilio, &redis, folder.path());
        settings.extend(self.settings);
        if self.clock {
            clock::load(folder.path(), &mut settings);
        }
        Classroom {
            service: RefCell::new(None),
            coder,
            twilio,
            redis,
            settings: RefCell::new(settings),
            logs: RefCell::default(),
            phones: Cell::new(0),
            texts_own_words: RefCell::default(),
            binary: self.binary,
            open_files: self.open_files,
            folder,
        }
    }
}

fn default_settings(
    coder: &FakeCoder,
    twilio: &FakeTwilio,
    redis: &Redis,
    folder: &Path,
) -> BTreeMap<String, String> {
    let account = twilio.account();
    let data = folder.join("data").display().to_string();
    let coder_url = format!("{}/api/v2/", coder.url());
    let token = coder.token();
    let database = redis.database().to_string();
    [
        ("TWILIO_ACCOUNT_SID", account.account_sid.as_str()),
        ("TWILIO_ACCOUNT_TOKEN", &account.account_token),
        ("TWILIO_AUTH_SID", &account.auth_sid),
        ("TWILIO_AUTH_TOKEN", &account.auth_token),
        ("FROM_NUM", &account.from_numbers[0]),
        ("TWILIO_WEBHOOK_URL", WEBHOOK_URL),
        ("TWILIO_API_URL", &twilio.url()),
        ("CODER_REG_LOG_LEVEL", "debug"),
        ("CODER_REG_ENV", "dev"),
        ("CODER_EMAIL_DOM", "class.example.org"),
        ("CODER_API_URL", &coder_url),
        ("CODER_API_KEY", &token),
        ("CODER_REG_PASS", "iamreadytolearn"),
        ("CODER_CHECK_INTERVAL", "1s"),
        ("REDIS_HOST", redis.socket()),
        ("REDIS_PW", redis.password()),
        // Tests of it switch it on; elsewhere its calls would take the troubles of others.
        ("CODER_REG_CATCH_UP", "0"),
        ("REDIS_DB", &database),
        ("CODER_REG_LISTEN", "127.0.0.1:0"),
        ("CODER_REG_DATA_DIR", &data),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .collect()
}

/// What Twilio believes our address to be, with the overrides that real ones carry.
pub const WEBHOOK_URL: &str = "https://sms.class.example.org/inbound#rc=3&rp=ct,rt,5xx";

/// What it signs of that.
pub const SIGNED_URL: &str = "https://sms.class.example.org/inbound";

impl Classroom {
    /// The fake Coder.
    pub fn coder(&self) -> &Arc<FakeCoder> {
        &self.coder
    }

    /// The fake Twilio.
    pub fn twilio(&self) -> &Arc<FakeTwilio> {
        &self.twilio
    }

    /// The real Redis.
    pub fn redis(&self) -> &Redis {
        &self.redis
    }

    /// The service, while it runs.
    pub fn service(&self) -> Arc<Service> {
        self.service
            .borrow()
            .clone()
            .expect("the service was started")
    }

    /// The folder that the service keeps its database in.
    pub fn data_dir(&self) -> PathBuf {
        PathBuf::from(&self.settings.borrow()["CODER_REG_DATA_DIR"])
    }

    /// The folder of everything.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// All settings as they are now.
    pub fn settings(&self) -> BTreeMap<String, String> {
        self.settings.borrow().clone()
    }

    /// Changes a setting; counts from the next start on.
    pub fn set(&self, name: &str, value: &str) {
        self.settings
            .borrow_mut()
            .insert(name.to_owned(), value.to_owned());
    }

    /// A new student with a phone of their own.
    pub fn student(&self) -> Student<'_> {
        self.phones.set(self.phones.get() + 1);
        // Seven digits that are found again in a log, and only if they are logged.
        let number = 2_000_000 + (self.phones.get() * 76_801 + std::process::id() * 31) % 7_900_000;
        Student::new(self, format!("+1202{number}"))
    }

    /// `count` new students.
    pub fn students(&self, count: usize) -> Vec<Student<'_>> {
        (0..count).map(|_| self.student()).collect()
    }

    /// A student with that number.
    pub fn student_with(&self, phone: &str) -> Student<'_> {
        Student::new(self, phone.to_owned())
    }

    /// Starts the service (again) and waits until it is ready.
    pub fn start_service(&self) {
        self.end_service();
        let service = Service::start(&self.binary, &self.settings.borrow(), self.open_files);
        // The look at the token is over, so that no trouble meant for later hits it.
        assert!(service.logs("] Coder: "), "the service looks at its token");
        *self.service.borrow_mut() = Some(Arc::new(service));
    }

    /// Starts the service (again) and waits for nothing, not even for its banner.
    pub fn spawn_service(&self) -> Arc<Service> {
        self.end_service();
        let service = Arc::new(Service::spawn(
            &self.binary,
            &self.settings.borrow(),
            self.open_files,
        ));
        *self.service.borrow_mut() = Some(Arc::clone(&service));
        service
    }

    /// Starts the service without waiting, for starts that are to fail.
    pub fn try_service(&self, arguments: &[&str]) -> service::Ended {
        Service::run(&self.binary, arguments, &self.settings.borrow())
    }

    /// Kills the service with SIGKILL, if it still runs, and starts it again.
    pub fn restart_service(&self) {
        self.end_service();
        self.start_service();
    }

    /// Kills the service with SIGKILL, if it still runs.
    pub fn end_service(&self) {
        if let Some(service) = self.service.borrow_mut().take() {
            service.kill();
            self.logs.borrow_mut().push(service.log());
        }
    }

    /// All that the service has logged since the class opened.
    pub fn log(&self) -> String {
        let mut log = self.logs.borrow().join("--- restart ---\n");
        if let Some(service) = self.service.borrow().as_ref() {
            log.push_str(&service.log());
        }
        log
    }

    /// The service's own clock is so many seconds ahead from now on, or behind. Everybody else's is
    /// as it was. Only with [`Plan::with_clock_shim`].
    pub fn sets_the_clock(&self, ahead: i64) {
        clock::set(self.folder.path(), ahead);
    }

    /// Waits until `condition` holds.
    pub fn eventually(&self, what: &str, condition: impl Fn() -> bool) {
        self.eventually_within(PATIENCE, what, condition);
    }

    /// Waits until `condition` holds, for so long.
    pub fn eventually_within(&self, limit: Duration, what: &str, condition: impl Fn() -> bool) {
        assert!(within(limit, condition), "in vain waited for: {what}");
    }

    /// Waits until no text is left in the stream.
    pub fn all_served(&self) {
        self.eventually("an empty stream", || {
            self.redis.length("coder-sms-register:texts") == 0
        });
    }

    /// Waits until Coder has no student and the database no registration any more.
    pub fn all_gone(&self) {
        self.eventually("all accounts removed", || {
            self.coder.students().is_empty() && self.registrations() == 0
        });
    }

    /// Whether every workspace that there ever was is deleted.
    pub fn workspaces_are_deleted(&self) -> bool {
        let workspaces = self.coder.all_workspaces();
        workspaces.iter().all(|workspace| workspace.deleted)
    }

    /// Registrations in the database.
    pub fn registrations(&self) -> usize {
        self.query("SELECT count(*) FROM registrations")
            .parse()
            .unwrap_or(usize::MAX)
    }

    /// Changes the database behind the service's back.
    pub fn change(&self, sql: &str) {
        let path = self.data_dir().join("registrations.db");
        let connection = rusqlite::Connection::open(path).expect("the database opens");
        connection.busy_timeout(PATIENCE).expect("a time limit");
        connection.execute_batch(sql).expect("the change is made");
    }

    /// The first value that a query gives, as text.
    pub fn query(&self, sql: &str) -> String {
        use rusqlite::types::Value;
        let path = self.data_dir().join("registrations.db");
        let connection = rusqlite::Connection::open(path).expect("the database opens");
        connection.busy_timeout(PATIENCE).expect("a time limit");
        let value = connection.query_row(sql, [], |row| row.get::<_, Value>(0));
        match value {
            Ok(Value::Integer(number)) => number.to_string(),
            Ok(Value::Text(text)) => text,
            Ok(Value::Null) => "null".to_owned(),
            other => format!("{other:?}"),
        }
    }

    /// Gives the owner of a login a workspace that is at rest.
    pub fn has_a_stopped_workspace(&self, login: &student::Login) {
        let owner = login.username();
        self.coder
            .running_workspace(owner, "dev")
            .expect("a workspace");
        assert!(self.coder.stop_workspace(owner, "dev"));
    }

    /// Remembers words that must not be found in any log.
    pub(crate) fn keeps_secret(&self, words: &str) {
        self.texts_own_words.borrow_mut().push(words.to_owned());
    }

    /// Every phone, password, token and unusual text that was handed out.
    fn secrets(&self) -> Vec<String> {
        let account = self.twilio.account();
        let mut secrets = vec![
            account.account_token.clone(),
            account.auth_token.clone(),
            self.coder.token(),
            self.redis.password().to_owned(),
        ];
        secrets.extend(self.texts_own_words.borrow().iter().cloned());
        for text in self.twilio.texts() {
            secrets.push(text.to.trim_start_matches("+1").to_owned());
            secrets.extend(student::Login::read(&text.body).map(|login| login.password));
        }
        secrets
    }

    /// Where secrets that were handed out can be found again: in the log, in a file of the service.
    pub fn leaks(&self) -> Vec<String> {
        let mut places = vec![("the log".to_owned(), self.log())];
        let files = std::fs::read_dir(self.data_dir());
        for file in files.into_iter().flatten().flatten() {
            let bytes = std::fs::read(file.path()).unwrap_or_default();
            let text = String::from_utf8_lossy(&bytes).into_owned();
            places.push((file.path().display().to_string(), text));
        }
        let mut leaks = Vec::new();
        for secret in BTreeSet::from_iter(self.secrets()) {
            let length = secret.len();
            let found = places.iter().filter(|(_, text)| text.contains(&secret));
            leaks.extend(
                found.map(|(place, _)| format!("a secret of {length} characters is in {place}")),
            );
        }
        leaks
    }

    /// Fails if a secret is in the log or in a file of the service.
    fn find_no_secrets(&self) {
        let leaks = self.leaks();
        assert!(leaks.is_empty(), "{}", leaks.join("\n"));
    }

    /// All that was seen, for a person who looks at what failed.
    pub fn describe(&self) -> String {
        format!(
            "=== service ===\n{}\n=== stream ===\n{}\n=== Coder ===\n{}\n=== Twilio ===\n{}",
            self.log(),
            self.redis.describe(),
            self.coder.describe(),
            self.twilio.describe()
        )
    }
}

impl Drop for Classroom {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.describe());
            return;
        }
        let unexpected = [self.coder.unexpected(), self.twilio.unexpected()].concat();
        let touched = self.coder.touched_foreign();
        self.end_service();
        if !unexpected.is_empty() || !touched.is_empty() {
            eprintln!("{}", self.describe());
        }
        assert!(
            unexpected.is_empty(),
            "calls that nobody expected: {unexpected:?}"
        );
        assert!(
            touched.is_empty(),
            "somebody else's account was touched: {touched:?}"
        );
        self.find_no_secrets();
    }
}

/// Whether `condition` holds before `limit` is over; looked at every 5 ms.
pub fn within(limit: Duration, condition: impl Fn() -> bool) -> bool {
    let deadline = Instant::now() + limit;
    loop {
        if condition() {
            return true;
        }
        if Instant::now() >= deadline {
            return false;
        }
        std::thread::park_timeout(Duration::from_millis(5));
    }
}
