//! Where and when it ran.

use std::fmt::Write as _;
use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Instant, SystemTime};

use super::stats::Spread;
use crate::classroom::folder::Folder;
use crate::classroom::redis::server_version;
use crate::fakes::clock::rfc3339;

/// The first line of what a command prints; `None` if it cannot be run.
fn output(program: &str, arguments: &[&str]) -> Option<String> {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null());
    let output = command.stderr(Stdio::null()).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let line = text.lines().next()?.trim().to_owned();
    (output.status.success() && !line.is_empty()).then_some(line)
}

fn field(file: &str, label: &str) -> Option<String> {
    let text = std::fs::read_to_string(file).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(label))?;
    Some(line.trim_matches([' ', '\t', ':', '=', '"']).to_owned())
}

/// How long the disk needs to sync 512 more bytes of a file, in milliseconds.
fn sync_time() -> Spread {
    let folder = Folder::new();
    let mut file = File::create(folder.path().join("sync")).expect("a file");
    let sync = |_| {
        file.write_all(&[7; 512]).expect("room on the disk");
        let began = Instant::now();
        file.sync_data().expect("a disk that syncs");
        began.elapsed().as_secs_f64() * 1e3
    };
    Spread::of((0..100).map(sync))
}

/// How busy the machine is besides: the mean number of threads that wanted a processor in the last minute.
pub fn load() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().unwrap_or("?").to_owned()
}

/// Machine, date and versions, as lines of a list.
pub fn describe(binary: &Path) -> String {
    let unknown = || "unknown".to_owned();
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let memory: Option<f64> = field("/proc/meminfo", "MemTotal:")
        .and_then(|text| text.split(' ').next()?.parse().ok())
        .map(|kib: f64| kib / 1024.0 / 1024.0);
    let now = rfc3339(SystemTime::now());
    let commit = output("git", &["rev-parse", "--short", "HEAD"]);
    let changed = output("git", &["status", "--porcelain", "--", "src", "Cargo.lock"]);
    let size = binary.metadata().map_or(0, |file| file.len());
    let mut text = String::new();
    let mut line = |what: &str, is: String| {
        let _ = writeln!(text, "- {what}: {is}");
    };
    line(
        "machine",
        format!(
            "{}, {cores} cores, {:.1} GiB of memory",
            field("/proc/cpuinfo", "model name").unwrap_or_else(unknown),
            memory.unwrap_or(0.0)
        ),
    );
    line(
        "system",
        format!(
            "{}, Linux {}",
            field("/etc/os-release", "PRETTY_NAME").unwrap_or_else(unknown),
            field("/proc/sys/kernel/osrelease", "").unwrap_or_else(unknown)
        ),
    );
    line("load before it began", load());
    line("to sync 512 bytes, ms", sync_time().show(2));
    let redis = server_version().unwrap_or_else(|_| unknown());
    line("Redis", redis);
    line(
        "compiler",
        output("rustc", &["--version"]).unwrap_or_else(unknown),
    );
    line(
        "program",
        format!(
            "{} {}{}, {size} bytes",
            env!("CARGO_PKG_VERSION"),
            commit.unwrap_or_else(|| "of an unknown commit".to_owned()),
            changed.map_or("", |_| " with changes"),
        ),
    );
    line("date", format!("{} {} UTC", &now[..10], &now[11..16]));
    text
}
