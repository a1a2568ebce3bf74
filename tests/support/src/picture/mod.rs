//! The picture of the README: what a student texts and gets, and the instructor's screen. Nothing of it is written by
//! hand: a class is played with the real program, and what it printed is drawn.
//!
//! - `terminal`: a command on a terminal of a given size, and what its colours mean
//! - `svg`: the drawing

mod svg;
pub mod terminal;

use std::path::PathBuf;
use std::time::Duration;

use crate::classroom::student::Login;
use crate::classroom::{Classroom, Plan};
use crate::fakes::twilio::Fate;
use terminal::Line;

/// How large the instructor's terminal is.
const COLUMNS: u16 = 116;
const ROWS: u16 = 30;

/// How many students there are, and how many of them have begun to work.
const STUDENTS: usize = 7;
const WORKING: usize = 4;

const PHRASE: &str = "I am ready to learn!";
const COMMAND: &str = "coder-sms-register status";

/// What there is to draw.
pub struct PictureScene {
    /// The number that students text.
    number: String,
    answer: String,
    screen: Vec<Line>,
}

impl PictureScene {
    /// Plays a class up to the moment when all students have a login but one, whose phone is out of reach.
    /// `pause` lies between one student and the next, so that their times differ.
    pub fn play(program: PathBuf, pause: Duration) -> Self {
        let class = Plan::new(program.clone())
            .with("CODER_EMAIL_DOM", "example.org")
            .with("CODER_CHECK_INTERVAL", "15m")
            .with_receipts()
            .open();
        let students = class.students(STUDENTS);
        let out_of_reach = &students[STUDENTS - 1];
        let fate = Fate::undelivered(30005);
        class.twilio().fate_of(out_of_reach.phone(), fate);
        for student in &students {
            student.texts(PHRASE);
            std::thread::sleep(pause);
        }
        let texts: Vec<String> = students.iter().map(|one| one.next_text()).collect();
        class.all_served();
        for text in &texts[..WORKING] {
            let login = Login::read(text).expect("a login");
            assert!(class.coder().password_works(&login.email, &login.password));
            class.coder().running_workspace(login.username(), "python");
        }
        class.eventually("a receipt for every phone", || receipts(&class) == STUDENTS);
        let screen = terminal::shows(&program, &class.settings(), "status", COLUMNS, ROWS);
        Self {
            number: class.twilio().account().from_numbers[0].clone(),
            answer: texts[0].replace(&class.coder().url(), "https://coder.example.org"),
            screen,
        }
    }

    /// As an SVG.
    pub fn drawn(&self) -> String {
        svg::draw(self)
    }
}

/// How many logins were delivered, or failed for good.
fn receipts(class: &Classroom) -> usize {
    let count = "SELECT count(*) FROM deliveries WHERE state IN ('delivered', 'undelivered')";
    class.query(count).parse().unwrap_or_default()
}
