//! Texts whose logins are shown on screens: when they are due, and whom they delay.

use super::*;

fn screen(seconds: u64) -> RetryTime {
    RetryTime::Screen(Duration::from_secs(seconds))
}

fn sid_of(job: &Job) -> MessageSid {
    job.entry.text.as_ref().unwrap().sid.clone()
}

#[test]
fn what_happens_at_a_screen_wakes_its_text_and_no_other() {
    let lanes = Lanes::new(8);
    for id in ["1", "22"] {
        lanes.offer(entry(id, id));
    }
    let (first, second) = (take(&lanes), take(&lanes));
    let sid = sid_of(&first);
    lanes.park(first, screen(60), 0);
    lanes.park(second, screen(60), 0);
    assert_eq!(pick(&lanes), None);
    lanes.wake(&sid);
    assert_eq!(pick(&lanes).as_deref(), Some("1"));
    assert_eq!(pick(&lanes), None);
    let due = lanes.lock().parked[0].due;
    assert!(due > Instant::now() + Duration::from_secs(50));
}

#[test]
fn what_happened_at_a_screen_is_recorded_before_other_texts_are_served() {
    let lanes = Lanes::new(1);
    lanes.offer(entry("1", "+1a"));
    let job = take(&lanes);
    let sid = sid_of(&job);
    lanes.park(job, screen(60), 0);
    for id in ["22", "333"] {
        lanes.offer(entry(id, id));
    }
    lanes.wake(&sid);
    for id in ["1", "22", "333"] {
        assert_eq!(pick(&lanes).as_deref(), Some(id));
    }
}

#[test]
fn a_text_that_is_woken_while_a_worker_has_it_is_due_when_it_is_parked() {
    let lanes = Lanes::new(8);
    lanes.offer(entry("1", "+1a"));
    let job = take(&lanes);
    let sid = sid_of(&job);
    lanes.wake(&sid);
    lanes.park(job, screen(60), 0);
    let job = take(&lanes);
    assert_eq!(job.attempt, 1, "a wait for a screen is no failed attempt");
    // It was woken for that attempt only.
    lanes.park(job, screen(60), 0);
    assert_eq!(pick(&lanes), None);
    lanes.wake(&sid);
    let job = take(&lanes);
    lanes.finish(job, PeerProof::Coder);
    // Nothing is remembered about a text that ended.
    lanes.wake(&sid);
    let state = lanes.lock();
    assert!(state.woken.is_empty() && state.at_work.is_empty());
}

#[test]
fn both_entries_of_a_text_that_came_twice_are_woken() {
    let lanes = Lanes::new(8);
    // Entries with ids of one length have one MessageSid here.
    for id in ["1", "2"] {
        lanes.offer(entry(id, "+1a"));
    }
    let first = take(&lanes);
    let sid = sid_of(&first);
    lanes.park(first, screen(60), 0);
    let second = take(&lanes);
    lanes.wake(&sid);
    lanes.park(second, screen(60), 0);
    let first = take(&lanes);
    lanes.finish(first, PeerProof::Coder);
    assert_eq!(pick(&lanes).as_deref(), Some("2"));
}

#[test]
fn texts_at_screens_take_no_room_from_repeated_attempts() {
    let lanes = Lanes::new(2);
    for id in ["1", "22", "333"] {
        lanes.offer(entry(id, id));
        let job = take(&lanes);
        lanes.park(job, screen(0), 0);
    }
    lanes.offer(entry("4444", "4444"));
    let job = take(&lanes);
    lanes.park(job, RetryTime::Exactly(Duration::ZERO), 0);
    assert!((0..4).all(|_| pick(&lanes).is_some()));
}

#[test]
fn a_login_at_a_screen_is_recorded_in_a_pause_and_says_nothing_about_twilio() {
    let lanes = Lanes::new(8);
    for id in ["1", "22", "333"] {
        lanes.offer(entry(id, id));
    }
    let shown = take(&lanes);
    let sid = sid_of(&shown);
    lanes.park(shown, screen(60), 0);
    for _ in 0..2 {
        let refused = take(&lanes);
        lanes.park(refused, RetryTime::Blocked(Peer::Twilio), 0);
    }
    assert!(lanes.is_paused());
    assert_eq!(pick(&lanes), None);
    lanes.wake(&sid);
    let shown = take(&lanes);
    assert!(!lanes.finish(shown, PeerProof::Coder).pause);
    assert!(lanes.is_paused());
    assert_eq!(pick(&lanes), None, "nor is it a probe");
}

#[test]
fn a_text_for_a_screen_does_not_wait_while_twilio_refuses_all_texts() {
    let lanes = Lanes::new(8);
    for id in ["1", "22"] {
        lanes.offer(entry(id, id));
        lanes.park(take(&lanes), RetryTime::Blocked(Peer::Twilio), 0);
    }
    lanes.offer(entry("333", "333"));
    assert_eq!(pick(&lanes), None);
    lanes.offer_to(entry("4444", "4444"), true);
    let job = take(&lanes);
    assert_eq!(job.entry.id, "4444");
    // Its screen does not take the login, and Twilio refuses this text like all others.
    lanes.park(job, RetryTime::Blocked(Peer::Twilio), 0);
    assert_eq!(pick(&lanes), None);
}

#[test]
fn a_login_at_a_screen_ends_a_pause_that_coder_caused() {
    let lanes = Lanes::new(8);
    for id in ["1", "22", "333"] {
        lanes.offer(entry(id, id));
    }
    for _ in 0..2 {
        let refused = take(&lanes);
        lanes.park(refused, RetryTime::Blocked(Peer::Coder), 0);
    }
    assert!(lanes.is_paused());
    lanes.lock().paused_until = Some(Instant::now());
    let probe = take(&lanes);
    let sid = sid_of(&probe);
    lanes.park(probe, screen(60), 0);
    assert!(
        pick(&lanes).is_some(),
        "the next probe need not wait a minute"
    );
    lanes.wake(&sid);
    let shown = take(&lanes);
    assert!(lanes.finish(shown, PeerProof::Coder).pause);
    assert!(!lanes.is_paused());
}
