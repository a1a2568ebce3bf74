//! A class that takes texts and serves none.

use std::cell::Cell;
use std::time::{Duration, Instant};

use super::super::Bench;
use super::super::load::{self, Opening};
use super::super::wire::Requests;
use crate::classroom::redis::Fsync;
use crate::classroom::{Classroom, PATIENCE, within};

/// The stream of texts.
pub const TEXTS: &str = "coder-sms-register:texts";

/// How long the provisioner accepts nothing more once it has as many texts as it accepts.
const SETTLED: Duration = Duration::from_millis(500);

/// A class that takes texts and serves none, as Coder refuses its token.
pub fn class_that_only_takes(bench: &Bench, fsync: Fsync) -> Classroom {
    let class = bench.plan().with_redis_that_syncs(fsync).open();
    // It would rewrite its file in the middle of a turn.
    let mut redis = class.redis().connection().expect("Redis answers");
    redis::cmd("CONFIG")
        .arg(&["SET", "auto-aof-rewrite-percentage", "0"])
        .exec(&mut redis)
        .expect("a setting of Redis");
    class.coder().expire_token();
    class
}

/// Sends texts until the provisioner has accepted as many as it can hold, and then as many again.
pub fn fill(bench: &Bench, class: &Classroom, texts: &Requests) {
    let address = class.service().address();
    let filled = || class.redis().length(TEXTS) >= bench.pick(200, 8_192);
    // Without a time limit: only what follows is measured.
    let full = within(PATIENCE, || {
        let _ = {
            let slice = Duration::from_millis(100);
            load::closed(address, texts, 16, Opening::AtOnce, slice)
        };
        filled()
    });
    assert!(full, "the service takes texts");
    let last = Cell::new((pending(class), Instant::now()));
    let settled = within(PATIENCE, || {
        let now = pending(class);
        if now != last.get().0 {
            last.set((now, Instant::now()));
        }
        now > 0 && last.get().1.elapsed() > SETTLED
    });
    assert!(settled, "the provisioner takes no more");
    trim(class);
}

fn pending(class: &Classroom) -> i64 {
    let mut redis = class.redis().connection().expect("Redis answers");
    let summary: Vec<redis::Value> = redis::cmd("XPENDING")
        .arg(&[TEXTS, "provisioners"])
        .query(&mut redis)
        .unwrap_or_default();
    match summary.first() {
        Some(redis::Value::Int(count)) => *count,
        _ => 0,
    }
}

/// Leaves the last few texts in the stream.
pub fn trim(class: &Classroom) {
    let mut redis = class.redis().connection().expect("Redis answers");
    redis::cmd("XTRIM")
        .arg(&[TEXTS, "MAXLEN", "100"])
        .exec(&mut redis)
        .expect("a shorter stream");
}
