//! A Redis of its own for one test, with verbs for what befalls it.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};

use redis::{FromRedisValue, RedisResult, cmd};

use super::*;

pub(super) struct StreamHarness {
    folder: PathBuf,
    settings: Vec<String>,
    password: Option<&'static str>,
    server: Child,
}

impl StreamHarness {
    pub(super) fn open() -> Self {
        Self::with(None, &[])
    }

    pub(super) fn locked(password: &'static str) -> Self {
        Self::with(Some(password), &["--requirepass", password])
    }

    fn with(password: Option<&'static str>, settings: &[&str]) -> Self {
        static COUNTER: AtomicU32 = AtomicU32::new(0);
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        // Short: the path of a socket has about a hundred bytes.
        let name = format!("smsr-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir(&folder).unwrap();
        let settings: Vec<String> = settings.iter().map(|s| s.to_string()).collect();
        let server = serve(&folder, &settings);
        let house = Self {
            folder,
            settings,
            password,
            server,
        };
        house.wait_until_ready();
        house
    }

    fn wait_until_ready(&self) {
        until("Redis is ready", || {
            let mut connection = self.redis().connect().ok()?;
            cmd("PING").query::<String>(&mut connection).ok()
        });
    }

    pub(super) fn config(&self) -> RedisConfig {
        RedisConfig {
            host: self.folder.join("s").to_str().unwrap().to_owned(),
            port: 0,
            db: 0,
            password: self.password.map(Secret::new),
        }
    }

    pub(super) fn redis(&self) -> Redis {
        Redis::new(&self.config()).unwrap()
    }

    pub(super) fn is_killed(&mut self) {
        self.server.kill().unwrap();
        self.server.wait().unwrap();
    }

    /// Starts again on the same socket, with nothing remembered.
    pub(super) fn comes_back(&mut self) {
        self.server = serve(&self.folder, &self.settings);
        self.wait_until_ready();
    }

    pub(super) fn hangs(&self) {
        self.signal("-STOP");
        // The signal is on its way when `kill` returns; the kernel says when it has arrived.
        let stat = format!("/proc/{}/stat", self.server.id());
        until("Redis hangs", || {
            let stat = std::fs::read_to_string(&stat).ok()?;
            stat.rsplit_once(") ")?.1.starts_with('T').then_some(())
        });
    }

    pub(super) fn goes_on(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let pid = self.server.id().to_string();
        assert!(
            Command::new("kill")
                .args([signal, &pid])
                .status()
                .unwrap()
                .success()
        );
    }

    /// Runs one command, its arguments being bytes.
    pub(super) fn try_run<T: FromRedisValue>(&self, words: &[&[u8]]) -> RedisResult<T> {
        let mut connection = self.redis().connect().unwrap();
        let mut command = redis::Cmd::new();
        for word in words {
            command.arg(*word);
        }
        command.query(&mut connection)
    }

    /// Runs one command, its arguments being separated by blanks.
    pub(super) fn run<T: FromRedisValue>(&self, words: &str) -> T {
        let words: Vec<&[u8]> = words.split(' ').map(str::as_bytes).collect();
        self.try_run(&words).unwrap()
    }

    pub(super) fn length(&self, stream: &str) -> usize {
        self.run(&format!("XLEN {stream}"))
    }

    /// Returns once the connection with that id waits for an entry.
    pub(super) fn sees_waiting(&self, client_id: &AtomicI64) {
        until("the taker waits", || {
            let clients: String = self.run("CLIENT LIST");
            let line = format!("id={} ", client_id.load(Ordering::Relaxed));
            let ours = clients.lines().find(|client| client.starts_with(&line))?;
            let flags = ours.split(" flags=").nth(1)?.split(' ').next()?;
            flags.contains('b').then_some(())
        });
    }

    /// How many entries are pending in the group, for any consumer.
    pub(super) fn pending(&self) -> usize {
        let summary: Vec<redis::Value> = self.run(&format!("XPENDING {TEXTS} {GROUP}"));
        redis::from_redis_value(summary[0].clone()).unwrap()
    }

    /// Has all entries that nobody took yet taken by another consumer, and lets them lie for so long.
    pub(super) fn taken_by_another(&self, idle: Duration) {
        let reply: redis::streams::StreamReadReply = self.run(&format!(
            "XREADGROUP GROUP {GROUP} dead COUNT 1000 STREAMS {TEXTS} >"
        ));
        let ids = reply
            .keys
            .iter()
            .flat_map(|key| &key.ids)
            .map(|id| id.id.as_str());
        let ids = ids.collect::<Vec<_>>().join(" ");
        let age = idle.as_millis();
        let _: redis::Value = self.run(&format!(
            "XCLAIM {TEXTS} {GROUP} dead 0 {ids} IDLE {age} JUSTID"
        ));
    }
}

impl Drop for StreamHarness {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn serve(folder: &std::path::Path, settings: &[String]) -> Child {
    let server = std::env::var_os("REDIS_SERVER").unwrap_or_else(|| "redis-server".into());
    let mut command = Command::new(server);
    command.args(["--port", "0", "--save", "", "--appendonly", "no"]);
    command
        .arg("--unixsocket")
        .arg(folder.join("s"))
        .arg("--dir")
        .arg(folder)
        .args(settings);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.spawn().expect("the Redis server is installed")
}

/// Asks again and again until there is an answer; gives up after ten seconds.
pub(super) fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < deadline, "{what}: not within ten seconds");
        std::thread::yield_now();
    }
}
