//! Who may run next, by examples and by drawn sequences.

mod pace;
mod screens;

use super::state::AWAY_AFTER;
use super::*;
use crate::domain::{MessageSid, Text};
use crate::provision::Peer;

pub(super) fn entry(id: &str, from: &str) -> StreamEntry {
    let text = Text {
        sid: MessageSid::parse(&format!("SM{:032x}", id.len())).unwrap(),
        from: from.into(),
        to: String::new(),
        body: String::new(),
        opt_out: None,
        received: 0,
        heard: None,
    };
    StreamEntry {
        id: id.into(),
        text: Ok(text),
    }
}

impl Lanes {
    /// Adds an entry whose login goes by text.
    pub(super) fn offer(&self, entry: StreamEntry) {
        self.offer_to(entry, false);
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
    lanes.finish(first, PeerProof::Nothing);
    assert_eq!(pick(&lanes).as_deref(), Some("2"));
}

#[test]
fn an_entry_in_hand_is_not_taken_twice() {
    let lanes = Lanes::new(8);
    lanes.offer(entry("1", "+1a"));
    lanes.offer(entry("1", "+1a"));
    let job = take(&lanes);
    assert_eq!(pick(&lanes), None);
    lanes.finish(job, PeerProof::Nothing);
    assert_eq!(pick(&lanes), None);
    lanes.offer(entry("1", "+1a"));
    assert_eq!(pick(&lanes).as_deref(), Some("1"));
}

#[test]
fn retries_occupy_half_of_the_workers_and_come_after_new_texts() {
    let lanes = Lanes::new(2);
    for id in ["1", "2"] {
        lanes.offer(entry(id, id));
        let job = take(&lanes);
        lanes.park(job, RetryTime::Exactly(Duration::ZERO), 0);
    }
    lanes.offer(entry("3", "3"));
    assert_eq!(pick(&lanes).as_deref(), Some("3"));
    assert!(pick(&lanes).is_some());
    assert_eq!(
        pick(&lanes),
        None,
        "one of two workers stays free for new texts"
    );
}

#[test]
fn the_return_of_the_other_side_makes_all_due_at_once() {
    let lanes = Lanes::new(8);
    for id in ["1", "2", "3"] {
        lanes.offer(entry(id, id));
        let job = take(&lanes);
        lanes.park(job, RetryTime::Away, 0);
    }
    assert_eq!(pick(&lanes), None);
    lanes.offer(entry("4", "4"));
    let proof = take(&lanes);
    lanes.finish(proof, PeerProof::Both);
    assert!((0..3).all(|_| pick(&lanes).is_some()));
}

#[test]
fn one_stuck_student_is_not_tried_again_at_every_success_of_others() {
    let lanes = Lanes::new(8);
    lanes.offer(entry("stuck", "s"));
    let job = take(&lanes);
    lanes.park(job, RetryTime::Away, 0);
    lanes.offer(entry("4", "4"));
    let proof = take(&lanes);
    lanes.finish(proof, PeerProof::Both);
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
        lanes.park(job, RetryTime::Away, 0);
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
    assert_eq!(
        lanes.park(first, RetryTime::Blocked(Peer::Twilio), 0),
        None,
        "one phone may be refused for its own sake"
    );
    let second = take(&lanes);
    assert_eq!(
        lanes.park(second, RetryTime::Blocked(Peer::Twilio), 0),
        Some(WaitStart::Pause),
        "a second one is not"
    );
    assert_eq!(pick(&lanes), None);
    lanes.lock().paused_until = Some(Instant::now());
    let probe = take(&lanes);
    assert_eq!(pick(&lanes), None, "one probe at a time");
    assert!(
        lanes.finish(probe, PeerProof::Both).pause,
        "a proof ends the pause"
    );
    assert!(pick(&lanes).is_some());
}

/// The next text of a phone is tried, and has no end yet.
fn try_and_park(lanes: &Lanes, wait: RetryTime) -> Option<WaitStart> {
    lanes.park(take(lanes), wait, 0)
}

#[test]
fn in_a_pause_workers_sleep_while_all_that_is_left_waits_for_something_else() {
    let lanes = Lanes::new(8);
    for phone in &ISLANDERS[..2] {
        lanes.offer(entry(phone, phone));
        try_and_park(&lanes, RetryTime::Blocked(Peer::Coder));
    }
    assert!(lanes.is_paused());
    lanes.lock().parked[0].due = Instant::now();
    lanes.lock().paused_until = Some(Instant::now());
    // Coder accepts both, and then their region is not enabled.
    for _ in 0..2 {
        try_and_park(&lanes, held(region(ISLANDERS[0])));
    }
    assert_eq!(pick(&lanes), None);
    let now = Instant::now();
    let due = lanes.lock().next_due(now);
    assert!(due.is_some_and(|due| due > now + Duration::from_secs(50)));
}

#[test]
fn one_phone_that_is_refused_again_and_again_holds_nobody_up() {
    let lanes = Lanes::new(8);
    lanes.offer(entry("1", "+1a"));
    for _ in 0..3 {
        let job = take(&lanes);
        assert_eq!(lanes.park(job, RetryTime::Blocked(Peer::Twilio), 0), None);
        lanes.lock().parked[0].due = Instant::now();
    }
    lanes.lock().parked[0].due += Duration::from_secs(60);
    lanes.offer(entry("2", "+1b"));
    let other = take(&lanes);
    lanes.finish(other, PeerProof::Both);
    assert_eq!(
        pick(&lanes),
        None,
        "the success of another is no reason to try it at once"
    );
}

fn held(cause: Cause) -> RetryTime {
    RetryTime::Held {
        cause,
        left: Duration::from_secs(3_600),
    }
}

fn region(phone: &str) -> Cause {
    Cause::Region(Region::of(&Phone::parse_any(phone).unwrap()))
}

/// Takes the next text of each of these phones and has it wait for a cause.
fn refuse(lanes: &Lanes, phones: &[&str], cause: Cause) -> Vec<Option<WaitStart>> {
    let refused = phones.iter().map(|phone| {
        lanes.offer(entry(phone, phone));
        lanes.park(take(lanes), held(cause), 0)
    });
    refused.collect()
}

const ISLANDERS: [&str; 5] = [
    "+17875550101",
    "+17875550102",
    "+17875550103",
    "+17875550104",
    "+17875550105",
];

#[test]
fn a_region_that_is_not_enabled_delays_no_other_texts_and_is_reported_once() {
    let lanes = Lanes::new(8);
    let island = region(ISLANDERS[0]);
    let told = refuse(&lanes, &ISLANDERS, island);
    assert_eq!(told[0], Some(WaitStart::Hold(island)));
    assert!(told[1..].iter().all(Option::is_none), "{told:?}");
    assert!(!lanes.is_paused());
    lanes.offer(entry("4", "+12015550123"));
    lanes.finish(take(&lanes), PeerProof::Both);
    assert_eq!(
        pick(&lanes),
        None,
        "another region says nothing of this one"
    );
    let other = region("+18765550123");
    let told = refuse(&lanes, &["+18765550123"], other);
    assert_eq!(told, [Some(WaitStart::Hold(other))]);
}

#[test]
fn each_text_that_is_served_lets_two_more_start_until_all_are_served() {
    let lanes = Lanes::new(8);
    let island = region(ISLANDERS[0]);
    refuse(&lanes, &ISLANDERS, island);
    lanes.offer(entry("4", "+17875550199"));
    // Who texts next is tried at once; the operator has fixed it meanwhile.
    let ends = lanes.finish(take(&lanes), PeerProof::Both);
    assert_eq!(ends.hold, None);
    let [first, second] = [(); 2].map(|()| take(&lanes));
    assert_eq!(pick(&lanes), None);
    assert_eq!(lanes.finish(first, PeerProof::Both).hold, Some(island));
    assert_eq!(
        lanes.finish(second, PeerProof::Both).hold,
        None,
        "told once"
    );
    for _ in 0..3 {
        lanes.finish(take(&lanes), PeerProof::Both);
    }
    assert!(lanes.lock().holds.is_empty());
    assert_eq!(lanes.room(), ROOM);
}

#[test]
fn a_text_that_is_refused_again_waits_a_minute_however_many_others_get_through() {
    let lanes = Lanes::new(8);
    refuse(&lanes, &ISLANDERS[..3], Cause::Sender);
    for other in ["4", "5", "6", "7"] {
        lanes.offer(entry(other, other));
        lanes.finish(take(&lanes), PeerProof::Both);
    }
    // Each of the three was brought on once.
    let again = [(); 3].map(|()| take(&lanes));
    for job in again {
        lanes.park(job, held(Cause::Sender), 0);
    }
    for other in ["8", "9"] {
        lanes.offer(entry(other, other));
        lanes.finish(take(&lanes), PeerProof::Both);
        assert_eq!(pick(&lanes), None);
    }
}

#[test]
fn one_of_those_who_wait_is_tried_each_minute() {
    let lanes = Lanes::new(8);
    refuse(&lanes, &ISLANDERS, Cause::Unverified);
    let minute = Instant::now() + Duration::from_secs(61);
    let mut state = lanes.lock();
    state.wake_parked(minute);
    assert_eq!(state.ready.len(), 1);
    state.wake_parked(minute + Duration::from_secs(30));
    assert_eq!(state.ready.len(), 1);
    state.wake_parked(minute + Duration::from_secs(61));
    assert_eq!(state.ready.len(), 2);
    state.wake_parked(minute + Duration::from_secs(3_600));
    assert_eq!(state.ready.len(), 5, "each is tried a last time");
}

#[test]
fn the_senders_fault_is_told_when_it_is_not_one_phones() {
    let lanes = Lanes::new(8);
    let told = refuse(&lanes, &ISLANDERS[..2], Cause::Sender);
    assert_eq!(told, [None, Some(WaitStart::Hold(Cause::Sender))]);

    let lanes = Lanes::new(8);
    lanes.offer(entry("4", "+12015550123"));
    lanes.finish(take(&lanes), PeerProof::Both);
    let told = refuse(&lanes, &ISLANDERS, Cause::Sender);
    assert_eq!(told[..4], [None; 4], "the sender works for others");
    assert_eq!(told[4], Some(WaitStart::Hold(Cause::Sender)));
}

#[test]
fn a_phone_that_is_served_has_no_older_text_wait() {
    let lanes = Lanes::new(8);
    refuse(&lanes, &ISLANDERS[..1], Cause::Sender);
    lanes.offer(entry("4", "+12015550123"));
    lanes.finish(take(&lanes), PeerProof::Both);
    // Refused once more, so that the success of others does not bring it on for a minute.
    lanes.park(take(&lanes), held(Cause::Sender), 0);
    lanes.offer(entry("newer", ISLANDERS[0]));
    lanes.finish(take(&lanes), PeerProof::Both);
    assert_eq!(pick(&lanes).as_deref(), Some(ISLANDERS[0]));
}

#[test]
fn a_phone_waits_with_its_newest_text_only() {
    let lanes = Lanes::new(8);
    refuse(&lanes, &ISLANDERS[..1], Cause::Unverified);
    lanes.offer(entry("newer", ISLANDERS[0]));
    let newer = take(&lanes);
    let older = lanes.take_older(&newer).unwrap();
    assert_eq!(older.entry.id, ISLANDERS[0]);
    lanes.finish(older, PeerProof::Nothing);
    lanes.offer(entry("newest", ISLANDERS[0]));
    assert_eq!(pick(&lanes), None, "the newer one is still in work");
    lanes.park(newer, held(Cause::Unverified), 0);
    assert_eq!(pick(&lanes).as_deref(), Some("newest"));
}

#[test]
fn a_text_that_was_refused_while_others_were_served_pauses_nobody_any_more() {
    let lanes = Lanes::new(8);
    for id in ["1", "2"] {
        lanes.offer(entry(id, id));
        let job = take(&lanes);
        assert_eq!(lanes.park(job, RetryTime::Blocked(Peer::Twilio), 0), None);
        lanes.offer(entry(&format!("after {id}"), &format!("after {id}")));
        lanes.finish(take(&lanes), PeerProof::Both);
    }
    for _ in 0..3 {
        let now = Instant::now();
        lanes
            .lock()
            .parked
            .iter_mut()
            .for_each(|parked| parked.due = now);
        let both = [(); 2].map(|()| take(&lanes));
        for job in both {
            assert_eq!(lanes.park(job, RetryTime::Blocked(Peer::Twilio), 0), None);
        }
    }
    assert!(!lanes.is_paused());
}

#[test]
fn stopping_leaves_no_work_to_anybody() {
    let lanes = Lanes::new(8);
    lanes.offer(entry("1", "+1a"));
    lanes.stop();
    assert!(lanes.next().is_none());
}
