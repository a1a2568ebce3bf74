//! Connections that end too soon.

use std::time::Duration;

use rustix::process::Signal;

use super::bears;
use crate::class;
use support::classroom::wire::{self, Wire, room_for_many};

/// Its answer needs no Redis: a call that a stop signal interrupts is answered 503.
const GET: &[u8] = b"GET /elsewhere HTTP/1.1\r\nHost: a\r\n\r\n";

#[test]
fn thousands_who_break_off_before_they_are_let_in_harm_nobody() {
    room_for_many();
    let class = class();
    bears(&class, "resets at the door", |address| {
        for _ in 0..3 {
            // While the service stands still the system itself takes their connections, and their resets.
            class.service().signal(Signal::STOP);
            let knock = |number: usize| Wire::saying(address, &GET[..GET.len() - number % 2]);
            let waiting: Vec<Wire> = (0..900).map(knock).collect();
            waiting.into_iter().for_each(Wire::resets);
            class.service().signal(Signal::CONT);
            // A client that is answered now was behind all of them in the queue.
            assert_eq!(Wire::saying(address, GET).status(), 404);
        }
    });
}

#[test]
fn thousands_who_break_off_anywhere_in_a_request_harm_nobody() {
    let class = class();
    let mallory = class.student();
    let mut forged = mallory.phrase_webhook();
    forged.body.push('x');
    let request = wire::bytes(&forged);
    bears(&class, "resets in the middle", |address| {
        for number in 0..3_000 {
            let cut = number % request.len();
            Wire::saying(address, &request[..cut]).resets();
        }
    });
}

#[test]
fn a_text_cut_short_is_refused_and_not_taken() {
    let class = class();
    let mallory = class.student();
    let request = wire::bytes(&mallory.phrase_webhook());
    bears(&class, "cut short", |address| {
        for cut in (1..request.len()).step_by(17).chain([request.len() - 1]) {
            let mut wire = Wire::saying(address, &request[..cut]);
            wire.half_closes();
            assert_eq!(wire.status(), 400, "cut at {cut}");
            assert!(wire.is_closed());
        }
    });
}

#[test]
fn who_closes_their_side_after_the_text_is_still_answered() {
    let class = class();
    let student = class.student();
    let request = wire::bytes(&student.phrase_webhook());
    let mut wire = Wire::saying(class.service().address(), &request);
    wire.half_closes();
    assert_eq!(wire.status(), 200);
    assert!(wire.is_closed());
    student.next_login();
}

#[test]
fn a_text_whose_sender_does_not_wait_for_the_answer_is_served_once_at_most() {
    let class = class();
    let student = class.student();
    let webhook = student.phrase_webhook();
    let request = wire::bytes(&webhook);
    for number in 0..40 {
        let wire = Wire::saying(class.service().address(), &request);
        match number % 4 {
            0 => drop(wire),
            1 => wire.resets(),
            2 => wire.half_closes(),
            _ => {
                std::thread::park_timeout(Duration::from_millis(number));
                wire.resets();
            }
        }
    }
    // Twilio offers it again, as it has seen no answer.
    assert_eq!(student.posts(&webhook), 200);
    student.next_login();
    class.all_served();
    student.has_read_all();
    assert_eq!(class.coder().created_ever().len(), 1);
    bears(&class, "senders who left", |_| ());
}
