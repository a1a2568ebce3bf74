//! `status --watch`: the status again and again, drawn in place.
//!
//! On a terminal it uses the alternate screen, and each view is one write over the last one. The normal screen is
//! restored however the program ends. Elsewhere each view is printed below the last one, without a limit of lines.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGTSTP, SIGWINCH};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;

use super::super::arguments::CommandError;
use super::super::{PROGRAM, print_raw};
use super::overview::ClassView;
use super::screen::{self, Canvas};
use crate::domain::UnixSeconds;
use crate::terminal;

/// Switches to the alternate screen, hides the cursor, and turns line wrapping off.
const ENTER: &str = "\x1b[?1049h\x1b[?25l\x1b[?7l";

/// Undoes [`ENTER`].
const LEAVE: &str = "\x1b[?7h\x1b[?25h\x1b[?1049l";

/// Shows the views that `inspect` returns until a signal ends the program.
///
/// # Errors
/// `inspect` failed.
pub(super) fn show(
    inspect: &mut dyn FnMut() -> Result<ClassView, CommandError>,
    pause: Duration,
) -> Result<(), CommandError> {
    if terminal::size().is_none() || !terminal::has_control_sequences() {
        loop {
            let view = inspect()?;
            let headline = headline(view.now, pause);
            print_raw(&joined(&view, &headline, "\n"));
            std::thread::sleep(pause);
        }
    }
    let (display, resized) = Display::open()?;
    loop {
        let view = inspect()?;
        let headline = headline(view.now, pause);
        display.draw(&view, &headline);
        let mut left = pause;
        // After a change of the window's size the same view is drawn again.
        while let Some(rest) = wait(&resized, left) {
            display.draw(&view, &headline);
            left = rest;
        }
    }
}

/// Waits for `span`. `Some` = the window's size changed; the rest of the time.
fn wait(resized: &Receiver<()>, span: Duration) -> Option<Duration> {
    let began = std::time::Instant::now();
    match resized.recv_timeout(span) {
        Ok(()) => Some(span.saturating_sub(began.elapsed())),
        Err(RecvTimeoutError::Timeout) => None,
        Err(RecvTimeoutError::Disconnected) => {
            std::thread::sleep(span);
            None
        }
    }
}

fn joined(view: &ClassView, headline: &str, end: &str) -> String {
    let lines = screen::lines(view, Canvas::of_stdout(), Some(headline));
    lines.into_iter().map(|line| line + end).collect()
}

/// The headline: the time of the view, the command, and how to end it.
fn headline(now: UnixSeconds, pause: Duration) -> String {
    let day = now.rem_euclid(86_400);
    let (hours, minutes, seconds) = (day / 3_600, day / 60 % 60, day % 60);
    format!(
        "{hours:02}:{minutes:02}:{seconds:02} UTC  {PROGRAM} status  every {} s, Ctrl-C ends",
        pause.as_secs()
    )
}

/// The alternate screen of a terminal. Dropping it restores the normal screen.
struct Display {
    /// Whether it is shown; locked while something is written.
    shown: Arc<Mutex<bool>>,
}

impl Display {
    /// Switches to it. The receiver gets a message when the size of the terminal changes.
    fn open() -> Result<(Self, Receiver<()>), CommandError> {
        let refused =
            |error: std::io::Error| CommandError::Failed(format!("cannot watch: {error}"));
        let signals = Signals::new([SIGINT, SIGTERM, SIGHUP, SIGTSTP, SIGWINCH]);
        let signals = signals.map_err(refused)?;
        let (sender, resized) = channel();
        let shown = Arc::new(Mutex::new(true));
        print_raw(ENTER);
        let display = Self {
            shown: Arc::clone(&shown),
        };
        std::thread::Builder::new()
            .name("signals".to_owned())
            .spawn(move || handle(signals, &shown, &sender))
            .map_err(refused)?;
        Ok((display, resized))
    }

    /// Draws a view over the last one.
    fn draw(&self, view: &ClassView, headline: &str) {
        let shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        if *shown {
            // Each line clears the rest of the old line, and the end clears all lines below.
            let lines = joined(view, headline, "\x1b[K\n");
            print_raw(&format!("\x1b[H{lines}\x1b[J"));
        }
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        if std::mem::replace(&mut *shown, false) {
            print_raw(LEAVE);
        }
    }
}

/// Handles signals: the program ends or stops as usual, but on the normal screen.
fn handle(mut signals: Signals, shown: &Mutex<bool>, resized: &Sender<()>) {
    for signal in signals.forever() {
        if signal != SIGWINCH {
            // Locked until the program has ended or continues, so that nothing is drawn in between.
            let shown = shown.lock().unwrap_or_else(PoisonError::into_inner);
            if *shown {
                print_raw(LEAVE);
            }
            let _ = emulate_default_handler(signal);
            if *shown {
                print_raw(ENTER);
            }
        }
        if resized.send(()).is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_headline_has_a_clock() {
        let line = headline(1_800_003_723, Duration::from_secs(5));
        assert!(line.starts_with("09:02:03 UTC  "), "{line}");
    }
}
