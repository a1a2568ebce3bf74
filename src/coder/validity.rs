//! Until when our token is good.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::{Coder, CoderError, encode, wire};
use crate::domain::{UnixSeconds, span};

const DAY: UnixSeconds = 86_400;

/// Until when a token is good, by its own record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// When it ends as it stands; `None` = the server does not say.
    pub expires_at: Option<UnixSeconds>,
    /// Whether use was seen to prolong it: it ends later than it did when it was made.
    pub is_prolonged: bool,
    /// It is the session of a login, which ends as well when its user logs out or gets another password.
    pub is_session: bool,
}

/// How near the end is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Nearness {
    /// More than three days away, or moved on by use.
    Far,
    /// Within three days.
    Days,
    /// Within one day, or over.
    Hours,
}

/// From when on an end is near, in seconds before it.
pub const NEAR: [UnixSeconds; 2] = [3 * DAY, DAY];

impl Validity {
    fn of(key: &wire::Key, now: UnixSeconds) -> Self {
        let time = |text: &str| {
            let time = OffsetDateTime::parse(text, &Rfc3339).ok();
            time.map(OffsetDateTime::unix_timestamp)
        };
        let expires_at = time(&key.expires_at);
        let moved = match (expires_at, time(&key.created_at), key.lifetime_seconds) {
            (Some(expires), Some(created), Some(life @ 1..)) => {
                // A use moves the end to a whole life from then. Used daily, it never has two days less,
                // unless the server was updated to a release that does not do so any more.
                let moved = expires.saturating_sub(created).saturating_sub(life) > 60;
                moved && expires.saturating_sub(now) >= life.saturating_sub(2 * DAY)
            }
            _ => false,
        };
        Self {
            expires_at,
            is_prolonged: moved,
            is_session: !matches!(key.login_type.as_str(), "" | "token"),
        }
    }

    /// How near its end is at `now`.
    pub fn nearness(&self, now: UnixSeconds) -> Nearness {
        let left = self.expires_at.map(|at| at.saturating_sub(now));
        match left {
            Some(left) if !self.is_prolonged && left <= NEAR[1] => Nearness::Hours,
            Some(left) if !self.is_prolonged && left <= NEAR[0] => Nearness::Days,
            _ => Nearness::Far,
        }
    }

    /// In words, such as "is good for 6 d 23 h, or more, as use prolongs it".
    pub fn words(&self, now: UnixSeconds) -> String {
        let or_more = if self.is_prolonged {
            " or more, as use prolongs it"
        } else {
            ""
        };
        match self.expires_at {
            None => "has no end that Coder tells".to_owned(),
            Some(at) if at <= now => {
                "has ended by its own record, though Coder still takes it".to_owned()
            }
            Some(at) => format!("is good for {}{or_more}", span(at - now)),
        }
    }
}

impl Coder {
    /// Until when our token is good, as it stands at `now`.
    ///
    /// # Errors
    /// The call failed.
    pub fn validity(&self, now: UnixSeconds) -> Result<Validity, CoderError> {
        const DOING: &str = "ask until when the token is good";
        // A token is `id-secret`; the id alone opens nothing.
        let id = self.key.reveal().split('-').next().unwrap_or_default();
        let answer = self.get(DOING, &format!("/users/me/keys/{}", encode(id)))?;
        let key: Option<wire::Key> = answer.json();
        let key = key.filter(|_| answer.status == 200);
        key.map(|key| Validity::of(&key, now))
            .ok_or_else(|| CoderError::of(DOING, &answer))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixSeconds = 1_795_000_000;
    const WEEK: UnixSeconds = 7 * DAY;

    /// A token made `age` seconds ago for `life`, which ends in `left`.
    fn token(age: UnixSeconds, life: UnixSeconds, left: UnixSeconds) -> Validity {
        let time = |at: UnixSeconds| {
            let time = OffsetDateTime::from_unix_timestamp(at).unwrap();
            time.format(&Rfc3339).unwrap()
        };
        let key = serde_json::json!({
            "login_type": "token",
            "created_at": time(NOW - age),
            "expires_at": time(NOW + left),
            "lifetime_seconds": life,
        });
        Validity::of(&serde_json::from_value(key).unwrap(), NOW)
    }

    #[test]
    fn use_prolongs_a_token_only_where_its_end_was_seen_to_move() {
        for (age, life, left, prolonged) in [
            // Just made: nobody knows yet.
            (30, WEEK, WEEK - 30, false),
            (2 * DAY, WEEK, 5 * DAY, false),
            (2 * DAY, WEEK, WEEK - 600, true),
            (300 * DAY, 365 * DAY, 65 * DAY, false),
            (300 * DAY, 365 * DAY, 365 * DAY - DAY, true),
            // It was moved once, and is not any more.
            (10 * DAY, WEEK, 4 * DAY, false),
            (10 * DAY, WEEK, WEEK - 2 * DAY, true),
            (3 * DAY, DAY, DAY - 100, true),
        ] {
            assert_eq!(
                token(age, life, left).is_prolonged,
                prolonged,
                "{age} {life} {left}"
            );
        }
    }

    #[test]
    fn an_end_is_near_unless_use_moves_it() {
        for (validity, nearness, words) in [
            (
                token(30, WEEK, WEEK - 30),
                Nearness::Far,
                "is good for 6 d 23 h",
            ),
            (
                token(2 * DAY, WEEK, WEEK - 3_600),
                Nearness::Far,
                "is good for 6 d 23 h or more, as use prolongs it",
            ),
            (
                token(4 * DAY, WEEK, 3 * DAY),
                Nearness::Days,
                "is good for 3 d",
            ),
            (
                token(6 * DAY, WEEK, DAY),
                Nearness::Hours,
                "is good for 1 d",
            ),
            (
                token(8 * DAY, WEEK, -DAY),
                Nearness::Hours,
                "has ended by its own record, though Coder still takes it",
            ),
            (
                token(3 * DAY, DAY, DAY - 100),
                Nearness::Far,
                "is good for 23 h 58 min or more, as use prolongs it",
            ),
        ] {
            assert_eq!(validity.nearness(NOW), nearness, "{validity:?}");
            assert_eq!(validity.words(NOW), words);
        }
    }

    #[test]
    fn a_record_that_says_little_is_no_end() {
        for record in [
            "{}",
            r#"{"expires_at": "soon", "lifetime_seconds": -1}"#,
            r#"{"expires_at": "0001-01-01T00:00:00Z", "created_at": "9999-12-31T23:59:59Z", "lifetime_seconds": 9223372036854775807}"#,
            r#"{"expires_at": "9999-12-31T23:59:59Z", "created_at": "0001-01-01T00:00:00Z", "lifetime_seconds": 1}"#,
        ] {
            let validity = Validity::of(&serde_json::from_str(record).unwrap(), NOW);
            let _ = (validity.nearness(NOW), validity.words(NOW));
            assert!(!validity.is_session);
        }
        let session = r#"{"login_type": "password"}"#;
        assert!(Validity::of(&serde_json::from_str(session).unwrap(), NOW).is_session);
    }
}
