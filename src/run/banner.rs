//! The first line in the log.

use log::{info, warn};

use crate::clock::unix_now;
use crate::config::Config;
use crate::domain::count;
use crate::provision::reply;
use crate::store::Store;

/// Logs the version, the addresses, the number of accounts, and what is switched off.
pub(super) fn log(config: &Config, address: std::net::SocketAddr, store: &Store) {
    let mut off = Vec::new();
    let life = config.class.longest_life(unix_now());
    if life.is_none() {
        off.push("removal");
    }
    let by_text = config.pages.reply.by_text();
    if !by_text {
        off.push("texts to students (CODER_REG_REPLY=screen)");
    }
    if by_text && config.class.hint_interval.is_none() {
        off.push("hints");
    }
    if config.class.stop_after.is_none() {
        off.push("stopping workspaces");
    }
    if by_text && config.service.catch_up.is_none() {
        off.push("searching for missed texts");
    }
    if !config.service.redact {
        off.push("redacting logins in Twilio's log");
    }
    if by_text && config.twilio.receipts.is_none() {
        off.push("delivery receipts (TWILIO_WEBHOOK_URL is not https)");
    }
    let off = if off.is_empty() {
        "nothing".to_owned()
    } else {
        off.join(", ")
    };
    info!(
        "coder-sms-register {} listens on {address} for {}, sends logins for {}, has {}; switched off: {off}",
        env!("CARGO_PKG_VERSION"),
        config.twilio.webhook_url.as_str(),
        config.coder.address.site,
        count(store.count().unwrap_or(0), "account"),
    );
    let longest =
        reply::longest_login(&config.coder.address.site, &config.coder.email_domain, life);
    if by_text && longest > reply::SEGMENT {
        warn!(
            "logins can be {longest} characters long, which Twilio sends and charges as two texts: shorten CODER_API_URL or CODER_EMAIL_DOM"
        );
    }
}
