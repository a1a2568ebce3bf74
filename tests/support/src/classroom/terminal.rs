//! A terminal of a given size, as far as our commands use one, and what stands on it.

use std::fs::{File, OpenOptions};
use std::io::Read;
use std::process::{Child, Command};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use super::{Classroom, within};

/// The characters of a screen, and how they came there.
#[derive(Clone, Default)]
pub struct Screen {
    columns: usize,
    lines: Vec<Vec<char>>,
    row: usize,
    column: usize,
    /// What stands on the first screen while the second one is shown.
    first: Option<(Vec<Vec<char>>, usize, usize)>,
    pub cursor_is_hidden: bool,
    cuts_lines: bool,
    /// Lines that were longer than the screen is wide.
    pub overlong: usize,
    /// How many lines have left the screen at its top.
    pub scrolled: usize,
    /// How many pictures were drawn over the last one.
    pub drawn: usize,
    /// Whether a picture was drawn while the screen was empty from clearing all of it, which flickers.
    pub flickers: bool,
    /// Every sequence that gave words a colour.
    pub colours: Vec<String>,
    pending: String,
}

impl Screen {
    fn new(columns: usize, lines: usize) -> Self {
        Self {
            columns,
            lines: vec![Vec::new(); lines],
            ..Self::default()
        }
    }

    /// Its lines, without blanks at their ends.
    pub fn text(&self) -> Vec<String> {
        let line = |line: &Vec<char>| line.iter().collect::<String>().trim_end().to_owned();
        self.lines.iter().map(line).collect()
    }

    /// Whether the second screen is shown.
    pub fn is_second(&self) -> bool {
        self.first.is_some()
    }

    fn gets(&mut self, text: &str) {
        self.pending.push_str(text);
        let all = std::mem::take(&mut self.pending);
        let mut rest = all.as_str();
        while let Some(next) = rest.chars().next() {
            if next == '\u{1b}' {
                let Some(end) = rest.find(|c: char| c.is_ascii_alphabetic()) else {
                    self.pending = rest.to_owned();
                    return;
                };
                self.obeys(&rest[1..=end]);
                rest = &rest[end + 1..];
                continue;
            }
            rest = &rest[next.len_utf8()..];
            self.shows(next);
        }
    }

    fn shows(&mut self, character: char) {
        match character {
            '\r' => self.column = 0,
            '\n' => self.goes_down(),
            _ => {
                if self.column >= self.columns {
                    self.overlong += 1;
                    if self.cuts_lines {
                        return;
                    }
                    self.goes_down();
                    self.column = 0;
                }
                let line = &mut self.lines[self.row];
                if line.len() <= self.column {
                    line.resize(self.column + 1, ' ');
                }
                line[self.column] = character;
                self.column += 1;
            }
        }
    }

    fn goes_down(&mut self) {
        if self.row + 1 < self.lines.len() {
            self.row += 1;
        } else {
            self.lines.remove(0);
            self.lines.push(Vec::new());
            self.scrolled += 1;
        }
    }

    fn obeys(&mut self, sequence: &str) {
        match sequence {
            "[H" => {
                (self.row, self.column) = (0, 0);
                self.drawn += 1;
            }
            "[K" => self.lines[self.row].truncate(self.column),
            "[J" => {
                self.lines[self.row].truncate(self.column);
                let below = self.row + 1;
                self.lines[below..].iter_mut().for_each(Vec::clear);
            }
            "[2J" => self.flickers = true,
            "[?1049h" => {
                let empty = vec![Vec::new(); self.lines.len()];
                let first = std::mem::replace(&mut self.lines, empty);
                self.first = Some((first, self.row, self.column));
            }
            "[?1049l" => {
                let first = self.first.take().expect("the second screen");
                (self.lines, self.row, self.column) = first;
            }
            "[?25l" => self.cursor_is_hidden = true,
            "[?25h" => self.cursor_is_hidden = false,
            "[?7l" => self.cuts_lines = true,
            "[?7h" => self.cuts_lines = false,
            colour if colour.ends_with('m') => self.colours.push(colour.to_owned()),
            other => panic!("an unknown sequence: {other:?}"),
        }
    }
}

/// A command that runs on a terminal.
pub struct OnScreen {
    pub child: Child,
    terminal: Arc<File>,
    screen: Arc<Mutex<Screen>>,
    reader: Option<std::thread::JoinHandle<()>>,
}

impl OnScreen {
    /// What stands on the screen at this moment.
    pub fn screen(&self) -> Screen {
        self.screen.lock().unwrap().clone()
    }

    /// Waits until the screen is so.
    pub fn comes_to(&self, limit: Duration, is_so: impl Fn(&Screen) -> bool) -> bool {
        within(limit, || is_so(&self.screen()))
    }

    /// Gives the window another size.
    pub fn resize(&self, columns: u16, lines: u16) {
        let mut screen = self.screen.lock().unwrap();
        screen.columns = columns.into();
        screen.lines.resize(lines.into(), Vec::new());
        screen.row = screen.row.min(usize::from(lines) - 1);
        tcsetwinsize(&*self.terminal, size(columns, lines)).expect("a size");
        drop(screen);
        // Ours is not the terminal of its session, so that the kernel tells nobody.
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::WINCH).expect("it runs");
    }

    /// Waits for the end of the command, and of what it writes.
    pub fn ends(mut self) -> (Option<i32>, Screen) {
        let status = self.child.wait().expect("it ends");
        self.reader.take().expect("once").join().expect("it read");
        (status.code(), self.screen())
    }
}

fn size(columns: u16, lines: u16) -> Winsize {
    Winsize {
        ws_col: columns,
        ws_row: lines,
        ws_xpixel: 0,
        ws_ypixel: 0,
    }
}

impl Classroom {
    /// Starts a command on a terminal of that size, with these variables besides.
    pub fn on_a_screen(
        &self,
        (columns, lines): (u16, u16),
        arguments: &[&str],
        variables: &[(&str, &str)],
    ) -> OnScreen {
        let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
        grantpt(&terminal)
            .and_then(|()| unlockpt(&terminal))
            .expect("ours");
        tcsetwinsize(&terminal, size(columns, lines)).expect("a size");
        let name = ptsname(&terminal, Vec::new()).expect("its name");
        let open = || {
            let mut options = OpenOptions::new();
            let options = options.read(true).write(true);
            options
                .open(name.to_str().expect("a path"))
                .expect("its line")
        };
        let child = Command::new(&self.binary)
            .env_clear()
            .envs(self.settings())
            .env("TERM", "xterm")
            .envs(variables.iter().copied())
            .args(arguments)
            .stdin(open())
            .stdout(open())
            .stderr(open())
            .spawn()
            .expect("the binary runs");
        let terminal = Arc::new(File::from(terminal));
        let screen = Arc::new(Mutex::new(Screen::new(columns.into(), lines.into())));
        let reader = std::thread::spawn({
            let (terminal, screen) = (Arc::clone(&terminal), Arc::clone(&screen));
            move || follow(&terminal, &screen)
        });
        OnScreen {
            child,
            terminal,
            screen,
            reader: Some(reader),
        }
    }
}

/// Puts on the screen what is written, until nobody can write any more.
fn follow(mut terminal: &File, screen: &Mutex<Screen>) {
    let (mut chunk, mut bytes) = ([0; 4096], Vec::new());
    while let Ok(length @ 1..) = terminal.read(&mut chunk) {
        bytes.extend_from_slice(&chunk[..length]);
        // What is left of a character waits for its rest.
        let whole = match std::str::from_utf8(&bytes) {
            Ok(text) => text.len(),
            Err(error) => error.valid_up_to(),
        };
        let text = String::from_utf8(bytes.drain(..whole).collect()).expect("UTF-8");
        screen.lock().unwrap().gets(&text);
    }
}
