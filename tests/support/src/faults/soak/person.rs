//! Somebody in a soaked class: a phone, a laptop or none, and what they do with it.

use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::classroom::laptop::Laptop;
use crate::classroom::student::{Login, Student};
use crate::classroom::{Classroom, PHRASE};
use crate::faults::post::Post;

/// After so long a page that shows its code still has its code texted again: the text before may have ended.
const TEXTS_AGAIN_AFTER: Duration = Duration::from_secs(3);

/// What somebody in front of a laptop does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AtScreen {
    /// Says yes to their own phone.
    Confirms,
    /// Says no even to that.
    Declines,
    /// Texts the code and leaves.
    Leaves,
}

/// How somebody's time ends.
pub enum Farewell {
    /// Not yet.
    None,
    /// By the command, which still runs. It gives whether it ended well.
    Command(JoinHandle<bool>),
    /// Their time is up.
    Over,
}

/// Somebody.
pub struct Person<'a> {
    /// The phone.
    pub student: Student<'a>,
    /// Texts so far.
    pub texts: usize,
    /// Of those, the ones that were not counted yet.
    pub new_texts: usize,
    /// The logins that the laptop showed.
    pub shown: Vec<Login>,
    /// How the time ends.
    pub farewell: Farewell,
    laptop: Option<(Laptop<'a>, AtScreen)>,
    /// When the code was texted last; `None` = the page has no code yet.
    texted_code: Option<Instant>,
}

impl<'a> Person<'a> {
    /// Somebody with a new phone, and with a laptop at which they do this.
    pub fn new(class: &'a Classroom, at_screen: Option<AtScreen>) -> Self {
        Self {
            student: class.student(),
            texts: 0,
            new_texts: 0,
            shown: Vec::new(),
            farewell: Farewell::None,
            laptop: at_screen.map(|at_screen| (class.closed_laptop(), at_screen)),
            texted_code: None,
        }
    }

    /// Whether there is a laptop from which something is still expected.
    pub fn is_at_laptop(&self) -> bool {
        self.laptop.is_some()
    }

    /// What somebody texts for this laptop.
    pub fn code_words(&self) -> Option<String> {
        let (laptop, _) = self.laptop.as_ref()?;
        self.texted_code.map(|_| laptop.words())
    }

    /// Texts these words.
    pub fn texts(&mut self, post: &Post, words: &str) {
        self.counts_a_text();
        post.texts(&self.student, words);
    }

    /// Texts the phrase once, and Twilio offers the text twice.
    pub fn asks_twice(&mut self, post: &Post) {
        self.counts_a_text();
        post.texts_twice(&self.student, PHRASE);
    }

    fn counts_a_text(&mut self) {
        self.texts += 1;
        self.new_texts += 1;
    }

    /// Texts the phrase, without a code.
    pub fn asks(&mut self, post: &Post) {
        self.texts(post, PHRASE);
    }

    /// Looks at the laptop, and does what it asks for. The service runs, but may be killed before and after.
    pub fn looks(&mut self, post: &Post) {
        let Some((laptop, at_screen)) = self.laptop.take() else {
            return;
        };
        if self.stays(&laptop, at_screen, post) {
            self.laptop = Some((laptop, at_screen));
        }
    }

    /// The same. Returns whether they stay at the laptop.
    fn stays(&mut self, laptop: &Laptop<'_>, at_screen: AtScreen, post: &Post) -> bool {
        let Some(texted) = self.texted_code else {
            if !laptop.tries_to_reload() {
                return true;
            }
            self.texts_code(laptop, post);
            return at_screen != AtScreen::Leaves;
        };
        let Some(state) = laptop.tries_state() else {
            return true;
        };
        match state["state"].as_str() {
            Some("question") => {
                let ends = state["ends"].as_str().unwrap_or_default();
                let own = self.student.phone().ends_with(ends);
                let yes = own && at_screen == AtScreen::Confirms;
                laptop.tries_to_answer(&state["claim"], yes);
                return !own || yes;
            }
            Some("login") => {
                self.shown.push(laptop.read(&state));
                return !laptop.tries_to_arrive();
            }
            // Words in place of a login, or a page that has ended.
            Some("gone" | "notice") => self.texted_code = None,
            Some("open") if texted.elapsed() > TEXTS_AGAIN_AFTER => self.texts_code(laptop, post),
            _ => {}
        }
        true
    }

    fn texts_code(&mut self, laptop: &Laptop<'_>, post: &Post) {
        self.texts(post, &laptop.words());
        self.texted_code = Some(Instant::now());
    }

    /// Whether a login came by any way.
    pub fn has_a_login(&self) -> bool {
        !self.shown.is_empty() || self.student.last_login().is_some()
    }

    /// Texts that came.
    pub fn inbox(&self) -> usize {
        self.student.inbox().len()
    }

    /// How many more texts came than were asked for.
    pub fn surplus(&self) -> usize {
        self.inbox().saturating_sub(self.texts)
    }
}
