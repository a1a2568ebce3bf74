//! Ctrl-C: the demo ends by itself and stops its child processes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;

/// How often a waiting thread checks for a signal.
const BLINK: Duration = Duration::from_millis(20);

/// Whether a signal has asked the demo to end.
#[derive(Clone)]
pub struct Interrupt(Arc<AtomicBool>);

/// It has.
#[derive(Debug)]
pub struct Interrupted;

impl Interrupt {
    /// Catches the signals that end a program; the second one ends it at once.
    pub fn catch() -> std::io::Result<Self> {
        let asked = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            let code = i32::from(super::STOPPED);
            flag::register_conditional_shutdown(signal, code, Arc::clone(&asked))?;
            flag::register(signal, Arc::clone(&asked))?;
        }
        Ok(Self(asked))
    }

    /// Asks, as a signal does.
    pub fn ask(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether it was asked.
    pub fn asked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Fails if it was asked.
    pub fn check(&self) -> Result<(), Interrupted> {
        if self.asked() {
            Err(Interrupted)
        } else {
            Ok(())
        }
    }

    /// Sleeps, unless it is asked.
    pub fn pause(&self, span: Duration) -> Result<(), Interrupted> {
        let end = Instant::now() + span;
        loop {
            self.check()?;
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            std::thread::sleep(left.min(BLINK));
        }
    }
}
