//! A command on a terminal of a given size, and what its colours mean.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

/// How a piece of a line looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Look {
    pub bold: bool,
    pub faint: bool,
    /// The number of a colour, 1 red to 7 white.
    pub colour: Option<u8>,
}

impl Look {
    /// The codes of a terminal for it; `None` for plain words.
    pub fn codes(self) -> Option<String> {
        let bold = self.bold.then(|| "1".to_owned());
        let faint = self.faint.then(|| "2".to_owned());
        let colour = self
            .colour
            .map(|number| format!("{}", 30 + u32::from(number)));
        let codes: Vec<String> = [bold, faint, colour].into_iter().flatten().collect();
        (!codes.is_empty()).then(|| codes.join(";"))
    }
}

/// Pieces of a line, each with one look.
pub type Line = Vec<(Look, String)>;

/// Runs the program's command on a terminal of that size, and reads the lines that it leaves there.
pub fn shows(
    program: &Path,
    settings: &BTreeMap<String, String>,
    command: &str,
    columns: u16,
    rows: u16,
) -> Vec<Line> {
    let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
    grantpt(&terminal)
        .and_then(|()| unlockpt(&terminal))
        .expect("ours");
    let name = ptsname(&terminal, Vec::new()).expect("its name");
    let name = name.to_str().expect("a path");
    let line = || {
        let opened = OpenOptions::new().read(true).write(true).open(name);
        opened.expect("its line")
    };
    let size = ["columns", &columns.to_string(), "rows", &rows.to_string()];
    let set = Command::new("stty").args(size).stdin(line()).status();
    assert!(set.expect("stty is there").success());
    let mut child = Command::new(program)
        .env_clear()
        .envs(settings)
        .env("TERM", "xterm-256color")
        .arg(command)
        .stdin(line())
        .stdout(line())
        .stderr(Stdio::inherit())
        .spawn()
        .expect("the program runs");
    // It is read while the program writes, as a terminal holds little; a read after its end is an error.
    let reader = std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let mut terminal = File::from(terminal);
        let _ = terminal.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    });
    child.wait().expect("it ends");
    let text = reader.join().expect("it was read");
    let lines: Vec<Line> = text.lines().map(pieces).collect();
    assert!(!lines.is_empty(), "{command} said nothing");
    lines
}

/// Takes a line apart by its colours; other commands to the terminal are dropped.
fn pieces(line: &str) -> Line {
    let mut pieces = Line::new();
    let mut look = Look::default();
    for (number, part) in line.split("\x1b[").enumerate() {
        let mut words = part;
        if number > 0 {
            let end = part.find(|c: char| c.is_ascii_alphabetic());
            let end = end.unwrap_or(part.len());
            if part[end..].starts_with('m') {
                part[..end]
                    .split(';')
                    .for_each(|code| take(&mut look, code));
            }
            words = part.get(end + 1..).unwrap_or_default();
        }
        let words: String = words.chars().filter(|c| !c.is_control()).collect();
        if !words.is_empty() {
            pieces.push((look, words));
        }
    }
    pieces
}

fn take(look: &mut Look, code: &str) {
    match code.parse().unwrap_or(0) {
        0 => *look = Look::default(),
        1 => look.bold = true,
        2 => look.faint = true,
        22 => (look.bold, look.faint) = (false, false),
        code @ 31..=37 => look.colour = Some(code - 30),
        code @ 91..=97 => look.colour = Some(code - 90),
        39 => look.colour = None,
        _ => {}
    }
}
