//! The log: one line per event on standard error, from this crate only.
//!
//! A line contains the name of its thread, which is the role in docs/architecture.md. On a terminal with colours,
//! errors and warnings stand out.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use log::{Level, LevelFilter, Log, Metadata, Record, SetLoggerError};
use simple_logger::SimpleLogger;

use crate::terminal::{Colours, Tone};

/// Starts logging at `level`. Events of other crates are dropped: at debug level they contain URLs, and a URL
/// may contain a phone number.
///
/// # Errors
/// A logger is already set.
pub(crate) fn start(level: LevelFilter) -> Result<(), SetLoggerError> {
    let logger = SimpleLogger::new().with_level(level);
    let logger = if is_journal() {
        logger.without_timestamps()
    } else {
        logger.with_utc_timestamps()
    };
    log::set_boxed_logger(Box::new(ThreadLogger {
        inner: logger,
        colours: Colours::of(&io::stderr()),
    }))?;
    log::set_max_level(level);
    Ok(())
}

/// Whether standard error goes to systemd's journal, which has its own time stamps. The variable alone is not enough:
/// a shell may have redirected standard error (systemd.exec(5)).
fn is_journal() -> bool {
    let stderr = || File::from(io::stderr().as_fd().try_clone_to_owned()?).metadata();
    let (Ok(stream), Ok(stderr)) = (std::env::var("JOURNAL_STREAM"), stderr()) else {
        return false;
    };
    stream == format!("{}:{}", stderr.dev(), stderr.ino())
}

/// Writes the thread's name in place of the module, and colours. The macros of simple_logger panic when standard error
/// is closed, and the service must go on then.
struct ThreadLogger {
    inner: SimpleLogger,
    colours: Colours,
}

impl Log for ThreadLogger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        let target = metadata.target();
        let ours = target.strip_prefix(env!("CARGO_CRATE_NAME"));
        ours.is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
            && self.inner.enabled(metadata)
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let thread = std::thread::current();
        let name = thread.name().unwrap_or("unnamed");
        let tone = match record.level() {
            Level::Error => Tone::Fault,
            Level::Warn => Tone::Warning,
            _ => Tone::Plain,
        };
        let painted = self.colours.paint(tone, &record.args().to_string());
        let _ = catch_unwind(AssertUnwindSafe(|| {
            let args = format_args!("{painted}");
            let mut named = Record::builder();
            named.level(record.level()).target(name).args(args);
            self.inner.log(&named.build());
        }));
    }

    fn flush(&self) {
        self.inner.flush();
    }
}
