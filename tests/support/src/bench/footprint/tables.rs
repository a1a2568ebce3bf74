//! The footprint's part of the report.

use super::super::report::{Goal, Section, Table};
use super::super::stats::number;
use super::binary::Size;
use super::{FootprintFindings, Idle};

/// Draws all of it.
pub fn draw(found: &FootprintFindings) -> Section {
    let mut section = Section::new("Footprint");
    section.says(&format!(
        "The default settings, Redis with `appendfsync always`. \"Just started\" has served nothing; \"after \
         the burst\" has served {} students within 10 s, and has been told that every login arrived. \
         \"Static\" is what `make dist` builds and packages and images hold; without it, not measured. All are \
         left alone for {} s (the search for missed texts is repeated 30 s after a start) and then watched for {} s, \
         in which nothing else is done. Memory is that at \
         the end of it. A wake-up is a thread that had gone to sleep by itself and ran again.",
        found.students,
        super::SETTLED.as_secs(),
        found.watched.as_secs_f64()
    ));
    section.shows(&idle(found));
    section.shows(&wakeups(found));
    section.shows(&starts(found));
    section.shows(&size(&found.size));
    match &found.size.crates {
        Ok(crates) => section.shows(&crates_table(crates)),
        Err(why) => section.says(&format!("The size by crate was not measured: {why}.")),
    }
    match &found.size.layers {
        Ok(layers) => section.shows(&layers_table(layers)),
        Err(why) => section.says(&format!(
            "The layers of the image were not measured: {why}."
        )),
    }
    section.goals = goals(found);
    section
}

/// KiB as MB, in which the goal is.
fn memory(kib: u64) -> f64 {
    megabytes(kib * 1024)
}

fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

fn minutely(found: &FootprintFindings, count: u64) -> f64 {
    count as f64 * 60.0 / found.watched.as_secs_f64()
}

fn all_wakeups(found: &FootprintFindings, idle: &Idle) -> f64 {
    minutely(found, idle.wakeups.values().sum())
}

fn idle(found: &FootprintFindings) -> Table {
    let heads = [
        "idle",
        "PSS",
        "of it no file's",
        "of it files",
        "RSS",
        "threads",
        "wake-ups a minute",
    ];
    let mut table = Table::new("**Idle**: memory in MB", &heads);
    for idle in &found.idle {
        let held = idle.memory;
        let mut row = vec![idle.name.to_owned()];
        row.extend(
            [held.pss, held.anonymous, held.file, held.rss].map(|kib| number(memory(kib), 2)),
        );
        row.push(idle.threads.to_string());
        row.push(number(all_wakeups(found, idle), 1));
        table.row(row);
    }
    table
}

fn wakeups(found: &FootprintFindings) -> Table {
    let names = found.idle.iter().map(|idle| idle.name);
    let heads: Vec<&str> = ["thread"].into_iter().chain(names).collect();
    let mut table = Table::new("**Wake-ups a minute, by thread**", &heads);
    let mut threads: Vec<&String> = found
        .idle
        .iter()
        .flat_map(|idle| idle.wakeups.keys())
        .collect();
    threads.sort();
    threads.dedup();
    for thread in threads {
        let counts = found.idle.iter().map(|idle| idle.wakeups.get(thread));
        let counts: Vec<f64> = counts
            .map(|count| minutely(found, count.copied().unwrap_or(0)))
            .collect();
        if counts.iter().any(|count| *count > 0.0) {
            let mut row = vec![format!("`{thread}`")];
            row.extend(counts.iter().map(|count| number(*count, 1)));
            table.row(row);
        }
    }
    table
}

fn starts(found: &FootprintFindings) -> Table {
    let starts = &found.starts;
    let mut table = Table::new("**Starts**, milliseconds", &["", "times", "ms"]);
    let mut row = |what: &str, times: usize, ms: String| {
        table.row(vec![what.to_owned(), times.to_string(), ms]);
    };
    let (often, seldom) = starts.times;
    row(
        "start to the line that says where it listens",
        often,
        starts.listens.show(1),
    );
    row(
        "start to the first 200 of `/healthz`",
        often,
        starts.ready.show(1),
    );
    row(
        "start after SIGKILL to the first call for a text in hand",
        seldom,
        starts.resumed.show(1),
    );
    table
}

fn size(size: &Size) -> Table {
    let mut table = Table::new("**Size of the program**", &["build", "MB"]);
    let dynamic = "release, with the system's C library";
    table.row(vec![dynamic.to_owned(), number(megabytes(size.bytes), 2)]);
    let fixed = size.fixed.map(|bytes| number(megabytes(bytes), 2));
    table.row(vec![
        "release, static (musl)".to_owned(),
        fixed.unwrap_or_else(|| "not built here (`make dist` does)".to_owned()),
    ]);
    table
}

fn crates_table(crates: &[(String, u64)]) -> Table {
    const SHOWN: usize = 16;
    let caption = "**Code by crate**, as cargo-bloat counts it (without data; C code, which is SQLite and ring's, \
                   has no crate)";
    let mut table = Table::new(caption, &["crate", "KB"]);
    let row = |name: &str, size: u64| vec![name.to_owned(), number(size as f64 / 1e3, 0)];
    for (name, size) in crates.iter().take(SHOWN) {
        table.row(row(name, *size));
    }
    let rest = crates.iter().skip(SHOWN);
    table.row(row("all others", rest.map(|(_, size)| size).sum()));
    table
}

fn layers_table(layers: &[(String, String)]) -> Table {
    let mut table = Table::new("**Layers of the image**", &["made by", "size"]);
    for (made_by, size) in layers {
        table.row(vec![made_by.clone(), size.clone()]);
    }
    table
}

fn goals(found: &FootprintFindings) -> Vec<Goal> {
    let mut goals = Vec::new();
    for idle in &found.idle {
        let pss = memory(idle.memory.pss);
        goals.push(Goal::measured(
            &format!("idle memory (PSS), {}", idle.name),
            "at most 6 MB",
            format!("{} MB", number(pss, 2)),
            pss <= 6.0,
        ));
        let wakeups = all_wakeups(found, idle);
        goals.push(Goal::measured(
            &format!("wake-ups a minute, {}", idle.name),
            "at most 2",
            number(wakeups, 1),
            wakeups <= 2.0,
        ));
    }
    let starts = &found.starts;
    goals.push(Goal::measured(
        "start to ready",
        "below 100 ms",
        format!("{} ms", starts.ready.show(1)),
        starts.ready.median < 100.0,
    ));
    goals.push(Goal::measured(
        "restart to resumed work after SIGKILL",
        "within 2 s",
        format!("{} ms", starts.resumed.show(1)),
        starts.resumed.median <= 2_000.0,
    ));
    goals.push(static_size(&found.size));
    goals
}

fn static_size(size: &Size) -> Goal {
    let found = size
        .fixed
        .map(|bytes| format!("{} MB", number(megabytes(bytes), 2)));
    Goal {
        what: "release binary, static".to_owned(),
        wanted: "at most 5.5 MB".to_owned(),
        found: found.unwrap_or_else(|| "not built here".to_owned()),
        met: size.fixed.map(|bytes| megabytes(bytes) <= 5.5),
    }
}
