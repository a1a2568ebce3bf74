//! The log: one line an event on standard error, our own lines only.
//!
//! A line names the thread that wrote it, which is the role as docs/architecture.md lists them.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use log::{LevelFilter, Log, Metadata, Record, SetLoggerError};
use simple_logger::SimpleLogger;

/// Starts logging at `level`. Other crates are left out: at their most talkative they print URLs,
/// and a URL may hold a phone number.
///
/// # Errors
/// A logger is there already.
pub(crate) fn start(level: LevelFilter) -> Result<(), SetLoggerError> {
    let logger = SimpleLogger::new().with_level(level);
    let logger = if is_journal() {
        logger.without_timestamps()
    } else {
        logger.with_utc_timestamps()
    };
    log::set_boxed_logger(Box::new(ThreadLogger(logger)))?;
    log::set_max_level(level);
    Ok(())
}

/// Whether standard error goes to systemd's journal, which has its own time stamps. The variable alone does not say
/// so: a shell may have sent standard error elsewhere since (systemd.exec(5)).
fn is_journal() -> bool {
    let stderr = || File::from(io::stderr().as_fd().try_clone_to_owned()?).metadata();
    let (Ok(stream), Ok(stderr)) = (std::env::var("JOURNAL_STREAM"), stderr()) else {
        return false;
    };
    stream == format!("{}:{}", stderr.dev(), stderr.ino())
}

/// Puts the thread's name where simple_logger puts the module. Its macros panic when nobody reads standard error any
/// more, and a service must outlive its log.
struct ThreadLogger(SimpleLogger);

impl Log for ThreadLogger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        let target = metadata.target();
        let ours = target.strip_prefix(env!("CARGO_CRATE_NAME"));
        ours.is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
            && self.0.enabled(metadata)
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let thread = std::thread::current();
        let name = thread.name().unwrap_or("unnamed");
        let mut named = Record::builder();
        named
            .level(record.level())
            .target(name)
            .args(*record.args());
        let _ = catch_unwind(AssertUnwindSafe(|| self.0.log(&named.build())));
    }

    fn flush(&self) {
        self.0.flush();
    }
}
