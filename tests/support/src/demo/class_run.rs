//! Act 1: the class texts, all at once, each student on a thread of their own.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::cast::{Cast, CastPart, CastRole};
use super::ground::Ground;
use super::interrupt::Interrupted;
use super::screen::{DemoScreen, plural};
use super::stage::{DemoStage, RESEND};
use crate::classroom::student::Login;
use crate::fakes::twilio::SentText;

/// How long a student reads a hint before texting again.
const READING: Duration = Duration::from_millis(700);
/// Between the two texts of a hasty student.
const HASTE: Duration = Duration::from_millis(100);

/// Who has written a line of a conversation.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Voice {
    Student,
    Answer,
}

/// One line of a conversation.
pub struct SpokenLine {
    /// Into the class.
    pub at: Duration,
    pub voice: Voice,
    pub words: String,
}

/// One student's side of the act.
#[derive(Default)]
pub struct Conversation {
    pub lines: Vec<SpokenLine>,
    /// The login texted last.
    pub login: Option<Login>,
    /// From each text to its login.
    pub waits: Vec<Duration>,
    /// When the first login came.
    pub first_login: Option<Instant>,
    /// What did not hold, if anything.
    pub fault: Option<String>,
}

/// The whole act.
pub struct DemoRun {
    /// In the order of the students.
    pub conversations: Vec<Conversation>,
    /// How the forged request was answered.
    pub forged_status: u16,
    pub faults: Vec<String>,
}

/// Plays the act and shows how far it is.
pub fn play(
    stage: &DemoStage,
    cast: &Cast,
    ground: &Ground<'_>,
    screen: &DemoScreen,
) -> Result<DemoRun, Interrupted> {
    screen.head(1, "The class texts, all at once");
    let ready = AtomicUsize::new(0);
    let (conversations, forged_status) = std::thread::scope(|scope| {
        let forger = scope.spawn(|| ground.post(&cast.forged));
        let one = |part| {
            let ready = &ready;
            scope.spawn(move || {
                let conversation = converse(part, ground);
                ready.fetch_add(usize::from(conversation.fault.is_none()), Ordering::Relaxed);
                conversation
            })
        };
        let students: Vec<_> = cast.students.iter().map(one).collect();
        while students.iter().any(|student| !student.is_finished()) {
            let done = ready.load(Ordering::Relaxed);
            let words = format!("{done} of {} served", plural(students.len(), "student"));
            screen.progress(ground.clock(Instant::now()), words, "");
            std::thread::sleep(Duration::from_millis(50));
        }
        let broken = |_| Conversation {
            fault: Some("the student's part of the demo broke off".to_owned()),
            ..Conversation::default()
        };
        let conversations: Vec<Conversation> = students
            .into_iter()
            .map(|student| student.join().unwrap_or_else(broken))
            .collect();
        (conversations, forger.join().unwrap_or(0))
    });
    ground.interrupt.check()?;
    let mut faults = student_faults(cast, &conversations);
    faults.extend(inspect(stage, cast, ground)?);
    screen.end_progress();
    Ok(DemoRun {
        conversations,
        forged_status,
        faults,
    })
}

fn student_faults(cast: &Cast, conversations: &[Conversation]) -> Vec<String> {
    let pairs = cast.students.iter().zip(conversations);
    pairs
        .filter_map(|(part, conversation)| {
            let fault = conversation.fault.as_ref()?;
            Some(format!("{}: {fault}", part.label()))
        })
        .collect()
}

/// Checks what must hold when every student has a login.
fn inspect(
    stage: &DemoStage,
    cast: &Cast,
    ground: &Ground<'_>,
) -> Result<Vec<String>, Interrupted> {
    let class = stage.class();
    let texts = || class.redis().length("coder-sms-register:texts");
    while texts() > 0 && Instant::now() < ground.deadline {
        ground.interrupt.pause(Duration::from_millis(20))?;
    }
    let mut faults = Vec::new();
    if texts() > 0 {
        faults
            .push("texts are still waiting although every student should have a login".to_owned());
    }
    for part in &cast.students {
        let (wanted, found) = (
            part.role.answers().0,
            ground.twilio.texts_to(&part.phone).len(),
        );
        if found > wanted {
            faults.push(format!(
                "{}: {found} texts came instead of {wanted}",
                part.label()
            ));
        }
    }
    let (registered, students) = (class.registrations(), cast.students.len());
    if registered != students {
        faults.push(format!(
            "the database contains {registered} students instead of {students}"
        ));
    }
    Ok(faults)
}

fn converse(part: &CastPart, ground: &Ground<'_>) -> Conversation {
    let mut scene = DemoScene {
        part,
        ground,
        sent: 0,
        received: 0,
        conversation: Conversation::default(),
    };
    if let Err(fault) = scene.play() {
        scene.conversation.fault = Some(fault);
    }
    scene.conversation.lines.sort_by_key(|line| line.at);
    scene.conversation
}

/// A conversation under way.
struct DemoScene<'a> {
    part: &'a CastPart,
    ground: &'a Ground<'a>,
    sent: usize,
    received: usize,
    conversation: Conversation,
}

impl DemoScene<'_> {
    fn play(&mut self) -> Result<(), String> {
        match self.part.role {
            CastRole::Plain => {
                let asked = self.texts()?;
                self.gets_login(asked)?;
            }
            CastRole::Hesitant => {
                self.texts()?;
                let hint = self.receives()?;
                if Login::read(&hint.body).is_some() {
                    return Err("a wrong phrase got a login".to_owned());
                }
                self.waits(READING)?;
                let asked = self.texts()?;
                self.gets_login(asked)?;
            }
            CastRole::Hasty => {
                let asked = self.texts()?;
                self.waits(HASTE)?;
                self.texts()?;
                self.gets_login(asked)?;
            }
            CastRole::Forgetful => self.loses_a_login()?,
        }
        Ok(())
    }

    fn loses_a_login(&mut self) -> Result<(), String> {
        let asked = self.texts()?;
        let old = self.gets_login(asked)?;
        self.tries("the first password", &old)?;
        self.waits(RESEND + Duration::from_millis(200))?;
        let asked = self.texts()?;
        let new = self.gets_login(asked)?;
        if old.email != new.email {
            return Err("asking again made another account".to_owned());
        }
        if old.password != new.password {
            return Err("asking again brought another password".to_owned());
        }
        self.tries("the password", &new)?;
        Ok(())
    }

    /// Sends the next text. Returns when.
    fn texts(&mut self) -> Result<Instant, String> {
        let (body, webhook) = &self.part.texts[self.sent];
        self.sent += 1;
        let at = Instant::now();
        self.line(at, Voice::Student, body.clone());
        match self.ground.deliver(webhook) {
            200 => Ok(at),
            0 => Err("a text was not taken: no answer".to_owned()),
            status => Err(format!("a text was not taken: answer {status}")),
        }
    }

    fn receives(&mut self) -> Result<SentText, String> {
        let Some(text) = self.ground.text_to(&self.part.phone, self.received) else {
            if self.ground.twilio.refused_to(&self.part.phone) > 0 {
                return Err("no answer came: Twilio refused to send it".to_owned());
            }
            let limit = self.ground.clock(self.ground.deadline).as_secs();
            return Err(format!("no answer came within {limit} s"));
        };
        self.received += 1;
        self.line(text.at, Voice::Answer, text.body.clone());
        Ok(text)
    }

    fn gets_login(&mut self, asked: Instant) -> Result<Login, String> {
        let text = self.receives()?;
        let login = Login::read(&text.body).ok_or("an answer came, but it was no login")?;
        self.conversation
            .waits
            .push(text.at.saturating_duration_since(asked));
        self.conversation.first_login.get_or_insert(text.at);
        self.conversation.login = Some(login.clone());
        Ok(login)
    }

    fn tries(&self, what: &str, login: &Login) -> Result<(), String> {
        match self.ground.log_in(login) {
            201 => Ok(()),
            status => Err(format!("{what} was answered with {status} instead of 201")),
        }
    }

    fn waits(&self, span: Duration) -> Result<(), String> {
        let waited = self.ground.interrupt.pause(span);
        waited.map_err(|Interrupted| "stopped".to_owned())
    }

    fn line(&mut self, at: Instant, voice: Voice, words: String) {
        let at = self.ground.clock(at);
        self.conversation
            .lines
            .push(SpokenLine { at, voice, words });
    }
}
