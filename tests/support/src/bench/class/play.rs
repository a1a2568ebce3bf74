//! One class, played.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::super::Bench;
use super::super::process::Process;
use crate::classroom::redis::{Fsync, Redis};
use crate::classroom::student::Webhook;
use crate::classroom::{Classroom, PHRASE, http};
use crate::fakes::coder::{Role, ops as coder};
use crate::fakes::trouble::Op;
use crate::fakes::twilio::ops as twilio;

/// How long Coder takes to make a user, and for anything else; and Twilio for a call.
pub const CODER_CREATES: Duration = Duration::from_millis(250);
/// See [`CODER_CREATES`].
pub const CODER_ANSWERS: Duration = Duration::from_millis(50);
/// See [`CODER_CREATES`].
pub const TWILIO_ANSWERS: Duration = Duration::from_millis(150);

/// Texts that are brought at the same time, at most.
const COURIERS: usize = 8;

/// The longest that a class may take.
const PATIENCE: Duration = Duration::from_secs(180);

/// What a class is to be like.
pub struct BenchRun {
    /// Who text.
    pub students: usize,
    /// `CODER_REG_PARALLEL`.
    pub workers: usize,
    /// In which time they text, at even moments.
    pub span: Duration,
    /// Whether Coder and Twilio take their time.
    pub delays: bool,
    /// Whether Coder limits the calls of a minute, and the token is no owner's, so that this holds for it.
    pub limited: bool,
    /// The second of a minute at which the first text comes; `None` = at once.
    pub second: Option<u64>,
}

impl BenchRun {
    /// A class of 300 that texts at once, where Coder and Twilio take no time: what counts is the service's own work.
    pub fn at_once(bench: &Bench) -> Self {
        Self {
            students: bench.pick(5, 300),
            workers: 8,
            span: Duration::ZERO,
            delays: false,
            limited: false,
            second: None,
        }
    }
}

/// What came of a class. Times are seconds after its first text.
pub struct Played {
    /// Who texted.
    pub students: usize,
    /// `CODER_REG_PARALLEL`.
    pub workers: usize,
    /// When the first text came, in Unix seconds.
    pub began: f64,
    /// Calls that make a user, those that were refused among them.
    pub creates: usize,
    /// When each text was sent, sorted.
    pub sent: Vec<f64>,
    /// When the login that answers each of them was texted.
    pub texted: Vec<f64>,
    /// The delays of the calls that a worker makes for a student, in seconds.
    pub work: f64,
    /// CPU seconds of the service.
    pub service_cpu: f64,
    /// CPU seconds of Redis.
    pub redis_cpu: f64,
    /// Commands to Redis, and the seconds that it was at work on them.
    pub redis: (f64, f64),
}

/// Calls of which a login is made: who asks for them, and how long they take.
const WORK: [(Op, Duration); 5] = [
    (coder::CREATE_USER, CODER_CREATES),
    (coder::LIST_USERS, CODER_ANSWERS),
    (coder::READ_USER, CODER_ANSWERS),
    (coder::SET_PASSWORD, CODER_ANSWERS),
    (twilio::SEND, TWILIO_ANSWERS),
];

/// Gives Coder and Twilio their delays.
pub fn slow_down(class: &Classroom) {
    class.coder().latency(Op::ANY, CODER_ANSWERS);
    class.coder().latency(coder::CREATE_USER, CODER_CREATES);
    class.twilio().latency(Op::ANY, TWILIO_ANSWERS);
}

/// Plays a class.
pub fn play(bench: &Bench, class_run: &BenchRun) -> Played {
    let class = bench
        .plan()
        .with("CODER_REG_PARALLEL", &class_run.workers.to_string())
        .with_redis_that_syncs(Fsync::Always)
        .with_receipts()
        .prepare();
    if class_run.delays {
        slow_down(&class);
    }
    if class_run.limited {
        let roles = [Role::UserAdmin, Role::OrganizationAdmin];
        class.coder().token_roles(&roles);
        class.coder().rate_limits(true);
    }
    class.start_service();
    let texts = texts(&class, class_run.students);
    class_run.second.into_iter().for_each(wait_for_second);
    let before = Before::look(&class);
    let (began, began_at) = (Instant::now(), unix_now());
    let sent = bring(&class, &texts, class_run.span, began);
    let all_texted = || class.twilio().texts().len() >= class_run.students;
    class.eventually_within(PATIENCE, "a login for everybody", all_texted);
    let half = if class_run.delays {
        TWILIO_ANSWERS / 2
    } else {
        Duration::ZERO
    };
    let mut texted: BTreeMap<String, f64> = BTreeMap::new();
    for text in class.twilio().texts() {
        // The fake takes a text half a delay before it answers.
        let at = (text.at + half).saturating_duration_since(began);
        texted.entry(text.to).or_insert(at.as_secs_f64());
    }
    class.all_served();
    let texted = texts.iter().map(|(phone, _)| texted[phone]).collect();
    before.played(&class, class_run, began_at, sent, texted)
}

/// Waits until a minute has begun this many seconds ago.
fn wait_for_second(second: u64) {
    let wait = (second as f64 - unix_now()).rem_euclid(60.0);
    std::thread::sleep(Duration::from_secs_f64(wait));
}

fn unix_now() -> f64 {
    let passed = SystemTime::now().duration_since(UNIX_EPOCH);
    passed.map_or(0.0, |passed| passed.as_secs_f64())
}

/// The phrase, from so many new students: each phone and its webhook.
pub fn texts(class: &Classroom, students: usize) -> Vec<(String, Webhook)> {
    let students = class.students(students);
    students
        .iter()
        .map(|student| (student.phone().to_owned(), student.webhook(PHRASE, &[])))
        .collect()
}

/// Brings every text at its moment. Returns when each was sent.
pub fn bring(
    class: &Classroom,
    texts: &[(String, Webhook)],
    span: Duration,
    began: Instant,
) -> Vec<f64> {
    let address = class.service().address();
    let next = AtomicUsize::new(0);
    let sent = Mutex::new(vec![0.0; texts.len()]);
    let courier = || {
        while let Some((place, (_, webhook))) = {
            let place = next.fetch_add(1, Ordering::Relaxed);
            texts.get(place).map(|text| (place, text))
        } {
            let due = began + span.mul_f64(place as f64 / texts.len() as f64);
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            sent.lock().expect("no courier panics")[place] = began.elapsed().as_secs_f64();
            let body = webhook.body.as_bytes();
            let answer = http::request(address, "POST", "/inbound", &webhook.headers, body);
            let status = answer.map_or(0, |answer| answer.status);
            assert_eq!(status, 200, "a text is taken");
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..COURIERS {
            scope.spawn(courier);
        }
    });
    sent.into_inner().expect("no courier panics")
}

/// What had been used before the first text.
struct Before {
    calls: Vec<(&'static str, usize)>,
    service: Duration,
    redis: Duration,
    commands: (f64, f64),
}

impl Before {
    fn look(class: &Classroom) -> Self {
        Self {
            calls: count_calls(class),
            service: Process::of(class.service().pid()).cpu(),
            redis: Process::of(class.redis().pid()).cpu(),
            commands: commands(class.redis()),
        }
    }

    fn played(
        self,
        class: &Classroom,
        class_run: &BenchRun,
        began: f64,
        sent: Vec<f64>,
        texted: Vec<f64>,
    ) -> Played {
        let now = Self::look(class);
        let students = class_run.students as f64;
        let each = |name: &str| {
            let count = |calls: &[(&str, usize)]| {
                let found = calls.iter().find(|(known, _)| *known == name);
                found.map_or(0, |(_, count)| *count)
            };
            (count(&now.calls) - count(&self.calls)) as f64 / students
        };
        let work = WORK.map(|(op, delay)| each(op.0) * delay.as_secs_f64());
        Played {
            students: class_run.students,
            workers: class_run.workers,
            began,
            creates: (each(coder::CREATE_USER.0) * students).round() as usize,
            sent,
            texted,
            work: work.iter().sum(),
            service_cpu: (now.service - self.service).as_secs_f64(),
            redis_cpu: (now.redis - self.redis).as_secs_f64(),
            redis: (
                now.commands.0 - self.commands.0,
                now.commands.1 - self.commands.1,
            ),
        }
    }
}

fn count_calls(class: &Classroom) -> Vec<(&'static str, usize)> {
    let count = |op: &Op| (op.0, class.coder().count(*op) + class.twilio().count(*op));
    WORK.iter().map(|(op, _)| count(op)).collect()
}

/// How many commands Redis has had, and how many seconds it was at work on them.
fn commands(redis: &Redis) -> (f64, f64) {
    let mut connection = redis.connection().expect("Redis answers");
    let info: String = redis::cmd("INFO")
        .arg("commandstats")
        .query(&mut connection)
        .expect("Redis tells");
    let figure = |line: &str, name: &str| -> f64 {
        let value = line.split_once(name).map_or("", |(_, rest)| rest);
        let value = value.split(',').next().unwrap_or("");
        value.parse().unwrap_or(0.0)
    };
    let ours = info
        .lines()
        .filter(|line| line.starts_with("cmdstat_") && !line.starts_with("cmdstat_info"));
    ours.fold((0.0, 0.0), |(calls, seconds), line| {
        let busy = figure(line, "usec=") / 1e6;
        (calls + figure(line, "calls="), seconds + busy)
    })
}
