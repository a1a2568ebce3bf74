//! The data folder: may it be written, is there room, what database is in it, and does a service work on
//! it. Nothing is left in it.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::net::SocketAddr;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use super::Notes;
use crate::config::PartialConfig;
use crate::domain::{InstanceId, count};
use crate::healthcheck::{self, HealthError};
use crate::store::{self, Inspection, StoreError};
use crate::wake;

/// Bytes that there must be room for: the database of a class takes less than one megabyte.
const ROOM: usize = 8 * 1024 * 1024;

/// What helps where the fault itself does not say it.
const LAST_RESORT: &str = "restore a backup, or move the file away";

/// What other looks have to know of the folder.
pub(super) struct FolderFacts {
    /// Its instance id; `Some(None)` = no service has worked on it yet, `None` = it cannot be read.
    pub(super) instance_id: Option<Option<InstanceId>>,
    /// Whether a service works on it now.
    pub(super) running: bool,
}

pub(super) fn inspect(parts: &PartialConfig, notes: &mut Notes<'_>) -> FolderFacts {
    let folder = &parts.data_dir;
    let running = wake::is_running(folder).ok();
    let mut facts = FolderFacts {
        instance_id: None,
        // Where that is not known, what is wrong outside is not to be laid to a stop.
        running: running.unwrap_or(true),
    };
    if parts.is_faulty(&["CODER_REG_DATA_DIR", "CODER_REG_ENV"]) {
        notes.skip(
            "the data folder",
            "as the settings that name it have faults",
        );
        return facts;
    }
    match fs::metadata(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            absent(folder, notes);
            facts.instance_id = Some(None);
        }
        Err(error) => notes.fault(
            format!("{} cannot be looked at: {error}", folder.display()),
            "run this as the user of the service, or with sudo",
        ),
        Ok(found) if !found.is_dir() => notes.fault(
            format!("{} is no folder", folder.display()),
            "set CODER_REG_DATA_DIR to a folder, or move away what is there",
        ),
        Ok(found) => {
            let keys = &parts.phone_keys;
            let keys = if parts.is_faulty(&["CODER_REG_PHONE_KEY", "TWILIO_"]) {
                &[][..]
            } else {
                keys
            };
            if writable(folder, &found, notes) {
                facts.instance_id = database(Inspection::of(folder, keys), notes);
                password_key(folder, notes);
            } else {
                notes.skip("the database", "as the data folder is another user's");
            }
        }
    }
    match running {
        Some(running) => service(parts.listen, folder, running, notes),
        None => notes.skip(
            "whether the service runs",
            "as the data folder is another user's: run check as that user, or with sudo",
        ),
    }
    facts
}

/// A folder that is not there yet is made at the first start, if its parent lets.
fn absent(folder: &Path, notes: &mut Notes<'_>) {
    let parent = folder.ancestors().skip(1).find(|one| one.is_dir());
    let room = parent.map(|parent| has_room(parent).is_ok());
    let folder = folder.display();
    if room == Some(true) {
        notes.pass(format!(
            "{folder} is not there yet; the first start makes it"
        ));
    } else {
        notes.fault(
            format!("{folder} is not there, and cannot be made by this user"),
            "make it and give it to the user that the service runs as, or set CODER_REG_DATA_DIR",
        );
    }
}

/// Returns whether its files may be looked at.
fn writable(folder: &Path, found: &fs::Metadata, notes: &mut Notes<'_>) -> bool {
    let own = fs::metadata("/proc/self").map_or_else(|_| found.uid(), |own| own.uid());
    let (shown, owner) = (folder.display(), found.uid());
    if found.mode() & 0o700 != 0o700 {
        // Said of the mode, as root can write in any folder.
        notes.fault(
            format!(
                "{shown} may not be written by its own user {owner} (mode {:03o})",
                found.mode() & 0o777
            ),
            format!("chmod 700 {shown}"),
        );
        return true;
    }
    if found.mode() & 0o002 != 0 {
        notes.warn(
            format!("{shown} may be written by everybody"),
            format!("chmod 700 {shown}"),
        );
    }
    if own == 0 && owner != 0 {
        notes.pass(format!(
            "{shown} belongs to user {owner}; run check as that user to try writing there"
        ));
        return true;
    }
    let tried = has_room(folder);
    let is_denied = |error: &io::Error| error.kind() == io::ErrorKind::PermissionDenied;
    let is_anothers = tried.as_ref().is_err_and(is_denied);
    match tried {
        Ok(()) => notes.pass(format!("{shown} can be written, and has room for 8 MB")),
        Err(_) if is_anothers => notes.fault(
            format!("{shown} belongs to user {owner}, and this is user {own}"),
            format!("run check as the user that the service runs as; if this is that user: sudo chown -R {own} {shown}"),
        ),
        Err(error) => notes.fault(
            format!("{shown} cannot be written: {error}"),
            "free some room on that disk, or set CODER_REG_DATA_DIR to a folder on another one",
        ),
    }
    !is_anothers
}

/// Writes a file that has no name any more, so that nothing of it stays whatever happens.
fn has_room(folder: &Path) -> io::Result<()> {
    let path = folder.join(format!(".check-{}", std::process::id()));
    let file = OpenOptions::new()
        .create_new(true)
        .write(true)
        .mode(0o600)
        .open(&path);
    let mut file = file?;
    fs::remove_file(&path)?;
    let block = [0; 64 * 1024];
    for _ in 0..ROOM / block.len() {
        file.write_all(&block)?;
    }
    file.sync_data()
}

/// A missing key is made at the next start; one that cannot be used stops it.
fn password_key(folder: &Path, notes: &mut Notes<'_>) {
    if let Err(error) = store::inspect_password_key(folder) {
        notes.fault(error.what(), error.cure().unwrap_or(LAST_RESORT));
    }
}

/// Returns the instance id, as [`FolderFacts::instance_id`] has it.
fn database(
    found: Result<Option<Inspection>, StoreError>,
    notes: &mut Notes<'_>,
) -> Option<Option<InstanceId>> {
    let found = match found {
        Ok(Some(found)) => found,
        Ok(None) => {
            notes.pass("there is no database yet; the first start makes it");
            return Some(None);
        }
        Err(error) => {
            notes.fault(error.what(), error.cure().unwrap_or(LAST_RESORT));
            return None;
        }
    };
    let (version, ours) = found.version;
    if found.other_key {
        notes.fault(
            format!("{} in the database: made with another phone key", count(found.registrations, "account")),
            "list the old token too (TWILIO_ACCOUNT_TOKEN=new,old), or set CODER_REG_PHONE_KEY to its old value",
        );
    }
    if found.is_exposed {
        notes.warn(
            "others than its owner may read the database",
            "chmod 600 registrations.db in that folder",
        );
    }
    let whole = format!(
        "the database is whole: schema {version}, {}",
        count(found.registrations, "account")
    );
    notes.pass(match version.cmp(&ours) {
        std::cmp::Ordering::Less => format!("{whole}; the next start brings it to schema {ours}"),
        _ => whole,
    });
    Some(found.instance_id)
}

fn service(listen: Option<SocketAddr>, folder: &Path, running: bool, notes: &mut Notes<'_>) {
    let Some(listen) = listen else {
        notes.skip("the service's health", "as CODER_REG_LISTEN has a fault");
        return;
    };
    let who = match store::holder(folder) {
        store::LockHolder::Process(process) => format!("the service (process {process})"),
        store::LockHolder::Nobody => "the service".to_owned(),
    };
    match (running, healthcheck::ask(listen, healthcheck::LIMIT)) {
        (true, Ok(obstacles)) => {
            let is_well = obstacles.is_empty();
            let how = if is_well { "is well" } else { "can take texts" };
            notes.pass(format!("{who} runs and {how}"));
            for obstacle in obstacles {
                notes.warn(
                    format!("{who} reports what keeps students from being served"),
                    obstacle.to_string(),
                );
            }
        }
        (true, Err(ill @ HealthError::Ill { .. })) => {
            notes.fault(format!("{who} runs and is not well"), ill.to_string());
        }
        (true, Err(HealthError::Silent { .. })) => {
            notes.pass(format!("{who} runs"));
            notes.skip(
                "its health",
                "as it does not listen here: in another container, or with another CODER_REG_LISTEN",
            );
        }
        (true, Err(stranger @ HealthError::Stranger { .. })) => notes.fault(
            stranger.to_string(),
            "set CODER_REG_LISTEN as the running service has it",
        ),
        (false, Ok(_) | Err(HealthError::Ill { .. })) => notes.fault(
            format!("a service listens on {listen}, but works on another data folder"),
            "set CODER_REG_DATA_DIR as that service has it, or stop it",
        ),
        (false, Err(HealthError::Stranger { .. })) => notes.fault(
            format!("something else listens on {listen}, where the service is to listen"),
            "stop it, or set CODER_REG_LISTEN to another port, and in the proxy as well",
        ),
        (false, Err(HealthError::Silent { .. })) => notes.warn(
            "the service does not run",
            "start it: docker compose up -d, or sudo systemctl start coder-sms-register",
        ),
    }
}
