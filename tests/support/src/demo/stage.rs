//! What the demo starts, and how long an account lives in it.

use std::cell::OnceCell;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::ground::Ground;
use super::interrupt::Interrupt;
use super::options::Options;
use super::screen::{DemoScreen, Paint, plural};
use crate::classroom::{Classroom, Plan};
use crate::fakes::coder::ops::CREATE_USER;
use crate::fakes::trouble::Op;
use crate::picture::terminal::{Line, shows};

/// How slow the fakes are, after the real ones.
const CODER_CREATES: Duration = Duration::from_millis(250);
const CODER_ANSWERS: Duration = Duration::from_millis(50);
const CODER_BUILDS: Duration = Duration::from_millis(300);
const TWILIO_ANSWERS: Duration = Duration::from_millis(150);

/// How long after a login the same phone gets another one.
pub const RESEND: Duration = Duration::from_secs(2);

/// An account and a workspace that the program did not make and must not touch.
pub const STRANGER: &str = "somebody-else";
const STRANGERS_WORKSPACE: &str = "research";

/// The size of the instructor's terminal.
const COLUMNS: u16 = 100;
const ROWS: u16 = 30;

/// A class that is set up. It begins with its first text.
pub struct DemoStage {
    class: Classroom,
    program: PathBuf,
    /// How long an account lives.
    pub lifetime: Duration,
    students: usize,
    stranger_id: String,
    began: OnceCell<Instant>,
}

impl DemoStage {
    /// Starts everything; the program is ready when this returns.
    pub fn prepare(program: PathBuf, options: &Options) -> Self {
        // Time enough for all logins and their proofs: eight are made at a time, which is 50 ms for each.
        // That is allowed for twice.
        let lifetime = Duration::from_secs(10 + options.students as u64 / 10);
        let class = Plan::new(program.clone())
            .with("CODER_REMOVE_TIME", &format!("{}s", lifetime.as_secs()))
            .with("CODER_CHECK_INTERVAL", "1s")
            // The fake's log lists the cast's texts before they are delivered.
            .with("CODER_REG_CATCH_UP", "0")
            .with(
                "CODER_REG_RESEND_INTERVAL",
                &format!("{}s", RESEND.as_secs()),
            )
            .prepare();
        class.coder().latency(Op::ANY, CODER_ANSWERS);
        class.coder().latency(CREATE_USER, CODER_CREATES);
        class.coder().build_time(CODER_BUILDS);
        class.twilio().latency(Op::ANY, TWILIO_ANSWERS);
        let stranger_id = class
            .coder()
            .add_stranger(STRANGER, "somebody@else.example.org");
        class
            .coder()
            .running_workspace(STRANGER, STRANGERS_WORKSPACE);
        class.start_service();
        Self {
            class,
            program,
            lifetime,
            students: options.students,
            stranger_id,
            began: OnceCell::new(),
        }
    }

    /// The class.
    pub fn class(&self) -> &Classroom {
        &self.class
    }

    /// What students can reach. The class begins with the first call.
    pub fn ground<'a>(&'a self, interrupt: &'a Interrupt) -> Ground<'a> {
        let began = *self.began.get_or_init(Instant::now);
        Ground {
            coder: self.class.coder(),
            twilio: self.class.twilio(),
            webhook: self.class.service().address(),
            began,
            deadline: began + self.lifetime,
            interrupt,
        }
    }

    /// Whether the stranger's account and workspace are as before, and no request tried to change them.
    pub fn stranger_is_untouched(&self) -> bool {
        let coder = self.class.coder();
        let same = coder
            .user(STRANGER)
            .is_some_and(|user| user.id == self.stranger_id && user.status == "active");
        same && coder.workspaces_of(STRANGER).len() == 1 && coder.touched_foreign().is_empty()
    }

    /// Says what is played.
    pub fn introduce(&self, screen: &DemoScreen) {
        let students = plural(self.students, "student");
        let title = format!("coder-sms-register: a class of {students}, played on this machine");
        screen.say(&format!("\n{}\n", screen.paint(Paint::Heading, &title)));
        screen.say(&format!(
            "  The program and its Redis are real. Coder and Twilio are fakes, about as slow as the real\n\
             \x20 ones: nothing leaves this machine. An account lives {} s here, not 12 hours.",
            self.lifetime.as_secs()
        ));
    }

    /// The instructor's screen as it is now: what `status` shows on a terminal.
    pub fn status(&self) -> Vec<Line> {
        shows(
            &self.program,
            &self.class.settings(),
            "status",
            COLUMNS,
            ROWS,
        )
    }
}
