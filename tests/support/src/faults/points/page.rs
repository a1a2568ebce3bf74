//! A laptop with the join page, and the student in front of it, beside a service that is killed all the time.

use std::cell::{Cell, RefCell};

use serde_json::Value;

use super::stage::PointStage;
use crate::classroom::laptop::Laptop;
use crate::classroom::student::{Student, Webhook};

/// The page asks for a code, the student texts it and says yes, the page takes the login and reports that its browser
/// is signed in. A page that is told "gone" takes a new code, and the student texts that. Returns whether the login
/// came in time.
pub fn plays(stage: &PointStage, student: &Student<'_>) -> bool {
    let page = ScreenPage {
        laptop: stage.class.closed_laptop(),
        text: RefCell::default(),
        arrived_in: Cell::default(),
    };
    // Not in the middle of a start: the order of effects would change from run to run.
    let ready =
        |stage: &PointStage| stage.tape.has_reached("coder check permissions") && stage.is_idle();
    stage.plays_until(
        |stage| {
            if page.is_waiting() || ready(stage) {
                page.goes_on(stage, student);
            }
        },
        |stage| {
            page.arrived_in.get().is_some_and(|life| {
                // The record of a sign-in is lost with a service that is killed before it is written.
                let recorded = stage.tape.life() != life || is_recorded(stage);
                recorded && stage.is_served() && ready(stage)
            })
        },
    )
}

/// Whether the account that stands has a login that was fetched and works.
pub fn has_a_login_that_works(stage: &PointStage) -> bool {
    let coder = stage.class.coder();
    let shown = stage.shown.borrow();
    shown
        .as_ref()
        .is_some_and(|login| coder.password_works(&login.email, &login.password))
}

fn is_recorded(stage: &PointStage) -> bool {
    stage
        .class
        .query("SELECT count(arrived_at) FROM registrations")
        == "1"
}

struct ScreenPage<'a> {
    laptop: Laptop<'a>,
    /// The text with the code that it shows, and whether that was taken.
    text: RefCell<Option<(Webhook, bool)>>,
    /// The life of the service that was told of the sign-in.
    arrived_in: Cell<Option<u32>>,
}

impl ScreenPage<'_> {
    /// Whether the text with its code was taken.
    fn is_waiting(&self) -> bool {
        matches!(*self.text.borrow(), Some((_, true)))
    }

    fn goes_on(&self, stage: &PointStage, student: &Student<'_>) {
        self.does_next(stage, student);
        let step = match *self.text.borrow() {
            _ if self.arrived_in.get().is_some() => 3,
            Some((_, true)) => 2,
            Some((_, false)) => 1,
            None => 0,
        };
        stage.step.set(step);
    }

    fn does_next(&self, stage: &PointStage, student: &Student<'_>) {
        if self.arrived_in.get().is_some() {
            return;
        }
        let mut text = self.text.borrow_mut();
        let Some((webhook, taken)) = text.as_mut() else {
            if self.laptop.tries_to_reload() {
                *text = Some((student.webhook(&self.laptop.words(), &[]), false));
            }
            return;
        };
        if !*taken {
            *taken = student.posts(webhook) == 200;
            return;
        }
        let shown = self.laptop.tries_state().unwrap_or(Value::Null);
        match shown["state"].as_str() {
            Some("gone") => *text = None,
            Some("question") => self.laptop.tries_to_answer(&shown["claim"], true),
            Some("login") => {
                *stage.shown.borrow_mut() = Some(self.laptop.read(&shown));
                let life = stage.tape.life();
                if self.laptop.tries_to_arrive() {
                    self.arrived_in.set(Some(life));
                }
            }
            _ => {}
        }
    }
}
