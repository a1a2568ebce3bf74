//! The system's clock, read in one place; everything else is given its `now`.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::domain::UnixSeconds;

/// The present time, UTC. A clock before 1970 counts as 1970.
pub fn unix_now() -> UnixSeconds {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    UnixSeconds::try_from(since.as_secs()).unwrap_or(UnixSeconds::MAX)
}

/// A span as whole seconds, rounded up: a time set by it never comes early.
pub fn seconds(span: std::time::Duration) -> UnixSeconds {
    let whole = span.as_secs() + u64::from(span.subsec_nanos() > 0);
    UnixSeconds::try_from(whole).unwrap_or(UnixSeconds::MAX / 4)
}
