//! What the demo starts, and how fast time passes on it.

use std::cell::OnceCell;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::ground::Ground;
use super::interrupt::Interrupt;
use super::options::Options;
use super::screen::{Paint, Screen, plural};
use crate::classroom::{Classroom, Plan};
use crate::fakes::coder::ops::CREATE_USER;
use crate::fakes::trouble::Op;

/// How slow the fakes are, after the real ones.
const CODER_CREATES: Duration = Duration::from_millis(250);
const CODER_ANSWERS: Duration = Duration::from_millis(50);
const CODER_BUILDS: Duration = Duration::from_millis(300);
const TWILIO_ANSWERS: Duration = Duration::from_millis(150);

/// How long after a login the same phone gets another one.
pub const RESEND: Duration = Duration::from_secs(2);

/// Somebody else's account and workspace, which are none of the program's business.
pub const STRANGER: &str = "somebody-else";
const STRANGERS_WORKSPACE: &str = "research";

/// Looks whether there is a Redis to start.
pub fn find_redis() -> Result<(), String> {
    let mut command = Command::new("redis-server");
    let version = command.arg("--version").stdout(Stdio::null()).status();
    version.map(|_| ()).map_err(|_| {
        "redis-server is missing: install it (Debian, Ubuntu: `apt-get install redis-server`)"
            .to_owned()
    })
}

/// A class that is set up, and begins with its first text.
pub struct Stage {
    class: Classroom,
    /// How long an account lives.
    pub lifetime: Duration,
    students: usize,
    stranger_id: String,
    began: OnceCell<Instant>,
}

impl Stage {
    /// Starts everything; the program is ready when this returns.
    pub fn prepare(program: PathBuf, options: &Options) -> Self {
        // Logins and their proofs have to come first: with the usual eight side by side a login
        // takes 50 ms of everybody's time. That much is allowed for once more.
        let lifetime = Duration::from_secs(10 + options.students as u64 / 10);
        let class = Plan::new(program)
            .with("CODER_REMOVE_TIME", &format!("{}s", lifetime.as_secs()))
            .with("CODER_CHECK_INTERVAL", "1s")
            // The cast's texts stand in the fake's log before they are brought.
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

    /// When the first text was sent; now, if there was none.
    pub fn began(&self) -> Instant {
        *self.began.get_or_init(Instant::now)
    }

    /// What students can reach. The class begins now.
    pub fn ground<'a>(&'a self, interrupt: &'a Interrupt) -> Ground<'a> {
        Ground {
            coder: self.class.coder(),
            twilio: self.class.twilio(),
            webhook: self.class.service().address(),
            began: self.began(),
            deadline: self.began() + self.lifetime,
            interrupt,
        }
    }

    /// Whether the stranger still has account and workspace, and nobody has tried to change that.
    pub fn stranger_is_untouched(&self) -> bool {
        let coder = self.class.coder();
        let same = coder
            .user(STRANGER)
            .is_some_and(|user| user.id == self.stranger_id && user.status == "active");
        same && coder.workspaces_of(STRANGER).len() == 1 && coder.touched_foreign().is_empty()
    }

    /// Tells what was started.
    pub fn introduce(&self, screen: &Screen) {
        let class = &self.class;
        let service = class.service();
        let students = plural(self.students, "student");
        let title = format!("coder-sms-register: a class of {students}, played on this machine");
        screen.say(&format!("\n{}\n", screen.paint(Paint::Heading, &title)));
        screen.say(
            "  Students text a phrase and get a login for Coder. When their time is up,\n\
             \x20 their accounts and workspaces are removed. This is the real program with a\n\
             \x20 real Redis; Coder and Twilio are fakes, about as slow as the real ones.\n\
             \x20 Nothing leaves this machine, no phone rings, and nothing is charged.\n",
        );
        let ready = service.start_time().as_millis();
        let millis = |span: Duration| span.as_millis();
        let rows = [
            (
                "program",
                service.address().to_string(),
                format!("ready {ready} ms after its start"),
            ),
            ("Redis", class.redis().socket().to_owned(), String::new()),
            (
                "fake Coder",
                class.coder().url(),
                format!(
                    "{} ms to make a user, else {} ms",
                    millis(CODER_CREATES),
                    millis(CODER_ANSWERS)
                ),
            ),
            (
                "fake Twilio",
                class.twilio().url(),
                format!("{} ms a call", millis(TWILIO_ANSWERS)),
            ),
        ];
        for (what, place, note) in rows {
            let row = format!("  {what:12} {place:24} {note}");
            screen.say(row.trim_end());
        }
        screen.say(&format!(
            "\n  Time is short here: an account lives {} s, not 12 hours.",
            self.lifetime.as_secs()
        ));
    }
}
