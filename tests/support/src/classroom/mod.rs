//! A class in a box: the real binary, a real Redis, a database in a folder of its own, and fakes of
//! Coder and Twilio. It offers verbs, waits for events with a deadline, and stops everything on drop.
//!
//! When a class ends well it looks for every phone, password and token that it handed out in the
//! service's log and in its files; finding one fails the test. When a test fails it prints all that
//! was seen, so that nobody has to run it again.

pub mod clock;
mod commands;
pub mod folder;
pub mod http;
pub mod laptop;
mod losses;
mod plan;
pub mod preload;
pub mod redis;
mod secrets;
pub mod service;
mod steps;
pub mod student;
pub mod terminal;
pub mod wire;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::fakes::coder::FakeCoder;
use crate::fakes::twilio::FakeTwilio;
use folder::Folder;
use laptop::Laptop;
pub use plan::Plan;
use redis::Redis;
use service::{Limits, Service};
pub use steps::{CHANGED_PASSWORD, a_later_second};
use student::Student;

/// How long anything may take before a test gives up on it. A busy machine may be twenty times slower than an idle one.
pub const PATIENCE: Duration = Duration::from_secs(120);

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
    limits: Limits,
    receipts: bool,
    searched: bool,
    folder: Folder,
}

/// What Twilio believes our address to be, with the overrides that real ones carry.
pub const WEBHOOK_URL: &str = "https://sms.class.example.org/inbound#rc=3&rp=ct,rt,5xx";

/// What it signs of that.
pub const SIGNED_URL: &str = "https://sms.class.example.org/inbound";

/// The host of that, which only Twilio can reach.
pub const ORIGIN: &str = "https://sms.class.example.org";

/// Where Twilio tells what became of a login.
pub const STATUS_URL: &str = "https://sms.class.example.org/status";

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

    /// What Twilio signs of the address that it was given for us.
    pub fn signed_url(&self) -> String {
        let settings = self.settings.borrow();
        let url = &settings["TWILIO_WEBHOOK_URL"];
        url.split('#').next().unwrap_or(url).to_owned()
    }

    /// Changes a setting; counts from the next start on.
    pub fn set(&self, name: &str, value: &str) {
        self.settings
            .borrow_mut()
            .insert(name.to_owned(), value.to_owned());
    }

    /// Takes a setting out; counts from the next start on.
    pub fn unset(&self, name: &str) {
        self.settings.borrow_mut().remove(name);
    }

    /// A new student with a phone of their own.
    pub fn student(&self) -> Student<'_> {
        self.phones.set(self.phones.get() + 1);
        // Seven digits that are found again in a log, and only if they are logged.
        let number = 2_000_000 + (self.phones.get() * 76_801 + std::process::id() * 31) % 7_900_000;
        Student::new(self, format!("+1202{number}"))
    }

    /// A laptop that opens the join page.
    pub fn laptop(&self) -> Laptop<'_> {
        Laptop::open(self)
    }

    /// A laptop whose page is not open yet.
    pub fn closed_laptop(&self) -> Laptop<'_> {
        Laptop::closed(self)
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
        let service = Service::start(&self.binary, &self.settings.borrow(), self.limits);
        if self.receipts {
            self.twilio.reaches(ORIGIN, service.address());
        }
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
            self.limits,
        ));
        *self.service.borrow_mut() = Some(Arc::clone(&service));
        service
    }

    /// Starts a command in place of the service and waits for nothing.
    pub fn spawn_command(&self, arguments: &[&str]) -> Arc<Service> {
        self.end_service();
        let settings = self.settings.borrow();
        let command = Arc::new(Service::spawn_command(&self.binary, arguments, &settings));
        *self.service.borrow_mut() = Some(Arc::clone(&command));
        command
    }

    /// Runs a command until it ends by itself, past whatever is loaded into the service.
    pub fn by_hand(&self, arguments: &[&str]) -> service::Ended {
        let mut settings = self.settings();
        settings.remove("LD_PRELOAD");
        Service::run(&self.binary, arguments, &settings)
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

    /// From now on the service's own clock is this number of seconds ahead, or behind. Everybody else's is
    /// as it was. Only with [`Plan::with_clock_shim`].
    pub fn sets_the_clock(&self, ahead: i64) {
        clock::set(self.folder.path(), ahead);
    }

    /// From the next start on the service has a clock of its own, with the machine's uptime, for
    /// [`Classroom::sets_the_clock`]: setting it ahead is as if that time had passed.
    pub fn time_may_pass(&self) {
        clock::load_with_uptime(self.folder.path(), &mut self.settings.borrow_mut());
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
        self.eventually("all accounts removed", || self.nobody_is_left());
    }

    /// Whether Coder has no student and the database no registration any more.
    pub fn nobody_is_left(&self) -> bool {
        self.coder.students().is_empty() && self.registrations() == 0
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
        self.eventually("it is at rest", || {
            self.coder.workspaces_of(owner)[0].status == "stopped"
        });
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
        if self.searched {
            self.find_no_secrets();
        }
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
