//! Checks the data folder: permissions, free space, the database in it, and whether a service uses
//! it. Leaves nothing behind in it.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

use super::Notes;
use super::room::{available, check_space, cure_of, room_for};
use crate::config::{ClassSettings, PartialConfig};
use crate::domain::{InstanceId, RedisOwner, count};
use crate::healthcheck::{self, HealthError, NamedFault};
use crate::store::{self, Inspection, StoreError};
use crate::wake;

/// The longest time for the service's health. A disk that takes longer for one write is too slow for a class.
const HEALTH_LIMIT: Duration = Duration::from_secs(10);

/// The cure for an error that has none of its own.
const DEFAULT_CURE: &str = "restore a backup, or move the file away";

/// The cure for a fault that a newer service names.
const SEE_LOG: &str = "see the log of the service";

/// The instance id of the data folder.
#[derive(Debug)]
pub(super) enum FolderInstance {
    /// It cannot be read.
    Unread,
    /// No service has used the folder yet, so it has none.
    Unused,
    /// This one.
    Known(InstanceId),
}

impl FolderInstance {
    /// The id, if it is known.
    pub(super) fn id(&self) -> Option<&InstanceId> {
        match self {
            Self::Known(id) => Some(id),
            Self::Unread | Self::Unused => None,
        }
    }
}

/// Results that other checks need.
pub(super) struct FolderFacts {
    pub(super) instance: FolderInstance,
    /// Where the folder lies; `None` = no service has used it yet.
    pub(super) place: Option<String>,
    /// Whether a service uses the folder now.
    pub(super) running: bool,
}

impl FolderFacts {
    /// Whether `owner`, who owns a Redis database, is the service of this folder; `None` = it cannot be
    /// known, as the folder cannot be read.
    pub(super) fn is_owner(&self, owner: &RedisOwner) -> Option<bool> {
        match (&self.instance, &self.place) {
            (FolderInstance::Unread, _) => None,
            (FolderInstance::Known(id), Some(place)) => Some(RedisOwner::new(id, place) == *owner),
            (FolderInstance::Known(_) | FolderInstance::Unused, _) => Some(false),
        }
    }
}

pub(super) fn inspect(parts: &PartialConfig, notes: &mut Notes<'_>) -> FolderFacts {
    let folder = &parts.data_dir;
    let running = wake::is_running(folder).ok();
    let mut facts = FolderFacts {
        instance: FolderInstance::Unread,
        place: store::place(folder),
        // If unknown, assume that it runs, so that errors elsewhere are not blamed on a stopped
        // service.
        running: running.unwrap_or(true),
    };
    if parts.is_faulty(&["CODER_REG_DATA_DIR", "CODER_REG_ENV"]) {
        notes.skip("the data folder", "as its settings have faults");
        return facts;
    }
    facts.instance = instance(parts, notes);
    match running {
        Some(running) => service(parts.listen, folder, running, notes),
        None => notes.skip(
            "whether the service runs",
            "as the data folder belongs to another user: run check as that user, or with sudo",
        ),
    }
    facts
}

/// Judges the folder and what is in it. Returns whose it is.
fn instance(parts: &PartialConfig, notes: &mut Notes<'_>) -> FolderInstance {
    let folder = &parts.data_dir;
    match fs::metadata(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            absent(folder, notes);
            return FolderInstance::Unused;
        }
        Err(error) => notes.fault(
            format!("{} cannot be read: {error}", folder.display()),
            "run check as the user that the service runs as, or with sudo",
        ),
        Ok(found) if !found.is_dir() => notes.fault(
            format!("{} is not a folder", folder.display()),
            "set CODER_REG_DATA_DIR to a folder, or move the file away",
        ),
        Ok(found) if !writable(folder, &found, notes) => {
            notes.skip("the database", "as the data folder belongs to another user");
        }
        Ok(_) => {
            let keys = match parts.is_faulty(&["CODER_REG_PHONE_KEY", "TWILIO_"]) {
                true => &[][..],
                false => &parts.phone_keys,
            };
            let classes = parts.class.as_ref().map(|class| class.classes.as_slice());
            let instance = database(Inspection::of(folder, keys), classes, notes);
            password_key(folder, notes);
            return instance;
        }
    }
    FolderInstance::Unread
}

/// A missing folder is created at the first start, if its parent folder permits it.
fn absent(folder: &Path, notes: &mut Notes<'_>) {
    let parent = folder.ancestors().skip(1).find(|one| one.is_dir());
    let room = parent.map(|parent| check_space(parent).is_ok());
    let folder = folder.display();
    if room == Some(true) {
        notes.pass(format!(
            "{folder} does not exist yet; the first start creates it"
        ));
    } else {
        notes.fault(
            format!("{folder} does not exist, and this user cannot create it"),
            "create it and give it to the user that the service runs as (chown), or set CODER_REG_DATA_DIR",
        );
    }
}

/// Returns whether the files in the folder may be read.
fn writable(folder: &Path, found: &fs::Metadata, notes: &mut Notes<'_>) -> bool {
    let own = fs::metadata("/proc/self").map_or_else(|_| found.uid(), |own| own.uid());
    let (shown, owner) = (folder.display(), found.uid());
    if found.mode() & 0o700 != 0o700 {
        // Judged by the mode, because root can write to any folder.
        notes.fault(
            format!(
                "{shown} is not writable for its own user {owner} (mode {:03o})",
                found.mode() & 0o777
            ),
            format!("chmod 700 {shown}"),
        );
        return true;
    }
    if found.mode() & 0o002 != 0 {
        notes.warn(
            format!("{shown} is writable for all users of this machine"),
            format!("chmod 700 {shown}"),
        );
    }
    if own == 0 && owner != 0 {
        room_for(owner, available(folder), &shown.to_string(), notes);
        return true;
    }
    let tried = check_space(folder);
    let is_denied = |error: &io::Error| error.kind() == io::ErrorKind::PermissionDenied;
    let is_anothers = tried.as_ref().is_err_and(is_denied);
    match tried {
        Ok(()) => notes.pass(format!("{shown} is writable and has at least 8 MB of free space")),
        Err(_) if is_anothers => notes.fault(
            format!("{shown} belongs to user {owner}, but check runs as user {own}"),
            format!("run check as the user that the service runs as; if it does already: sudo chown -R {own} {shown}"),
        ),
        Err(error) => notes.fault(
            format!("{shown} cannot be written: {error}"),
            cure_of(&error),
        ),
    }
    !is_anothers
}

/// A missing key is created at the next start; a damaged one prevents the start.
fn password_key(folder: &Path, notes: &mut Notes<'_>) {
    if let Err(error) = store::inspect_password_key(folder) {
        notes.fault(error.what(), error.cure().unwrap_or(DEFAULT_CURE));
    }
}

/// Accounts of classes that are not in the settings. `classes`: those that are.
fn removed_classes(found: &Inspection, classes: &[ClassSettings], notes: &mut Notes<'_>) {
    for (name, accounts) in &found.classes {
        if classes
            .iter()
            .all(|class| class.name.as_ref() != Some(name))
        {
            let accounts = count(*accounts, "account");
            notes.warn(
                format!("class {name}: {accounts} in the database, but the class is not in the settings: they keep their time, and nobody else gets one"),
                format!("put its settings back, or end it: coder-sms-register end --class {name}"),
            );
        }
    }
}

/// Returns the value for [`FolderFacts::instance`]. `classes`: those of the settings; `None` = unknown.
fn database(
    found: Result<Option<Inspection>, StoreError>,
    classes: Option<&[ClassSettings]>,
    notes: &mut Notes<'_>,
) -> FolderInstance {
    let found = match found {
        Ok(Some(found)) => found,
        Ok(None) => {
            notes.pass("there is no database yet; the first start creates it");
            return FolderInstance::Unused;
        }
        Err(error) => {
            notes.fault(error.what(), error.cure().unwrap_or(DEFAULT_CURE));
            return FolderInstance::Unread;
        }
    };
    let (version, ours) = found.version;
    if found.other_key {
        notes.fault(
            format!("{} in the database: created with another phone key", count(found.registrations, "account")),
            "list the old token too (TWILIO_ACCOUNT_TOKEN=new,old), or set CODER_REG_PHONE_KEY to its old value",
        );
    }
    if let Some(classes) = classes {
        removed_classes(&found, classes, notes);
    }
    if found.is_exposed {
        notes.warn(
            "other users of this machine may read the database",
            "run in the data folder: chmod 600 registrations.db",
        );
    }
    let intact = format!(
        "the database is intact: schema {version}, {}",
        count(found.registrations, "account")
    );
    notes.pass(match version.cmp(&ours) {
        std::cmp::Ordering::Less => format!("{intact}; the next start updates it to schema {ours}"),
        _ => intact,
    });
    found
        .instance_id
        .map_or(FolderInstance::Unused, FolderInstance::Known)
}

fn service(listen: Option<SocketAddr>, folder: &Path, running: bool, notes: &mut Notes<'_>) {
    let Some(listen) = listen else {
        notes.skip("the service's health", "as CODER_REG_LISTEN is invalid");
        return;
    };
    let who = match store::holder(folder) {
        store::LockHolder::Process(process) => format!("the service (process {process})"),
        store::LockHolder::Nobody => "the service".to_owned(),
    };
    let answer = healthcheck::ask(listen, HEALTH_LIMIT);
    if running {
        health(&who, answer, notes);
        return;
    }
    match answer {
        Ok(_) | Err(HealthError::Ill { .. }) => notes.fault(
            format!("a service listens on {listen}, but uses another data folder"),
            "set CODER_REG_DATA_DIR to the value of that service, or stop that service",
        ),
        Err(HealthError::Stranger { .. }) => notes.fault(
            format!("another program listens on {listen}, the address of the service"),
            "stop it, or set CODER_REG_LISTEN to another port and change the proxy accordingly",
        ),
        Err(HealthError::Silent { .. }) => notes.warn(
            "the service does not run",
            "start it: docker compose up -d, or sudo systemctl start coder-sms-register",
        ),
    }
}

/// Judges the answer of the running service `who`.
fn health(who: &str, answer: Result<Vec<NamedFault>, HealthError>, notes: &mut Notes<'_>) {
    let obstacles = match answer {
        Ok(obstacles) if obstacles.is_empty() => {
            notes.pass(format!("{who} runs and is healthy"));
            return;
        }
        Ok(obstacles) => {
            notes.pass(format!("{who} runs and can accept texts"));
            obstacles
        }
        Err(HealthError::Ill { fault, obstacles }) => {
            notes.fault(
                format!("{who} runs but cannot accept texts: {}", fault.what()),
                fault.cure().unwrap_or(SEE_LOG),
            );
            obstacles
        }
        Err(HealthError::Silent { .. }) => {
            notes.pass(format!("{who} runs"));
            notes.skip(
                "its health",
                "as it does not listen at this address: it runs in another container, or with another CODER_REG_LISTEN",
            );
            return;
        }
        Err(stranger) => {
            notes.fault(stranger.what(), stranger.cure().unwrap_or(SEE_LOG));
            return;
        }
    };
    for obstacle in obstacles {
        let follows = if obstacle.only_delays() {
            "serves all students, but some later"
        } else {
            "cannot serve all students"
        };
        notes.warn(
            format!("{who} {follows}: {}", obstacle.what()),
            obstacle.cure().unwrap_or(SEE_LOG),
        );
    }
}
