//! The group "Redis": the server where texts are queued.

use super::addresses;
use super::reader::{Faulty, Reader};
use crate::domain::Secret;

/// How Redis is reached.
#[derive(Clone, Debug)]
pub struct RedisConfig {
    /// Host name, address, or the path of a Unix socket (begins with `/`).
    pub host: String,
    /// TCP port; unused with a Unix socket.
    pub port: u16,
    /// Database number.
    pub db: i64,
    /// Password, if Redis requires one.
    pub password: Option<Secret>,
}

/// Reads the group.
pub(super) fn read(r: &mut Reader) -> Result<RedisConfig, Faulty> {
    let host = r.value("REDIS_HOST", addresses::redis_host);
    let port = r.number("REDIS_PORT");
    let db = r.number("REDIS_DB");
    let password = r.get("REDIS_PW").map(Secret::new);
    let host = host?;
    let local = host.starts_with('/') || ["127.0.0.1", "::1", "localhost"].contains(&host.as_str());
    if password.is_none() && !local {
        r.warn(
            "REDIS_PW is unset and Redis is not on this machine, so anyone who can reach it can read the phone numbers of texts in progress",
            "set a password in Redis (requirepass), and REDIS_PW to it",
        );
    }
    Ok(RedisConfig {
        host,
        port: port?,
        db: db?,
        password,
    })
}
