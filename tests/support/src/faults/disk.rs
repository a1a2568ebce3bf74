//! The border to the disk, and a watch over what goes past the other borders.
//!
//! `disk.c` is compiled on first use and loaded into the service. There it asks before every write
//! that begins a transaction, every sync, every file that is made, opened for writing or removed, and
//! every connection. The listener decides: it lets it pass, slows it down, fails it before or
//! after the deed, or never answers.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use crate::classroom::preload;

/// Our part that runs inside the service.
const SOURCE: &str = include_str!("disk.c");

/// One question: the service is about to do this.
pub struct Ask {
    /// The process that asks.
    pub process: i32,
    /// The thread that asks, by its role: workers are alike.
    pub thread: String,
    /// `write`, `sync`, `truncate`, `make`, `open`, `remove` or `connect`.
    pub verb: String,
    /// The file or address.
    pub path: String,
}

/// What the service is told about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiskAnswer {
    /// What really came of it.
    Truth,
    /// An I/O error.
    Broken,
    /// The disk is full.
    Full,
    /// The disk cannot be written to.
    ReadOnly,
    /// Nothing: it is dead, or waits until it is.
    Silence,
}

/// Decides about a question. The deed happens when, and only if, the second argument is called.
pub type Judge = dyn Fn(&Ask, &mut dyn FnMut()) -> DiskAnswer + Send + Sync;

/// The listening border. Dropping it ends it; the service has to be dead by then.
pub struct Disk {
    path: PathBuf,
    stopping: Arc<AtomicBool>,
    acceptor: Option<JoinHandle<()>>,
}

impl Disk {
    /// Listens at `path`.
    pub fn start(path: PathBuf, judge: Box<Judge>) -> Self {
        let listener = UnixListener::bind(&path).expect("a socket for the disk's border");
        let stopping = Arc::new(AtomicBool::new(false));
        let acceptor = thread::spawn({
            let (stopping, judge) = (Arc::clone(&stopping), Arc::new(judge));
            move || {
                while let Ok((line, _)) = listener.accept() {
                    if stopping.load(Ordering::SeqCst) {
                        return;
                    }
                    let judge = Arc::clone(&judge);
                    let thread = thread::Builder::new().stack_size(256 * 1024);
                    drop(thread.spawn(move || serve(&**judge, &line)));
                }
            }
        });
        Self {
            path,
            stopping,
            acceptor: Some(acceptor),
        }
    }

    /// What the service's environment needs.
    pub fn settings(&self) -> [(&'static str, String); 2] {
        let door = self.path.display().to_string();
        [
            ("LD_PRELOAD", preload::library("disk", SOURCE)),
            ("FAULTS_DOOR", door),
        ]
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::SeqCst);
        // Wakes the accept call; it then sees the flag.
        let _ = UnixStream::connect(&self.path);
        if let Some(acceptor) = self.acceptor.take() {
            let _ = acceptor.join();
        }
    }
}

/// Answers one question.
fn serve(judge: &Judge, line: &UnixStream) {
    let mut words = String::new();
    if BufReader::new(line).read_line(&mut words).is_err() {
        return;
    }
    let Some(ask) = Ask::read(&words) else {
        return;
    };
    let answer = judge(&ask, &mut || {
        say(line, b'g');
        // Its word that it is done; none comes if it died meanwhile.
        let _ = { line }.read(&mut [0]);
    });
    match answer {
        DiskAnswer::Truth => say(line, b'g'),
        DiskAnswer::Broken => say(line, b'i'),
        DiskAnswer::Full => say(line, b'n'),
        DiskAnswer::ReadOnly => say(line, b'r'),
        DiskAnswer::Silence => {}
    }
}

fn say(mut line: &UnixStream, word: u8) {
    // It may be dead, and then needs no answer.
    let _ = line.write_all(&[word]);
}

impl Ask {
    fn read(line: &str) -> Option<Self> {
        let mut words = line.trim_end_matches('\n').splitn(4, '\t');
        Some(Self {
            process: words.next()?.parse().ok()?,
            thread: role(words.next()?).to_owned(),
            verb: words.next()?.to_owned(),
            path: words.next()?.to_owned(),
        })
    }

    /// The file by what it is to SQLite, else by its name.
    pub fn file(&self) -> &str {
        let name = self.path.rsplit('/').next().unwrap_or(&self.path);
        match name.strip_prefix("registrations.") {
            Some("db") => "database",
            Some("db-wal") => "log",
            Some("db-shm") => "index",
            Some("db-journal") => "journal",
            _ => name,
        }
    }
}

/// A thread by its role: workers have a number, and the main thread has the program's name.
pub fn role(thread: &str) -> &str {
    let name = thread.trim_end_matches(|c: char| c.is_ascii_digit());
    match name.trim_end_matches('-') {
        "coder-sms-regis" => "main",
        name => name,
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;
    use std::sync::Mutex;

    use super::*;
    use crate::classroom::folder::Folder;

    /// Has a shell write to a file in the folder under the eyes of a judge who always says `answer`,
    /// after the deed if `done`. Returns what was asked, and what the file holds now.
    fn shell_writes(
        folder: &Folder,
        answer: DiskAnswer,
        done: bool,
    ) -> (Vec<String>, Option<String>) {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let note = Arc::clone(&asked);
        let judge = move |ask: &Ask, deed: &mut dyn FnMut()| {
            let Ask {
                thread, verb, path, ..
            } = ask;
            let name = path.rsplit('/').next().unwrap_or_default();
            note.lock().unwrap().push(format!("{thread} {verb} {name}"));
            if done {
                deed();
            }
            answer
        };
        let disk = Disk::start(folder.path().join("disk.sock"), Box::new(judge));
        let file = folder.path().join("file");
        let status = Command::new("/bin/sh")
            .args(["-c", "echo word > \"$0\""])
            .arg(&file)
            .envs(disk.settings())
            .stderr(std::process::Stdio::null())
            .status();
        assert_eq!(
            status.expect("a shell").success(),
            answer == DiskAnswer::Truth,
            "the shell sees what it is told"
        );
        drop(disk);
        let asked = asked.lock().unwrap().clone();
        (asked, std::fs::read_to_string(file).ok())
    }

    #[test]
    fn what_passes_is_asked_for_and_done() {
        let folder = Folder::new();
        let (asked, found) = shell_writes(&folder, DiskAnswer::Truth, true);
        assert_eq!(asked, ["sh make file", "sh write file"]);
        assert_eq!(found.as_deref(), Some("word\n"));
    }

    #[test]
    fn what_is_refused_is_not_done() {
        for refusal in [DiskAnswer::Broken, DiskAnswer::Full, DiskAnswer::ReadOnly] {
            let (_, found) = shell_writes(&Folder::new(), refusal, false);
            assert_eq!(found, None, "{refusal:?}");
        }
    }

    #[test]
    fn what_is_done_can_be_denied() {
        let folder = Folder::new();
        let (_, found) = shell_writes(&folder, DiskAnswer::Broken, true);
        // The file was made, but the shell believes that it was not and writes nothing.
        assert_eq!(found.as_deref(), Some(""));
    }

    #[test]
    fn threads_have_roles() {
        for (thread, known) in [
            ("worker-12", "worker"),
            ("reaper", "reaper"),
            ("coder-sms-regis", "main"),
        ] {
            assert_eq!(role(thread), known);
        }
    }
}
