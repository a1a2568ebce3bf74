//! What can be wrong with Redis: each fault has one name, one description and one cure, wherever it
//! is reported.

/// What is wrong with Redis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RedisFault {
    /// It cannot be reached, is loading, or is a replica for now.
    Away,
    /// It refuses the password or the user.
    Denied,
    /// Its memory is full.
    Full,
    /// A service with another data folder, or with a copy of ours, works on the same Redis database.
    Shared,
    /// It refuses a command for another reason.
    Refused,
}

impl RedisFault {
    const ALL: [Self; 5] = [
        Self::Away,
        Self::Denied,
        Self::Full,
        Self::Shared,
        Self::Refused,
    ];

    /// The name in `GET /healthz` and in metrics. It has no secret.
    pub fn name(self) -> &'static str {
        match self {
            Self::Away => "redis-away",
            Self::Denied => "redis-password",
            Self::Full => "redis-full",
            Self::Shared => "redis-shared",
            Self::Refused => "redis-refuses",
        }
    }

    /// The fault with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|fault| fault.name() == name)
    }

    /// What is wrong.
    pub fn what(self) -> &'static str {
        match self {
            Self::Away => "Redis cannot be reached",
            Self::Denied => "Redis refuses the password",
            Self::Full => "Redis has no memory left",
            Self::Shared => "another coder-sms-register works on this Redis database",
            Self::Refused => "Redis refuses a command",
        }
    }

    /// What the operator can do.
    pub fn cure(self) -> &'static str {
        match self {
            Self::Away => {
                "start Redis; set REDIS_HOST and REDIS_PORT to where it listens, or REDIS_HOST to its socket"
            }
            Self::Denied => {
                "set REDIS_PW to the password that Redis has (requirepass, or that of its default user; nothing if it has none), and give that user the rights of the packaged redis.conf"
            }
            Self::Full => "raise maxmemory, or give it a Redis of its own",
            Self::Shared => {
                "give one of them another REDIS_DB; if one runs on a copy of the other's data folder, stop the copy; if that one is gone, wait for two minutes"
            }
            Self::Refused => {
                "make sure that REDIS_HOST and REDIS_PORT lead to a Redis, and read its log"
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_fault_is_found_by_its_name_and_has_its_own_cure() {
        for fault in RedisFault::ALL {
            assert_eq!(RedisFault::named(fault.name()), Some(fault));
            let alike = |other: &&RedisFault| other.cure() == fault.cure();
            assert_eq!(RedisFault::ALL.iter().filter(alike).count(), 1);
        }
        assert_eq!(RedisFault::named("redis"), None);
    }
}
