//! How often one caller may use one path: a sliding minute, counted as Coder counts it.

use std::collections::HashMap;
use std::time::SystemTime;

use super::super::clock::unix_seconds;
use super::super::server::{Reply, Request};
use super::auth::Caller;
use super::fault::Fault;
use super::ops::Route;
use super::users;
use super::world::{Version, World};

const WINDOW: u64 = 60;

/// Counters by caller and path.
#[derive(Default)]
pub struct Limiter(HashMap<String, CallCounter>);

/// The calls of one caller to one path.
#[derive(Default, Clone, Copy)]
pub struct CallCounter {
    minute: u64,
    current: u64,
    previous: u64,
}

impl CallCounter {
    /// Counts a call at `now` (Unix seconds) unless it is one too many. Answers how many are left.
    pub fn take(&mut self, limit: u64, now: u64) -> Option<u64> {
        let minute = now / WINDOW;
        if self.minute != minute {
            let previous = if self.minute + 1 == minute {
                self.current
            } else {
                0
            };
            *self = Self {
                minute,
                current: 0,
                previous,
            };
        }
        // The previous minute counts for the part of it that the sliding window still covers.
        let rate = self.current + self.previous * (WINDOW - now % WINDOW) / WINDOW;
        if rate >= limit {
            return None;
        }
        self.current += 1;
        Some(limit - rate - 1)
    }
}

type Headers = Vec<(String, String)>;

/// The headers for an allowed call, or the refusal of one too many.
pub fn check(
    world: &mut World,
    request: &Request,
    route: &Route,
    caller: Option<&Caller>,
) -> Result<Headers, Reply> {
    if !world.settings.rate_limits {
        return Ok(Headers::new());
    }
    let limit = limit(world, route, caller);
    // Older versions never knew the user at this point: they count by address, and the bypass header does nothing.
    let caller = caller.filter(|_| world.version == Version::Newest);
    if let (Some(caller), Some("true")) = (caller, request.header("X-Coder-Bypass-Ratelimit")) {
        return match caller.is_owner() {
            true => Ok(Headers::new()),
            false => Err(Reply::text(
                428,
                "user does not have permission to bypass rate limiting\n",
            )),
        };
    }
    let who = caller.map_or("127.0.0.1", |caller| &caller.id);
    let path = request.path.trim_end_matches('/');
    let now = unix_seconds(SystemTime::now());
    let counter = world.limiter.0.entry(format!("{who} {path}")).or_default();
    let left = counter.take(limit, now);
    let reset = (now / WINDOW + 1) * WINDOW;
    let header = |name: &str, value: u64| (name.to_owned(), value.to_string());
    let mut headers = vec![
        header("X-RateLimit-Limit", limit),
        header("X-RateLimit-Remaining", left.unwrap_or(0)),
        header("X-RateLimit-Reset", reset),
    ];
    if left.is_some() {
        return Ok(headers);
    }
    headers.push(header("Retry-After", WINDOW));
    let message =
        format!("You've been rate limited for sending more than {limit} requests in 1m0s.");
    let mut refusal = Reply::from(Fault::new(429, &message));
    refusal.headers = headers;
    Err(refusal)
}

/// Calls a minute that one caller may make to one path. The narrower limit of a password call stands behind the search
/// for its user.
fn limit(world: &World, route: &Route, caller: Option<&Caller>) -> u64 {
    let is_narrow = match route {
        Route::Login | Route::RequestCode | Route::ValidatePassword => true,
        Route::Password(user) => {
            caller.is_some_and(|caller| users::find(world, caller, user).is_ok())
        }
        _ => false,
    };
    match is_narrow {
        true => 60,
        false => world.settings.calls_a_minute,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(counter: &mut CallCounter, now: u64) -> bool {
        counter.take(60, now).is_some()
    }

    #[test]
    fn the_call_after_the_last_allowed_one_is_refused_and_not_counted() {
        let mut counter = CallCounter::default();
        assert!((0..60).all(|_| take(&mut counter, 600)));
        assert!(!take(&mut counter, 601) && !take(&mut counter, 659));
    }

    #[test]
    fn a_new_minute_frees_the_calls_bit_by_bit() {
        let mut counter = CallCounter::default();
        assert!((0..60).all(|_| take(&mut counter, 659)));
        assert!(
            !take(&mut counter, 660),
            "the full previous minute still counts"
        );
        let halfway = (0..60).filter(|_| take(&mut counter, 690)).count();
        assert_eq!(halfway, 30);
    }
}
