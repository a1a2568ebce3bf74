//! What the kernel reports about a process (proc(5)).

use std::collections::BTreeMap;
use std::time::Duration;

use rustix::process::Pid;

/// A process of this machine.
#[derive(Clone, Copy)]
pub struct Process(i32);

/// What it holds of the machine's memory, in KiB.
#[derive(Clone, Copy, Debug)]
pub struct Memory {
    /// Its share of all it has mapped: pages that others map as well count in part.
    pub pss: u64,
    /// Of that, what is in no file: heap, stacks, relocated data.
    pub anonymous: u64,
    /// Of that, pages of files: the program itself and its libraries.
    pub file: u64,
    /// All it has mapped and in memory, shared or not.
    pub rss: u64,
}

/// One thread of a process.
#[derive(Clone, Debug)]
pub struct Thread {
    /// Its name.
    pub name: String,
    /// How often it went to sleep by itself, and so was woken.
    pub sleeps: u64,
}

impl Process {
    /// The process with this id.
    pub fn of(pid: Pid) -> Self {
        Self(pid.as_raw_nonzero().get())
    }

    /// This process.
    pub fn own() -> Self {
        Self(i32::try_from(std::process::id()).expect("a process id"))
    }

    /// The CPU time that it has used so far, its threads that ended included.
    pub fn cpu(self) -> Duration {
        let stat = self.read("stat");
        // The name in parentheses may hold blanks; utime and stime are fields 14 and 15.
        let fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
        let ticks = fields.split_whitespace().skip(11).take(2);
        let ticks: u64 = ticks.map(|ticks| ticks.parse().unwrap_or(0)).sum();
        // In hundredths of a second on every Linux that Rust supports (USER_HZ).
        Duration::from_millis(ticks * 10)
    }

    /// The CPU time that its living threads have used so far, to the microsecond.
    pub fn threads_cpu(self) -> Duration {
        let nanoseconds = |id: &u32| {
            let file = format!("/proc/{}/task/{id}/schedstat", self.0);
            let text = std::fs::read_to_string(file).ok()?;
            text.split_whitespace().next()?.parse::<u64>().ok()
        };
        let threads = self.threads();
        let times = threads.keys().filter_map(nanoseconds);
        Duration::from_nanos(times.sum())
    }

    /// Its memory.
    pub fn memory(self) -> Memory {
        let rollup = self.read("smaps_rollup");
        let figure = |label: &str| {
            let line = rollup.lines().find_map(|line| line.strip_prefix(label));
            let word = line.and_then(|rest| rest.split_whitespace().next());
            word.and_then(|word| word.parse().ok()).unwrap_or(0)
        };
        Memory {
            pss: figure("Pss:"),
            anonymous: figure("Pss_Anon:"),
            file: figure("Pss_File:"),
            rss: figure("Rss:"),
        }
    }

    /// Its threads by their ids.
    pub fn threads(self) -> BTreeMap<u32, Thread> {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.0)).expect("it runs");
        let thread = |id: u32| {
            let status = std::fs::read_to_string(format!("/proc/{}/task/{id}/status", self.0));
            let status = status.ok()?;
            let value = |label: &str| {
                let line = status.lines().find_map(|line| line.strip_prefix(label));
                line.map(|value| value.trim().to_owned())
            };
            let sleeps = value("voluntary_ctxt_switches:")?.parse().ok()?;
            let name = value("Name:")?;
            Some((id, Thread { name, sleeps }))
        };
        let ids = tasks.flatten().filter_map(|task| {
            let name = task.file_name();
            name.to_str()?.parse().ok()
        });
        ids.filter_map(thread).collect()
    }

    fn read(self, file: &str) -> String {
        std::fs::read_to_string(format!("/proc/{}/{file}", self.0)).expect("it runs")
    }
}

/// The CPU time of the calling thread so far.
pub fn thread_cpu() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let word = text.split_whitespace().next().unwrap_or("0");
    Duration::from_nanos(word.parse().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_read() {
        let own = Process::own();
        assert!(own.memory().pss > 0 && own.memory().rss >= own.memory().pss);
        assert!(!own.threads().is_empty());
        let began = own.cpu();
        while own.cpu() - began < Duration::from_millis(20) {}
        assert!(thread_cpu() > Duration::ZERO);
    }
}
