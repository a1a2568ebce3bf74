//! The running service: opens the doors, starts the threads, waits, and stops in reverse order.
//!
//! Roles and threads: `gate` and `webhook` take texts in, `provisioner` with its workers serves
//! them, `reaper` removes accounts, `receipts` writes down what became of logins. A thread that ends before it was told to takes the process down.

mod banner;
mod catch_up;
mod channels;
mod daily;
mod error;
mod health;
mod lanes;
mod metrics_page;
mod parts;
mod provisioner;
mod reaper;
mod receipts;
mod roles;
mod shutdown;
mod threads;
mod timed_query;

use std::sync::Arc;

use log::{info, warn};

use crate::clock::unix_now;
use crate::coder::Coder;
use crate::config::Config;
use crate::domain::{PasswordKey, PhoneKey, count, seconds};
use crate::http::Http;
use crate::stop::Stop;
use crate::store::{Store, StoreError};
use crate::stream::{Redis, Settler, Taker};
use crate::token::CoderToken;
use crate::twilio::sms::Sms;
use catch_up::Notifier;
use channels::Channels;
pub use error::RunError;
use error::system;
use lanes::Lanes;
use metrics_page::MetricsSource;
use provisioner::TextLoop;
use roles::Roles;
use shutdown::Shutdown;
use threads::{Signals, Threads};

/// Runs the service until SIGTERM or SIGINT.
///
/// # Errors
/// It could not start, or a thread died.
pub fn run(config: Config) -> Result<(), RunError> {
    let signals = Signals::catch().map_err(system("listen for signals"))?;
    for warning in &config.warnings {
        warn!("{warning}");
    }
    let (store, phones) = Store::open(&config.data_dir, &config.phone_keys)?;
    let passwords = password_key(&store, &config)?;
    settle_due_times(&store, &config)?;
    let (roles, doors) = assemble(config, Arc::new(store), (phones, passwords))?;
    let mut threads = Threads::new(signals.waker());
    roles.start(&mut threads, &doors.stop)?;
    signals.wait();
    doors.close(&threads)
}

/// Opens what has to be open, and puts together what is about to run. Whoever looks at the metrics is
/// served from then on.
fn assemble(
    config: Config,
    store: Arc<Store>,
    (phones, passwords): (PhoneKey, PasswordKey),
) -> Result<(Roles, Shutdown), RunError> {
    let redis = Redis::new(&config.redis)?;
    let http = Http::new(config.call_limit);
    let (to_coder, to_twilio) = (http.to_a_peer(), http.to_a_peer());
    let coder = Arc::new(Coder::new(
        to_coder.clone(),
        &config.coder.address.api,
        config.coder.key.clone(),
    ));
    let (notifier, wakeups) = Notifier::new();
    let (reaper_notifier, reaper_wakeups) = Notifier::new();
    let token = Arc::new(CoderToken::of(Arc::clone(&coder)));
    let rights_notifier = reaper_notifier.clone();
    // Its thread asks for the rights then.
    coder.on_refusal(Box::new(move || rights_notifier.notify()));
    let (receipts, noted) = receipts::queue();
    let (webhook, gate) = parts::front(&config, &redis, &store, notifier.clone(), receipts)?;
    let metrics = parts::metrics(&config)?;
    // After `front`, which empties the folder.
    parts::hear_commands(&config.data_dir, reaper_notifier.clone())?;
    let settler = Arc::new(Settler::new(redis.clone()));
    let catch_up =
        parts::catch_up(&config, &redis, &store, &to_twilio).map(|search| (search, wakeups));
    let instance_id = store.instance()?;
    let taker = Taker::new(redis.clone(), &instance_id);
    let doors = Shutdown {
        gate: gate.remote(),
        webhook: webhook.waker(),
        settler: Arc::clone(&settler),
        taker_id: taker.client_id(),
        calls: http,
        notifier: notifier.clone(),
        reaper_notifier,
        stop: Stop::new(),
    };
    banner::tell(&config, gate.local_addr(), &store);

    let text_life = config.rules.give_up;
    let reaper = parts::reaper(&config, &store, &coder, &token);
    let reconciler = parts::reconciler(&config, &store, &coder, &instance_id);
    let redactor = parts::redactor(&config, &store, &to_twilio);
    let noted = (Arc::clone(&store), noted);
    let sms = Sms::new(to_twilio.clone(), &config.twilio);
    let texts = TextLoop {
        provisioner: parts::provisioner(
            config,
            store,
            coder,
            sms,
            parts::Keys {
                phones,
                passwords,
                instance_id,
            },
        ),
        lanes: Arc::new(Lanes::new(reaper.parallel)),
        parallel: reaper.parallel,
        settler: Arc::clone(&settler),
        notifier,
        counts: Arc::default(),
        channels: Channels::default(),
    };
    let roles = Roles {
        webhook,
        gate,
        texts,
        taker,
        catch_up,
        found: Arc::default(),
        receipts: noted,
        reaper,
        reconciler,
        reaper_wakeups,
        redactor,
        settler,
        text_life,
    };
    if let Some(door) = metrics {
        let mut pages = MetricsSource::of(roles.figures(redis, &to_coder, &to_twilio));
        door.serve(move || pages.page())
            .map_err(system("start the thread metrics"))?;
    }
    Ok((roles, doors))
}

/// The key that passwords follow from; says what it means if it is another one than before.
fn password_key(store: &Store, config: &Config) -> Result<PasswordKey, StoreError> {
    let (key, unknown) = store.password_key(&config.data_dir)?;
    if unknown > 0 {
        warn!(
            "password.key in the data folder is not the key of before: the passwords of {} are not known any more. Each gets a new one when its student texts the phrase",
            count(unknown, "account")
        );
    }
    Ok(key)
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
