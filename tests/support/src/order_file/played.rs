//! What is played for it.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::bench::class::play::{bring, slow_down, texts};
use crate::bench::warm::laptops;
use crate::classroom::redis::Fsync;
use crate::classroom::{Classroom, Plan};

/// Students of the class by text: as many as make the database split its pages, and Redis answer in parts.
const BY_TEXT: usize = 200;

/// Students of the class on laptops.
const ON_LAPTOPS: usize = 24;

/// The longest that anything may take under callgrind.
const SLOW: Duration = Duration::from_secs(240);

/// One play.
pub struct Play {
    /// What it is for.
    pub title: &'static str,
    /// Plays it with the program at this path.
    pub run: fn(PathBuf),
}

/// All plays.
pub const PLAYS: [Play; 2] = [
    Play {
        title: "A start",
        run: start,
    },
    Play {
        title: "Classes",
        run: classes,
    },
];

/// A service that nobody texts.
fn start(program: PathBuf) {
    stop(&production(program).with_receipts().open());
}

/// A class by text, and one on laptops with workspaces, some of them of spare accounts; both until all is removed.
fn classes(program: PathBuf) {
    let class = production(program.clone()).with_receipts().prepare();
    slow_down(&class);
    class.start_service();
    let texts = texts(&class, BY_TEXT);
    bring(&class, &texts, Duration::ZERO, Instant::now());
    let reported = || class.twilio().receipts().len() >= 2 * BY_TEXT;
    class.eventually_within(SLOW, "every login has arrived", reported);
    end(&class);

    let class = production(program)
        .with("CODER_REG_TEMPLATE", "docker")
        .with("CODER_REG_MAX_USERS", &ON_LAPTOPS.to_string())
        .with("CODER_REG_WARM", &(ON_LAPTOPS / 2).to_string())
        .with_pages("screen")
        .open();
    let spares = "SELECT count(*) FROM workspaces WHERE running_since IS NOT NULL";
    let wanted = (ON_LAPTOPS / 2).to_string();
    class.eventually_within(SLOW, "spare accounts", || class.query(spares) == wanted);
    laptops::play(&class, ON_LAPTOPS);
    let made = "SELECT count(*) FROM workspaces WHERE id IS NOT NULL";
    let wanted = ON_LAPTOPS.to_string();
    class.eventually_within(SLOW, "workspaces", || class.query(made) == wanted);
    end(&class);
}

/// A service as in production.
fn production(program: PathBuf) -> Plan {
    Plan::new(program)
        .with("CODER_REG_ENV", "prod")
        .with("CODER_REG_LOG_LEVEL", "info")
        .with("CODER_REG_CATCH_UP", "30")
        .with_redis_that_syncs(Fsync::Always)
        .without_a_search()
}

/// Everybody's time is up.
fn end(class: &Classroom) {
    class.all_served();
    class.by_hand(&["end", "--all", "--yes"]);
    class.eventually_within(SLOW, "all accounts removed", || class.nobody_is_left());
    stop(class);
}

/// The service ends by itself, so that callgrind writes its profile.
fn stop(class: &Classroom) {
    let service = class.service();
    service.signal(Signal::TERM);
    service.wait(SLOW).expect("it stops");
}
