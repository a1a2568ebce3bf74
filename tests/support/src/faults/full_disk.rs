//! Redis and the database on one disk, which fills up between any two of their writes.
//!
//! With `appendfsync always` Redis cannot keep what it has confirmed then, and ends. It is started again when there
//! is room; nobody may be harmed by what was written and what was not.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::disk::{Ask, Disk, DiskAnswer};
use super::post::Post;
use super::table::Row;
use super::{Assault, FaultProof};
use crate::classroom::Plan;
use crate::classroom::folder::Folder;

pub const PROOF: FaultProof = FaultProof {
    name: "full_disk",
    about: "one disk for Redis (fsync always) and the database, full from each of their writes on",
    run: |force| vec![run(force)],
};

/// Classes at the same time; most of their time they wait.
const WORKERS: usize = 4;

/// There is room for this number of writes.
struct Room {
    left: AtomicUsize,
    refused: AtomicUsize,
}

impl Room {
    fn is_for(&self, writes: usize) {
        self.left.store(writes, Ordering::SeqCst);
    }

    /// Whether there is room for another write.
    fn takes(&self) -> bool {
        let one_less = |left: usize| left.checked_sub(1);
        let taken = self
            .left
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less);
        if taken.is_err() {
            self.refused.fetch_add(1, Ordering::SeqCst);
        }
        taken.is_ok()
    }
}

fn run(force: &Assault) -> Row {
    let places: Vec<usize> = force.pick(vec![0, 2, 5, 9], (0..60).collect());
    let (next, sum) = (AtomicUsize::new(0), Mutex::new((Row::default(), 0)));
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                while let Some(writes) = places.get(next.fetch_add(1, Ordering::SeqCst)) {
                    let (row, in_time) = full_after(force, *writes);
                    if !row.holds() {
                        force.says(&format!("full after {writes} writes: {row:?}"));
                    }
                    let mut sum = sum.lock().unwrap_or_else(PoisonError::into_inner);
                    sum.0.add(&row);
                    sum.1 += usize::from(in_time);
                }
            });
        }
    });
    let (sum, in_time) = sum.into_inner().unwrap_or_else(PoisonError::into_inner);
    assert!(in_time > 0, "the disk is never full while a text is served");
    let mut row = Row::new(format!(
        "a disk that is full after 0 to {} writes, at {} places",
        places[places.len() - 1],
        places.len()
    ));
    row.add(&sum);
    row.note = format!(
        "Redis ended {} times, {in_time} of them while a text was served",
        places.len()
    );
    row
}

/// Three students text. The disk is full after this number of writes by the service and by Redis. Then another
/// student texts.
/// Returns whether it was full before the three were served.
fn full_after(force: &Assault, writes: usize) -> (Row, bool) {
    let folder = Folder::new();
    let room = Arc::new(Room {
        left: AtomicUsize::new(usize::MAX),
        refused: AtomicUsize::new(0),
    });
    let judge = {
        let room = Arc::clone(&room);
        move |ask: &Ask, deed: &mut dyn FnMut()| {
            let is_ours = ask.path.contains("registrations.db") || ask.path.contains(".aof");
            if ask.verb == "write" && is_ours && !room.takes() {
                return DiskAnswer::Full;
            }
            deed();
            DiskAnswer::Truth
        }
    };
    let disk = Disk::start(folder.path().join("disk.sock"), Box::new(judge));
    let class = Plan::new(&force.binary).with_safe_redis().prepare();
    class.redis().runs_with(disk.settings());
    class.redis().kill();
    class.redis().start_again();
    for (name, value) in disk.settings() {
        class.set(name, &value);
    }
    class.start_service();
    let post = Post::to(&class);
    let students = class.students(4);
    room.is_for(writes);
    students[..3].iter().for_each(|student| post.asks(student));
    let served = || {
        students[..3]
            .iter()
            .all(|student| !student.inbox().is_empty())
    };
    class.eventually("a full disk, or all are served", || {
        room.refused.load(Ordering::SeqCst) > 0 || served()
    });
    let in_time = !served();
    // Whatever is written next, Redis writes this.
    room.is_for(0);
    post.asks(&students[3]);
    class.eventually("Redis ends", || class.redis().has_ended());
    room.is_for(usize::MAX);
    class.redis().start_again();
    let mut row = Row::new("");
    row.lost += post.is_delivered();
    class.all_served();
    row.count(&class, &students, 1, 0);
    row.check_database(&class);
    class.time_is_up();
    class.all_gone();
    row.count_left(&class);
    drop(class);
    (row, in_time)
}
