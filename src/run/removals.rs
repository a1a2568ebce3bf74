//! The reaper's loop: sweep, blank logins at Twilio, sleep, and once a day forget old texts and see whether the token is well.

use std::sync::mpsc::Receiver;
use std::time::Duration;

use log::{debug, error, info, warn};

use crate::clock::{ClockWatch, unix_now, uptime};
use crate::coder::Trouble;
use crate::domain::UnixSeconds;
use crate::reap::Reaper;
use crate::redact::Redactor;
use crate::stop::Stop;
use crate::store::StoreError;
use crate::stream::Settler;

/// How often old texts and contacts are forgotten, and the token is tried: an owner's token that
/// nobody uses for a week expires by Coder's default.
const DAILY: UnixSeconds = 86_400;

/// The pause between two sweeps while logins wait to be blanked.
const MOMENT: Duration = Duration::from_millis(100);

/// Sweeps every check interval, and earlier where a removal in progress asks for it or somebody rings.
/// Runs until `stop`, which has to be followed by a ring.
pub(super) fn run(
    reaper: &Reaper,
    redactor: Option<&Redactor>,
    settler: &Settler,
    rung: &Receiver<()>,
    stop: &Stop,
) {
    let mut last_daily: UnixSeconds = 0;
    let mut watch = ClockWatch::default();
    loop {
        let (now, uptime) = (unix_now(), uptime());
        // Also after the clock was set back.
        if !(0..DAILY).contains(&(now - last_daily)) {
            last_daily = now;
            daily(reaper, now);
            forget_phones(settler);
        }
        match follow_clock(reaper, &mut watch, now, uptime).and_then(|()| reaper.sweep(now)) {
            Ok(swept) if swept.removed > 0 => {
                info!(
                    "removed {} accounts, {} are waiting",
                    swept.removed, swept.waiting
                );
                if matches!(reaper.store.count(), Ok(0)) {
                    forget_phones(settler);
                }
            }
            Ok(_) => {}
            Err(error) => error!("no removals: {error}"),
        }
        let more = redactor.is_some_and(|redactor| blank(redactor, now, stop));
        let pause = if more { MOMENT } else { pause(reaper) };
        // Rung or not; several rings are one.
        let _ = rung.recv_timeout(pause);
        while rung.try_recv().is_ok() {}
        if stop.asked() {
            return;
        }
    }
}

/// Blanks logins at Twilio. Returns whether more of them can be blanked at once.
fn blank(redactor: &Redactor, now: UnixSeconds, stop: &Stop) -> bool {
    match redactor.sweep(now, || stop.asked()) {
        Ok(swept) => swept.more,
        Err(error) => {
            error!("logins stay in Twilio's log: {error}");
            false
        }
    }
}

/// Tells the reaper if the clock was set. What it could not record it is told again.
fn follow_clock(
    reaper: &Reaper,
    watch: &mut ClockWatch,
    now: UnixSeconds,
    uptime: Option<UnixSeconds>,
) -> Result<(), StoreError> {
    if let Some(step) = watch.look(now, uptime) {
        reaper.clock_was_set(step, now)?;
    }
    watch.note(now, uptime);
    Ok(())
}

/// What is done at the start and then once a day.
fn daily(reaper: &Reaper, now: UnixSeconds) {
    if let Err(error) = reaper.store.prune(now) {
        error!("old texts stay: {error}");
    }
    match reaper.coder.rights() {
        Ok(rights) if !rights.users => {
            error!(
                "Coder: the token (CODER_API_KEY) is neither an owner's nor a user admin's, so it cannot make accounts"
            );
        }
        Ok(rights) if !rights.workspaces => {
            warn!(
                "Coder: this version (before 2.25) needs an owner's token for accounts to be removed safely"
            );
        }
        Ok(_) => info!("Coder: reached, the token may make and remove accounts"),
        Err(fault) if fault.trouble == Trouble::Denied => error!("Coder: {fault}"),
        Err(fault) => warn!("Coder: {fault}"),
    }
}

/// Has Redis forget the phones in its append-only file: daily, and when a class is over.
fn forget_phones(settler: &Settler) {
    if let Err(fault) = settler.compact() {
        debug!("Redis does not write its file anew: {fault}");
    }
}

fn pause(reaper: &Reaper) -> Duration {
    let now = unix_now();
    let next = reaper.store.next_check(now).ok().flatten();
    let soon = next.map(|at| Duration::from_secs(at.saturating_sub(now).max(1).unsigned_abs()));
    soon.map_or(reaper.check_interval, |span| {
        span.min(reaper.check_interval)
    })
}
