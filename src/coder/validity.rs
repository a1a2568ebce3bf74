//! How long our token is valid.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::{Coder, CoderError, encode, wire};
use crate::domain::{UnixSeconds, span};

const DAY: UnixSeconds = 86_400;

/// How long a token is valid, by its record at Coder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// When it expires; `None` = the server does not report it.
    pub expires_at: Option<UnixSeconds>,
    /// Whether use extends it: it expires later than it did when it was created.
    pub is_extended_by_use: bool,
    /// It is the session of a login, which also ends when its user logs out or changes the
    /// password.
    pub is_session: bool,
}

/// How near the expiry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Nearness {
    /// More than three days away, or extended by use.
    Far,
    /// Within three days.
    Days,
    /// Within one day, or expired.
    Hours,
}

/// The limits of [`Nearness::Days`] and [`Nearness::Hours`], in seconds before the expiry.
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
                // Each use moves the expiry to a whole lifetime from then. A token in daily use
                // never has two days less than that left, unless the server was updated to a
                // release that no longer extends tokens.
                let moved = expires.saturating_sub(created).saturating_sub(life) > 60;
                moved && expires.saturating_sub(now) >= life.saturating_sub(2 * DAY)
            }
            _ => false,
        };
        Self {
            expires_at,
            is_extended_by_use: moved,
            is_session: !matches!(key.login_type.as_str(), "" | "token"),
        }
    }

    /// How near its expiry is at `now`.
    pub fn nearness(&self, now: UnixSeconds) -> Nearness {
        let left = self.expires_at.map(|at| at.saturating_sub(now));
        match left {
            Some(left) if !self.is_extended_by_use && left <= NEAR[1] => Nearness::Hours,
            Some(left) if !self.is_extended_by_use && left <= NEAR[0] => Nearness::Days,
            _ => Nearness::Far,
        }
    }

    /// In words, such as "is valid for 6 d 23 h or more, because use extends it".
    pub fn describe(&self, now: UnixSeconds) -> String {
        let or_more = if self.is_extended_by_use {
            " or more, because use extends it"
        } else {
            ""
        };
        match self.expires_at {
            None => "has no expiry date that Coder reports".to_owned(),
            Some(at) if at <= now => {
                "has expired by its record at Coder, but Coder still accepts it".to_owned()
            }
            Some(at) => format!("is valid for {}{or_more}", span(at - now)),
        }
    }
}

impl Coder {
    /// How long our token is valid, as recorded at `now`.
    ///
    /// # Errors
    /// The call failed.
    pub fn validity(&self, now: UnixSeconds) -> Result<Validity, CoderError> {
        const OPERATION: &str = "ask when the token expires";
        // A token is `id-secret`; the id alone gives no access.
        let id = self.key.reveal().split('-').next().unwrap_or_default();
        let answer = self.get(OPERATION, &format!("/users/me/keys/{}", encode(id)))?;
        let key: Option<wire::Key> = answer.json();
        let key = key.filter(|_| answer.status == 200);
        key.map(|key| Validity::of(&key, now))
            .ok_or_else(|| CoderError::of(OPERATION, &answer))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixSeconds = 1_795_000_000;
    const WEEK: UnixSeconds = 7 * DAY;

    /// A token created `age` seconds ago with lifetime `life`, which expires in `left` seconds.
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
    fn use_extends_a_token_only_if_its_expiry_has_moved() {
        for (age, life, left, prolonged) in [
            // Just created: use has not moved the expiry yet.
            (30, WEEK, WEEK - 30, false),
            (2 * DAY, WEEK, 5 * DAY, false),
            (2 * DAY, WEEK, WEEK - 600, true),
            (300 * DAY, 365 * DAY, 65 * DAY, false),
            (300 * DAY, 365 * DAY, 365 * DAY - DAY, true),
            // The expiry was moved once, and no longer is.
            (10 * DAY, WEEK, 4 * DAY, false),
            (10 * DAY, WEEK, WEEK - 2 * DAY, true),
            (3 * DAY, DAY, DAY - 100, true),
        ] {
            assert_eq!(
                token(age, life, left).is_extended_by_use,
                prolonged,
                "{age} {life} {left}"
            );
        }
    }

    #[test]
    fn an_expiry_is_near_unless_use_moves_it() {
        for (validity, nearness, words) in [
            (
                token(30, WEEK, WEEK - 30),
                Nearness::Far,
                "is valid for 6 d 23 h",
            ),
            (
                token(2 * DAY, WEEK, WEEK - 3_600),
                Nearness::Far,
                "is valid for 6 d 23 h or more, because use extends it",
            ),
            (
                token(4 * DAY, WEEK, 3 * DAY),
                Nearness::Days,
                "is valid for 3 d",
            ),
            (
                token(6 * DAY, WEEK, DAY),
                Nearness::Hours,
                "is valid for 1 d",
            ),
            (
                token(8 * DAY, WEEK, -DAY),
                Nearness::Hours,
                "has expired by its record at Coder, but Coder still accepts it",
            ),
            (
                token(3 * DAY, DAY, DAY - 100),
                Nearness::Far,
                "is valid for 23 h 58 min or more, because use extends it",
            ),
        ] {
            assert_eq!(validity.nearness(NOW), nearness, "{validity:?}");
            assert_eq!(validity.describe(NOW), words);
        }
    }

    #[test]
    fn an_incomplete_or_odd_record_is_read_without_failing() {
        for record in [
            "{}",
            r#"{"expires_at": "soon", "lifetime_seconds": -1}"#,
            r#"{"expires_at": "0001-01-01T00:00:00Z", "created_at": "9999-12-31T23:59:59Z", "lifetime_seconds": 9223372036854775807}"#,
            r#"{"expires_at": "9999-12-31T23:59:59Z", "created_at": "0001-01-01T00:00:00Z", "lifetime_seconds": 1}"#,
        ] {
            let validity = Validity::of(&serde_json::from_str(record).unwrap(), NOW);
            let _ = (validity.nearness(NOW), validity.describe(NOW));
            assert!(!validity.is_session);
        }
        let session = r#"{"login_type": "password"}"#;
        assert!(Validity::of(&serde_json::from_str(session).unwrap(), NOW).is_session);
    }
}
