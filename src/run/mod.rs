//! The running service: opens the doors, starts the threads, waits, and stops in reverse order.
//!
//! Roles and threads: `gate` and `webhook` take texts in, `provisioner` with its workers serves
//! them, `reaper` removes accounts, `receipts` writes down what became of logins. A thread that ends before it was told to takes the process down.

mod banner;
mod health;
mod lanes;
mod missed;
mod receipts;
mod removals;
mod texts;
mod threads;

use std::fmt;
use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, SyncSender};
use std::time::{Duration, Instant};

use log::{debug, info, warn};

use crate::catch_up::CatchUp;
use crate::clock::{seconds, unix_now};
use crate::coder::Coder;
use crate::config::Config;
use crate::domain::{PhoneKey, Receipt};
use crate::gate::{self, Gate};
use crate::http::Http;
use crate::provision::Provisioner;
use crate::reap::Reaper;
use crate::redact::Redactor;
use crate::stop::Stop;
use crate::store::{Store, StoreError};
use crate::stream::{Appender, Redis, Settler, StreamError, Taker, Waiting};
use crate::twilio::sms::Sms;
use crate::wake;
use crate::webhook::{self, Judge, Webhook};
use lanes::Lanes;
use missed::Bell;
use texts::Texts;
use threads::{Signals, Threads};

/// Longest time that a stop may take before the process leaves anyway. Any kill is safe.
const STOP_LIMIT: Duration = Duration::from_millis(4_500);
/// Share of it that calls in progress get before they are cut.
const CALLS_END: Duration = Duration::from_millis(3_500);

/// Why the service cannot start, or has ended.
#[derive(Debug)]
pub enum RunError {
    /// The database.
    Store(StoreError),
    /// The address of Redis.
    Redis(StreamError),
    /// A socket, folder or signal.
    System {
        /// What we tried.
        doing: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// A thread ended by itself.
    Thread(String),
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(error) => error.fmt(f),
            Self::Redis(error) => error.fmt(f),
            Self::System { doing, source } => write!(f, "cannot {doing}: {source}"),
            Self::Thread(name) => write!(f, "the thread {name} ended by itself"),
        }
    }
}

impl std::error::Error for RunError {}

impl From<StoreError> for RunError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<StreamError> for RunError {
    fn from(error: StreamError) -> Self {
        Self::Redis(error)
    }
}

fn system(doing: impl Into<String>) -> impl FnOnce(std::io::Error) -> RunError {
    let doing = doing.into();
    move |source| RunError::System { doing, source }
}

/// What has to be told to stop, in the order in which it is told.
struct Doors {
    gate: gate::Remote,
    webhook: webhook::Waker,
    settler: Arc<Settler>,
    taker_id: Arc<std::sync::atomic::AtomicI64>,
    calls: Http,
    bell: Bell,
    /// Wakes the reaper.
    reaper_bell: Bell,
    stop: Stop,
}

/// Runs the service until SIGTERM or SIGINT.
///
/// # Errors
/// It could not start, or a thread died.
pub fn run(config: Config) -> Result<(), RunError> {
    let signals = Signals::catch().map_err(system("listen for signals"))?;
    for warning in &config.warnings {
        warn!("{warning}");
    }
    let (store, key) = Store::open(&config.data_dir, &config.phone_keys)?;
    let store = Arc::new(store);
    settle_due_times(&store, &config)?;
    let redis = Redis::new(&config.redis)?;
    let http = Http::new(config.call_limit);
    let coder = Arc::new(Coder::new(
        http.clone(),
        &config.coder.address.api,
        config.coder.key.clone(),
    ));
    let stop = Stop::new();

    let (bell, rung) = Bell::new();
    let (reaper_bell, reaper_rung) = Bell::new();
    let (receipts, noted) = receipts::queue();
    let (webhook, gate) = front(&config, &redis, &store, bell.clone(), receipts)?;
    // After `front`, which empties the folder.
    hear_commands(&config.data_dir, reaper_bell.clone())?;
    let settler = Arc::new(Settler::new(redis.clone()));
    let catch_up = catch_up(&config, &redis, &store, &http).map(|search| (search, rung));
    let taker = Taker::new(redis, &store.instance()?);
    let doors = Doors {
        gate: gate.remote(),
        webhook: webhook.waker(),
        settler: Arc::clone(&settler),
        taker_id: taker.client_id(),
        calls: http.clone(),
        bell: bell.clone(),
        reaper_bell,
        stop: stop.clone(),
    };
    banner::tell(&config, gate.local_addr(), &store);

    let reaper = reaper(&config, &store, &coder);
    let redactor = config
        .redact
        .then(|| Redactor::new(Arc::clone(&store), Sms::new(http.clone(), &config.twilio)));
    let noted = (Arc::clone(&store), noted);
    let sms = Sms::new(http, &config.twilio);
    let texts = Texts {
        provisioner: provisioner(config, store, coder, sms, key),
        lanes: Arc::new(Lanes::new(reaper.parallel)),
        parallel: reaper.parallel,
        settler: Arc::clone(&settler),
        bell,
    };
    let mut threads = Threads::new(signals.waker());
    let roles = Roles {
        webhook,
        gate,
        texts,
        taker,
        catch_up,
        receipts: noted,
        reaper,
        reaper_rung,
        redactor,
        settler,
    };
    roles.start(&mut threads, &stop)?;
    signals.wait();
    doors.close(&threads)
}

/// What runs on a thread each.
struct Roles {
    webhook: Webhook,
    gate: Gate,
    texts: Texts,
    taker: Taker,
    /// The search for missed texts and who rings for it, unless it is switched off.
    catch_up: Option<(CatchUp, Receiver<()>)>,
    /// Where receipts are written, and where they come from.
    receipts: (Arc<Store>, Receiver<Receipt>),
    reaper: Reaper,
    /// Who wakes it before its time.
    reaper_rung: Receiver<()>,
    /// Blanks logins at Twilio, unless that is switched off.
    redactor: Option<Redactor>,
    settler: Arc<Settler>,
}

impl Roles {
    fn start(self, threads: &mut Threads, stop: &Stop) -> Result<(), RunError> {
        let Self {
            webhook,
            gate,
            texts,
            mut taker,
            catch_up,
            receipts: (store, noted),
            reaper,
            reaper_rung,
            redactor,
            settler,
        } = self;
        threads.start("webhook", move || webhook.run().is_ok())?;
        threads.start("gate", move || gate.run().is_ok())?;
        let told = stop.clone();
        threads.start("provisioner", move || {
            texts.run(&mut taker, &told);
            told.asked()
        })?;
        if let Some((mut search, rung)) = catch_up {
            let told = stop.clone();
            threads.start("catch-up", move || {
                missed::run(&mut search, &rung, &told);
                told.asked()
            })?;
        }
        let told = stop.clone();
        threads.start("receipts", move || {
            receipts::run(&store, &noted, &told);
            told.asked()
        })?;
        let told = stop.clone();
        threads.start("reaper", move || {
            removals::run(&reaper, redactor.as_ref(), &settler, &reaper_rung, &told);
            told.asked()
        })
    }
}

/// The two halves that take texts in: the webhook on a private socket, and the gate before it.
fn front(
    config: &Config,
    redis: &Redis,
    store: &Arc<Store>,
    bell: Bell,
    receipts: SyncSender<Receipt>,
) -> Result<(Webhook, Gate), RunError> {
    let socket = private_socket(&config.data_dir)?;
    let check = health::database_check(Arc::clone(store));
    let webhook = Webhook::listen(
        &socket,
        Judge::new(&config.twilio),
        Appender::new(redis.clone()),
        check,
        Box::new(move || bell.ring()),
        receipts,
    )
    .map_err(system(format!("listen on {}", socket.display())))?;
    let limits = gate::Limits {
        drain: Duration::from_secs(2),
        ..gate::Limits::for_this_process()
    };
    let gate = Gate::bind(config.listen, socket, limits).map_err(system(format!(
        "listen on {} (CODER_REG_LISTEN)",
        config.listen
    )))?;
    Ok((webhook, gate))
}

/// The threads that end once their work in hand is done.
const WORKING: [&str; 4] = ["webhook", "receipts", "provisioner", "reaper"];

impl Doors {
    /// Stops in order: no new requests, answers to those under way, no new work, calls cut last.
    fn close(self, threads: &Threads) -> Result<(), RunError> {
        let began = Instant::now();
        // A thread that ended before anybody asked it to is the reason why we are here.
        let died = threads.first_ended();
        self.stop.ask();
        self.bell.ring();
        self.reaper_bell.ring();
        self.gate.stop();
        self.wake_taker();
        threads.wait_for(&["gate"], began + STOP_LIMIT);
        self.webhook.close();
        if !threads.wait_for(&WORKING, began + CALLS_END) {
            // What these calls were about goes on after the next start.
            self.calls.shut_down();
            if !threads.wait_for(&WORKING, began + STOP_LIMIT) {
                warn!("leaving with work in hand; it goes on after the next start");
            }
        }
        match died {
            None => {
                info!("stopped");
                Ok(())
            }
            Some(name) => Err(RunError::Thread(name.to_owned())),
        }
    }

    /// Ends the taker's wait for entries, again and again, as it may have begun to wait just after it
    /// was woken; on a thread of its own, as a Redis that hangs must not keep us.
    fn wake_taker(&self) {
        let (settler, id) = (Arc::clone(&self.settler), Arc::clone(&self.taker_id));
        let wake = move || loop {
            let id = id.load(Ordering::Relaxed);
            if id != 0
                && let Err(fault) = settler.unblock(id)
            {
                debug!("stopping: {fault}");
            }
            std::thread::park_timeout(Duration::from_millis(50));
        };
        if let Err(error) = std::thread::Builder::new()
            .name("waker".to_owned())
            .spawn(wake)
        {
            warn!("stopping may take a moment longer: {error}");
        }
    }
}

/// Has commands that changed something wake the reaper. The thread sleeps until one does, and is left
/// behind when the process ends.
fn hear_commands(data_dir: &Path, bell: Bell) -> Result<(), RunError> {
    let doing = || format!("listen for commands in {}", data_dir.display());
    let socket = wake::listen(data_dir).map_err(system(doing()))?;
    std::thread::Builder::new()
        .name("commands".to_owned())
        .stack_size(64 * 1024)
        .spawn(move || {
            while wake::heard(&socket).is_ok() {
                bell.ring();
            }
        })
        .map(drop)
        .map_err(system(doing()))
}

/// Gives accounts made under another `CODER_REMOVE_TIME` regime the one that holds now.
fn settle_due_times(store: &Store, config: &Config) -> Result<(), StoreError> {
    match config.rules.remove_after {
        None => {
            let count = store.clear_due()?;
            if count > 0 {
                info!("removal is off: {count} accounts now stay until it is on again");
            }
        }
        Some(span) => {
            let count = store.set_missing_due(unix_now() + seconds(span))?;
            if count > 0 {
                info!(
                    "removal is on: {count} accounts made without a time get a full one from now"
                );
            }
        }
    }
    Ok(())
}

/// The search for missed texts, unless it is switched off.
fn catch_up(config: &Config, redis: &Redis, store: &Arc<Store>, http: &Http) -> Option<CatchUp> {
    Some(CatchUp {
        sms: Sms::new(http.clone(), &config.twilio),
        store: Arc::clone(store),
        waiting: Waiting::new(redis.clone()),
        appender: Appender::new(redis.clone()),
        window: config.catch_up?,
        phrase: config.phrase.clone(),
    })
}

fn reaper(config: &Config, store: &Arc<Store>, coder: &Arc<Coder>) -> Reaper {
    Reaper {
        store: Arc::clone(store),
        coder: Arc::clone(coder),
        email_domain: config.coder.email_domain.clone(),
        check_interval: config.check_interval,
        stop_after: config.stop_after,
        call_limit: config.call_limit,
        parallel: config.parallel,
    }
}

fn provisioner(
    config: Config,
    store: Arc<Store>,
    coder: Arc<Coder>,
    sms: Sms,
    key: PhoneKey,
) -> Provisioner {
    Provisioner {
        store,
        coder,
        sms,
        key,
        phrase: config.phrase,
        countries: config.countries,
        rules: config.rules,
        site: config.coder.address.site,
        email_domain: config.coder.email_domain,
        sender: config.twilio.sender,
    }
}

/// The longest path of a Unix socket that all systems take, in bytes.
const SOCKET_PATH: usize = 100;

/// A path for the socket between gate and webhook, in a folder that only we may enter.
fn private_socket(data_dir: &Path) -> Result<PathBuf, RunError> {
    let inside = data_dir.join("run");
    let folder = if inside.join("http.sock").as_os_str().len() <= SOCKET_PATH {
        inside
    } else {
        std::env::temp_dir().join(format!("coder-sms-register-{}", std::process::id()))
    };
    // The folder's lock is ours, so whatever is left here is of a run that ended.
    let _ = fs::remove_dir_all(&folder);
    fs::DirBuilder::new()
        .mode(0o700)
        .create(&folder)
        .map_err(system(format!("make {}", folder.display())))?;
    Ok(folder.join("http.sock"))
}
