//! What runs here: Redis, a Twilio that is played, and the service itself.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::classroom::folder::Folder;
use crate::classroom::redis::{Fsync, Redis};
use crate::classroom::service::{Ended, Limits, Service};
use crate::classroom::student::Login;
use crate::classroom::{PHRASE, SIGNED_URL, WEBHOOK_URL, http};
use crate::fakes::twilio::{self, FakeTwilio};

use super::{Trial, staff};

/// The stage; everything on it ends with it.
pub struct CoderStage {
    service: RefCell<Option<Service>>,
    binary: PathBuf,
    settings: RefCell<BTreeMap<String, String>>,
    twilio: FakeTwilio,
    // Dropped after those who use them.
    redis: Redis,
    _folder: Folder,
}

impl CoderStage {
    /// Everything but the service.
    pub fn set(trial: &Trial, token: &str, suffix: &str) -> Self {
        let folder = Folder::new();
        let redis = Redis::start(folder.path(), Fsync::Always);
        let twilio = FakeTwilio::start_default();
        let account = twilio.account();
        let data = folder.path().join("data").display().to_string();
        let settings = [
            ("TWILIO_ACCOUNT_SID", account.account_sid.as_str()),
            ("TWILIO_ACCOUNT_TOKEN", &account.account_token),
            ("TWILIO_AUTH_SID", &account.auth_sid),
            ("TWILIO_AUTH_TOKEN", &account.auth_token),
            ("FROM_NUM", &account.from_numbers[0]),
            ("TWILIO_WEBHOOK_URL", WEBHOOK_URL),
            ("TWILIO_API_URL", &twilio.url()),
            ("CODER_REG_ENV", "dev"),
            ("CODER_REG_LOG_LEVEL", "info"),
            ("CODER_EMAIL_DOM", &staff::domain(suffix)),
            ("CODER_API_URL", &trial.deployment.url),
            ("CODER_API_KEY", token),
            ("CODER_REG_PASS", PHRASE),
            ("CODER_REG_RESEND_INTERVAL", "1s"),
            ("CODER_CHECK_INTERVAL", "2s"),
            ("CODER_STOP_AFTER", "1s"),
            ("CODER_REG_CATCH_UP", "0"),
            ("REDIS_HOST", redis.socket()),
            ("REDIS_PW", redis.password()),
            ("CODER_REG_LISTEN", "127.0.0.1:0"),
            ("CODER_REG_DATA_DIR", &data),
        ];
        let settings = settings
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .chain(trial.workspace.iter().cloned())
            .collect();
        Self {
            service: RefCell::new(None),
            binary: trial.binary.clone(),
            settings: RefCell::new(settings),
            twilio,
            redis,
            _folder: folder,
        }
    }

    /// Changes a setting, or takes it out; counts from the next start on.
    pub fn set_to(&self, name: &str, value: Option<&str>) {
        let mut settings = self.settings.borrow_mut();
        match value {
            Some(value) => drop(settings.insert(name.to_owned(), value.to_owned())),
            None => drop(settings.remove(name)),
        }
    }

    /// Starts the service, after killing one that runs. The error is what it logged.
    pub fn start(&self) -> Result<(), String> {
        self.kill();
        let service = Service::spawn(&self.binary, &self.settings.borrow(), Limits::default());
        let listens = service.listens(super::PATIENCE).is_some() && service.logs("] Coder: ");
        let log = service.log();
        *self.service.borrow_mut() = Some(service);
        match listens {
            true => Ok(()),
            false => Err(format!("the service did not start:\n{log}")),
        }
    }

    /// SIGKILL, if it runs.
    pub fn kill(&self) {
        drop(self.service.borrow_mut().take());
    }

    /// What the running service has logged.
    pub fn log(&self) -> String {
        let service = self.service.borrow();
        service.as_ref().map(Service::log).unwrap_or_default()
    }

    /// A command of the program.
    pub fn command(&self, arguments: &[&str]) -> Ended {
        Service::run(&self.binary, arguments, &self.settings.borrow())
    }

    /// The phone number of a student, of those that are kept for films.
    pub fn phone(student: usize) -> String {
        format!("+1202555{:04}", 100 + student)
    }

    /// A student texts the phrase; whether the service took it.
    pub fn texts(&self, student: usize) -> bool {
        let service = self.service.borrow();
        let Some(address) = service
            .as_ref()
            .and_then(|service| service.listens(super::PATIENCE))
        else {
            return false;
        };
        let account = self.twilio.account();
        let (sid, from) = (twilio::new_sid(), Self::phone(student));
        let to = &account.from_numbers[0];
        let params = twilio::webhook_params(&sid, &from, to, PHRASE, &account.account_sid, &[]);
        let signature = twilio::sign(&account.account_token, SIGNED_URL, &params);
        let headers = twilio::webhook_headers(&signature);
        let body = twilio::form_encode(&params);
        let answer = http::request(address, "POST", "/inbound", &headers, body.as_bytes());
        answer.is_ok_and(|answer| answer.status == 200)
    }

    /// The logins that came to a phone, in order.
    pub fn logins(&self, student: usize) -> Vec<Login> {
        let texts = self.twilio.texts_to(&Self::phone(student));
        texts
            .iter()
            .filter_map(|text| Login::read(&text.body))
            .collect()
    }

    /// How many texts are in the stream, not settled yet.
    pub fn waiting_texts(&self) -> usize {
        self.redis.length("coder-sms-register:texts")
    }

    /// The service's database.
    pub fn database(&self) -> PathBuf {
        Path::new(&self.settings.borrow()["CODER_REG_DATA_DIR"]).join("registrations.db")
    }
}
