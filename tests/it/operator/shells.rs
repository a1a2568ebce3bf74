//! Shells in which somebody presses Tab. One that is not installed is not asked, and the test says so.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use support::classroom::{Classroom, PATIENCE, within};

fn completions() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/completions")
}

/// A command in whose PATH the program comes first, with the settings of the class.
fn with_settings(class: &Classroom, command: &mut Command) {
    let program = Path::new(env!("CARGO_BIN_EXE_coder-sms-register"));
    let folder = program.parent().expect("its folder");
    command
        .env_clear()
        .envs(class.settings())
        .env("PATH", format!("{}:/usr/bin:/bin", folder.display()))
        .env("HOME", class.data_dir())
        .env("TERM", "xterm");
}

fn is_installed(shell: &str) -> bool {
    let found = ["/usr/bin", "/bin"].map(|folder| Path::new(folder).join(shell).exists());
    if found == [false, false] {
        eprintln!("{shell} is not installed: its completions are not tried");
    }
    found != [false, false]
}

/// What fish itself offers for this line; `None` if it is not installed.
pub fn fish_offers(class: &Classroom, line: &str) -> Option<Vec<String>> {
    if !is_installed("fish") {
        return None;
    }
    let file = completions().join("coder-sms-register.fish");
    let mut fish = Command::new("fish");
    with_settings(class, &mut fish);
    let output = fish
        .args(["--no-config", "-c", "source $argv[1]; complete -C $argv[2]"])
        .arg(file)
        .arg(line)
        .stdin(Stdio::null())
        .output()
        .expect("fish runs");
    assert!(output.stderr.is_empty(), "{line}: {output:?}");
    let text = String::from_utf8(output.stdout).expect("words");
    let word = |line: &str| line.split('\t').next().unwrap_or_default().to_owned();
    Some(text.lines().map(word).collect())
}

/// A shell with our completions, on a terminal that is large enough for all lists.
pub struct Shell {
    child: Child,
    keyboard: Arc<File>,
    shown: Arc<Mutex<Vec<u8>>>,
    count: usize,
}

impl Shell {
    /// Starts it; `None` if it is not installed.
    pub fn start(name: &str, class: &Classroom) -> Option<Self> {
        if !is_installed(name) {
            return None;
        }
        let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
        grantpt(&terminal)
            .and_then(|()| unlockpt(&terminal))
            .expect("ours");
        let size = Winsize {
            ws_col: 200,
            ws_row: 200,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        tcsetwinsize(&terminal, size).expect("a size");
        let line = ptsname(&terminal, Vec::new()).expect("its name");
        let line = line.to_str().expect("a path").to_owned();
        let open = || {
            let mut options = OpenOptions::new();
            options
                .read(true)
                .write(true)
                .open(&line)
                .expect("its line")
        };
        // It becomes the leader of a session on this terminal, as a shell on a real one is.
        let mut command = Command::new("setsid");
        with_settings(class, &mut command);
        let plain = match name {
            "bash" => ["--norc", "--noprofile", "-i"].as_slice(),
            _ => ["-f", "-i"].as_slice(),
        };
        let child = command
            .args(["--ctty", "--wait", name])
            .args(plain)
            .stdin(open())
            .stdout(open())
            .stderr(open())
            .spawn()
            .expect("the shell runs");
        let keyboard = Arc::new(File::from(terminal));
        let shown = Arc::new(Mutex::new(Vec::new()));
        let (from, to) = (Arc::clone(&keyboard), Arc::clone(&shown));
        std::thread::spawn(move || {
            let (mut from, mut chunk) = (&*from, [0; 4096]);
            while let Ok(length @ 1..) = from.read(&mut chunk) {
                to.lock().unwrap().extend_from_slice(&chunk[..length]);
            }
        });
        let mut shell = Self {
            child,
            keyboard,
            shown,
            count: 0,
        };
        let folder = completions();
        let folder = folder.display();
        let set_up = match name {
            "bash" => format!(
                "bind 'set show-all-if-ambiguous on'; source {folder}/coder-sms-register.bash"
            ),
            _ => format!("fpath=({folder} $fpath); autoload -Uz compinit; compinit -u -D"),
        };
        shell.runs(&format!("PS1='{PROMPT} '; {set_up}"));
        Some(shell)
    }

    fn types(&self, keys: &str) {
        (&*self.keyboard).write_all(keys.as_bytes()).expect("typed");
    }

    /// What it has shown since the last call, without the codes of the terminal.
    fn shown(&self) -> String {
        let bytes = self.shown.lock().unwrap();
        let text = String::from_utf8_lossy(&bytes);
        let mut plain = String::new();
        let mut rest = text.chars();
        while let Some(next) = rest.next() {
            match next {
                '\u{1b}' => drop(
                    rest.by_ref()
                        .find(|c| c.is_ascii_alphabetic() || "=>".contains(*c)),
                ),
                '\r' | '\u{7}' => {}
                other => plain.push(other),
            }
        }
        plain
    }

    /// Runs a command, and waits until the shell reads the next line. Before that the terminal itself would show each
    /// key that is typed, and nothing of what is shown would prove that the shell has read it.
    fn runs(&mut self, command: &str) {
        self.count += 1;
        // What is typed differs from what is printed.
        self.types(&format!("{command}; echo ended-$((0+{}))\n", self.count));
        let end = format!("ended-{}", self.count);
        let prompts = |shown: &str| {
            let behind = shown.split_once(&end).map(|(_, behind)| behind);
            behind.is_some_and(|behind| behind.contains(PROMPT))
        };
        self.waits_for(prompts, command);
        self.shown.lock().unwrap().clear();
    }

    fn waits_for(&self, is_there: impl Fn(&str) -> bool, what: &str) {
        let came = within(PATIENCE, || is_there(&self.shown()));
        assert!(came, "{what}: {}", self.shown());
    }

    /// After this and Tab the line ends like that. Then the line is empty again.
    pub fn completes(&mut self, typed: &str, completed: &str) {
        self.types(&format!("{typed}\t"));
        self.waits_for(|shown| shown.contains(completed), typed);
        self.empties_the_line();
    }

    /// What it lists for this and Tab.
    pub fn lists(&mut self, typed: &str) -> String {
        // The mark is typed after the list has come, as the shell reads no further before.
        self.types(&format!("{typed}\t\t{MARK}"));
        self.waits_for(|shown| shown.contains(MARK), typed);
        let shown = self.shown();
        self.empties_the_line();
        shown
    }

    fn empties_the_line(&mut self) {
        // Ctrl-U. Ctrl-C would be a signal, which a shell that is still completing may swallow.
        self.types("\u{15}");
        self.runs("true");
    }
}

/// What the shell shows when it reads a line.
const PROMPT: &str = "at-your-service>";

/// Typed behind a list of completions.
const MARK: &str = "+++";

impl Drop for Shell {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
