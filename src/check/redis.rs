//! Checks Redis, above all that it keeps what it has confirmed.

use super::Notes;
use super::folder::FolderFacts;
use crate::config::PartialConfig;
use crate::stream::{RedisFault, RedisInfo};

/// The oldest version with every command that the service uses (XAUTOCLAIM).
const OLDEST: (u32, u32) = (6, 2);

pub(super) fn inspect(parts: &PartialConfig, facts: &FolderFacts, notes: &mut Notes<'_>) {
    let config = match &parts.redis {
        Some(config) if !parts.is_faulty(&["REDIS_"]) => config,
        _ => return notes.skip("Redis", "as its settings have faults"),
    };
    match RedisInfo::at(config) {
        Ok(info) => judge(&info, config.password.is_some(), facts, notes),
        Err(error) => {
            notes.fault(error.what(), error.cure());
            notes.skip("its version, file and memory", "as it cannot be used");
        }
    }
}

fn judge(info: &RedisInfo, password: bool, facts: &FolderFacts, notes: &mut Notes<'_>) {
    let (product, (major, minor)) = (info.product, info.version);
    let said = if password {
        "accepts our password"
    } else {
        "accepts us without a password"
    };
    notes.judge(
        info.version >= OLDEST,
        &format!("{product} {major}.{minor} {said}"),
        &format!("{product} {major}.{minor} is too old"),
        "install Redis 6.2 or later, or Valkey",
    );
    if password && info.is_open {
        notes.warn(
            "Redis accepts clients without a password",
            "set the password in Redis (requirepass), or let only this machine reach it",
        );
    }
    match &info.refusal {
        _ if !info.is_master => notes.fault(
            "this Redis is a replica and accepts no texts",
            "set REDIS_HOST to the master, or REPLICAOF NO ONE",
        ),
        Some((what, cure)) => notes.fault(format!("{what}: it accepts no texts"), *cure),
        None => notes.pass("it accepts texts"),
    }
    notes.judge(
        info.append_only,
        "its append-only file is on: confirmed texts survive a restart",
        "its append-only file is off: texts are lost when Redis stops",
        "set appendonly yes and appendfsync always, as in the packaged redis.conf, and restart Redis",
    );
    if info.append_only && !info.file_is_well {
        notes.fault(
            "its append-only file cannot be written",
            "free some space on the disk of Redis; its log has the details",
        );
    }
    judge_memory(info, notes);
    let is_ours = info.owner.as_ref().and_then(|owner| facts.is_owner(owner));
    if is_ours == Some(false) {
        notes.fault(RedisFault::Shared.what(), RedisFault::Shared.cure());
    }
}

fn judge_memory(info: &RedisInfo, notes: &mut Notes<'_>) {
    notes.judge(
        info.keeps_all,
        "it deletes nothing when its memory is full (noeviction)",
        "it deletes texts when its memory is full",
        "set maxmemory-policy noeviction",
    );
    match info.memory {
        (used, most) if most > 0 && used > most / 10 * 9 => notes.warn(
            format!(
                "{} of {} MB of its memory are in use",
                mega(used),
                mega(most)
            ),
            RedisFault::Full.cure(),
        ),
        _ => {}
    }
}

fn mega(bytes: u64) -> u64 {
    bytes / 1_000_000
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::folder::FolderInstance;
    use crate::check::{Area, CheckStatus};
    use crate::domain::{InstanceId, RedisOwner};

    /// The service of the data folder `id` that lies at `place`.
    fn owner(id: &str, place: &str) -> RedisOwner {
        RedisOwner::new(&InstanceId::from_stored(id), place)
    }

    fn well() -> RedisInfo {
        RedisInfo {
            product: "Redis",
            version: (7, 0),
            append_only: true,
            file_is_well: true,
            keeps_all: true,
            is_master: true,
            refusal: None,
            memory: (1_000_000, 0),
            is_open: false,
            owner: Some(owner("A", "here")),
        }
    }

    #[test]
    fn a_password_is_mentioned_only_if_there_is_one() {
        for (password, words) in [
            (true, "accepts our password"),
            (false, "without a password"),
        ] {
            let facts = FolderFacts {
                instance: FolderInstance::Unread,
                place: None,
                running: true,
            };
            let mut all = Vec::new();
            judge(
                &well(),
                password,
                &facts,
                &mut Notes::of(Area::Redis, &mut all),
            );
            assert!(all[0].what.ends_with(words), "{all:?}");
        }
    }

    #[test]
    fn each_fault_is_found_on_its_own() {
        let nearly_full = RedisInfo {
            memory: (95, 100),
            ..well()
        };
        for (info, verdict) in [
            (well(), None),
            (
                RedisInfo {
                    owner: None,
                    ..well()
                },
                None,
            ),
            (
                RedisInfo {
                    version: (6, 0),
                    ..well()
                },
                Some(CheckStatus::Fault),
            ),
            (
                RedisInfo {
                    append_only: false,
                    ..well()
                },
                Some(CheckStatus::Fault),
            ),
            (
                RedisInfo {
                    file_is_well: false,
                    ..well()
                },
                Some(CheckStatus::Fault),
            ),
            (
                RedisInfo {
                    keeps_all: false,
                    ..well()
                },
                Some(CheckStatus::Fault),
            ),
            (
                RedisInfo {
                    is_master: false,
                    ..well()
                },
                Some(CheckStatus::Fault),
            ),
            (
                RedisInfo {
                    refusal: Some(("Redis has no memory left".to_owned(), "give it more")),
                    ..well()
                },
                Some(CheckStatus::Fault),
            ),
            (
                RedisInfo {
                    owner: Some(owner("B", "here")),
                    ..well()
                },
                Some(CheckStatus::Fault),
            ),
            (
                // A copy of the folder.
                RedisInfo {
                    owner: Some(owner("A", "elsewhere")),
                    ..well()
                },
                Some(CheckStatus::Fault),
            ),
            (
                RedisInfo {
                    is_open: true,
                    ..well()
                },
                Some(CheckStatus::Warning),
            ),
            (nearly_full, Some(CheckStatus::Warning)),
        ] {
            let facts = FolderFacts {
                instance: FolderInstance::Known(InstanceId::from_stored("A")),
                place: Some("here".to_owned()),
                running: true,
            };
            let mut all = Vec::new();
            let mut notes = Notes::of(Area::Redis, &mut all);
            judge(&info, true, &facts, &mut notes);
            all.retain(|one| one.verdict != CheckStatus::Pass);
            let found: Vec<CheckStatus> = all.iter().map(|one| one.verdict).collect();
            assert_eq!(found, verdict.into_iter().collect::<Vec<_>>(), "{info:?}");
            assert!(all.iter().all(|one| one.cure.is_some()));
        }
    }
}
