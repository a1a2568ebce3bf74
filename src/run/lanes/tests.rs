//! Who may run next, by examples and by drawn sequences.

use super::*;
use crate::domain::{MessageSid, Text};

pub(super) fn entry(id: &str, from: &str) -> Entry {
    let text = Text {
        sid: MessageSid::parse(&format!("SM{:032x}", id.len())).unwrap(),
        from: from.into(),
        to: String::new(),
        body: String::new(),
        opt_out: None,
        received: 0,
    };
    Entry {
        id: id.into(),
        text: Ok(text),
    }
}

fn pick(lanes: &Lanes) -> Option<String> {
    let mut state = lanes.lock();
    state.wake_parked(Instant::now());
    let most = lanes.most_retries;
    state.pick(Instant::now(), most).map(|job| job.entry.id)
}

fn take(lanes: &Lanes) -> Job {
    lanes.next().unwrap()
}

#[test]
fn two_texts_of_one_phone_never_run_at_once() {
    let lanes = Lanes::new(8);
    lanes.offer(entry("1", "+1a"));
    lanes.offer(entry("2", "+1a"));
    lanes.offer(entry("3", "+1b"));
    let first = take(&lanes);
    assert_eq!(first.entry.id, "1");
    assert_eq!(pick(&lanes).as_deref(), Some("3"));
    assert_eq!(pick(&lanes), None);
    lanes.finish(&first, false);
    assert_eq!(pick(&lanes).as_deref(), Some("2"));
}

#[test]
fn an_entry_in_hand_is_not_taken_twice() {
    let lanes = Lanes::new(8);
    lanes.offer(entry("1", "+1a"));
    lanes.offer(entry("1", "+1a"));
    let job = take(&lanes);
    assert_eq!(pick(&lanes), None);
    lanes.finish(&job, false);
    assert_eq!(pick(&lanes), None);
    lanes.offer(entry("1", "+1a"));
    assert_eq!(pick(&lanes).as_deref(), Some("1"));
}

#[test]
fn repeated_attempts_take_half_of_the_hands_and_come_after_new_texts() {
    let lanes = Lanes::new(2);
    for id in ["1", "2"] {
        lanes.offer(entry(id, id));
        let job = take(&lanes);
        lanes.park(job, Wait::Exactly(Duration::ZERO), 0);
    }
    lanes.offer(entry("3", "3"));
    assert_eq!(pick(&lanes).as_deref(), Some("3"));
    assert!(pick(&lanes).is_some());
    assert_eq!(
        pick(&lanes),
        None,
        "one of two hands stays free for new texts"
    );
}

#[test]
fn the_return_of_the_other_side_makes_all_due_at_once() {
    let lanes = Lanes::new(8);
    for id in ["1", "2", "3"] {
        lanes.offer(entry(id, id));
        let job = take(&lanes);
        lanes.park(job, Wait::Away, 0);
    }
    assert_eq!(pick(&lanes), None);
    lanes.offer(entry("4", "4"));
    let proof = take(&lanes);
    lanes.finish(&proof, true);
    assert!((0..3).all(|_| pick(&lanes).is_some()));
}

#[test]
fn one_stuck_student_is_not_tried_again_at_every_success_of_others() {
    let lanes = Lanes::new(8);
    lanes.offer(entry("stuck", "s"));
    let job = take(&lanes);
    lanes.park(job, Wait::Away, 0);
    lanes.offer(entry("4", "4"));
    let proof = take(&lanes);
    lanes.finish(&proof, true);
    assert_eq!(pick(&lanes), None);
}

#[test]
fn who_fails_while_others_get_through_is_tried_again_soon() {
    let wait_of = |others_get_through: bool| {
        let lanes = Lanes::new(8);
        lanes.lock().failures = if others_get_through { 0 } else { AWAY_AFTER };
        lanes.offer(entry("1", "+1a"));
        let mut job = take(&lanes);
        job.attempt = 9;
        lanes.park(job, Wait::Away, 0);
        let due = lanes.lock().parked[0].due;
        due.saturating_duration_since(Instant::now())
    };
    assert!(wait_of(true) <= Duration::from_secs(4));
    assert!(wait_of(false) > Duration::from_secs(8));
}

#[test]
fn a_block_pauses_all_but_one_probe() {
    let lanes = Lanes::new(8);
    for id in ["1", "2", "3"] {
        lanes.offer(entry(id, id));
    }
    let first = take(&lanes);
    assert!(
        !lanes.park(first, Wait::Blocked, 0),
        "one phone may be refused for its own sake"
    );
    let second = take(&lanes);
    assert!(lanes.park(second, Wait::Blocked, 0), "a second one is not");
    assert_eq!(pick(&lanes), None);
    lanes.lock().paused_until = Some(Instant::now());
    let probe = take(&lanes);
    assert_eq!(pick(&lanes), None, "one probe at a time");
    assert!(lanes.finish(&probe, true), "a proof ends the pause");
    assert!(pick(&lanes).is_some());
}

#[test]
fn one_phone_that_is_refused_again_and_again_holds_nobody_up() {
    let lanes = Lanes::new(8);
    lanes.offer(entry("1", "+1a"));
    for _ in 0..3 {
        let job = take(&lanes);
        assert!(!lanes.park(job, Wait::Blocked, 0));
        lanes.lock().parked[0].due = Instant::now();
    }
    lanes.lock().parked[0].due += Duration::from_secs(60);
    lanes.offer(entry("2", "+1b"));
    let other = take(&lanes);
    lanes.finish(&other, true);
    assert_eq!(
        pick(&lanes),
        None,
        "the success of another is no reason to try it at once"
    );
}

#[test]
fn stopping_sends_everybody_home() {
    let lanes = Lanes::new(8);
    lanes.offer(entry("1", "+1a"));
    lanes.stop();
    assert!(lanes.next().is_none());
}
