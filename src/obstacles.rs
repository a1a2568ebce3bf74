//! What keeps students from being served at present, or delays them, although their texts may be accepted. One list,
//! from which `/healthz`, `healthcheck`, `status` and the metrics are answered.
//!
//! Several observers may report the same obstacle. It lasts until each of them has reported its end.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::metrics::labels;

/// The templates of which no workspace can be made for now. It keeps nobody from being served.
#[derive(Default)]
pub struct FailingTemplates(Mutex<BTreeSet<String>>);

impl FailingTemplates {
    /// Records whether workspaces of `template` can be made.
    pub fn set(&self, template: &str, fails: bool) {
        let mut failing = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if fails {
            failing.insert(template.to_owned());
        } else {
            failing.remove(template);
        }
    }

    /// Whether none of `template` can be made.
    pub fn has(&self, template: &str) -> bool {
        let failing = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        failing.contains(template)
    }
}

labels! {
    /// Something that keeps students from being served, or delays them. The name says only which kind it is: `/healthz`
    /// shows it to anybody.
    pub enum Obstacle {
        /// Redis cannot be reached.
        RedisAway => "redis-away",
        /// Redis refuses the password.
        RedisPassword => "redis-password",
        /// Redis has no memory left.
        RedisFull => "redis-full",
        /// Another service uses this Redis database.
        RedisShared => "redis-shared",
        /// Redis refuses a command.
        RedisRefuses => "redis-refuses",
        /// The disk of the data folder is full.
        DiskFull => "disk-full",
        /// The database cannot be written for another reason.
        DatabaseNotWritable => "database-not-writable",
        /// Coder does not answer.
        CoderAway => "coder-away",
        /// Coder refuses the token, or to make accounts.
        CoderRefuses => "coder-refuses",
        /// The token lacks a right at Coder.
        TokenLacksRights => "token-lacks-rights",
        /// Twilio does not answer.
        TwilioAway => "twilio-away",
        /// Twilio refuses the key, the account or the sender for every phone.
        TwilioRefuses => "twilio-refuses",
        /// The sender does not reach some phones.
        SenderBlocked => "sender-blocked",
        /// The account may not send to some phones.
        PhonesBlocked => "phones-blocked",
        /// As many texts were sent within an hour as are allowed.
        HourlyLimit => "hourly-limit",
        /// Spare accounts fail one after the other, so no more are made for now.
        SparesFail => "spares-fail",
    }
}

impl Obstacle {
    /// The obstacles of Redis; their names are those of its faults.
    const OF_REDIS: [Self; 5] = [
        Self::RedisAway,
        Self::RedisPassword,
        Self::RedisFull,
        Self::RedisShared,
        Self::RedisRefuses,
    ];

    /// The obstacle of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|one| one.as_str() == name)
    }

    /// Whether all students are served all the same, only some of them later.
    pub fn only_delays(self) -> bool {
        self == Self::SparesFail
    }

    /// What is wrong, and what helps; `None` for the faults of Redis, which have words of their own.
    pub fn words(self) -> Option<(&'static str, &'static str)> {
        Some(match self {
            Self::RedisAway
            | Self::RedisPassword
            | Self::RedisFull
            | Self::RedisShared
            | Self::RedisRefuses => return None,
            Self::DiskFull => (
                "the disk of the data folder (CODER_REG_DATA_DIR) is full",
                "free some space; texts wait until then",
            ),
            Self::DatabaseNotWritable => (
                "the database cannot be written",
                "make sure that the disk works, and that the data folder belongs to the service's user; the log has the reason",
            ),
            Self::CoderAway => (
                "Coder does not answer",
                "make sure that Coder runs and that this machine reaches CODER_API_URL; texts wait until then",
            ),
            Self::CoderRefuses => (
                "Coder refuses the token (CODER_API_KEY), or refuses to create accounts",
                "the log says which; correct it and restart the service",
            ),
            Self::TokenLacksRights => (
                "the token (CODER_API_KEY) lacks a right at Coder",
                "coder-sms-register check says which, and which role contains it",
            ),
            Self::TwilioAway => (
                "Twilio does not answer",
                "make sure that this machine reaches api.twilio.com; texts wait until then",
            ),
            Self::TwilioRefuses => (
                "Twilio refuses our key, account or sender",
                "the log has Twilio's code and what to do",
            ),
            Self::SenderBlocked => (
                "the sender does not reach some phones",
                "the log has Twilio's code and what to do; other phones are served",
            ),
            Self::PhonesBlocked => (
                "the Twilio account may not send to some phones",
                "the log says to which, and what to do; other phones are served",
            ),
            Self::HourlyLimit => (
                "as many texts were sent within an hour as CODER_REG_HOURLY_TEXTS allows, so logins wait",
                "if students caused them, and not somebody who misuses the phrase, raise the number and restart the service; otherwise change the phrase. Logins that wait are sent as the hour goes on",
            ),
            Self::SparesFail => (
                "spare accounts fail one after the other, so no more are made for now",
                "see the builds at Coder, under Workspaces, and mend the template, or find out who uses or deletes these accounts; one is tried every 10 minutes, and students get logins all the same",
            ),
        })
    }
}

/// A part of the service that reports obstacles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Observer {
    /// Every call to Coder and Twilio, and every write to the database.
    Calls = 1,
    /// The watch over the token's rights.
    Token = 2,
    /// The workers, and the reader of the stream.
    Texts = 4,
    /// The webhook.
    Webhook = 8,
    /// The keeper of spare accounts.
    Spares = 16,
}

/// The obstacles at present. Cheap to ask and to report to.
#[derive(Debug, Default)]
pub struct Obstacles {
    /// For each kind, in the order of `ALL`: the observers that see it, a bit each.
    observers: [AtomicU8; Obstacle::ALL.len()],
}

impl Obstacles {
    /// `observer` sees the obstacle. Returns whether it is new.
    pub fn begin(&self, obstacle: Obstacle, observer: Observer) -> bool {
        self.bits(obstacle)
            .fetch_or(observer as u8, Ordering::Relaxed)
            == 0
    }

    /// `observer` does not see the obstacle (any more). Returns whether it is over with that.
    pub fn end(&self, obstacle: Obstacle, observer: Observer) -> bool {
        let bit = observer as u8;
        self.bits(obstacle).fetch_and(!bit, Ordering::Relaxed) == bit
    }

    /// As [`Obstacles::begin`] or [`Obstacles::end`].
    pub fn set(&self, obstacle: Obstacle, observer: Observer, is_seen: bool) -> bool {
        if is_seen {
            self.begin(obstacle, observer)
        } else {
            self.end(obstacle, observer)
        }
    }

    /// There is proof that the obstacle is over, whichever observer saw it. Returns whether it was there.
    pub fn clear(&self, obstacle: Obstacle) -> bool {
        // Mostly it is not; then nothing has to be written.
        self.has(obstacle) && self.bits(obstacle).swap(0, Ordering::Relaxed) != 0
    }

    /// `observer` sees this fault of Redis, and no other; `None` = none.
    pub fn set_redis(&self, observer: Observer, fault: Option<&str>) {
        for obstacle in Obstacle::OF_REDIS {
            self.set(obstacle, observer, fault == Some(obstacle.as_str()));
        }
    }

    /// Whether the obstacle is there.
    pub fn has(&self, obstacle: Obstacle) -> bool {
        self.bits(obstacle).load(Ordering::Relaxed) != 0
    }

    /// All that are there.
    pub fn present(&self) -> impl Iterator<Item = Obstacle> {
        let all = Obstacle::ALL.iter().copied();
        all.filter(|obstacle| self.has(*obstacle))
    }

    fn bits(&self, obstacle: Obstacle) -> &AtomicU8 {
        // The variants are counted from 0 in the order of `ALL`, which has them all.
        &self.observers[obstacle as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_obstacle_lasts_until_each_observer_reports_its_end() {
        let obstacles = Obstacles::default();
        let refused = Obstacle::TwilioRefuses;
        assert!(!obstacles.end(refused, Observer::Calls));
        assert!(obstacles.begin(refused, Observer::Calls));
        assert!(!obstacles.begin(refused, Observer::Calls));
        assert!(!obstacles.begin(refused, Observer::Texts));
        assert!(!obstacles.end(refused, Observer::Calls));
        assert_eq!(obstacles.present().collect::<Vec<_>>(), [refused]);
        assert!(obstacles.end(refused, Observer::Texts));
        assert_eq!(obstacles.present().count(), 0);
        obstacles.begin(refused, Observer::Calls);
        obstacles.begin(refused, Observer::Texts);
        obstacles.clear(refused);
        assert!(!obstacles.has(refused));
    }

    #[test]
    fn an_observer_sees_one_fault_of_redis_at_a_time() {
        let obstacles = Obstacles::default();
        obstacles.set_redis(Observer::Webhook, Some("redis-away"));
        obstacles.set_redis(Observer::Texts, Some("redis-shared"));
        obstacles.set_redis(Observer::Webhook, Some("redis-full"));
        let present: Vec<_> = obstacles.present().collect();
        assert_eq!(present, [Obstacle::RedisFull, Obstacle::RedisShared]);
        obstacles.set_redis(Observer::Webhook, None);
        obstacles.set_redis(Observer::Texts, None);
        assert_eq!(obstacles.present().count(), 0);
    }

    #[test]
    fn each_kind_has_its_place_and_its_name() {
        for (place, obstacle) in Obstacle::ALL.iter().enumerate() {
            assert_eq!(*obstacle as usize, place);
            assert_eq!(Obstacle::named(obstacle.as_str()), Some(*obstacle));
        }
        assert_eq!(Obstacle::named("coder"), None);
    }
}
