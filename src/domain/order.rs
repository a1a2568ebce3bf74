//! The instructor's orders to extend or end an account, and why an order may be refused.
//!
//! Pure functions: the registration and the time are given, and nothing is changed.

use std::time::Duration;

use crate::domain::registration::{Registration, Stage};
use crate::domain::{UnixSeconds, seconds};

/// How far an end may lie ahead of an attempt that reads it: an attempt takes minutes, and another process may have ended
/// the account meanwhile.
pub const LATEST_END: UnixSeconds = 900;

/// Whether a text that was received at `received` came before an end at `ended`. One that lies further ahead of `now` was
/// recorded before the clock was set back, and concerns only texts of that time.
pub fn precedes_end(received: UnixSeconds, ended: UnixSeconds, now: UnixSeconds) -> bool {
    received < ended && (ended <= now.saturating_add(LATEST_END) || received > now)
}

/// An order of the instructor for one account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Remove it later.
    Extend {
        /// The extension, counted from the time when it is due, or from now if that is past.
        by: Duration,
        /// The longest life of an account after its login was sent; `None` = no limit.
        longest: Option<Duration>,
    },
    /// Remove it now: its student is locked out, even if workspaces are running.
    End,
    /// Remove it as soon as none of its workspaces is running.
    EndGently,
}

/// The time that an order sets for an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// When the account is due for removal.
    pub at: UnixSeconds,
    /// Whether this is earlier than ordered, because of the longest life of an account.
    pub limited: bool,
}

/// Why an order cannot be carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderRefused {
    /// Its removal has begun, which cannot be undone.
    BeingRemoved,
    /// Its login was not sent yet, so its time has not started.
    NoLogin,
    /// It is never removed.
    NeverRemoved,
    /// It already has the longest time allowed.
    Longest,
}

impl OrderRefused {
    /// The reason, to follow the name of the account, that `order` is not carried out.
    pub fn reason(self, order: Order) -> &'static str {
        match self {
            Self::BeingRemoved if order.ends() => "is being removed already",
            Self::BeingRemoved => {
                "is being removed already, which cannot be undone; the student can ask again for a new account"
            }
            Self::NoLogin => {
                "has no login yet: its time starts when the login is sent or shown, so there is nothing to extend"
            }
            Self::NeverRemoved => {
                "is never removed (CODER_REMOVE_TIME=0), so there is nothing to extend"
            }
            Self::Longest => "already has the longest time that CODER_MAX_TIME allows",
        }
    }
}

impl Order {
    /// Whether the order removes the account.
    pub fn ends(self) -> bool {
        !matches!(self, Self::Extend { .. })
    }

    /// When the account is due for removal after this order.
    ///
    /// # Errors
    /// [`OrderRefused`] says why the order is not possible.
    pub fn due(self, registration: &Registration, now: UnixSeconds) -> Result<Due, OrderRefused> {
        if matches!(registration.stage, Stage::Reaping | Stage::Gone) {
            return Err(OrderRefused::BeingRemoved);
        }
        let Self::Extend { by, longest } = self else {
            // An account that is already due stays due since then.
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
            &InstanceId::from_stored("here"),
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
    fn an_extension_counts_from_the_due_time_or_from_now() {
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
    fn an_end_is_due_now_or_when_the_account_was_already_due() {
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

    #[test]
    fn an_end_of_before_the_clock_was_set_back_concerns_texts_of_that_time_only() {
        for (received, ended, expected) in [
            (-60, -60, false),
            (-61, -60, true),
            // Another process has ended it during the attempt.
            (-60, 0, true),
            (-60, LATEST_END, true),
            (-60, LATEST_END + 1, false),
            (0, HOUR, false),
            (HOUR - 1, HOUR, true),
            (HOUR, HOUR, false),
        ] {
            let found = precedes_end(NOW + received, NOW + ended, NOW);
            assert_eq!(found, expected, "{received} {ended}");
        }
    }

    #[test]
    fn all_orders_but_an_extension_end_the_account() {
        let extend = Order::Extend {
            by: Duration::from_secs(60),
            longest: None,
        };
        assert!(!extend.ends() && Order::End.ends() && Order::EndGently.ends());
    }

    #[test]
    fn each_refusal_has_a_reason_of_its_own() {
        use OrderRefused::{BeingRemoved, Longest, NeverRemoved, NoLogin};
        let extend = Order::Extend {
            by: Duration::from_secs(60),
            longest: None,
        };
        let all = [BeingRemoved, NoLogin, NeverRemoved, Longest];
        let all = all.map(|refused| refused.reason(extend));
        for (place, reason) in all.iter().enumerate() {
            assert!(
                reason.len() > 20 && !all[..place].contains(reason),
                "{reason}"
            );
        }
        // What a student texts depends on where logins go.
        assert!(all.iter().all(|reason| !reason.contains("phrase")));
        // To remove it is what an end asks for.
        for order in [Order::End, Order::EndGently] {
            assert_eq!(BeingRemoved.reason(order), "is being removed already");
        }
    }
}
