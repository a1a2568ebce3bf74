//! Writes of several threads on a real file, and a second connection that sees what is committed.

use std::sync::Mutex;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use rusqlite::trace::{TraceEvent, TraceEventCodes};

use super::*;
use crate::store::tests::TempDir;

const DOING: &str = "write a number";

/// A database with a table of numbers, gone with the test.
struct Numbers {
    shared: SharedConnection,
    /// Another process's view.
    outside: Mutex<Connection>,
    commits: Arc<AtomicUsize>,
    _dir: TempDir,
}

impl Numbers {
    fn new() -> Self {
        let dir = TempDir::new();
        let file = dir.path().join("numbers.db");
        let mut connection = Connection::open(&file).unwrap();
        connection
            .execute_batch(
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; PRAGMA foreign_keys = ON;
                 CREATE TABLE numbers (number INTEGER PRIMARY KEY, filling BLOB);
                 CREATE TABLE promises (
                     number INTEGER REFERENCES numbers (number) DEFERRABLE INITIALLY DEFERRED
                 );",
            )
            .unwrap();
        let commits: Arc<AtomicUsize> = Arc::default();
        let counter = Arc::clone(&commits);
        let hear = move |event: TraceEvent<'_>| {
            if let TraceEvent::Profile(statement, _) = event
                && statement.sql() == "COMMIT"
            {
                counter.fetch_add(1, Ordering::SeqCst);
            }
        };
        connection
            .trace_v2(TraceEventCodes::SQLITE_TRACE_PROFILE, Some(hear))
            .unwrap();
        Self {
            shared: SharedConnection::new(connection),
            outside: Mutex::new(Connection::open(file).unwrap()),
            commits,
            _dir: dir,
        }
    }

    fn add(&self, number: u32) -> Result<(), StoreError> {
        self.shared.write(DOING, &mut |tx| insert(tx, number, 0))
    }

    /// What is committed.
    fn stored(&self) -> Vec<u32> {
        let outside = self.outside.lock().unwrap();
        let mut statement = outside
            .prepare_cached("SELECT number FROM numbers ORDER BY number")
            .unwrap();
        let rows = statement.query_map([], |row| row.get(0)).unwrap();
        rows.map(Result::unwrap).collect()
    }

    /// Has all of these write so that they meet: the first one comes to its end when all the others wait for the
    /// connection. What each of them got, and the order in which they had their turns.
    fn meet(&self, writes: Vec<Write<'_>>) -> (Vec<Result<(), StoreError>>, Vec<usize>) {
        let order = Mutex::new(Vec::new());
        let others = writes.len() - 1;
        let told = thread::scope(|scope| {
            let mut writers = Vec::new();
            for (place, work) in writes.into_iter().enumerate() {
                let order = &order;
                let mut work = Some(work);
                let mut turn = move |tx: &Tx<'_>| {
                    order.lock().unwrap().push(place);
                    if place == 0 {
                        self.until(|writers| writers == others);
                    }
                    work.take().unwrap()(tx)
                };
                writers.push(scope.spawn(move || self.shared.write(DOING, &mut turn)));
                while order.lock().unwrap().is_empty() {
                    thread::yield_now();
                }
            }
            let told = writers.into_iter().map(|writer| {
                let panicked = || Err(StoreError::Row("a panic"));
                writer.join().unwrap_or_else(|_| panicked())
            });
            told.collect()
        });
        (told, order.into_inner().unwrap())
    }

    /// Waits for a number of threads that wait for the connection.
    fn until(&self, is_meant: impl Fn(usize) -> bool) {
        while !is_meant(self.shared.writers()) {
            thread::yield_now();
        }
    }

    fn commits(&self) -> usize {
        self.commits.load(Ordering::SeqCst)
    }
}

type Write<'a> = Box<dyn FnOnce(&Tx<'_>) -> Result<(), StoreError> + Send + 'a>;

fn insert(tx: &Tx<'_>, number: u32, bytes: u32) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO numbers (number, filling) VALUES (?1, zeroblob(?2))",
        rusqlite::params![number, bytes],
    )
    .map(drop)
    .map_err(StoreError::sql(DOING))
}

fn adds<'a>(number: u32) -> Write<'a> {
    Box::new(move |tx| insert(tx, number, 0))
}

/// As many pages as the file may have from now on.
fn room_for(numbers: &Numbers, pages: u32) {
    let connection = numbers.shared.lock();
    let sql = format!("PRAGMA max_page_count = {pages}");
    connection.query_row(&sql, [], |_| Ok(())).unwrap();
}

#[test]
fn a_write_that_meets_no_other_is_committed_alone() {
    let numbers = Numbers::new();
    for number in 0..3 {
        numbers.add(number).unwrap();
        assert_eq!(numbers.commits(), number as usize + 1);
    }
    assert_eq!(numbers.stored(), [0, 1, 2]);
}

#[test]
fn writes_that_wait_for_the_connection_share_one_commit() {
    let numbers = Numbers::new();
    let (told, _) = numbers.meet((0..8).map(adds).collect());
    assert!(told.iter().all(Result::is_ok), "{told:?}");
    assert_eq!(numbers.stored(), [0, 1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(numbers.commits(), 1);
}

#[test]
fn nobody_is_told_before_the_commit() {
    let numbers = Numbers::new();
    let (go_on, waits) = mpsc::channel::<()>();
    let (told, hears) = mpsc::channel();
    let numbers = &numbers;
    // A failed assertion drops `go_on`, which ends the second one.
    thread::scope(move |scope| {
        scope.spawn(move || {
            let result = numbers.shared.write(DOING, &mut |tx| {
                insert(tx, 1, 0)?;
                // The second one waits for the connection.
                numbers.until(|writers| writers == 1);
                Ok(())
            });
            told.send((result.is_ok(), numbers.stored())).unwrap();
        });
        let second = scope.spawn(move || {
            // It is at work, so the first one has had its turn.
            let mut work = |tx: &Tx<'_>| {
                insert(tx, 2, 0)?;
                waits.recv().unwrap();
                Ok(())
            };
            while numbers.shared.guarded.try_lock().is_ok() {
                thread::yield_now();
            }
            numbers.shared.write(DOING, &mut work)
        });
        assert!(hears.recv_timeout(Duration::from_millis(50)).is_err());
        assert!(numbers.stored().is_empty());
        go_on.send(()).unwrap();
        assert_eq!(hears.recv().unwrap(), (true, vec![1, 2]));
        second.join().unwrap().unwrap();
    });
    assert_eq!(numbers.commits(), 1);
}

#[test]
fn a_write_that_fails_is_undone_without_the_others() {
    for place in 0..3 {
        let numbers = Numbers::new();
        let mut writes: Vec<Write<'_>> = (0..2).map(adds).collect();
        writes.insert(
            place,
            Box::new(|tx| {
                insert(tx, 7, 0)?;
                Err(StoreError::Row("an impossible value"))
            }),
        );
        let (mut told, _) = numbers.meet(writes);
        let failed = told.remove(place);
        assert!(matches!(failed, Err(StoreError::Row(_))), "{failed:?}");
        assert!(told.iter().all(Result::is_ok), "{place}: {told:?}");
        assert_eq!(numbers.stored(), [0, 1], "{place}");
    }
}

#[test]
fn a_full_disk_fails_the_whole_group_and_nothing_of_it_is_stored() {
    let numbers = Numbers::new();
    room_for(&numbers, 8);
    let (told, _) = numbers.meet(vec![adds(0), Box::new(|tx| insert(tx, 1, 100_000))]);
    for result in &told {
        let error = result.as_ref().unwrap_err();
        assert!(error.is_disk_full(), "{error:?}");
    }
    assert!(numbers.stored().is_empty());

    room_for(&numbers, 1_000);
    numbers.add(3).unwrap();
    assert_eq!(numbers.stored(), [3]);
}

/// Who of three fails if the one with the number 1 ends the whole transaction: itself, and those before it.
fn who_comes_later_begins_anew(ends_all: Write<'_>, numbers: &Numbers) -> Vec<StoreError> {
    let (told, order) = numbers.meet(vec![adds(0), ends_all, adds(2)]);
    let ended = order.iter().position(|place| *place == 1).unwrap();
    let (failed, stored) = order.split_at(ended + 1);
    let stored: Vec<u32> = stored.iter().map(|place| *place as u32).collect();
    assert_eq!(numbers.stored(), stored, "{told:?}");
    let errors = told.into_iter().enumerate().filter_map(|(place, result)| {
        assert_eq!(result.is_err(), failed.contains(&place), "{place}");
        result.err()
    });
    errors.collect()
}

#[test]
fn who_comes_after_a_full_disk_begins_anew() {
    let numbers = Numbers::new();
    room_for(&numbers, 8);
    let fills: Write<'_> = Box::new(|tx| insert(tx, 1, 100_000));
    for error in who_comes_later_begins_anew(fills, &numbers) {
        assert!(error.is_disk_full(), "{error:?}");
    }
}

#[test]
fn a_panic_undoes_the_writes_before_it_and_no_others() {
    let numbers = Numbers::new();
    let panics: Write<'_> = Box::new(|tx| {
        insert(tx, 1, 0)?;
        panic!("within a write, as this test wants it");
    });
    let errors = who_comes_later_begins_anew(panics, &numbers);
    let error = errors[0].to_string();
    assert!(error.contains("broke off"), "{error}");
}

#[test]
fn a_commit_that_fails_fails_the_whole_group() {
    let numbers = Numbers::new();
    // A promise that is found broken at the end of the transaction only.
    let promises: Write<'_> = Box::new(|tx| {
        tx.execute("INSERT INTO promises (number) VALUES (9)", [])
            .map(drop)
            .map_err(StoreError::sql(DOING))
    });
    let (told, _) = numbers.meet(vec![adds(0), promises, adds(1)]);
    for result in &told {
        let error = result.as_ref().unwrap_err().to_string();
        assert!(error.contains("FOREIGN KEY"), "{error}");
    }
    assert!(numbers.stored().is_empty());
    numbers.add(3).unwrap();
    assert_eq!(numbers.stored(), [3]);
}

#[test]
fn whoever_reads_waits_for_the_end_of_an_open_group() {
    let numbers = Numbers::new();
    let group: Arc<Group> = Arc::default();
    {
        let mut guarded = numbers.shared.guarded();
        guarded.connection.execute_batch("BEGIN IMMEDIATE").unwrap();
        insert(&Tx(&guarded.connection), 1, 0).unwrap();
        guarded.open = Some(Arc::clone(&group));
    }
    thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let reading = numbers.shared.lock();
            reading.query_row("SELECT count(*) FROM numbers", [], |row| row.get(0))
        });
        // The next writer ends the group.
        thread::yield_now();
        assert!(!reader.is_finished());
        numbers.add(2).unwrap();
        let seen: u32 = reader.join().unwrap().unwrap();
        assert_eq!(seen, 2);
    });
    group.wait().unwrap();
    assert_eq!(numbers.stored(), [1, 2]);
}

#[test]
fn what_is_told_to_be_done_is_committed_and_what_failed_is_not() {
    let numbers = Numbers::new();
    let mut kept: Vec<u32> = thread::scope(|scope| {
        let writer = |thread: u32| {
            let numbers = &numbers;
            scope.spawn(move || {
                let mut kept = Vec::new();
                for turn in 0..100 {
                    let number = thread * 1_000 + turn;
                    let fails = turn % 3 == thread % 3;
                    let result = numbers.shared.write(DOING, &mut |tx| {
                        insert(tx, number, 0)?;
                        if fails {
                            return Err(StoreError::Row("an impossible value"));
                        }
                        Ok(())
                    });
                    assert_eq!(result.is_err(), fails);
                    if result.is_ok() {
                        assert!(numbers.stored().contains(&number));
                        kept.push(number);
                    }
                }
                kept
            })
        };
        let writers: Vec<_> = (0..8).map(writer).collect();
        let all = writers
            .into_iter()
            .flat_map(|writer| writer.join().unwrap());
        all.collect()
    });
    kept.sort_unstable();
    assert_eq!(numbers.stored(), kept);
    assert!(numbers.commits() <= kept.len());
}
