//! The instructor's hand on the class: what may be done to an account's time, and why not.
//!
//! Pure: the registration and `now` are given, and nothing is changed here.

use std::time::Duration;

use crate::domain::registration::{Registration, Stage};
use crate::domain::{UnixSeconds, seconds};

/// What the instructor wants of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// It lives longer.
    Extend {
        /// By so much, from when its time is up, or from now if that is past.
        by: Duration,
        /// The longest life of an account from its login on; `None` = any.
        longest: Option<Duration>,
    },
    /// Its time is up now: its student is locked out, whatever runs.
    End,
    /// Its time is up now; it is removed once no workspace of it runs.
    EndGently,
}

/// The time that an order gives an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// When its time is up.
    pub at: UnixSeconds,
    /// Whether that is sooner than was asked for, as no account may live longer.
    pub limited: bool,
}

/// Why an order cannot be carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderRefused {
    /// Removal cannot be turned back.
    BeingRemoved,
    /// Its time has not begun.
    NoLogin,
    /// It has no end that could be moved.
    NeverRemoved,
    /// It has all the time that there is.
    Longest,
}

impl OrderRefused {
    /// In plain words.
    pub fn reason(self) -> &'static str {
        match self {
            Self::BeingRemoved => {
                "is being removed already, which cannot be turned back; its student may text the phrase again for a new account"
            }
            Self::NoLogin => {
                "has no login yet: its time begins when that is texted, so there is nothing to extend"
            }
            Self::NeverRemoved => {
                "is never removed (CODER_REMOVE_TIME=0), so there is nothing to extend"
            }
            Self::Longest => "has the longest time that CODER_MAX_TIME allows already",
        }
    }
}

impl Order {
    /// Whether the account is to go.
    pub fn ends(self) -> bool {
        !matches!(self, Self::Extend { .. })
    }

    /// When an account's time is up by this order.
    ///
    /// # Errors
    /// The [`OrderRefused`].
    pub fn due(self, registration: &Registration, now: UnixSeconds) -> Result<Due, OrderRefused> {
        if matches!(registration.stage, Stage::Reaping | Stage::Gone) {
            return Err(OrderRefused::BeingRemoved);
        }
        let Self::Extend { by, longest } = self else {
            // One that waits for its workspaces to stop has waited since then.
            let at = registration.due_at.map_or(now, |due| due.min(now));
            return Ok(Due { at, limited: false });
        };
        let (Stage::Announced, Some(announced)) = (registration.stage, registration.announced_at)
        else {
            return Err(OrderRefused::NoLogin);
        };
        let due = registration.due_at.ok_or(OrderRefused::NeverRemoved)?;
        let wanted = due.max(now).saturating_add(seconds(by));
        match longest.map(|span| announced.saturating_add(seconds(span))) {
            Some(latest) if latest <= due => Err(OrderRefused::Longest),
            Some(latest) if latest <= now => Err(OrderRefused::Longest),
            Some(latest) if latest < wanted => Ok(Due {
                at: latest,
                limited: true,
            }),
            _ => Ok(Due {
                at: wanted,
                limited: false,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{InstanceId, Marker, PhoneKey, Username};

    const NOW: UnixSeconds = 1_800_000_000;
    const HOUR: UnixSeconds = 3_600;

    fn registration(stage: Stage, due: Option<UnixSeconds>) -> Registration {
        let username = Username::parse("happy-tuna").unwrap();
        let marker = Marker::draw(
            &username,
            &PhoneKey::derive("k"),
            &InstanceId::from_stored("home"),
        );
        Registration {
            stage,
            announced_at: (stage == Stage::Announced).then_some(NOW - HOUR),
            due_at: due.map(|due| NOW + due),
            ..Registration::fresh(username, marker, NOW - HOUR)
        }
    }

    fn due(
        order: Order,
        stage: Stage,
        due: Option<UnixSeconds>,
    ) -> Result<UnixSeconds, OrderRefused> {
        order
            .due(&registration(stage, due), NOW)
            .map(|due| due.at - NOW)
    }

    #[test]
    fn an_extension_counts_from_the_end_or_from_now() {
        let order = Order::Extend {
            by: Duration::from_secs(1_800),
            longest: None,
        };
        assert_eq!(due(order, Stage::Announced, Some(600)), Ok(2_400));
        assert_eq!(due(order, Stage::Announced, Some(-600)), Ok(1_800));
        for (stage, time, refusal) in [
            (Stage::Announced, None, OrderRefused::NeverRemoved),
            (Stage::Reserved, Some(600), OrderRefused::NoLogin),
            (Stage::Created, Some(600), OrderRefused::NoLogin),
            (Stage::Reaping, Some(-600), OrderRefused::BeingRemoved),
        ] {
            assert_eq!(due(order, stage, time), Err(refusal), "{stage:?}");
        }
    }

    #[test]
    fn no_extension_goes_beyond_the_longest_life() {
        for (hours, time, expected) in [
            (3, 600, Ok((600 + 1_800, false))),
            (2, 3_000, Ok((HOUR, true))),
            (2, 1_800, Ok((HOUR, false))),
            (2, HOUR, Err(OrderRefused::Longest)),
            (2, 2 * HOUR, Err(OrderRefused::Longest)),
            (1, -600, Err(OrderRefused::Longest)),
        ] {
            let order = Order::Extend {
                by: Duration::from_secs(1_800),
                longest: Some(Duration::from_secs(hours * 3_600)),
            };
            let due = order.due(&registration(Stage::Announced, Some(time)), NOW);
            let expected = expected.map(|(at, limited)| Due {
                at: NOW + at,
                limited,
            });
            assert_eq!(due, expected, "{hours} h, {time}");
        }
    }

    #[test]
    fn an_end_is_now_and_never_later_than_the_time_was_up() {
        for order in [Order::End, Order::EndGently] {
            for stage in [Stage::Reserved, Stage::Created, Stage::Announced] {
                assert_eq!(due(order, stage, Some(600)), Ok(0));
                assert_eq!(due(order, stage, None), Ok(0));
                assert_eq!(due(order, stage, Some(-600)), Ok(-600));
            }
            assert_eq!(
                due(order, Stage::Reaping, Some(-600)),
                Err(OrderRefused::BeingRemoved)
            );
        }
    }
}
