//! How many statements each step of a login takes, and how much SQLite does for it: not more with
//! many registrations than with few. Numbers of deeds, never times.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use rusqlite::StatementStatus;
use rusqlite::trace::{TraceEvent, TraceEventCodes};

use super::spares::NOW as SPARES_MADE;
use super::*;
use crate::domain::ClassName;

/// A statement that was run.
#[derive(Clone, Debug)]
struct Deed {
    sql: String,
    /// Instructions of SQLite's virtual machine.
    steps: i32,
    /// How often it was compiled again, since it was first.
    recompiled: i32,
}

/// Listens to all statements of a store.
struct Meter(Arc<Mutex<Vec<Deed>>>);

impl Meter {
    fn on(store: &Store) -> Self {
        let deeds: Arc<Mutex<Vec<Deed>>> = Arc::default();
        let heard = Arc::clone(&deeds);
        // SQLite counts on as long as a statement is kept prepared.
        let before: Mutex<HashMap<String, i32>> = Mutex::default();
        let hear = move |event: TraceEvent<'_>| {
            if let TraceEvent::Profile(statement, _) = event {
                let sql = statement.sql().into_owned();
                let count = statement.get_status(StatementStatus::VmStep);
                let earlier = before.lock().unwrap().insert(sql.clone(), count);
                let steps = count - earlier.filter(|earlier| *earlier <= count).unwrap_or(0);
                heard.lock().unwrap().push(Deed {
                    sql,
                    steps,
                    recompiled: statement.get_status(StatementStatus::RePrepare),
                });
            }
        };
        store
            .lock()
            .trace_v2(TraceEventCodes::SQLITE_TRACE_PROFILE, Some(hear))
            .unwrap();
        Self(deeds)
    }

    /// What was run since the last time.
    fn read(&self) -> Vec<Deed> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

/// The first login of a phone and then another one, step by step as a text leads through them; each
/// with the statements that it took.
fn two_logins(store: &Store, meter: &Meter, number: u32) -> Vec<(&'static str, Vec<Deed>)> {
    meter.read();
    let mut bill = Vec::new();
    let mut now_done = |what| bill.push((what, meter.read()));
    let (phone, first, second) = (phone(number), sid(number), sid(number + 5_000));
    for text in [&first, &second] {
        let known = store.known(text, &phone, 20).unwrap();
        now_done("what is known of this text and its phone?");
        if known.registration.is_none() {
            store.reserved(number);
            now_done("take a seat and a name, and read it back");
            let id = store.row(number).id;
            meter.read();
            store.created(id, "uuid", 100, Some(sending(20))).unwrap();
            now_done("it exists, and its login is about to be sent");
        } else {
            let id = store.row(number).id;
            meter.read();
            store.begin_send(id, sending(20), 1, Some(100)).unwrap();
            now_done("another login is about to be sent");
        }
        let id = store.row(number).id;
        meter.read();
        let sent = SentLogin {
            text: Some(text),
            ..sent(30, Some(100))
        };
        store.login_sent(id, text, sent).unwrap();
        now_done("its login is sent");
    }
    bill
}

#[test]
fn each_step_of_a_login_takes_the_statements_that_it_needs() {
    let dir = TempDir::new();
    let store = dir.open();
    let bill = two_logins(&store, &Meter::on(&store), 1);
    let counts: Vec<(&str, usize)> = bill
        .iter()
        .map(|(what, deeds)| (*what, deeds.len()))
        .collect();
    // A transaction's BEGIN and COMMIT are two of them.
    let expected = [
        // Whether it was served; opt-outs and notices; the account; how many texts the last hour had.
        ("what is known of this text and its phone?", 4),
        // Whether the text still counts, seats, whether the phone has an account, the row; then the look back.
        ("take a seat and a name, and read it back", 7),
        // The stage, the row, the hour's count.
        ("it exists, and its login is about to be sent", 5),
        // The stage, the row, the text that asked; a receipt that was faster, the text that was sent.
        ("its login is sent", 7),
        ("what is known of this text and its phone?", 4),
        ("another login is about to be sent", 5),
        ("its login is sent", 7),
    ];
    assert_eq!(counts, expected, "{bill:#?}");
}

#[test]
fn a_spare_account_is_given_to_a_new_phone_in_one_transaction_of_eight_statements() {
    let dir = TempDir::new();
    let store = dir.open();
    let seats = Seats {
        class: None,
        limit: 9,
    };
    store.spare(1, seats, 9).unwrap();
    store.spares_run();
    let meter = Meter::on(&store);
    store.takes_as_newcomer(7, seats, 100).unwrap();
    let deeds = meter.read();
    // BEGIN; whether anything is known, the hour's count, the spare, the seats; the row, the hour's count; COMMIT.
    assert_eq!(deeds.len(), 8, "{deeds:#?}");
}

#[test]
fn a_login_takes_as_many_steps_with_nine_hundred_registrations_as_with_ten() {
    let dir = TempDir::new();
    let store = dir.open();
    store
        .lock()
        .execute_batch("PRAGMA synchronous = OFF")
        .unwrap();
    let meter = Meter::on(&store);
    let steps = |number| -> Vec<(String, i32)> {
        let bill = two_logins(&store, &meter, number);
        let deeds = bill.into_iter().flat_map(|(_, deeds)| deeds);
        deeds.map(|deed| (deed.sql, deed.steps)).collect()
    };
    (10..20).for_each(|number| _ = store.at_stage(number, Stage::Announced));
    let few = steps(1);
    (20..900).for_each(|number| _ = store.at_stage(number, Stage::Announced));
    assert_eq!(steps(2), few);
}

#[test]
fn no_statement_of_a_login_is_compiled_again() {
    let dir = TempDir::new();
    let store = dir.open();
    let class = ClassName::in_command("intro");
    let seats = Seats {
        class: Some(&class),
        limit: 100,
    };
    for number in 10..15 {
        store.spare(number, seats, 5).unwrap();
    }
    let meter = Meter::on(&store);
    let mut deeds: Vec<Deed> = (1..6)
        .flat_map(|number| two_logins(&store, &meter, number))
        .flat_map(|(_, deeds)| deeds)
        .collect();
    for number in 20..25 {
        // What is bound differs from time to time, as it does in a class.
        let now = SPARES_MADE + i64::from(number);
        store.takes(number, seats, now).unwrap();
    }
    deeds.extend(meter.read());
    for deed in deeds {
        assert_eq!(deed.recompiled, 0, "{}", deed.sql);
    }
}

#[test]
fn no_statement_of_a_login_looks_through_a_whole_table() {
    let dir = TempDir::new();
    let store = dir.open();
    let bill = two_logins(&store, &Meter::on(&store), 1);
    let connection = store.lock();
    let mut looked = 0;
    for deed in bill.iter().flat_map(|(_, deeds)| deeds) {
        let mut statement = connection
            .prepare(&format!("EXPLAIN QUERY PLAN {}", deed.sql))
            .unwrap();
        let count = statement.parameter_count();
        let rows = statement
            .query_map(rusqlite::params_from_iter(vec![1; count]), |row| {
                row.get::<_, String>("detail")
            })
            .unwrap();
        for step in rows.map(Result::unwrap) {
            looked += 1;
            assert!(!step.starts_with("SCAN"), "{}: {step}", deed.sql);
        }
    }
    assert!(looked > 10, "{looked}");
}

#[test]
fn the_count_of_registrations_is_what_a_count_would_find() {
    let dir = TempDir::new();
    let mut store = dir.open();
    let counts = |store: &Store| -> (i64, i64) {
        store
            .lock()
            .query_row(
                "SELECT (SELECT count FROM totals), (SELECT count(*) FROM registrations)",
                [],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .unwrap()
    };
    let ids: Vec<i64> = (0..5).map(|number| store.reserved(number).id).collect();
    assert_eq!(counts(&store), (5, 5));
    // A clash takes no seat.
    let username = name("happy-tuna-1");
    let clash = store.reserve_at(&phone(9), &username, &marker(&username), (10, 100), SEATS);
    assert_eq!(clash.unwrap(), ReserveResult::Clash);
    assert_eq!(counts(&store), (5, 5));
    for id in &ids[..2] {
        assert!(store.begin_removal(*id, 100).unwrap());
        store.forget(*id, 100).unwrap();
    }
    assert_eq!(counts(&store), (3, 3));
    for meddled in ["UPDATE totals SET count = 7", "DELETE FROM totals"] {
        store.lock().execute_batch(meddled).unwrap();
        drop(store);
        store = dir.open();
        assert_eq!(counts(&store), (3, 3));
    }
}
