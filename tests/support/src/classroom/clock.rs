//! A clock for the service alone, which tests can set: a small C library loaded before its own.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::preload;

const SOURCE: &str = concat!(include_str!("ahead.c"), include_str!("../faults/clock.c"));

/// Adds to `settings` what loads the clock; it is set by a file in `folder`.
pub fn load(folder: &Path, settings: &mut BTreeMap<String, String>) {
    let libraries = settings.entry("LD_PRELOAD".to_owned()).or_default();
    if !libraries.is_empty() {
        libraries.push(':');
    }
    libraries.push_str(&preload::library("clock", SOURCE));
    let file = offset_file(folder).display().to_string();
    settings.insert("CLOCK_AHEAD_FILE".to_owned(), file);
}

/// The same, and the machine's uptime goes with the clock: nobody has set it, the time has passed.
pub fn load_with_uptime(folder: &Path, settings: &mut BTreeMap<String, String>) {
    load(folder, settings);
    settings.insert("CLOCK_AHEAD_UPTIME".to_owned(), "1".to_owned());
}

/// From now on the service's clock is this number of seconds ahead.
pub fn set(folder: &Path, seconds: i64) {
    // Whole or not at all: the service may look at any moment.
    let draft = folder.join("clock-draft");
    std::fs::write(&draft, seconds.to_string()).expect("a file is written");
    std::fs::rename(&draft, offset_file(folder)).expect("and put into place");
}

fn offset_file(folder: &Path) -> PathBuf {
    folder.join("clock-ahead")
}
