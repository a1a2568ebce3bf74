//! When to retry, and when to give up: the policy for everything that may fail.
//!
//! Pure: it computes waits from the number of the attempt and the age. It does not sleep.

use std::time::Duration;

/// Waits that double from `first` up to `most`, each with noise.
#[derive(Clone, Copy, Debug)]
pub struct Backoff {
    /// The wait after the first failed attempt.
    pub first: Duration,
    /// The longest wait.
    pub most: Duration,
}

/// For texts: a student is waiting. Longer waits would save nothing, because retries never occupy more
/// than half of the workers.
pub const TEXT: Backoff = Backoff {
    first: Duration::from_secs(1),
    most: Duration::from_secs(10),
};

/// For a peer that refuses us until a person acts: one probe a minute.
pub const BLOCKED: Backoff = Backoff {
    first: Duration::from_secs(60),
    most: Duration::from_secs(60),
};

/// For Redis connections.
pub const CONNECT: Backoff = Backoff {
    first: Duration::from_millis(50),
    most: Duration::from_secs(2),
};

/// For builds in progress and failed calls of a removal.
pub const REMOVAL: Backoff = Backoff {
    first: Duration::from_secs(1),
    most: Duration::from_secs(600),
};

/// For workspaces that could not be made.
pub const WORKSPACE: Backoff = Backoff {
    first: Duration::from_secs(5),
    most: Duration::from_secs(600),
};

/// For looks at builds of workspaces that go on.
pub const BUILD: Backoff = Backoff {
    first: Duration::from_secs(5),
    most: Duration::from_secs(120),
};

/// For the search for missed texts.
pub const CATCH_UP: Backoff = Backoff {
    first: Duration::from_secs(1),
    most: Duration::from_secs(60),
};

/// For logins that cannot be redacted in Twilio's log yet.
pub const REDACTION: Backoff = Backoff {
    first: Duration::from_secs(300),
    most: Duration::from_secs(6 * 3_600),
};

impl Backoff {
    /// The wait after failed attempt number `attempt` (counted from 1). `noise` (0..=255) shortens
    /// it by up to a quarter, so that calls which failed at the same time are not repeated at the same time.
    pub fn wait(&self, attempt: u32, noise: u8) -> Duration {
        let doublings = attempt.saturating_sub(1).min(20);
        let full = self.first.saturating_mul(1 << doublings).min(self.most);
        full - full / 4 * u32::from(noise) / 255
    }
}

/// Whether a text of this age is given up.
pub fn gives_up(age: Duration, limit: Duration) -> bool {
    age >= limit
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::properties::drawn;

    #[test]
    fn waits_double_up_to_the_longest_and_noise_only_shortens_them() {
        let waits: Vec<u64> = (1..=7).map(|n| TEXT.wait(n, 0).as_secs()).collect();
        assert_eq!(waits, [1, 2, 4, 8, 10, 10, 10]);
        assert_eq!(TEXT.wait(u32::MAX, 0), TEXT.most);
        assert_eq!(TEXT.wait(6, 255), Duration::from_millis(7_500));
        for noise in 0..=255 {
            assert!(TEXT.wait(1, noise) <= TEXT.first && TEXT.wait(1, noise) >= TEXT.first * 3 / 4);
        }
    }

    #[test]
    fn eight_tries_to_redact_a_login_take_between_ten_and_eleven_hours() {
        let waits: Duration = (1..8).map(|n| REDACTION.wait(n, 0)).sum();
        let hours = |hours: u64| Duration::from_secs(hours * 3_600);
        assert!(waits > hours(10) && waits < hours(11), "{waits:?}");
    }

    #[test]
    fn a_text_is_given_up_at_the_limit_of_its_age() {
        let limit = Duration::from_secs(10);
        assert!(!gives_up(Duration::from_secs(9), limit));
        assert!(gives_up(limit, limit));
    }

    fn any_backoff() -> impl Strategy<Value = Backoff> {
        (1..100_000_u64, 1..1_000_u64).prop_map(|(first, times)| Backoff {
            first: Duration::from_millis(first),
            most: Duration::from_millis(first * times),
        })
    }

    proptest! {
        #![proptest_config(drawn())]

        #[test]
        fn waits_never_shrink_and_keep_their_bounds(
            backoff in any_backoff(), attempt in 0..70_u32, noise in any::<u8>()
        ) {
            let wait = backoff.wait(attempt, noise);
            prop_assert!(wait <= backoff.wait(attempt + 1, noise));
            prop_assert!(wait <= backoff.wait(attempt, noise.saturating_sub(1)));
            prop_assert!(wait <= backoff.most && wait >= backoff.first * 3 / 4);
            let doubled = backoff.first * 2_u32.pow(attempt.clamp(1, 12) - 1);
            prop_assert!(wait >= doubled.min(backoff.most) * 3 / 4);
            prop_assert_eq!(backoff.wait(u32::MAX, 0), backoff.most);
        }

        #[test]
        fn a_text_that_is_given_up_stays_given_up_as_it_ages(
            age in any::<u32>(), more in any::<u32>(), limit in any::<u32>()
        ) {
            let [age, more, limit] = [age, more, limit].map(|s| Duration::from_secs(s.into()));
            prop_assert!(!gives_up(age, limit) || gives_up(age + more, limit));
            prop_assert_eq!(gives_up(limit + more, limit), true);
        }
    }
}
