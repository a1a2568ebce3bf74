//! A real Redis or Valkey server, on a Unix socket of its own.

use std::cell::RefCell;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use redis::streams::StreamInfoStreamReply;
use redis::{Connection, TypedCommands};
use rustix::process::{Pid, Signal, kill_process};

use super::{PATIENCE, within};

/// The server to start: what `REDIS_SERVER` names, else redis-server or valkey-server, whichever is installed.
pub fn server_program() -> OsString {
    let named = std::env::var_os("REDIS_SERVER").filter(|name| !name.is_empty());
    named.unwrap_or_else(|| {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let installed = |name: &&str| {
            let mut folders = std::env::split_paths(&path);
            folders.any(|folder| folder.join(name).is_file())
        };
        let mut names = ["redis-server", "valkey-server"].into_iter();
        names.find(installed).unwrap_or("redis-server").into()
    })
}

/// Which server it is and its version, such as `Redis server v=7.0.15`.
///
/// # Errors
/// There is none; what to do.
pub fn server_version() -> Result<String, String> {
    let program = server_program();
    let output = Command::new(&program).arg("--version").output();
    let output = output.map_err(|_| {
        format!(
            "{} is missing: `make redis-server` installs it",
            program.display()
        )
    })?;
    let text = String::from_utf8_lossy(&output.stdout);
    Ok(text.split(" sha=").next().unwrap_or_default().to_owned())
}

/// Databases of a server.
const DATABASES: u32 = 512;

/// When a server writes its log of changes to its disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fsync {
    /// When the system likes to.
    Never,
    /// Once a second.
    EverySecond,
    /// Before it confirms anything.
    Always,
}

impl Fsync {
    /// The word of Redis' own setting.
    pub fn word(self) -> &'static str {
        match self {
            Self::Never => "no",
            Self::EverySecond => "everysec",
            Self::Always => "always",
        }
    }
}

/// A running server, or one of the databases of another's; a server is killed on drop.
pub struct Redis {
    folder: PathBuf,
    socket: String,
    password: String,
    fsync: Fsync,
    database: u32,
    environment: RefCell<Vec<(&'static str, String)>>,
    child: RefCell<Option<Child>>,
}

impl Redis {
    /// Starts a server that keeps its files in `folder`.
    pub fn start(folder: &Path, fsync: Fsync) -> Self {
        let redis = Self {
            folder: folder.to_owned(),
            socket: folder.join("redis.sock").display().to_string(),
            password: format!("pw-{}-%:/@#", std::process::id()),
            fsync,
            database: 0,
            environment: RefCell::default(),
            child: RefCell::new(None),
        };
        redis.start_again();
        redis
    }

    /// Another database of this server, for a class that needs no server of its own.
    pub fn share(&self, database: u32) -> Self {
        assert!(database < DATABASES, "the server has {DATABASES} databases");
        Self {
            folder: self.folder.clone(),
            socket: self.socket.clone(),
            password: self.password.clone(),
            fsync: self.fsync,
            database,
            environment: RefCell::default(),
            child: RefCell::new(None),
        }
    }

    /// Starts the server on the files that it left.
    pub fn start_again(&self) {
        let _ = std::fs::remove_file(&self.socket);
        let child = Command::new(server_program())
            .args(["--port", "0", "--save", "", "--appendonly", "yes"])
            .args(["--databases", &DATABASES.to_string()])
            .args(["--appendfsync", self.fsync.word()])
            .args(["--unixsocket", &self.socket])
            .args([
                "--requirepass",
                &self.password,
                "--maxmemory-policy",
                "noeviction",
            ])
            .arg("--dir")
            .arg(&self.folder)
            .envs(self.environment.borrow().iter().cloned())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("redis-server can be started; `make redis-server` installs it");
        *self.child.borrow_mut() = Some(child);
        assert!(
            within(PATIENCE, || self.answers()),
            "redis-server does not answer"
        );
    }

    /// From the next start on it has these variables in its environment.
    pub fn runs_with(&self, variables: impl IntoIterator<Item = (&'static str, String)>) {
        self.environment.borrow_mut().extend(variables);
    }

    /// Whether it has ended by itself.
    pub fn has_ended(&self) -> bool {
        let mut child = self.child.borrow_mut();
        let child = child.as_mut().expect("the server was started");
        child.try_wait().expect("our own child").is_some()
    }

    /// The path of its socket.
    pub fn socket(&self) -> &str {
        &self.socket
    }

    /// The number of its database.
    pub fn database(&self) -> u32 {
        self.database
    }

    /// Its password.
    pub fn password(&self) -> &str {
        &self.password
    }

    /// Kills it with SIGKILL.
    pub fn kill(&self) {
        if let Some(mut child) = self.child.borrow_mut().take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Loses its files, once it is killed: it starts again empty.
    pub fn forget(&self) {
        assert!(self.child.borrow().is_none(), "it still runs");
        let _ = std::fs::remove_dir_all(self.folder.join("appendonlydir"));
    }

    /// Limits its memory to this number of bytes; 0 = no limit.
    pub fn limits_memory_to(&self, bytes: u64) {
        let mut connection = self.connection().expect("the server answers");
        redis::cmd("CONFIG")
            .arg(&["SET", "maxmemory"])
            .arg(bytes)
            .exec(&mut connection)
            .expect("a memory limit");
    }

    /// Its process.
    pub fn pid(&self) -> Pid {
        let child = self.child.borrow();
        Pid::from_child(child.as_ref().expect("the server runs"))
    }

    /// Lets it hang, as a machine in trouble does.
    pub fn pause(&self) {
        self.signal(Signal::STOP);
    }

    /// Ends [`Redis::pause`].
    pub fn resume(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        let child = self.child.borrow();
        let child = child.as_ref().expect("the server runs");
        kill_process(Pid::from_child(child), signal).expect("a signal to our own child");
    }

    /// A connection to it.
    pub fn connection(&self) -> Option<Connection> {
        let client = redis::Client::open(format!("unix://{}", self.socket)).ok()?;
        let mut connection = client.get_connection().ok()?;
        redis::cmd("AUTH")
            .arg(&self.password)
            .exec(&mut connection)
            .ok()?;
        if self.database != 0 {
            let select = redis::cmd("SELECT").arg(self.database).take();
            select.exec(&mut connection).ok()?;
        }
        Some(connection)
    }

    /// Entries in a stream.
    pub fn length(&self, stream: &str) -> usize {
        let length = |mut connection| redis::cmd("XLEN").arg(stream).query(&mut connection).ok();
        self.connection().and_then(length).unwrap_or(usize::MAX)
    }

    /// The id of the last entry that was ever appended to a stream; it stays when the entry is deleted.
    pub fn last_entry(&self, stream: &str) -> String {
        let info = |mut connection: Connection| connection.xinfo_stream(stream).ok();
        let info: Option<StreamInfoStreamReply> = self.connection().and_then(info);
        info.map_or_else(|| "0-0".to_owned(), |info| info.last_generated_id)
    }

    /// All entries of a stream as Redis shows them.
    pub fn entries(&self, stream: &str) -> String {
        let range = |mut connection| {
            let all: redis::Value = redis::cmd("XRANGE")
                .arg(&[stream, "-", "+"])
                .query(&mut connection)
                .ok()?;
            Some(format!("{all:?}"))
        };
        self.connection().and_then(range).unwrap_or_default()
    }

    fn answers(&self) -> bool {
        let ping = |mut connection| redis::cmd("PING").exec(&mut connection).ok();
        self.connection().and_then(ping).is_some()
    }

    /// The streams' lengths, for a person who looks at a failed test.
    pub fn describe(&self) -> String {
        let length = |stream| format!("{stream}: {}", self.length(stream));
        ["coder-sms-register:texts", "coder-sms-register:dead"]
            .map(length)
            .join("\n")
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.kill();
    }
}
