//! Slow connections: each ends at its time limit, and until then others are served.

use std::time::{Duration, Instant};

use super::bears;
use crate::plan;
use support::classroom::wire::Wire;

/// What a slow client has sent when it falls silent, what it says every now and then after that, and what it is told.
const KINDS: [(&str, &str, &str, u16); 10] = [
    ("silent", "", "", 0),
    ("half a method", "PO", "", 408),
    (
        "half a head",
        "POST /inbound HTTP/1.1\r\nHost: a\r\n",
        "",
        408,
    ),
    ("dripping a path", "GET /", "a", 408),
    (
        "dripping headers",
        "GET / HTTP/1.1\r\nHost: a\r\nX: ",
        "a",
        408,
    ),
    (
        "a body that does not come",
        "POST /inbound HTTP/1.1\r\nHost: a\r\nContent-Length: 4096\r\n\r\n",
        "",
        408,
    ),
    (
        "a large body that does not come",
        "POST /inbound HTTP/1.1\r\nHost: a\r\nContent-Length: 65536\r\n\r\n",
        "",
        408,
    ),
    (
        "dripping a body",
        "POST /inbound HTTP/1.1\r\nHost: a\r\nContent-Length: 900\r\n\r\n",
        "a",
        408,
    ),
    (
        "dripping a chunk",
        "POST /inbound HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n384\r\n",
        "a",
        408,
    ),
    (
        "dripping chunks",
        "POST /inbound HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
        "1\r\na\r\n",
        408,
    ),
];

#[test]
fn the_slow_are_ended_by_the_clock_and_everybody_else_is_served_meanwhile() {
    // As many are served in six seconds as this machine can.
    let class = plan()
        .with("CODER_REG_MAX_USERS", "100000")
        .with("CODER_REG_HOURLY_TEXTS", "100000")
        .open();
    let began = Instant::now();
    let mut slow = bears(&class, "slow ones come in", |address| {
        let each = |_| KINDS.map(|(_, start, ..)| Wire::saying(address, start.as_bytes()));
        (0..40).flat_map(each).collect::<Vec<_>>()
    });
    // Longer than any of them may stay, so it is not the end of the drip that ends them.
    while began.elapsed() < Duration::from_secs(6) {
        for (wire, (_, _, drip, _)) in slow.iter_mut().zip(KINDS.iter().cycle()) {
            if !drip.is_empty() {
                wire.sends(drip.as_bytes());
            }
        }
        bears(&class, "meanwhile", |_| ());
    }
    for (wire, (name, _, _, status)) in slow.iter_mut().zip(KINDS.iter().cycle()) {
        assert_eq!(wire.status(), *status, "{name}");
        assert!(wire.is_closed(), "{name}");
    }
}
