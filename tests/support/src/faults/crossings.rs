//! Students text the codes of their laptops, of their neighbours' laptops, mistyped ones, and twice, in any
//! order with what the laptops and the service do: nobody ever sees the login of another one, everybody is
//! signed in at the end, and where logins go to screens only, nothing is sent.

use coder_sms_register::config::Reply;
use coder_sms_register::domain::Text;
use coder_sms_register::provision::Outcome;
use coder_sms_register::screen::{NewScreen, ScreenState};

use super::hall::{Hall, phone};
use super::inside::{Inside, for_each_seed};
use super::table::Row;
use super::{Assault, FaultProof};
use crate::fakes::random::Dice;
use std::time::Instant;

/// Rounds in which everybody who has no login yet texts the right code.
const ROUNDS: usize = 12;

pub const PROOF: FaultProof = FaultProof {
    name: "crossings",
    about: "students text the codes of other laptops, mistyped ones and twice, in any order",
    run,
};

fn run(force: &Assault) -> Vec<Row> {
    let count = force.pick(100, 1_000);
    let progress = |done: u64| {
        if done.is_multiple_of(100) {
            force.says(&format!("{done} halls"));
        }
    };
    let found = for_each_seed(count, &progress, play);
    let mut row = Row::new(format!(
        "{count} halls whose students cross and mistype codes"
    ));
    let mut shown = 0;
    for one in &found {
        row.students += one.students;
        row.lost += one.lost;
        row.doubled += one.doubled;
        row.orphaned += one.strangers.len();
        shown += one.shown;
        for stranger in one.strangers.iter().take(3) {
            force.says(stranger);
        }
    }
    row.note = format!("{shown} logins shown");
    vec![row]
}

#[derive(Default)]
struct CrossingFindings {
    students: usize,
    lost: usize,
    doubled: usize,
    shown: usize,
    /// Who saw the login of another one, or was texted though nobody is to be.
    strangers: Vec<String>,
}

/// A student with a phone and a laptop.
struct Seat {
    phone: String,
    screen: NewScreen,
    signed_in: bool,
}

fn play(inside: &mut Inside, seed: u64) -> CrossingFindings {
    let mut dice = Dice::new(seed);
    let reply = [Reply::Both, Reply::Screen][usize::from(dice.below(2) == 0)];
    let mut hall = Hall::open(inside, reply, seed * 10_000);
    let seats = 2 + dice.below(3);
    let mut seats: Vec<Seat> = (0..seats)
        .map(|place| Seat {
            phone: phone(place),
            screen: hall.opens(),
            signed_in: false,
        })
        .collect();
    let mut found = CrossingFindings {
        students: seats.len(),
        ..CrossingFindings::default()
    };
    let mut waiting = Vec::new();
    for _ in 0..60 {
        match dice.below(8) {
            0 | 1 => texts(&mut hall, &seats, &mut waiting, &mut dice),
            2..=4 => attempts(&hall, &mut waiting, &mut dice),
            _ => {
                let place = place(&mut dice, seats.len());
                polls(&hall, &mut seats[place], seed, &mut found);
            }
        }
    }
    for _ in 0..ROUNDS {
        for seat in &mut seats {
            polls(&hall, seat, seed, &mut found);
            if !seat.signed_in && hall.shows(&seat.screen) == ScreenState::Open {
                waiting.push(hall.text_code(&seat.phone, &seat.screen));
            }
        }
        for text in std::mem::take(&mut waiting) {
            if matches!(hall.attempt(&text), Outcome::Later(_)) {
                waiting.push(text);
            }
        }
    }
    found.lost = seats.iter().filter(|seat| !seat.signed_in).count();
    found.doubled = hall.coder.created_ever().len().saturating_sub(seats.len());
    let touched = hall.coder.touched_foreign().into_iter();
    found.strangers.extend(touched);
    let sent = hall.twilio.texts().len();
    if reply == Reply::Screen && sent > 0 {
        found.strangers.push(format!("seed {seed}: {sent} texts"));
    }
    drop(hall);
    inside.clear();
    found
}

fn place(dice: &mut Dice, count: usize) -> usize {
    let count = u64::try_from(count).expect("few");
    usize::try_from(dice.below(count)).expect("few")
}

/// Somebody texts: mostly the right code, else that of a neighbour, a mistyped one or none.
fn texts(hall: &mut Hall<'_>, seats: &[Seat], waiting: &mut Vec<Text>, dice: &mut Dice) {
    let own = place(dice, seats.len());
    let phone = seats[own].phone.clone();
    let text = match dice.below(8) {
        0..=3 => hall.text_code(&phone, &seats[own].screen),
        4 | 5 => {
            let other = place(dice, seats.len());
            hall.text_code(&phone, &seats[other].screen)
        }
        6 => {
            let mut digits = seats[own].screen.code.to_string().into_bytes();
            let at = place(dice, digits.len());
            digits[at] =
                b'0' + (digits[at] - b'0' + 1 + u8::try_from(dice.below(9)).expect("a digit")) % 10;
            let code = String::from_utf8(digits).expect("digits");
            hall.text(&phone, &format!("I am ready to learn {code}"))
        }
        _ => hall.text(&phone, "I am ready to learn"),
    };
    if dice.below(4) == 0 {
        // The same text comes twice.
        waiting.push(text.clone());
    }
    waiting.push(text);
}

fn attempts(hall: &Hall<'_>, waiting: &mut Vec<Text>, dice: &mut Dice) {
    if waiting.is_empty() {
        return;
    }
    let text = waiting.remove(place(dice, waiting.len()));
    if dice.below(20) == 0 {
        hall.waits_a_minute(&text);
    }
    if matches!(hall.attempt(&text), Outcome::Later(_)) {
        waiting.push(text);
    }
}

/// A laptop asks; its student answers by the digits of their own phone.
fn polls(hall: &Hall<'_>, seat: &mut Seat, seed: u64, found: &mut CrossingFindings) {
    let state = match hall.shows(&seat.screen) {
        ScreenState::Question { claim, ends } => {
            let yes = seat.phone.ends_with(&ends);
            hall.screens
                .answer(&seat.screen.secret, claim, yes, Instant::now())
        }
        other => other,
    };
    match state {
        ScreenState::Login { login, .. } => {
            if !hall.belongs(&login, &seat.phone) {
                let phone = &seat.phone;
                found
                    .strangers
                    .push(format!("seed {seed}: {phone} sees another's login"));
            }
            found.shown += 1;
            seat.signed_in = true;
            hall.screens.arrived(&seat.screen.secret, Instant::now());
        }
        ScreenState::Gone if !seat.signed_in => seat.screen = hall.opens(),
        _ => {}
    }
}
