//! Redis: is it one that keeps what it has confirmed?

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
        Ok(look) => judge(&look, config.password.is_some(), facts, notes),
        Err(error) => {
            notes.fault(error.what(), error.cure());
            notes.skip("its version, file and memory", "as it cannot be used");
        }
    }
}

fn judge(look: &RedisInfo, password: bool, facts: &FolderFacts, notes: &mut Notes<'_>) {
    let (major, minor) = look.version;
    let said = if password {
        "takes our password"
    } else {
        "lets us in, without password"
    };
    notes.judge(
        look.version >= OLDEST,
        &format!("Redis {major}.{minor} {said}"),
        &format!("Redis {major}.{minor} is too old"),
        "install Redis 6.2 or later, or Valkey",
    );
    if password && look.is_open {
        notes.warn(
            "Redis lets in who has no password",
            "give it the password (requirepass), or let only this machine reach it",
        );
    }
    notes.judge(
        look.is_master,
        "it takes writes",
        "this Redis is a replica and takes no texts",
        "set REDIS_HOST to the master, or REPLICAOF NO ONE",
    );
    notes.judge(
        look.append_only,
        "its append-only file is on: a confirmed text survives",
        "its append-only file is off: texts are lost when Redis ends",
        "set appendonly yes and appendfsync always, as in the packaged redis.conf, and restart Redis",
    );
    if look.append_only && !look.file_is_well {
        notes.fault(
            "its append-only file cannot be written",
            "free some room on the disk of Redis; its log says more",
        );
    }
    notes.judge(
        look.keeps_all,
        "it drops nothing when it is full (noeviction)",
        "it drops texts when it is full",
        "set maxmemory-policy noeviction",
    );
    match look.memory {
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
    match (&look.owner, &facts.instance_id) {
        (Some(theirs), Some(ours)) if ours.as_ref() != Some(theirs) => {
            notes.fault(RedisFault::Shared.what(), RedisFault::Shared.cure());
        }
        _ => {}
    }
}

fn mega(bytes: u64) -> u64 {
    bytes / 1_000_000
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{Area, CheckStatus};
    use crate::domain::InstanceId;

    fn well() -> RedisInfo {
        RedisInfo {
            version: (7, 0),
            append_only: true,
            file_is_well: true,
            keeps_all: true,
            is_master: true,
            memory: (1_000_000, 0),
            is_open: false,
            owner: Some(InstanceId::from_stored("A")),
        }
    }

    #[test]
    fn a_password_is_spoken_of_only_where_there_is_one() {
        for (password, words) in [(true, "takes our password"), (false, "without password")] {
            let facts = FolderFacts {
                instance_id: None,
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
    fn each_fault_is_found_alone() {
        let far = RedisInfo {
            memory: (95, 100),
            ..well()
        };
        for (look, verdict) in [
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
                    owner: Some(InstanceId::from_stored("B")),
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
            (far, Some(CheckStatus::Warning)),
        ] {
            let facts = FolderFacts {
                instance_id: Some(Some(InstanceId::from_stored("A"))),
                running: true,
            };
            let mut all = Vec::new();
            let mut notes = Notes::of(Area::Redis, &mut all);
            judge(&look, true, &facts, &mut notes);
            all.retain(|one| one.verdict != CheckStatus::Pass);
            let found: Vec<CheckStatus> = all.iter().map(|one| one.verdict).collect();
            assert_eq!(found, verdict.into_iter().collect::<Vec<_>>(), "{look:?}");
            assert!(all.iter().all(|one| one.cure.is_some()));
        }
    }
}
