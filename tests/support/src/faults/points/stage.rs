//! A class with all its borders guarded by one tape.

use std::cell::{Cell, RefCell, RefMut};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::site::PointSite;
use super::world::PointWorld;
use crate::classroom::redis::Redis;
use crate::classroom::student::Login;
use crate::classroom::{Classroom, Plan};
use crate::faults::disk::{Ask, Disk, DiskAnswer};
use crate::faults::proxy::Proxy;
use crate::faults::tape::{EffectEnd, Tape};

/// The class and what stands around it.
pub struct PointStage {
    /// The tape of this run.
    pub tape: Arc<Tape>,
    queue: RefCell<redis::Connection>,
    // The borders end before the folder with their sockets goes.
    _disk: Disk,
    proxy: Proxy,
    /// Where it stands.
    pub site: PointSite,
    /// The exit code of a command that was cut, or might have been; `None` if it was killed.
    pub command_code: Cell<Option<i32>>,
    /// The last login that a laptop's page was given.
    pub shown: RefCell<Option<Login>>,
    /// How far the act has come, in steps of its own.
    pub step: Cell<usize>,
    worlds: RefCell<Vec<(usize, PointWorld)>>,
    /// The class.
    pub class: Classroom,
}

impl Drop for PointStage {
    fn drop(&mut self) {
        self.stop_service();
    }
}

/// How long one run may take, restarts and waits included. Less than the minute after which entries
/// that nobody works on are claimed, a net that must not be needed here.
pub const PATIENCE: Duration = Duration::from_secs(50);

impl PointStage {
    /// Prepares everything but the service itself. The database of `redis` is emptied.
    pub fn open(binary: &Path, redis: Redis, site: PointSite) -> Self {
        let mut queue = redis.connection().expect("redis-server answers");
        let emptied = redis::cmd("FLUSHDB").exec(&mut queue);
        emptied.expect("an empty database");
        let server = redis.socket().to_owned();
        let class = Plan::new(binary)
            .with("CODER_REG_RESEND_INTERVAL", "0")
            .with("CODER_REG_PARALLEL", "2")
            .coder_of(site.version())
            .beside_others(redis)
            .prepare();
        class.coder().token_roles(site.roles());
        let tape = Arc::new(Tape::new());
        guard_calls(&class, &tape);
        let folder = class.folder();
        let proxy = Proxy::start(folder.join("door.sock"), &server, &tape);
        let redis_door = proxy.path().display().to_string();
        let watch = StageWatch::new(&class, &tape, &redis_door);
        let judge = Box::new(move |ask: &Ask, deed: &mut dyn FnMut()| watch.judge(ask, deed));
        let disk = Disk::start(folder.join("disk.sock"), judge);
        class.set("REDIS_HOST", &redis_door);
        for (name, value) in disk.settings() {
            class.set(name, &value);
        }
        Self {
            class,
            tape,
            proxy,
            site,
            command_code: Cell::new(None),
            shown: RefCell::default(),
            step: Cell::new(0),
            worlds: RefCell::default(),
            queue: RefCell::new(queue),
            _disk: disk,
        }
    }

    /// Starts the service, or starts it again after its death.
    pub fn start_service(&self) {
        self.keeps_world();
        self.stop_service();
        self.tape.begins(|| self.class.spawn_service());
    }

    /// Notes the world that the last cut left, if it was a kill.
    fn keeps_world(&self) {
        let cuts = self.tape.cuts_made();
        let mut worlds = self.worlds.borrow_mut();
        let is_noted = worlds.last().is_some_and(|(known, _)| *known == cuts);
        if cuts > 0 && self.tape.is_dead() && !is_noted {
            worlds.push((cuts, PointWorld::of(self)));
        }
    }

    /// The worlds that kills have left, each with the number of the cut that was the kill.
    pub fn worlds(&self) -> Vec<(usize, PointWorld)> {
        self.worlds.borrow().clone()
    }

    /// The connection by which tests look into the service's database of Redis.
    pub fn queue(&self) -> RefMut<'_, redis::Connection> {
        self.queue.borrow_mut()
    }

    /// Runs a command on the tape in place of the service, until it has ended or was killed. Returns whether that came
    /// in time.
    pub fn runs_command(&self, arguments: &[&str]) -> bool {
        self.stop_service();
        self.tape.begins(|| self.class.spawn_command(arguments));
        let ended = self.class.service().wait(PATIENCE);
        self.command_code
            .set(ended.and_then(|status| status.code()));
        ended.is_some()
    }

    /// Kills the service, if it still lives.
    pub fn stop_service(&self) {
        self.tape.ends();
        self.class.end_service();
        self.proxy.cut_all();
    }

    /// Plays until `done`: starts the service whenever it is dead, and has `act` do its part while it
    /// lives. Returns whether that came in time.
    pub fn plays_until(&self, act: impl Fn(&Self), done: impl Fn(&Self) -> bool) -> bool {
        self.plays_for(PATIENCE, act, done)
    }

    /// The same, for this long at most.
    pub fn plays_for(
        &self,
        patience: Duration,
        act: impl Fn(&Self),
        done: impl Fn(&Self) -> bool,
    ) -> bool {
        let deadline = Instant::now() + patience;
        while Instant::now() < deadline {
            let version = self.tape.version();
            if self.class.service().wait(Duration::ZERO).is_some() {
                self.start_service();
            }
            act(self);
            if done(self) {
                return true;
            }
            self.tape.wait_beyond(version, Duration::from_millis(100));
        }
        false
    }

    /// Whether the provisioner has nothing to do but to wait for the next text.
    pub fn is_idle(&self) -> bool {
        self.tape.is_waiting_at("provisioner redis XREADGROUP wait")
            && self.class.service().wait(Duration::ZERO).is_none()
    }

    /// Whether no text is in the stream, and none in hand.
    pub fn is_served(&self) -> bool {
        let mut queue = self.queue.borrow_mut();
        let left = redis::cmd("XLEN")
            .arg("coder-sms-register:texts")
            .query(&mut queue);
        if left != Ok(0) {
            return false;
        }
        let pending: redis::RedisResult<redis::Value> = redis::cmd("XPENDING")
            .arg(&["coder-sms-register:texts", "provisioners"])
            .query(&mut queue);
        matches!(pending, Ok(redis::Value::Array(values)) if values.first() == Some(&redis::Value::Int(0)))
    }

    /// Texts that were given up.
    pub fn dead_letters(&self) -> usize {
        let mut queue = self.queue.borrow_mut();
        let length = redis::cmd("XLEN")
            .arg("coder-sms-register:dead")
            .query(&mut queue);
        length.unwrap_or(usize::MAX)
    }
}

/// Has every call to Coder and Twilio pass the tape.
fn guard_calls(class: &Classroom, tape: &Arc<Tape>) {
    let passes = |tape: &Tape, label: &str, deed: &mut dyn FnMut()| {
        tape.pass(tape.life(), label, deed) == EffectEnd::Answered
    };
    let own = Arc::clone(tape);
    class.coder().gate(Box::new(move |call, deed| {
        passes(&own, &format!("coder {}", call.op), deed)
    }));
    let own = Arc::clone(tape);
    class.twilio().gate(Box::new(move |call, deed| {
        passes(&own, &format!("twilio {}", call.op), deed)
    }));
}

/// What the service does beyond its calls: to the disk it is an effect, to any door that is not
/// guarded a stray.
struct StageWatch {
    tape: Arc<Tape>,
    home: PathBuf,
    /// The addresses of Redis, Coder and Twilio, which have borders of their own.
    guarded: [String; 3],
}

impl StageWatch {
    fn new(class: &Classroom, tape: &Arc<Tape>, redis: &str) -> Self {
        let address = |url: String| url.trim_start_matches("http://").to_owned();
        let (coder, twilio) = (class.coder().url(), class.twilio().url());
        Self {
            tape: Arc::clone(tape),
            home: class.data_dir(),
            guarded: [redis.to_owned(), address(coder), address(twilio)],
        }
    }

    fn judge(&self, ask: &Ask, deed: &mut dyn FnMut()) -> DiskAnswer {
        let Ask {
            thread, verb, path, ..
        } = ask;
        let at_home = real(ask.process, path).starts_with(&self.home);
        if verb == "connect" || verb == "open" {
            if !at_home && path != "/dev/null" && !self.guarded.contains(path) {
                self.tape.stray(format!("{thread} {verb} {path}"));
            }
            deed();
            return DiskAnswer::Truth;
        }
        if !at_home {
            self.tape.stray(format!("{thread} {verb} {path}"));
        }
        let label = format!("{thread} disk {verb} {}", ask.file());
        match self.tape.pass(self.tape.life_of(ask.process), &label, deed) {
            EffectEnd::Answered => DiskAnswer::Truth,
            EffectEnd::Broken => DiskAnswer::Broken,
            EffectEnd::Dead => DiskAnswer::Silence,
        }
    }
}

/// Where a path leads that begins at a folder which `process` has open.
fn real(process: i32, path: &str) -> PathBuf {
    let by_number = path
        .strip_prefix("/proc/self/fd/")
        .and_then(|rest| rest.split_once('/'));
    let found = by_number.and_then(|(number, rest)| {
        let folder = std::fs::read_link(format!("/proc/{process}/fd/{number}"));
        Some(folder.ok()?.join(rest))
    });
    found.unwrap_or_else(|| PathBuf::from(path))
}
