//! The running service: opens the doors, starts the threads, waits, and stops in reverse order.
//!
//! Roles and threads: `gate` and `webhook` take texts in, `provisioner` with its workers serves
//! them, `reaper` removes accounts, `receipts` writes down what became of logins. A thread that ends before it was told to takes the process down.

mod asked;
mod banner;
mod channels;
mod doors;
mod error;
mod figures;
mod health;
mod lanes;
mod missed;
mod parts;
mod receipts;
mod removals;
mod roles;
mod rounds;
mod texts;
mod threads;

use std::sync::Arc;

use log::{info, warn};

use crate::clock::{seconds, unix_now};
use crate::coder::Coder;
use crate::config::Config;
use crate::domain::{PasswordKey, PhoneKey, count};
use crate::http::Http;
use crate::stop::Stop;
use crate::store::{Store, StoreError};
use crate::stream::{Redis, Settler, Taker};
use crate::token::Token;
use crate::twilio::sms::Sms;
use channels::Channels;
use doors::Doors;
pub use error::RunError;
use error::system;
use figures::Pages;
use lanes::Lanes;
use missed::Bell;
use roles::Roles;
use texts::Texts;
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
) -> Result<(Roles, Doors), RunError> {
    let redis = Redis::new(&config.redis)?;
    let http = Http::new(config.call_limit);
    let (to_coder, to_twilio) = (http.to_a_peer(), http.to_a_peer());
    let coder = Arc::new(Coder::new(
        to_coder.clone(),
        &config.coder.address.api,
        config.coder.key.clone(),
    ));
    let (bell, rung) = Bell::new();
    let (reaper_bell, reaper_rung) = Bell::new();
    let token = Arc::new(Token::of(Arc::clone(&coder)));
    let bell_of_rights = reaper_bell.clone();
    // Its thread asks for the rights then.
    coder.on_refusal(Box::new(move || bell_of_rights.ring()));
    let (receipts, noted) = receipts::queue();
    let (webhook, gate) = parts::front(&config, &redis, &store, bell.clone(), receipts)?;
    let metrics = parts::metrics(&config)?;
    // After `front`, which empties the folder.
    parts::hear_commands(&config.data_dir, reaper_bell.clone())?;
    let settler = Arc::new(Settler::new(redis.clone()));
    let catch_up =
        parts::catch_up(&config, &redis, &store, &to_twilio).map(|search| (search, rung));
    let home = store.instance()?;
    let taker = Taker::new(redis.clone(), &home);
    let doors = Doors {
        gate: gate.remote(),
        webhook: webhook.waker(),
        settler: Arc::clone(&settler),
        taker_id: taker.client_id(),
        calls: http,
        bell: bell.clone(),
        reaper_bell,
        stop: Stop::new(),
    };
    banner::tell(&config, gate.local_addr(), &store);

    let text_life = config.rules.give_up;
    let reaper = parts::reaper(&config, &store, &coder, &token);
    let reconciler = parts::reconciler(&config, &store, &coder, &home);
    let redactor = parts::redactor(&config, &store, &to_twilio);
    let noted = (Arc::clone(&store), noted);
    let sms = Sms::new(to_twilio.clone(), &config.twilio);
    let texts = Texts {
        provisioner: parts::provisioner(
            config,
            store,
            coder,
            sms,
            parts::Keys {
                phones,
                passwords,
                home,
            },
        ),
        lanes: Arc::new(Lanes::new(reaper.parallel)),
        parallel: reaper.parallel,
        settler: Arc::clone(&settler),
        bell,
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
        reaper_rung,
        redactor,
        settler,
        text_life,
    };
    if let Some(door) = metrics {
        let mut pages = Pages::of(roles.figures(redis, &to_coder, &to_twilio));
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
