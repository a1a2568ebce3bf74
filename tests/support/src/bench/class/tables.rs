//! The classes' part of the report.

use super::super::bound;
use super::super::report::{Goal, Section, Table};
use super::super::stats::{Spread, last, number, percentile};
use super::{GOAL, Played};

/// Draws all of it: classes, those that were played at once without delays, and what the database
/// takes for a student, in milliseconds.
pub fn draw(played: &[Played], costs: &[Played], database: Spread) -> Section {
    let mut section = Section::new("Class");
    section.says(
        "Students text at even moments within 10 s, each over a connection of its own; Coder takes 250 ms to \
         make a user and 50 ms for anything else, Twilio 150 ms, and both tell of deliveries as they do. Redis \
         writes every text to its disk (`appendfsync always`, as in production). The bound is the best that \
         can be with the calls that were made: the same texts at the same moments, as many workers as \
         CODER_REG_PARALLEL says, and no time between two calls. A login counts when Twilio has answered. \
         Classes of 30 are played side by side, the others alone, each once.",
    );
    section.shows(&lasts(played));
    section.shows(&waits(played));
    section.shows(&costs_of(costs, database));
    section.goals = goals(played, costs);
    section
}

/// When the best service would have texted each login, sorted.
fn best(class: &Played) -> Vec<f64> {
    let mut ends = bound::ends(&class.sent, class.work, class.workers);
    ends.sort_by(f64::total_cmp);
    ends
}

/// How long each student waits from the text to the login, sorted.
fn own_waits(sent: &[f64], texted: &[f64]) -> Vec<f64> {
    let pairs = sent.iter().zip(texted);
    let mut waits: Vec<f64> = pairs.map(|(sent, texted)| texted - sent).collect();
    waits.sort_by(f64::total_cmp);
    waits
}

fn ratio(class: &Played) -> f64 {
    last(&class.texted) / last(&best(class)).max(1e-9)
}

fn lasts(played: &[Played]) -> Table {
    let caption = "**The last login, against the bound**; and every login in their order, seconds after the \
                   first text";
    let heads = [
        "students",
        "parallel",
        "of bound",
        "last",
        "bound",
        "first",
        "median",
        "p95",
        "median's bound",
    ];
    let mut table = Table::new(caption, &heads);
    for class in played {
        let mut texted = class.texted.clone();
        texted.sort_by(f64::total_cmp);
        let best = best(class);
        let mut row = vec![class.students.to_string(), class.workers.to_string()];
        row.push(format!("{} %", number(ratio(class) * 100.0, 1)));
        let times = [
            last(&texted),
            last(&best),
            percentile(&texted, 0.0),
            percentile(&texted, 0.5),
            percentile(&texted, 0.95),
            percentile(&best, 0.5),
        ];
        row.extend(times.map(|time| number(time, 2)));
        table.row(row);
    }
    table
}

fn waits(played: &[Played]) -> Table {
    let caption = "**How long students wait**, from their own text to their login, seconds";
    let heads = [
        "students",
        "parallel",
        "first",
        "median",
        "p95",
        "longest",
        "median's bound",
        "longest's bound",
    ];
    let mut table = Table::new(caption, &heads);
    for class in played {
        let ours = own_waits(&class.sent, &class.texted);
        let best = bound::ends(&class.sent, class.work, class.workers);
        let best = own_waits(&class.sent, &best);
        let mut row = vec![class.students.to_string(), class.workers.to_string()];
        let times = [
            percentile(&ours, 0.0),
            percentile(&ours, 0.5),
            percentile(&ours, 0.95),
            percentile(&ours, 1.0),
            percentile(&best, 0.5),
            percentile(&best, 1.0),
        ];
        row.extend(times.map(|time| number(time, 2)));
        table.row(row);
    }
    table
}

/// What a student costs if Coder and Twilio answer at once.
fn each(costs: &[Played], figure: impl Fn(&Played) -> f64) -> Spread {
    Spread::of(
        costs
            .iter()
            .map(|class| figure(class) / class.students as f64 * 1e3),
    )
}

fn costs_of(costs: &[Played], database: Spread) -> Table {
    let students = costs.first().map_or(0, |class| class.students);
    let caption = format!(
        "**What a student costs besides the delays**: {students} text at once, 8 side by side, and Coder and \
         Twilio answer at once; milliseconds for each student"
    );
    let mut table = Table::new(&caption, &["", "each"]);
    let mut row = |what: &str, spread: Spread| table.row(vec![what.to_owned(), spread.show(3)]);
    row(
        "time, everything together",
        each(costs, |class| last(&class.texted)),
    );
    row("CPU of the service", each(costs, |class| class.service_cpu));
    row("CPU of Redis", each(costs, |class| class.redis_cpu));
    row(
        "of that, commands (INFO commandstats)",
        each(costs, |class| class.redis.1),
    );
    let commands = costs
        .iter()
        .map(|class| class.redis.0 / class.students as f64);
    table.row(vec![
        "commands to Redis, their number".to_owned(),
        Spread::of(commands).show(1),
    ]);
    table.row(vec![
        "the database alone: all its questions and records, one student after the other".to_owned(),
        database.show(3),
    ]);
    table
}

fn goals(played: &[Played], costs: &[Played]) -> Vec<Goal> {
    let mut goals = Vec::new();
    if let Some(class) = played
        .iter()
        .find(|class| (class.students, class.workers) == GOAL)
    {
        let seconds = last(&class.texted);
        goals.push(Goal::measured(
            "300 students in 10 s: the last login",
            "within 30 s",
            format!("{} s", number(seconds, 1)),
            seconds <= 30.0,
        ));
    }
    let worst = played.iter().map(ratio).fold(0.0, f64::max);
    goals.push(Goal::measured(
        "every class: the last login against its bound",
        "at most 130 %",
        format!("{} % at worst", number(worst * 100.0, 1)),
        worst <= 1.3,
    ));
    let work = played.first().map_or(0.4, |class| class.work) * 1e3;
    let own = each(costs, |class| last(&class.texted)).median;
    goals.push(Goal::measured(
        "database, Redis and all else of ours for a student",
        &format!("noise beside {} ms of calls", number(work, 0)),
        format!(
            "{} ms, {} %",
            number(own, 2),
            number(own / work.max(1.0) * 100.0, 1)
        ),
        own < work * 0.05,
    ));
    goals
}
