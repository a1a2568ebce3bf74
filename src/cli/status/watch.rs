//! `status --watch`: a screen that stays, drawn over the last one in one write.
//!
//! On a terminal it works on the second screen that terminals have for this, and gives the first one back
//! however it ends. Elsewhere one view follows the other, each whole.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGTSTP, SIGWINCH};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;

use super::super::arguments::CommandError;
use super::super::{PROGRAM, print_raw, terminal};
use super::overview::ClassView;
use super::screen::{self, Canvas};
use crate::domain::UnixSeconds;

/// Goes to the second screen, hides the cursor, and has long lines cut.
const ENTER: &str = "\x1b[?1049h\x1b[?25l\x1b[?7l";

/// Takes that back.
const LEAVE: &str = "\x1b[?7h\x1b[?25h\x1b[?1049l";

/// Shows what `look` finds, again and again.
///
/// # Errors
/// There is nothing to look at. Otherwise it goes on until a signal ends the program.
pub(super) fn show(
    look: &mut dyn FnMut() -> Result<ClassView, CommandError>,
    pause: Duration,
) -> Result<(), CommandError> {
    if terminal::size().is_none() || !terminal::moves_its_cursor() {
        loop {
            let view = look()?;
            let headline = headline(view.now, pause);
            print_raw(&joined(&view, &headline, "\n"));
            std::thread::sleep(pause);
        }
    }
    let (display, resized) = Display::open()?;
    loop {
        let view = look()?;
        let headline = headline(view.now, pause);
        display.draw(&view, &headline);
        let mut left = pause;
        // A window of another size gets the same view at once.
        while let Some(rest) = wait(&resized, left) {
            display.draw(&view, &headline);
            left = rest;
        }
    }
}

/// Waits that long. `Some` = the size changed meanwhile, and so much of the time is left.
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

/// What is shown, when it was looked at, and how it ends.
fn headline(now: UnixSeconds, pause: Duration) -> String {
    let day = now.rem_euclid(86_400);
    let (hours, minutes, seconds) = (day / 3_600, day / 60 % 60, day % 60);
    format!(
        "{hours:02}:{minutes:02}:{seconds:02} UTC  {PROGRAM} status  every {} s, Ctrl-C ends",
        pause.as_secs()
    )
}

/// The second screen of a terminal, which is left when this is dropped.
struct Display {
    /// Whether it is shown; held while something is written.
    shown: Arc<Mutex<bool>>,
}

impl Display {
    /// Goes there. What is received tells that the terminal has another size.
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
            .spawn(move || heed(signals, &shown, &sender))
            .map_err(refused)?;
        Ok((display, resized))
    }

    /// Draws a view over what is there.
    fn draw(&self, view: &ClassView, headline: &str) {
        let shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        if *shown {
            // Each line clears what is left of the old one, and the last what is below.
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

/// Does what signals ask for: ends or stops the program as it would without this, on the first screen.
fn heed(mut signals: Signals, shown: &Mutex<bool>, resized: &Sender<()>) {
    for signal in signals.forever() {
        if signal != SIGWINCH {
            // Held until the program has ended or goes on, so that nothing is drawn meanwhile.
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
