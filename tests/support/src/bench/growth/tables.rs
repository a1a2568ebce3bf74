//! The growth's part of the report.

use super::super::report::{Goal, Section, Table};
use super::super::stats::{Spread, number};
use super::{Grown, GrowthFindings, Sweep};

/// Draws all of it.
pub fn draw(found: &GrowthFindings) -> Section {
    let mut section = Section::new("Growth");
    let known = found
        .grown
        .iter()
        .map(|grown| number(grown.known as f64, 0));
    section.says(&format!(
        "Services whose databases know {} registrations, each with the text that asked for it and a login that \
         arrived. {} rounds of {} new phones for each, by turns, which then text something else three times; Coder \
         and Twilio answer at once. CPU is that of all threads of the service. Instructions are those of the \
         database alone, counted by valgrind in the service's own store.",
        known.collect::<Vec<_>>().join(", "),
        found.rounds,
        found.texts
    ));
    section.shows(&ratios(found));
    section.shows(&figures(found));
    section.shows(&sweeps(&found.sweeps));
    section.goals = goals(found);
    section
}

/// A figure of each size as a part of the smallest size's, round by round.
fn parts(found: &GrowthFindings, figure: impl Fn(&Grown) -> &Vec<f64>) -> Vec<Spread> {
    let Some(least) = found.grown.first() else {
        return Vec::new();
    };
    let part = |grown: &Grown| {
        let pairs = figure(grown).iter().zip(figure(least));
        Spread::of(pairs.map(|(more, less)| more / less))
    };
    found.grown.iter().map(part).collect()
}

fn ratios(found: &GrowthFindings) -> Table {
    let heads: Vec<String> = found
        .grown
        .iter()
        .map(|grown| format!("{} known", number(grown.known as f64, 0)))
        .collect();
    let mut heads: Vec<&str> = heads.iter().map(String::as_str).collect();
    heads.insert(0, "");
    let mut table = Table::new("**As parts of the smallest**", &heads);
    let mut row = |what: &str, cells: Vec<String>| {
        table.row([vec![what.to_owned()], cells].concat());
    };
    let per_cent = |spreads: Vec<Spread>| spreads.iter().map(Spread::per_cent).collect();
    row(
        "CPU for a new phone's phrase",
        per_cent(parts(found, |grown| &grown.new)),
    );
    row(
        "CPU for other words of a known phone",
        per_cent(parts(found, |grown| &grown.other)),
    );
    for (place, what) in [
        "database instructions for a new phone's phrase",
        "database instructions for other words",
    ]
    .iter()
    .enumerate()
    {
        let least = found.grown.first().and_then(|grown| grown.instructions);
        let cell = |grown: &Grown| match (grown.instructions, least) {
            (Some(more), Some(least)) => {
                format!("{} %", number(more[place] / least[place] * 100.0, 0))
            }
            _ => "not counted".to_owned(),
        };
        row(what, found.grown.iter().map(cell).collect());
    }
    let least = found.grown.first().map_or(1.0, |grown| grown.starts.median);
    let cell = |grown: &Grown| format!("{} %", number(grown.starts.median / least * 100.0, 0));
    row("start to ready", found.grown.iter().map(cell).collect());
    table
}

fn figures(found: &GrowthFindings) -> Table {
    let heads = [
        "known",
        "CPU ms, phrase",
        "CPU ms, other words",
        "instructions, phrase",
        "instructions, other words",
        "start to ready, ms",
    ];
    let mut table = Table::new("**Each text, and a start**", &heads);
    for grown in &found.grown {
        let instructions = |place: usize| {
            let count = grown.instructions.map(|counts| number(counts[place], 0));
            count.unwrap_or_else(|| "not counted".to_owned())
        };
        table.row(vec![
            number(grown.known as f64, 0),
            Spread::of(grown.new.iter().copied()).show(3),
            Spread::of(grown.other.iter().copied()).show(3),
            instructions(0),
            instructions(1),
            grown.starts.show(1),
        ]);
    }
    table
}

fn sweeps(sweeps: &[Sweep]) -> Table {
    let accounts = sweeps.first().map_or(0, |sweep| sweep.accounts);
    let caption = format!(
        "**The time of {} accounts is up**: seconds from the start of the service until nobody is left, and \
         calls to Coder for each account",
        number(accounts as f64, 0)
    );
    let heads = ["", "parallel", "of bound", "s", "bound", "calls"];
    let mut table = Table::new(&caption, &heads);
    for sweep in sweeps {
        let of_bound = match sweep.bound > 0.0 {
            true => format!("{} %", number(sweep.seconds / sweep.bound * 100.0, 0)),
            false => "-".to_owned(),
        };
        let mut row = vec![sweep.about.clone(), sweep.workers.to_string(), of_bound];
        row.push(number(sweep.seconds, 2));
        row.push(number(sweep.bound, 2));
        row.push(number(sweep.calls, 2));
        table.row(row);
    }
    table
}

fn goals(found: &GrowthFindings) -> Vec<Goal> {
    let mut goals = Vec::new();
    let (Some(most), new, other) = (
        found.grown.last(),
        parts(found, |grown| &grown.new),
        parts(found, |grown| &grown.other),
    ) else {
        return goals;
    };
    let known = number(most.known as f64, 0);
    for (what, spreads) in [
        ("a new phone's phrase", new),
        ("other words of a known phone", other),
    ] {
        let spread = spreads.last().copied().unwrap_or_else(|| Spread::of([]));
        goals.push(Goal::measured(
            &format!("CPU for {what} with {known} known, against 10"),
            "at most 110 %",
            spread.per_cent(),
            spread.median <= 1.1,
        ));
    }
    goals
}
