//! When to try again, and when to give up: one policy for everything that may fail.
//!
//! Pure: it is told the attempt and the age, it never sleeps and knows nobody.

use std::time::Duration;

/// How waits grow: `first`, twice that, and so on up to `most`, each with noise.
#[derive(Clone, Copy, Debug)]
pub struct Backoff {
    /// The wait after the first failed attempt.
    pub first: Duration,
    /// The longest wait.
    pub most: Duration,
}

/// For texts in progress: a student stands and waits. No longer, as those who are tried again never
/// take more than half of the hands, however many they are.
pub const TEXT: Backoff = Backoff {
    first: Duration::from_secs(1),
    most: Duration::from_secs(10),
};

/// For a peer that refuses us until somebody acts: one probe a minute.
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

/// For the search for missed texts.
pub const CATCH_UP: Backoff = Backoff {
    first: Duration::from_secs(1),
    most: Duration::from_secs(60),
};

/// For logins that cannot be blanked in Twilio's log yet.
pub const REDACTION: Backoff = Backoff {
    first: Duration::from_secs(300),
    most: Duration::from_secs(6 * 3_600),
};

impl Backoff {
    /// The wait after failed attempt number `attempt` (counted from 1). `noise` (0..=255) shortens
    /// it by up to a quarter, so that those who failed together do not come back together.
    pub fn wait(&self, attempt: u32, noise: u8) -> Duration {
        let doublings = attempt.saturating_sub(1).min(20);
        let full = self.first.saturating_mul(1 << doublings).min(self.most);
        full - full / 4 * u32::from(noise) / 255
    }
}

/// Whether a text of this age is still worth a try.
pub fn gives_up(age: Duration, limit: Duration) -> bool {
    age >= limit
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::properties::drawn;

    #[test]
    fn waits_double_up_to_the_cap_and_noise_only_shortens() {
        let waits: Vec<u64> = (1..=7).map(|n| TEXT.wait(n, 0).as_secs()).collect();
        assert_eq!(waits, [1, 2, 4, 8, 10, 10, 10]);
        assert_eq!(TEXT.wait(u32::MAX, 0), TEXT.most);
        assert_eq!(TEXT.wait(6, 255), Duration::from_millis(7_500));
        for noise in 0..=255 {
            assert!(TEXT.wait(1, noise) <= TEXT.first && TEXT.wait(1, noise) >= TEXT.first * 3 / 4);
        }
    }

    #[test]
    fn giving_up_is_a_matter_of_age() {
        let limit = Duration::from_secs(10);
        assert!(!gives_up(Duration::from_secs(9), limit));
        assert!(gives_up(limit, limit));
    }

    fn backoff() -> impl Strategy<Value = Backoff> {
        (1..100_000_u64, 1..1_000_u64).prop_map(|(first, times)| Backoff {
            first: Duration::from_millis(first),
            most: Duration::from_millis(first * times),
        })
    }

    proptest! {
        #![proptest_config(drawn())]

        #[test]
        fn waits_never_shrink_and_keep_their_bounds(
            backoff in backoff(), attempt in 0..70_u32, noise in any::<u8>()
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
        fn what_is_given_up_stays_given_up(
            age in any::<u32>(), more in any::<u32>(), limit in any::<u32>()
        ) {
            let [age, more, limit] = [age, more, limit].map(|s| Duration::from_secs(s.into()));
            prop_assert!(!gives_up(age, limit) || gives_up(age + more, limit));
            prop_assert_eq!(gives_up(limit + more, limit), true);
        }
    }
}
