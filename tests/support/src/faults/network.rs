//! The open internet at the public port: floods of connections, and all descriptors used up. Students text meanwhile,
//! and each of them must be answered and get a login.

mod attack;
mod friend;

use std::net::SocketAddr;
use std::time::Duration;

use rustix::process::Signal;

use super::table::Row;
use super::{Assault, FaultProof};
use crate::classroom::service::Footprint;
use crate::classroom::student::Student;
use crate::classroom::wire::room_for_many;
use crate::classroom::{Classroom, PATIENCE, Plan, within};
use attack::{Attack, AttackGroup};
use friend::FriendReport;

/// Floods of strangers while students text.
pub const PROOF: FaultProof = FaultProof {
    name: "network",
    about: "strangers flood the public port and use up its descriptors while students text",
    run,
};

const DRIPPING_BODY: &[u8] = b"POST /inbound HTTP/1.1\r\nHost: a\r\nContent-Length: 4096\r\n\r\n";
const DRIPPING_HEAD: &[u8] = b"POST /inbound HTTP/1.1\r\nHost: a\r\nX-A: ";
const FORGED: &[u8] = b"POST /inbound HTTP/1.1\r\nHost: a\r\nX-Twilio-Signature: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\
    Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 23\r\n\r\nBody=I+am+ready+to+learn";
const MALFORMED: &[&[u8]] = &[
    b"POST /inbound HTTP/1.1\r\nHost: a\r\nContent-Length: 00000000005\r\n\r\n",
    b"POST /inbound HTTP/1.1\r\nHost: a\r\nContent-Length: 65537\r\n\r\n",
    b"POST /inbound HTTP/1.1\r\nHost: a\r\nContent-Length: abc\r\n\r\n",
    b"POST /inbound HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
    b"GET / HTTP/1.2\r\nHost: a\r\n\r\n",
    b"GET / HTTP/1.1\nHost: a\n\n",
    b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03",
    b"GET /healthz HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
    FORGED,
];

/// Memory that an attack may leave behind, in KiB: the allocator does not give all of it back.
const LEFT_BEHIND: usize = 20 * 1024;
/// The largest number of additional descriptors: connections to Coder and Twilio that are kept for reuse.
const KEPT_FOR_REUSE: usize = 16;
/// Threads that may be more than before.
const MORE_THREADS: usize = 2;
/// Memory that each further attack may leave behind.
const GROWTH: usize = 4 * 1024;

/// A class with that many descriptors, and with seats and texts for all students.
fn class(force: &Assault, open_files: u32) -> Classroom {
    Plan::new(&force.binary)
        .with_open_files(open_files)
        .with("CODER_REG_MAX_USERS", "100000")
        .with("CODER_REG_HOURLY_TEXTS", "100000")
        .open()
}

fn run(force: &Assault) -> Vec<Row> {
    room_for_many();
    let mut rows = vec![flood(force), exhaustion(force)];
    for (what, begin) in storms(force) {
        rows.push(storm(force, what, *begin));
    }
    rows
}

/// Strangers of all kinds at once, more than the service may open files.
fn flood(force: &Assault) -> Row {
    let (open_files, students, attacks) = force.pick((256, 20, 1), (1024, 200, 3));
    let groups = groups(force);
    let counts = groups.map(|group| group.count);
    let [idle, bodies, heads, malformed, resets] = counts;
    let malformed = malformed + resets;
    let mut row = Row::new(format!(
        "{idle} idle, {bodies} bodies and {heads} heads by the byte, {malformed} malformed"
    ));
    let class = class(force, open_files);
    let mut siege = Siege::of(&class);
    let (mut opened, mut after) = (0, Vec::new());
    for number in 1..=attacks {
        force.says(&format!("flood {number} of {attacks}: {}", row.fault));
        let attack = Attack::of(class.service().address(), &groups);
        class.eventually("the attack in full", || {
            attack.acts() >= counts.iter().sum()
        });
        siege.students_text(students, force.pick(20, 50));
        opened += attack.acts();
        drop(attack);
        after.push(siege.is_over());
    }
    // Here nobody may have to be offered twice, and the connection that is kept is never cut.
    row.lost = siege.report.repeated;
    siege.count(&mut row);
    let figures = siege.report.figures();
    let left = left_behind(siege.rested, &after);
    let evicted = counted(&class, "connections evicted");
    // Who waits until a stranger's time is up is served as well, but late.
    assert!(evicted > 0, "strangers leave for those who come");
    row.note = format!("{figures}; {opened} connections, {evicted} evicted; {left}");
    row
}

/// What the attacks left behind, in words. Memory may not grow with every one of them.
fn left_behind(rested: Footprint, after: &[Footprint]) -> String {
    let (first, last) = (after[0], after[after.len() - 1]);
    let most = (first.memory + GROWTH * after.len()).min(rested.memory + LEFT_BEHIND);
    assert!(last.memory < most, "{rested:?} -> {after:?}");
    let memory = after.iter().map(|one| format!("{:.1}", one.megabytes()));
    format!(
        "RSS {:.1} -> {} MB, fds {} -> {}, threads {} -> {}",
        rested.megabytes(),
        memory.collect::<Vec<_>>().join(", "),
        rested.descriptors,
        last.descriptors,
        rested.threads,
        last.threads
    )
}

fn groups(force: &Assault) -> [AttackGroup; 5] {
    let group = |count, start, drip, resets, pause| AttackGroup {
        count,
        start,
        drip,
        resets,
        pause: Duration::from_millis(pause),
    };
    let (idle, bodies, heads) = force.pick((300, 40, 20), (2_000, 500, 300));
    [
        group(idle, &[b""], b"", false, 1_000),
        group(bodies, &[DRIPPING_BODY], b"a", false, 1_000),
        group(heads, &[DRIPPING_HEAD], b"a", false, 1_000),
        group(force.pick(20, 60), MALFORMED, b"", false, 100),
        group(force.pick(20, 60), MALFORMED, b"", true, 100),
    ]
}

/// More strangers than the service has descriptors at all, so that the system grants it none.
fn exhaustion(force: &Assault) -> Row {
    // Room for 20 strangers, and the service itself has more than 20 open.
    const OPEN_FILES: u32 = 40;
    let mut row = Row::new(format!("400 idle, all {OPEN_FILES} descriptors used up"));
    force.says(&row.fault);
    let class = class(force, OPEN_FILES);
    let mut siege = Siege::of(&class);
    let group = AttackGroup {
        count: 400,
        ..groups(force)[0]
    };
    let attack = Attack::of(class.service().address(), &[group]);
    class.eventually("the attack in full", || attack.acts() >= group.count);
    siege.students_text(force.pick(10, 100), 20);
    let during = class.service().footprint();
    drop(attack);
    siege.students_text(1, 0);
    siege.count(&mut row);
    let refusals = counted(&class, "accept errors");
    assert!(refusals > 0, "the descriptors were used up");
    row.note = format!(
        "{}, {} repeated; {} fds in use, {refusals} times none left",
        siege.report.figures(),
        siege.report.repeated,
        during.descriptors,
    );
    row
}

type Begin = fn(SocketAddr) -> Attack;

/// What one address alone can do.
fn storms(force: &Assault) -> &'static [(&'static str, Begin)] {
    const ALL: usize = 100_000;
    const STORMS: &[(&str, Begin)] = &[
        ("silent connections", |address| {
            Attack::storm(address, 500, 1_000, b"")
        }),
        ("forged texts, asked again and again", |address| {
            Attack::hammer(address, 400, FORGED)
        }),
        ("silent connections", |address| {
            Attack::storm(address, ALL, 1_000, b"")
        }),
        ("forged texts, each on a new connection", |address| {
            Attack::storm(address, ALL, 1_000, FORGED)
        }),
        ("forged texts, not waiting for an answer", |address| {
            Attack::storm(address, ALL, 0, FORGED)
        }),
        ("forged texts, more than there is room for", |address| {
            Attack::hammer(address, 700, FORGED)
        }),
    ];
    force.pick(&STORMS[..2], STORMS)
}

/// One address does so as fast as it can.
fn storm(force: &Assault, what: &str, begin: Begin) -> Row {
    force.says(&format!("one address: {what}"));
    let class = class(force, 1024);
    let mut siege = Siege::of(&class);
    let attack = begin(class.service().address());
    siege.students_text(force.pick(20, 200), 20);
    let mut row = Row::new(format!("one address: {} {what} a second", attack.rate()));
    drop(attack);
    siege.is_over();
    siege.count(&mut row);
    row.note = format!(
        "{}, {} repeated",
        siege.report.figures(),
        siege.report.repeated
    );
    row
}

/// A class under attack.
struct Siege<'a> {
    class: &'a Classroom,
    students: Vec<Student<'a>>,
    report: FriendReport,
    /// What the service takes when it has served many at once and nobody is there.
    rested: Footprint,
}

impl<'a> Siege<'a> {
    fn of(class: &'a Classroom) -> Self {
        let students = class.students(24);
        students.iter().for_each(|student| drop(student.asks()));
        class.all_served();
        Self {
            class,
            students,
            report: FriendReport::default(),
            rested: class.service().footprint(),
        }
    }

    /// New students text one after the other.
    fn students_text(&mut self, count: usize, pace: u64) {
        let students = self.class.students(count);
        let asks = |student: &Student<'_>| student.webhook("I am ready to learn", &[]);
        let texts: Vec<_> = students.iter().map(asks).collect();
        let address = self.class.service().address();
        self.report
            .send(address, &texts, Duration::from_millis(pace));
        self.students.extend(students);
    }

    /// Waits until nothing but memory is left of the attack.
    fn is_over(&self) -> Footprint {
        self.class.all_served();
        let now = || self.class.service().footprint();
        let back = || {
            let now = now();
            now.descriptors <= self.rested.descriptors + KEPT_FOR_REUSE
                && now.threads <= self.rested.threads + MORE_THREADS
        };
        assert!(within(PATIENCE, back), "{:?} -> {:?}", self.rested, now());
        now()
    }

    /// Everybody who ever texted needs one login that works, and nobody else may have an account.
    fn count(&self, row: &mut Row) {
        self.class.all_served();
        row.lost += self.report.unanswered;
        row.count(self.class, &self.students, 1, 0);
    }
}

/// Stops the service, whose last words complete the sum of what its gate has counted under this name.
fn counted(class: &Classroom, what: &str) -> usize {
    class.service().signal(Signal::TERM);
    let stopped = class.service().wait(PATIENCE);
    assert!(stopped.is_some(), "the service stops");
    let log = class.log();
    let counts = log.lines().filter_map(|line| {
        let (before, _) = line.split_once(&format!(" {what}"))?;
        before.rsplit(' ').next()?.parse::<usize>().ok()
    });
    counts.sum()
}
