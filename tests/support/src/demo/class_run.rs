//! Act 1: the class texts, all at once, each student on a thread of their own.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::cast::{Cast, Part, Role};
use super::ground::Ground;
use super::interrupt::Interrupted;
use super::screen::{Screen, plural};
use super::stage::{RESEND, Stage};
use crate::classroom::student::Login;
use crate::fakes::twilio::SentText;

/// How long a student looks at a hint before typing again.
const READING: Duration = Duration::from_millis(700);
/// Between the two texts of somebody in a hurry.
const HASTE: Duration = Duration::from_millis(100);

/// Whose words a line of a conversation is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Voice {
    Student,
    Answer,
    /// What happens beside the phone.
    Aside,
}

/// One line of a conversation.
pub struct Line {
    /// Into the class.
    pub at: Duration,
    pub voice: Voice,
    pub words: String,
}

/// One student's side of the act.
#[derive(Default)]
pub struct Conversation {
    pub lines: Vec<Line>,
    /// The login texted last.
    pub login: Option<Login>,
    /// From each text to its login.
    pub waits: Vec<Duration>,
    /// When the first login came.
    pub first_login: Option<Instant>,
    /// Where it did not go as it should.
    pub fault: Option<String>,
}

/// The whole act.
pub struct ClassRun {
    /// In the order of the students.
    pub conversations: Vec<Conversation>,
    /// What the forger was told.
    pub forged_status: u16,
    pub faults: Vec<String>,
}

/// Plays the act and shows how far it is.
pub fn play(
    stage: &Stage,
    cast: &Cast,
    ground: &Ground<'_>,
    screen: &Screen,
) -> Result<ClassRun, Interrupted> {
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
    let mut faults = told_faults(cast, &conversations);
    faults.extend(look_around(stage, cast, ground)?);
    screen.end_progress();
    Ok(ClassRun {
        conversations,
        forged_status,
        faults,
    })
}

fn told_faults(cast: &Cast, conversations: &[Conversation]) -> Vec<String> {
    let told = cast.students.iter().zip(conversations);
    told.filter_map(|(part, conversation)| {
        let fault = conversation.fault.as_ref()?;
        Some(format!("{}: {fault}", part.label()))
    })
    .collect()
}

/// What must be so now that everybody is served.
fn look_around(
    stage: &Stage,
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
        faults.push("texts are still waiting although everybody should be served".to_owned());
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
            "the database knows {registered} students instead of {students}"
        ));
    }
    Ok(faults)
}

fn converse(part: &Part, ground: &Ground<'_>) -> Conversation {
    let mut scene = Scene {
        part,
        ground,
        sent: 0,
        heard: 0,
        told: Conversation::default(),
    };
    if let Err(fault) = scene.play() {
        scene.told.fault = Some(fault);
    }
    scene.told.lines.sort_by_key(|line| line.at);
    scene.told
}

/// A conversation under way.
struct Scene<'a> {
    part: &'a Part,
    ground: &'a Ground<'a>,
    sent: usize,
    heard: usize,
    told: Conversation,
}

impl Scene<'_> {
    fn play(&mut self) -> Result<(), String> {
        match self.part.role {
            Role::Plain => {
                let asked = self.texts()?;
                self.gets_login(asked)?;
            }
            Role::Hesitant => {
                self.texts()?;
                let hint = self.hears()?;
                if Login::read(&hint.body).is_some() {
                    return Err("a wrong phrase got a login".to_owned());
                }
                self.waits(READING)?;
                let asked = self.texts()?;
                self.gets_login(asked)?;
            }
            Role::Hasty => {
                let asked = self.texts()?;
                self.waits(HASTE)?;
                self.texts()?;
                self.gets_login(asked)?;
            }
            Role::Forgetful => self.loses_a_login()?,
        }
        Ok(())
    }

    fn loses_a_login(&mut self) -> Result<(), String> {
        let asked = self.texts()?;
        let old = self.gets_login(asked)?;
        self.tries("the first password", &old, 201)?;
        self.aside("logs in, then deletes the text");
        self.waits(RESEND + Duration::from_millis(200))?;
        let asked = self.texts()?;
        let new = self.gets_login(asked)?;
        if old.email != new.email {
            return Err("asking again made another account".to_owned());
        }
        if old.password != new.password {
            return Err("asking again brought another password".to_owned());
        }
        self.tries("the password", &new, 201)?;
        self.aside("it is the same login, and it works");
        Ok(())
    }

    /// Texts what comes next. Gives the time of it.
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

    fn hears(&mut self) -> Result<SentText, String> {
        let Some(text) = self.ground.text_to(&self.part.phone, self.heard) else {
            if self.ground.twilio.refused_to(&self.part.phone) > 0 {
                return Err("no answer came: Twilio refused to send it".to_owned());
            }
            let limit = self.ground.clock(self.ground.deadline).as_secs();
            return Err(format!("no answer came within {limit} s"));
        };
        self.heard += 1;
        self.line(text.at, Voice::Answer, text.body.clone());
        Ok(text)
    }

    fn gets_login(&mut self, asked: Instant) -> Result<Login, String> {
        let text = self.hears()?;
        let login = Login::read(&text.body).ok_or("an answer came, but it was no login")?;
        self.told
            .waits
            .push(text.at.saturating_duration_since(asked));
        self.told.first_login.get_or_insert(text.at);
        self.told.login = Some(login.clone());
        Ok(login)
    }

    fn tries(&self, what: &str, login: &Login, wanted: u16) -> Result<(), String> {
        match self.ground.log_in(login) {
            status if status == wanted => Ok(()),
            status => Err(format!(
                "{what} was answered with {status} instead of {wanted}"
            )),
        }
    }

    fn waits(&self, span: Duration) -> Result<(), String> {
        let waited = self.ground.interrupt.pause(span);
        waited.map_err(|Interrupted| "stopped".to_owned())
    }

    fn aside(&mut self, words: &str) {
        self.line(Instant::now(), Voice::Aside, words.to_owned());
    }

    fn line(&mut self, at: Instant, voice: Voice, words: String) {
        let at = self.ground.clock(at);
        self.told.lines.push(Line { at, voice, words });
    }
}
