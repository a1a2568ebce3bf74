//! The disk runs full, becomes read-only, fails, is slow, or holds a damaged database; and a first
//! start is killed at every step.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::disk::{Ask, Disk, DiskAnswer};
use super::table::Row;
use super::{Assault, FaultProof};
use crate::classroom::folder::Folder;
use crate::classroom::{Classroom, Plan};
use crate::fakes::random::Dice;

/// All that can befall the database's disk.
pub const PROOF: FaultProof = FaultProof {
    name: "storage",
    about: "disk full, read-only, failing, slow; database damaged; a first start killed at every write",
    run: |force| force.all_at_once([full, read_only, failing, slow, damaged, first_start]),
};

/// What the disk is like at present.
#[derive(Clone, Copy, Debug)]
enum NetworkState {
    Well,
    /// Every write is answered like this.
    Bad(DiskAnswer),
    /// Three of ten writes and syncs fail, half of them although they are done.
    Failing,
    /// Every sync takes this long.
    Slow(Duration),
}

/// A disk that can be told to be in trouble.
struct NetworkTrouble {
    state: Arc<Mutex<NetworkState>>,
    disk: Disk,
    // The last to go: the disk's socket is in it.
    _folder: Folder,
}

impl NetworkTrouble {
    fn new() -> Self {
        let folder = Folder::new();
        let state = Arc::new(Mutex::new(NetworkState::Well));
        let now = Arc::clone(&state);
        let dice = Mutex::new(Dice::new(5));
        let judge = move |ask: &Ask, deed: &mut dyn FnMut()| {
            let state = *now.lock().unwrap_or_else(PoisonError::into_inner);
            let concerns = matches!(ask.verb.as_str(), "write" | "sync" | "truncate" | "make");
            if !concerns || !ask.path.contains("registrations.db") {
                deed();
                return DiskAnswer::Truth;
            }
            match state {
                NetworkState::Bad(answer) => return answer,
                NetworkState::Failing => {
                    let mut dice = dice.lock().unwrap_or_else(PoisonError::into_inner);
                    match dice.below(20) {
                        0..3 => return DiskAnswer::Broken,
                        3..6 => {
                            deed();
                            return DiskAnswer::Broken;
                        }
                        _ => {}
                    }
                }
                NetworkState::Slow(span) if ask.verb == "sync" => std::thread::sleep(span),
                NetworkState::Slow(_) | NetworkState::Well => {}
            }
            deed();
            DiskAnswer::Truth
        };
        let disk = Disk::start(folder.path().join("disk.sock"), Box::new(judge));
        Self {
            state,
            disk,
            _folder: folder,
        }
    }

    fn is(&self, state: NetworkState) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = state;
    }

    /// A class on this disk.
    fn class(&self, force: &Assault) -> Classroom {
        let mut plan = Plan::new(&force.binary).with("CODER_REG_RESEND_INTERVAL", "0");
        for (name, value) in self.disk.settings() {
            plan = plan.with(name, &value);
        }
        plan.open()
    }
}

fn health(class: &Classroom) -> String {
    let address = class.service().address();
    let answer = crate::classroom::http::request(address, "GET", "/healthz", &[], b"");
    answer.map_or_else(|error| error.to_string(), |answer| answer.body().to_owned())
}

/// Texts that come while nothing can be written are taken, wait in Redis, and are served afterwards.
fn unwritable(force: &Assault, fault: &str, answer: DiskAnswer) -> Row {
    let network = NetworkTrouble::new();
    let class = network.class(force);
    let students = class.students(force.pick(4, 30));
    let (before, during) = students.split_at(students.len() / 2);
    for student in before {
        student.gets_a_login();
    }
    class.all_served();
    network.is(NetworkState::Bad(answer));
    during.iter().for_each(|student| drop(student.asks()));
    class.eventually("the fault shown", || {
        health(&class).contains("database-not-writable")
    });
    let mut row = Row::new(fault);
    // Nobody gets a login that could not be written down.
    row.doubled += during
        .iter()
        .map(|student| student.inbox().len())
        .sum::<usize>();
    network.is(NetworkState::Well);
    class.all_served();
    class.eventually("health", || health(&class).contains("ok"));
    row.count(&class, &students, 1, 0);
    row.check_database(&class);
    row
}

fn full(force: &Assault) -> Row {
    unwritable(force, "disk full", DiskAnswer::Full)
}

fn read_only(force: &Assault) -> Row {
    unwritable(force, "disk read-only", DiskAnswer::ReadOnly)
}

fn failing(force: &Assault) -> Row {
    let network = NetworkTrouble::new();
    let class = network.class(force);
    network.is(NetworkState::Failing);
    let students = class.students(force.pick(5, 40));
    students.iter().for_each(|student| drop(student.asks()));
    class.eventually_within(Duration::from_secs(120), "all served", || {
        class.redis().length("coder-sms-register:texts") == 0
    });
    network.is(NetworkState::Well);
    let mut row = Row::new("30 % of all writes and syncs fail, half of them done");
    row.count(&class, &students, 1, 0);
    class.change("UPDATE registrations SET due_at = 1");
    network.is(NetworkState::Failing);
    class.eventually_within(Duration::from_secs(120), "all removed", || {
        class.nobody_is_left()
    });
    network.is(NetworkState::Well);
    row.count_left(&class);
    row.check_database(&class);
    row
}

/// A disk that takes its time keeps logins waiting, but not the webhook.
fn slow(force: &Assault) -> Row {
    let network = NetworkTrouble::new();
    let class = network.class(force);
    network.is(NetworkState::Slow(Duration::from_millis(200)));
    let students = class.students(force.pick(4, 20));
    let mut slowest = Duration::ZERO;
    for student in &students {
        let began = Instant::now();
        student.asks();
        slowest = slowest.max(began.elapsed());
    }
    class.all_served();
    network.is(NetworkState::Well);
    let mut row = Row::new("every sync takes 200 ms");
    row.count(&class, &students, 1, 0);
    row.note = format!("slowest 200 of the webhook {slowest:.1?}");
    row
}

/// Each damage is refused with the cure, and the file is left as it was; a backup brings all back.
fn damaged(force: &Assault) -> Row {
    let class = Plan::new(&force.binary).open();
    let students = class.students(3);
    for student in &students {
        student.gets_a_login();
    }
    class.all_served();
    let file = class.data_dir().join("registrations.db");
    class.change("PRAGMA wal_checkpoint(TRUNCATE)");
    class.end_service();
    let put_in_place = |bytes: &[u8]| {
        // With what a start before has left beside it, it would be another database.
        for side in ["registrations.db-wal", "registrations.db-shm"] {
            let _ = std::fs::remove_file(class.data_dir().join(side));
        }
        std::fs::write(&file, bytes).expect("the database's file");
    };
    let backup = std::fs::read(&file).expect("the database");
    let mut row = Row::new("database damaged: refused, left as it was, restored");
    let mut damages = 0;
    for at in (0..backup.len()).step_by(force.pick(8_192, 1_024)) {
        let mut bytes = backup.clone();
        bytes[at..]
            .iter_mut()
            .take(512)
            .for_each(|byte| *byte ^= 0x5a);
        put_in_place(&bytes);
        let ended = class.try_service(&["config"]);
        row.lost += usize::from(ended.code != Some(0));
        let refused = refuses_to_start(&class);
        let same = std::fs::read(&file).is_ok_and(|found| found == bytes);
        row.lost += usize::from(refused && !same);
        // What damage does not reach what is in use goes unseen by SQLite; nobody may be lost then.
        damages += usize::from(refused);
    }
    assert!(damages > 0, "no damage is noticed");
    put_in_place(&backup);
    class.start_service();
    row.note = format!("{damages} damages refused");
    row.count(&class, &students, 1, 0);
    row
}

/// Whether a start ends with the words that name the cure. A service that starts is ended.
fn refuses_to_start(class: &Classroom) -> bool {
    let service = class.spawn_service();
    let deadline = Instant::now() + Duration::from_secs(20);
    while Instant::now() < deadline {
        if let Some(status) = service.wait(Duration::from_millis(5)) {
            // Its last words may still be on their way.
            assert!(service.logs("the database is damaged"), "{status}");
            assert!(service.logs("restore a backup"), "{status}");
            assert!(status.code().is_some_and(|code| code != 0), "{status}");
            return true;
        }
        if service.listens(Duration::ZERO).is_some() {
            class.end_service();
            return false;
        }
    }
    panic!("it neither starts nor ends: {}", service.log());
}

/// The making of the database, killed before and after each of its writes and syncs: the next start finishes it.
fn first_start(force: &Assault) -> Row {
    let (steps, uncut) = first_start_killed_at(force, usize::MAX);
    assert!(steps >= 4, "a first start writes: {steps}");
    let mut row = Row::new(format!(
        "a first start killed around each of its {} writes",
        steps / 2
    ));
    row.add(&uncut);
    let next = AtomicUsize::new(0);
    let all = Mutex::new(row);
    std::thread::scope(|scope| {
        for _ in 0..force.pick(4, 6) {
            scope.spawn(|| {
                loop {
                    let step = next.fetch_add(1, Ordering::SeqCst);
                    if step >= steps {
                        return;
                    }
                    let (_, one) = first_start_killed_at(force, step);
                    all.lock().unwrap_or_else(PoisonError::into_inner).add(&one);
                }
            });
        }
    });
    all.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// Kills a first start before its question number `step / 2`, or after it if `step` is odd. Returns how
/// many steps there were until then.
fn first_start_killed_at(force: &Assault, step: usize) -> (usize, Row) {
    let folder = Folder::new();
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let judge = move |ask: &Ask, deed: &mut dyn FnMut()| {
        let writes = matches!(ask.verb.as_str(), "write" | "sync" | "truncate" | "make");
        if ask.thread == "main" && writes && ask.path.contains("registrations.db") {
            let number = count.fetch_add(2, Ordering::SeqCst);
            let kill = || {
                if let Some(pid) = Pid::from_raw(ask.process) {
                    let _ = kill_process(pid, Signal::KILL);
                }
                DiskAnswer::Silence
            };
            if number == step {
                return kill();
            }
            deed();
            return if number + 1 == step {
                kill()
            } else {
                DiskAnswer::Truth
            };
        }
        deed();
        DiskAnswer::Truth
    };
    let disk = Disk::start(folder.path().join("disk.sock"), Box::new(judge));
    let class = Plan::new(&force.binary).prepare();
    for (name, value) in disk.settings() {
        class.set(name, &value);
    }
    let service = class.spawn_service();
    class.eventually("the kill or the start", || {
        service.wait(Duration::ZERO).is_some() || service.listens(Duration::ZERO).is_some()
    });
    class.end_service();
    class.set("LD_PRELOAD", "");
    class.start_service();
    let students = class.students(2);
    for student in &students {
        student.gets_a_login();
    }
    class.all_served();
    let mut row = Row::new("");
    row.count(&class, &students, 1, 0);
    row.check_database(&class);
    drop(class);
    (asked.load(Ordering::SeqCst), row)
}
