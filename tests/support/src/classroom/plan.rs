//! What a class is to be like before it opens.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::folder::Folder;
use super::redis::{Fsync, Redis};
use super::service::Limits;
use super::{Classroom, ORIGIN, WEBHOOK_URL, clock};
use crate::fakes::coder::{FakeCoder, Version};
use crate::fakes::twilio::{FakeTwilio, Fate};

/// What a class is to be like before it opens.
pub struct Plan {
    settings: BTreeMap<String, String>,
    version: Version,
    binary: PathBuf,
    fsync: Fsync,
    shared: Option<Redis>,
    limits: Limits,
    clock: bool,
    receipts: bool,
    searched: bool,
}

impl Plan {
    /// A class with the binary at `binary`.
    pub fn new(binary: impl Into<PathBuf>) -> Self {
        Self {
            settings: BTreeMap::new(),
            version: Version::Newest,
            binary: binary.into(),
            fsync: Fsync::Never,
            shared: None,
            limits: Limits::default(),
            clock: false,
            receipts: false,
            searched: true,
        }
    }

    /// With this setting.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.settings.insert(name.to_owned(), value.to_owned());
        self
    }

    /// With public pages, and with logins by text, on screens, or both (`CODER_REG_REPLY`).
    pub fn with_pages(self, reply: &str) -> Self {
        self.with("CODER_REG_PAGES_URL", ORIGIN)
            .with("CODER_REG_ORG", "A class")
            .with("CODER_REG_REPLY", reply)
    }

    /// With a Coder server of this age.
    pub fn coder_of(mut self, version: Version) -> Self {
        self.version = version;
        self
    }

    /// With a Redis that writes every text to its disk before it confirms.
    pub fn with_safe_redis(self) -> Self {
        self.with_redis_that_syncs(Fsync::Always)
    }

    /// With a Redis that writes to its disk that often.
    pub fn with_redis_that_syncs(mut self, fsync: Fsync) -> Self {
        self.fsync = fsync;
        self
    }

    /// Without a search of its log and files for secrets at its end, which takes long where they are
    /// large.
    pub fn without_a_search(mut self) -> Self {
        self.searched = false;
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
        self.limits.open_files = Some(limit);
        self
    }

    /// With a service that may have no more memory of its own than this, in KiB: heap, stacks and other pages that it
    /// may write (RLIMIT_DATA), used or not.
    pub fn with_memory(mut self, limit: u32) -> Self {
        self.limits.memory = Some(limit);
        self
    }

    /// With a clock of the service's own, for [`Classroom::sets_the_clock`].
    pub fn with_clock_shim(mut self) -> Self {
        self.clock = true;
        self
    }

    /// With a Twilio that tells the service what becomes of logins: at first, that they arrive.
    pub fn with_receipts(mut self) -> Self {
        self.receipts = true;
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
        if self.receipts {
            twilio.fate_of_all(Fate::delivered());
        }
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
            limits: self.limits,
            receipts: self.receipts,
            searched: self.searched,
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
