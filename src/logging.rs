//! The log: one line an event on standard error, our own lines only.

use std::panic::{AssertUnwindSafe, catch_unwind};

use log::{LevelFilter, Log, Metadata, Record, SetLoggerError};
use simple_logger::SimpleLogger;

/// Starts logging at `level`. Other crates are left out: at their most talkative they print URLs,
/// and a URL may hold a phone number.
///
/// # Errors
/// A logger is there already.
pub(crate) fn start(level: LevelFilter) -> Result<(), SetLoggerError> {
    let logger = SimpleLogger::new()
        .with_level(LevelFilter::Off)
        .with_module_level(env!("CARGO_CRATE_NAME"), level)
        .with_utc_timestamps();
    log::set_boxed_logger(Box::new(BestEffortLogger(logger)))?;
    log::set_max_level(level);
    Ok(())
}

/// The logger prints with the standard macros, which panic when nobody reads standard error any
/// more. A service must outlive its log.
struct BestEffortLogger(SimpleLogger);

impl Log for BestEffortLogger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        self.0.enabled(metadata)
    }

    fn log(&self, record: &Record<'_>) {
        let _ = catch_unwind(AssertUnwindSafe(|| self.0.log(record)));
    }

    fn flush(&self) {
        self.0.flush();
    }
}
