//! Makes the parts of the service out of its configuration.

use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::time::Duration;

use log::info;

use super::catch_up::Notifier;
use super::{RunError, health, system};
use crate::catch_up::CatchUp;
use crate::coder::Coder;
use crate::config::Config;
use crate::domain::{PasswordKey, PhoneKey, Receipt};
use crate::gate::{self, Gate};
use crate::http::Http;
use crate::metrics::MetricsListener;
use crate::provision::Provisioner;
use crate::reap::Reaper;
use crate::reconcile::Reconciler;
use crate::redact::Redactor;
use crate::store::Store;
use crate::stream::{Appender, Redis, Waiting};
use crate::token::CoderToken;
use crate::twilio::sms::Sms;
use crate::wake;
use crate::webhook::{Judge, Webhook};

/// The two halves that take texts in: the webhook on a private socket, and the gate before it.
pub(super) fn front(
    config: &Config,
    redis: &Redis,
    store: &Arc<Store>,
    notifier: Notifier,
    receipts: SyncSender<Receipt>,
) -> Result<(Webhook, Gate), RunError> {
    let socket = private_socket(&config.data_dir)?;
    let check = health::database_check(Arc::clone(store));
    let webhook = Webhook::listen(
        &socket,
        Judge::new(&config.twilio).of_folder(store.instance()?),
        Appender::new(redis.clone()),
        check,
        Box::new(move || notifier.notify()),
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

/// Where metrics are shown, if they are.
pub(super) fn metrics(config: &Config) -> Result<Option<MetricsListener>, RunError> {
    let open = |address| {
        let failed = || format!("listen on {address} (CODER_REG_METRICS)");
        let door = MetricsListener::open(address).map_err(system(failed()))?;
        let address = door.local_addr().map_err(system(failed()))?;
        info!("metrics are at http://{address}/metrics");
        Ok(door)
    };
    config.metrics.map(open).transpose()
}

/// Has commands that changed something wake the reaper. The thread sleeps until one does, and is left
/// behind when the process ends.
pub(super) fn hear_commands(data_dir: &Path, notifier: Notifier) -> Result<(), RunError> {
    let doing = || format!("listen for commands in {}", data_dir.display());
    let socket = wake::listen(data_dir).map_err(system(doing()))?;
    std::thread::Builder::new()
        .name("commands".to_owned())
        .stack_size(64 * 1024)
        .spawn(move || {
            while wake::wait(&socket).is_ok() {
                notifier.notify();
            }
        })
        .map(drop)
        .map_err(system(doing()))
}

/// The search for missed texts, unless it is switched off.
pub(super) fn catch_up(
    config: &Config,
    redis: &Redis,
    store: &Arc<Store>,
    http: &Http,
) -> Option<CatchUp> {
    Some(CatchUp {
        sms: Sms::new(http.clone(), &config.twilio),
        store: Arc::clone(store),
        waiting: Waiting::new(redis.clone()),
        appender: Appender::new(redis.clone()),
        window: config.catch_up?,
        phrase: config.phrase.clone(),
    })
}

/// What removes accounts.
pub(super) fn reaper(
    config: &Config,
    store: &Arc<Store>,
    coder: &Arc<Coder>,
    token: &Arc<CoderToken>,
) -> Reaper {
    Reaper {
        store: Arc::clone(store),
        coder: Arc::clone(coder),
        token: Arc::clone(token),
        email_domain: config.coder.email_domain.clone(),
        check_interval: config.check_interval,
        stop_after: config.stop_after,
        call_limit: config.call_limit,
        parallel: config.parallel,
    }
}

/// What looks for accounts that the database does not know.
pub(super) fn reconciler(
    config: &Config,
    store: &Arc<Store>,
    coder: &Arc<Coder>,
    instance_id: &str,
) -> Reconciler {
    Reconciler {
        store: Arc::clone(store),
        coder: Arc::clone(coder),
        keys: config.phone_keys.clone(),
        instance_id: instance_id.to_owned(),
        email_domain: config.coder.email_domain.clone(),
        remove_after: config.rules.remove_after,
    }
}

/// What blanks logins at Twilio, unless that is switched off.
pub(super) fn redactor(config: &Config, store: &Arc<Store>, http: &Http) -> Option<Redactor> {
    let sms = || Sms::new(http.clone(), &config.twilio);
    config
        .redact
        .then(|| Redactor::new(Arc::clone(store), sms()))
}

/// What accounts are made and known again by.
pub(super) struct Keys {
    /// The key of the phone hashes.
    pub(super) phones: PhoneKey,
    /// The key that passwords follow from.
    pub(super) passwords: PasswordKey,
    /// The data folder's name.
    pub(super) instance_id: String,
}

/// What serves texts.
pub(super) fn provisioner(
    config: Config,
    store: Arc<Store>,
    coder: Arc<Coder>,
    sms: Sms,
    Keys {
        phones: key,
        passwords,
        instance_id,
    }: Keys,
) -> Provisioner {
    Provisioner {
        store,
        coder,
        sms,
        undelivered: Arc::default(),
        key,
        passwords,
        instance_id,
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
