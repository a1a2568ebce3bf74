//! Several requests on one connection: answered in order, and none after a bad one.

use super::bears;
use crate::class;
use support::classroom::student::Student;
use support::classroom::wire::{self, Wire};
use support::fakes::random::Dice;

#[test]
fn requests_in_one_write_are_answered_in_order() {
    let class = class();
    let students = class.students(20);
    let mut write = Vec::new();
    for student in &students {
        write.extend(wire::bytes(&student.phrase_webhook()));
        write.extend(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n");
        write.extend(b"HEAD /healthz HTTP/1.1\r\nHost: a\r\n\r\n");
        write.extend(b"DELETE /inbound HTTP/1.1\r\nHost: a\r\n\r\n");
    }
    let mut wire = Wire::saying(class.service().address(), &write);
    for _ in &students {
        assert_eq!(wire.answer().unwrap().body(), "<Response/>");
        assert_eq!(wire.answer().unwrap().body(), "ok\n");
        assert_eq!(wire.answer_to_head().unwrap().body(), "");
        assert_eq!(wire.answer().unwrap().status, 405);
    }
    wire.half_closes();
    assert!(wire.is_closed());
    for student in &students {
        student.next_login();
    }
    class.all_served();
    students.iter().for_each(Student::has_read_all);
    bears(&class, "pipelining", |_| ());
}

#[test]
fn of_several_in_one_write_those_before_a_bad_one_count_and_those_after_it_do_not() {
    let class = class();
    let (ana, mallory) = (class.student(), class.student());
    let good = wire::bytes(&ana.phrase_webhook());
    let late = wire::bytes(&mallory.phrase_webhook());
    let bad =
        b"POST /inbound HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n";
    let mut wire = Wire::saying(
        class.service().address(),
        &[&good, &bad[..], &late].concat(),
    );
    assert_eq!((wire.status(), wire.status()), (200, 400));
    assert!(wire.is_closed());
    ana.next_login();
    class.all_served();
    assert!(mallory.inbox().is_empty());
    bears(&class, "a bad one in between", |_| ());
}

#[test]
fn a_body_that_is_a_request_is_not_served_as_one() {
    let class = class();
    let mallory = class.student();
    let inner = wire::bytes(&mallory.phrase_webhook());
    for (line, status) in [
        ("POST /inbound", 400),
        ("POST /elsewhere", 404),
        ("GET /healthz", 200),
        ("DELETE /inbound", 405),
    ] {
        bears(&class, line, |address| {
            let head = format!(
                "{line} HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n",
                inner.len()
            );
            let mut wire = Wire::saying(address, &[head.as_bytes(), &inner].concat());
            assert_eq!(wire.status(), status, "{line}");
            wire.half_closes();
            assert!(wire.is_closed(), "{line} is answered once");
        });
    }
}

#[test]
fn a_client_that_waits_for_continue_is_served_and_one_that_lies_is_not() {
    let class = class();
    let student = class.student();
    let whole = String::from_utf8(wire::bytes(&student.phrase_webhook())).unwrap();
    let waiting = whole.replacen("\r\n", "\r\nExpect: 100-continue\r\n", 1);
    let (head, body) = waiting.split_once("\r\n\r\n").unwrap();
    let mut wire = Wire::saying(
        class.service().address(),
        format!("{head}\r\n\r\n").as_bytes(),
    );
    assert_eq!(wire.status(), 100);
    wire.sends(body.as_bytes());
    assert_eq!(wire.status(), 200);
    student.next_login();

    bears(
        &class,
        "who expects to be continued and leaves",
        |address| {
            for _ in 0..50 {
                let mut wire = Wire::saying(address, format!("{head}\r\n\r\n").as_bytes());
                assert_eq!(wire.status(), 100);
                wire.sends(&body.as_bytes()[..10]);
                wire.resets();
            }
        },
    );
}

#[test]
fn garbage_is_answered_or_cut_and_changes_nothing() {
    let class = class();
    let mut dice = Dice::new(20_240_229);
    let mallory = class.student();
    let mut forged = mallory.phrase_webhook();
    forged.body = forged.body.replace("ready", "eager");
    let forged = wire::bytes(&forged);
    for round in 0..10 {
        bears(&class, &format!("garbage, round {round}"), |address| {
            for number in 0..60 {
                let bytes = match number % 3 {
                    0 => noise(&mut dice),
                    1 => damaged(&forged, &mut dice),
                    _ => [damaged(&forged, &mut dice), noise(&mut dice)].concat(),
                };
                let mut wire = Wire::saying(address, &bytes);
                wire.half_closes();
                let mut answers = 0;
                while let Some(answer) = wire.answer() {
                    let said = answer.status;
                    let proper = (400..=431).contains(&said) || said == 505;
                    assert!(proper, "{said} to {}", bytes.escape_ascii());
                    answers += 1;
                }
                assert!(
                    (1..=2).contains(&answers),
                    "{answers} answers to {}",
                    bytes.escape_ascii()
                );
            }
        });
    }
}

fn noise(dice: &mut Dice) -> Vec<u8> {
    let length = 1 + dice.below(3_000);
    let sides = [256, 128, 32][dice.below(3) as usize];
    (0..length).map(|_| dice.below(sides) as u8).collect()
}

/// The request with a few bytes changed, taken away, or doubled.
fn damaged(request: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut bytes = request.to_vec();
    for _ in 0..=dice.below(4) {
        let at = dice.below(bytes.len() as u64) as usize;
        match dice.below(4) {
            0 => bytes[at] = dice.below(256) as u8,
            1 => bytes[at] ^= 1 << dice.below(8),
            2 => drop(bytes.remove(at)),
            _ => bytes.insert(at, bytes[at]),
        }
    }
    bytes
}
