//! Who has used the processors. On a busy machine every time is too long, but these shares stay what they are.

use std::collections::BTreeMap;
use std::fs;

use crate::browser::Browser;
use crate::classroom::Classroom;

/// Processor time by who used it, in seconds.
pub struct Shares(BTreeMap<&'static str, f64>);

/// A process as the kernel tells of it (proc(5)).
struct Running {
    id: u32,
    parent: u32,
    /// With that of its children that have ended.
    seconds: f64,
}

impl Shares {
    /// What has been used so far.
    pub fn now(browser: &Browser, class: &Classroom) -> Self {
        let all = running();
        let driver = browser.driver_id();
        let service = class.service().pid().as_raw_nonzero().get().unsigned_abs();
        let mut shares = BTreeMap::new();
        for process in &all {
            let who = match process.id {
                id if id == driver => "the browser's driver",
                id if id == service => "the service",
                id if id == std::process::id() => "Coder's fake and this test",
                id if descends(&all, id, driver) => browser_part(id),
                _ => continue,
            };
            *shares.entry(who).or_default() += process.seconds;
        }
        Self(shares)
    }

    /// What has been used since `before`, the largest share first.
    pub fn since(&self, before: &Self) -> Vec<(&'static str, f64)> {
        let used = |(who, seconds): (&&'static str, &f64)| {
            (*who, seconds - before.0.get(who).unwrap_or(&0.0))
        };
        let mut used: Vec<_> = self.0.iter().map(used).collect();
        used.sort_by(|one, other| other.1.total_cmp(&one.1));
        used
    }
}

/// Chromium has a process for each site of each window, and some for all of them.
fn browser_part(id: u32) -> &'static str {
    let words = fs::read_to_string(format!("/proc/{id}/cmdline")).unwrap_or_default();
    let kind = words
        .split(['\0', ' '])
        .find_map(|word| word.strip_prefix("--type="));
    match kind {
        Some("renderer" | "zygote") => "the browser's pages",
        Some("gpu-process") => "the browser's drawing",
        Some("utility") => "the browser's network and storage",
        _ => "the browser itself",
    }
}

fn descends(all: &[Running], id: u32, from: u32) -> bool {
    let parent = |id| {
        all.iter()
            .find(|process| process.id == id)
            .map(|process| process.parent)
    };
    let mut line = std::iter::successors(parent(id), |id| parent(*id));
    line.any(|id| id == from)
}

fn running() -> Vec<Running> {
    let entries = fs::read_dir("/proc").expect("Linux");
    entries
        .flatten()
        .filter_map(|entry| read(entry.file_name().to_str()?.parse().ok()?))
        .collect()
}

/// `None` if it has just ended.
fn read(id: u32) -> Option<Running> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // The name in parentheses may hold blanks. The parent is field 4, the times are fields 14 to 17.
    let (_, rest) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let times = fields.get(11..15)?.iter();
    let ticks: f64 = times.filter_map(|ticks| ticks.parse::<f64>().ok()).sum();
    Some(Running {
        id,
        parent: fields.get(1)?.parse().ok()?,
        // In hundredths of a second on every Linux that Rust supports (USER_HZ).
        seconds: ticks / 100.0,
    })
}
