//! What stands in front of the rules: troubles, hooks, outages, and the notes about calls.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::super::trouble::{Op, Trouble, When, Which};
use super::tests::{admin, create, wish};
use super::{FakeCoder, ops};

#[test]
fn what_nobody_expected_is_noted() {
    let coder = FakeCoder::start();
    let mut api = admin(&coder);
    assert_eq!(api.get("/api/v2/nowhere").message(), "Route not found.");
    assert_eq!(
        api.send("PUT", "/api/v2/users", "", "")
            .expect("an answer")
            .status,
        405
    );
    assert!(api.get("/users").body.contains("<!doctype html>"));
    assert_eq!(
        (api.get("/healthz").body.as_str(), coder.unexpected().len()),
        ("OK", 3)
    );
    assert!(coder.describe().contains("GET /api/v2/nowhere"));
}

#[test]
fn troubles_come_in_order_and_tell_what_was_applied() {
    let coder = FakeCoder::start();
    coder.trouble(ops::CREATE_USER, 1, Trouble::CutBefore);
    coder.trouble(ops::CREATE_USER, 1, Trouble::bad_gateway());
    coder.trouble(Which::path("POST", "/api/v2/users"), 1, Trouble::LoseReply);
    let mut api = admin(&coder);
    let mut ask = || {
        api.send("POST", "/api/v2/users", "", &wish("happy-tuna").to_string())
            .map(|answer| answer.status)
    };
    assert_eq!((ask(), coder.students().len()), (None, 0));
    assert_eq!((ask(), coder.students().len()), (Some(502), 0));
    assert_eq!((ask(), coder.students().len()), (None, 1));
    assert_eq!((ask(), coder.students().len()), (Some(409), 1));
    let seen: Vec<_> = coder
        .calls()
        .iter()
        .map(|call| (call.status, call.applied))
        .collect();
    assert_eq!(
        seen,
        [
            (None, None),
            (Some(502), None),
            (None, Some(201)),
            (Some(409), Some(409))
        ]
    );
    assert_eq!(coder.count(ops::CREATE_USER), 4);
}

#[test]
fn hooks_run_around_the_deed() {
    let coder = Arc::new(FakeCoder::start());
    let seen = Arc::new(AtomicUsize::new(0));
    for (when, expected) in [(When::Before, 0), (When::After, 1)] {
        let (inside, seen) = (Arc::downgrade(&coder), Arc::clone(&seen));
        let hook = move || {
            assert_eq!(inside.upgrade().expect("alive").students().len(), expected);
            seen.fetch_add(1, Ordering::SeqCst);
        };
        coder.on(ops::CREATE_USER, when, 1, Box::new(hook));
    }
    let mut api = admin(&coder);
    create(&mut api, "happy-tuna");
    create(&mut api, "calm-newt");
    assert_eq!(seen.load(Ordering::SeqCst), 2);
}

#[test]
fn an_outage_closes_every_connection_and_ends() {
    let coder = FakeCoder::start();
    let mut api = admin(&coder);
    assert_eq!(api.get("/healthz").status, 200);
    coder.goes_down();
    assert!(api.send("GET", "/healthz", "", "").is_none());
    assert!(api.send("GET", "/healthz", "", "").is_none());
    coder.comes_back();
    assert_eq!(api.get("/healthz").status, 200);
}

#[test]
fn a_hang_ends_when_the_client_leaves_or_the_time_is_over() {
    let coder = FakeCoder::start();
    coder.trouble(Op::ANY, 1, Trouble::HangAfter(Duration::from_millis(40)));
    let started = Instant::now();
    assert!(
        admin(&coder)
            .send("POST", "/api/v2/users", "", &wish("happy-tuna").to_string())
            .is_none()
    );
    assert!(started.elapsed() >= Duration::from_millis(40));
    assert_eq!(coder.students().len(), 1);
    coder.trouble(Op::ANY, 1, Trouble::Hang(Duration::from_secs(600)));
    let mut waiting = admin(&coder);
    let thread = thread::spawn(move || waiting.send("GET", "/healthz", "", "").is_none());
    assert!(coder.wait_for_calls(ops::HEALTHZ, 1, Duration::from_secs(5)));
    drop(coder);
    assert!(
        thread.join().expect("no panic"),
        "a stopped fake hangs nobody up for long"
    );
}

#[test]
fn the_same_seed_loses_the_same_replies() {
    let pattern = |seed| {
        let coder = FakeCoder::start();
        coder.unreliable(seed, 40);
        let mut api = admin(&coder);
        (0..20)
            .map(|_| api.send("GET", "/healthz", "", "").is_some())
            .collect::<Vec<_>>()
    };
    let first = pattern(7);
    assert_eq!(first, pattern(7));
    assert!(first.contains(&true) && first.contains(&false));
}
