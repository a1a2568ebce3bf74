//! What Redis reports about itself, for `check` and the start. Nothing is written.

use std::collections::HashMap;

use redis::{RedisError, cmd, from_redis_value};

use super::append::write_probe;
use super::{LazyConnection, OWNER, Redis, StreamError};
use crate::config::RedisConfig;
use crate::domain::RedisOwner;

/// The properties of a Redis server, and the owner of the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedisInfo {
    /// Redis or Valkey.
    pub product: &'static str,
    /// Its version, major and minor; zeros if unknown.
    pub version: (u32, u32),
    /// It has an append-only file, so that confirmed writes survive a restart.
    pub append_only: bool,
    /// The last write to that file succeeded.
    pub file_is_well: bool,
    /// It never evicts keys (`maxmemory-policy noeviction`).
    pub keeps_all: bool,
    /// It is not a replica.
    pub is_master: bool,
    /// What is wrong if it refuses texts at present, and the cure.
    pub refusal: Option<(String, &'static str)>,
    /// Bytes in use, and the limit (`maxmemory`); 0 = no limit.
    pub memory: (u64, u64),
    /// It accepts connections without a password.
    pub is_open: bool,
    /// The service that owns the database, if there is one.
    pub owner: Option<RedisOwner>,
}

impl RedisInfo {
    /// Asks the Redis of `config`.
    ///
    /// # Errors
    /// Redis cannot be used.
    pub fn at(config: &RedisConfig) -> Result<Self, StreamError> {
        let mut connection = LazyConnection::new(Redis::new(config)?.patient());
        let mut commands = cmd("INFO").get_packed_command();
        commands.extend(cmd("GET").arg(OWNER).get_packed_command());
        write_probe(&mut commands);
        let mut answers = connection.send(&commands, 3)?.into_iter();
        let mut next = || answers.next().unwrap_or(Ok(redis::Value::Nil));
        let info: String = from_redis_value(next()?).map_err(RedisError::from)?;
        let owner: Option<String> = from_redis_value(next()?).map_err(RedisError::from)?;
        let refusal = next().map_err(StreamError::from).err();
        let is_open = config.password.is_some() && is_open(config);
        Ok(Self {
            refusal: refusal.map(|error| (error.what(), error.cure())),
            ..Self::read(&info, owner, is_open)
        })
    }

    fn read(info: &str, owner: Option<String>, is_open: bool) -> Self {
        let fields: HashMap<&str, &str> = info
            .lines()
            .filter_map(|line| line.trim_end().split_once(':'))
            .collect();
        let field = |name: &str| fields.get(name).copied().unwrap_or_default();
        let number = |name: &str| field(name).parse().unwrap_or(0);
        // Valkey also names the version of Redis that its clients may take it for.
        let (product, version) = match field("valkey_version") {
            "" => ("Redis", field("redis_version")),
            version => ("Valkey", version),
        };
        let mut parts = version.split('.').map(str::parse);
        let mut part = || parts.next().and_then(Result::ok).unwrap_or(0);
        Self {
            product,
            version: (part(), part()),
            append_only: field("aof_enabled") == "1",
            file_is_well: field("aof_last_write_status") == "ok",
            keeps_all: field("maxmemory_policy") == "noeviction",
            is_master: field("role") == "master",
            refusal: None,
            memory: (number("used_memory"), number("maxmemory")),
            is_open,
            owner: owner.map(RedisOwner::from_stored),
        }
    }
}

/// Whether Redis accepts a connection without a password.
fn is_open(config: &RedisConfig) -> bool {
    let without_password = RedisConfig {
        password: None,
        ..config.clone()
    };
    Redis::new(&without_password).is_ok_and(|redis| redis.connect().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    const INFO: &str = "# Server\r\nredis_version:7.0.15\r\n\r\n# Memory\r\nused_memory:1000\r\nmaxmemory:2000\r\nmaxmemory_policy:noeviction\r\n# Persistence\r\naof_enabled:1\r\naof_last_write_status:ok\r\nrole:master\r\n";

    #[test]
    fn the_answer_to_info_is_parsed() {
        let look = RedisInfo::read(INFO, None, false);
        assert_eq!((look.version, look.memory), ((7, 0), (1_000, 2_000)));
        assert_eq!(look.product, "Redis");
        let valkey = INFO.replace(
            "redis_version:7.0.15",
            "redis_version:7.2.4\r\nserver_name:valkey\r\nvalkey_version:8.1.1",
        );
        let valkey = RedisInfo::read(&valkey, None, false);
        assert_eq!((valkey.product, valkey.version), ("Valkey", (8, 1)));
        assert!(look.append_only && look.file_is_well && look.keeps_all && look.is_master);
        for (from, to, wrong) in [
            (
                "aof_enabled:1",
                "aof_enabled:0",
                RedisInfo {
                    append_only: false,
                    ..look.clone()
                },
            ),
            (
                "status:ok",
                "status:err",
                RedisInfo {
                    file_is_well: false,
                    ..look.clone()
                },
            ),
            (
                "noeviction",
                "allkeys-lru",
                RedisInfo {
                    keeps_all: false,
                    ..look.clone()
                },
            ),
            (
                "role:master",
                "role:slave",
                RedisInfo {
                    is_master: false,
                    ..look.clone()
                },
            ),
            (
                "7.0.15",
                "255.255.255",
                RedisInfo {
                    version: (255, 255),
                    ..look.clone()
                },
            ),
        ] {
            assert_eq!(RedisInfo::read(&INFO.replace(from, to), None, false), wrong);
        }
    }
}
