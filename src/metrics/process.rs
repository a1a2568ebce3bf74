//! What the system tells of this process, under the names that every Prometheus client uses for it.
//!
//! Read from `/proc` (proc_pid_stat(5)); what cannot be read is left out, as those clients do.

use std::fs;

use super::MetricsPage;

/// Ticks in a second: USER_HZ, which Linux has fixed to 100 for programs on all but long-gone machines.
const TICKS: f64 = 100.0;

/// What `/proc` knows of a process.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct ProcessFigures {
    /// Seconds of processor time.
    cpu: Option<f64>,
    /// When it was started, in seconds since 1970.
    started: Option<f64>,
    /// Bytes of memory that it holds, and that it has addresses for.
    resident: Option<u64>,
    virtually: Option<u64>,
    /// Files and sockets that it has open, and may have.
    open: Option<u64>,
    most_open: Option<u64>,
    threads: Option<u64>,
}

/// Writes what is known of this process.
pub fn write(page: &mut MetricsPage) {
    let told = ProcessFigures::read();
    if let Some(seconds) = told.cpu {
        page.counter(
            "process_cpu_seconds_total",
            "Processor time that the process has used, in seconds.",
        )
        .value(seconds);
    }
    let seconds = |name, help, value: Option<f64>, page: &mut MetricsPage| {
        value.map(|value| page.gauge(name, help).value(value))
    };
    seconds(
        "process_start_time_seconds",
        "When the process was started, in seconds since 1970.",
        told.started,
        page,
    );
    let numbers = [
        (
            "process_resident_memory_bytes",
            "Memory that the process holds, in bytes.",
            told.resident,
        ),
        (
            "process_virtual_memory_bytes",
            "Addresses that the process has reserved, in bytes.",
            told.virtually,
        ),
        (
            "process_open_fds",
            "Files and sockets that the process has open.",
            told.open,
        ),
        (
            "process_max_fds",
            "Files and sockets that the process may have open.",
            told.most_open,
        ),
        ("process_threads", "Threads of the process.", told.threads),
    ];
    for (name, help, value) in numbers {
        if let Some(value) = value {
            page.gauge(name, help).value(value);
        }
    }
}

impl ProcessFigures {
    fn read() -> Self {
        let text = |name: &str| fs::read_to_string(name).unwrap_or_default();
        let mut told = Self::of(
            &text("/proc/self/stat"),
            &text("/proc/self/status"),
            &text("/proc/self/limits"),
            &text("/proc/stat"),
        );
        told.open = fs::read_dir("/proc/self/fd")
            // One of them is this look.
            .map(|entries| entries.count().saturating_sub(1) as u64)
            .ok();
        told
    }

    fn of(stat: &str, status: &str, limits: &str, machine: &str) -> Self {
        // Behind the program's name, which may hold blanks and brackets; the first of these is field 3.
        let fields: Vec<&str> = stat
            .rsplit(')')
            .next()
            .unwrap_or("")
            .split_whitespace()
            .collect();
        let ticks = |field: usize| fields.get(field - 3)?.parse::<f64>().ok();
        let number = |text: &str, label: &str| -> Option<u64> {
            let line = text.lines().find_map(|line| line.strip_prefix(label))?;
            line.split_whitespace().next()?.parse().ok()
        };
        let booted = number(machine, "btime ").map(|seconds| seconds as f64);
        let kib = |label| number(status, label).map(|kib| kib * 1024);
        Self {
            cpu: ticks(14)
                .zip(ticks(15))
                .map(|(user, system)| (user + system) / TICKS),
            started: booted
                .zip(ticks(22))
                .map(|(boot, since)| boot + since / TICKS),
            resident: kib("VmRSS:"),
            virtually: kib("VmSize:"),
            open: None,
            most_open: number(limits, "Max open files"),
            threads: number(status, "Threads:"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_found_behind_any_name_of_the_program() {
        let stat = "812 (a ) b) S 1 812 812 0 -1 4194560 1 2 3 4 150 50 7 8 20 0 9 0 12345 6 7";
        let status = "Name:\ta ) b\nVmSize:\t   70000 kB\nVmRSS:\t    5000 kB\nThreads:\t14\n";
        let limits =
            "Limit    Soft Limit  Hard Limit  Units\nMax open files   1024   4096  files\n";
        let told = ProcessFigures::of(stat, status, limits, "cpu 1 2\nbtime 1700000000\n");
        let expected = ProcessFigures {
            cpu: Some(2.0),
            started: Some(1_700_000_123.45),
            resident: Some(5_000 * 1024),
            virtually: Some(70_000 * 1024),
            open: None,
            most_open: Some(1024),
            threads: Some(14),
        };
        assert_eq!(told, expected);
        assert_eq!(
            ProcessFigures::of("", "", "", ""),
            ProcessFigures::default()
        );
    }

    #[test]
    fn this_process_is_known() {
        let told = ProcessFigures::read();
        assert!(told.open.is_some_and(|open| open >= 3));
        assert!(told.resident.is_some_and(|bytes| bytes > 100_000));
        let began = told.started.expect("a time");
        let now = crate::clock::unix_now() as f64;
        assert!((now - 86_400.0..=now + 5.0).contains(&began), "{began}");
    }
}
