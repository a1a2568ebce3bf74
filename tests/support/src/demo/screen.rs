//! The terminal: lines that stay, one line that changes, colour where it is welcome.

use std::cell::RefCell;
use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use super::interrupt::Interrupt;
use crate::picture::terminal::Line;

/// If standard output is no terminal, progress is printed at most this often.
const PLAIN_PROGRESS: Duration = Duration::from_secs(2);

/// What a piece of text is, as far as colour goes.
#[derive(Clone, Copy)]
pub enum Paint {
    Heading,
    Faint,
    Student,
    Answer,
    Good,
    Bad,
}

/// Standard output.
pub struct DemoScreen {
    /// Whether a line can be replaced.
    live: bool,
    colour: bool,
    interrupt: Interrupt,
    progress: RefCell<Progress>,
}

struct Progress {
    /// Whether the cursor is in a line that will be replaced.
    open: bool,
    /// What was printed last, if standard output is no terminal.
    words: String,
    said: Instant,
}

impl DemoScreen {
    /// Finds out what standard output is.
    pub fn new(interrupt: Interrupt) -> Self {
        let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let live = std::io::stdout().is_terminal() && !dumb;
        Self {
            live,
            colour: live && !is_set("NO_COLOR"),
            interrupt,
            progress: RefCell::new(Progress {
                open: false,
                words: String::new(),
                said: Instant::now(),
            }),
        }
    }

    /// Says whether the demo is to go on.
    pub fn interrupt(&self) -> &Interrupt {
        &self.interrupt
    }

    /// Text with its colour.
    pub fn paint(&self, paint: Paint, text: &str) -> String {
        if !self.colour {
            return text.to_owned();
        }
        let code = match paint {
            Paint::Heading => "1",
            Paint::Faint => "2",
            Paint::Student => "36",
            Paint::Answer => "32",
            Paint::Good => "1;32",
            Paint::Bad => "1;31",
        };
        format!("\x1b[{code}m{text}\x1b[0m")
    }

    /// A line that stays.
    pub fn say(&self, line: &str) {
        self.end_progress();
        self.write(&format!("{line}\n"));
        self.progress.borrow_mut().said = Instant::now();
    }

    /// A line of another terminal, in its colours if this one has colours.
    pub fn show(&self, line: &Line) {
        let mut text = String::from("  ");
        for (look, words) in line {
            match look.codes().filter(|_| self.colour) {
                Some(codes) => text += &format!("\x1b[{codes}m{words}\x1b[0m"),
                None => text += words,
            }
        }
        self.say(text.trim_end());
    }

    /// The heading of an act.
    pub fn head(&self, number: u32, title: &str) {
        let heading = format!("{number}. {title}");
        self.say(&format!("\n{}\n", self.paint(Paint::Heading, &heading)));
    }

    /// A line that the next one replaces. `tail` is left out if standard output is no terminal; then only
    /// new `words` are printed.
    pub fn progress(&self, time: Duration, words: String, tail: &str) {
        let time = seconds(time);
        let mut progress = self.progress.borrow_mut();
        if self.live {
            progress.open = true;
            self.write(&format!("\r{time:>8}   {words}{tail}\x1b[K"));
        } else if progress.words != words && progress.said.elapsed() >= PLAIN_PROGRESS {
            progress.said = Instant::now();
            self.write(&format!("{time:>8}   {words}\n"));
            progress.words = words;
        }
    }

    /// Removes the line that changes.
    pub fn end_progress(&self) {
        let mut progress = self.progress.borrow_mut();
        progress.words.clear();
        if std::mem::take(&mut progress.open) {
            self.write("\r\x1b[K");
        }
    }

    /// A closed standard output ends the demo, as a signal does.
    fn write(&self, text: &str) {
        let mut out = std::io::stdout().lock();
        let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
        if written.is_err() {
            self.interrupt.ask();
        }
    }
}

/// A span as `0.4 s`.
pub fn seconds(span: Duration) -> String {
    format!("{:.1} s", span.as_secs_f64())
}

/// A number and what it counts.
pub fn plural(count: usize, what: &str) -> String {
    let ending = if count == 1 { "" } else { "s" };
    format!("{count} {what}{ending}")
}
