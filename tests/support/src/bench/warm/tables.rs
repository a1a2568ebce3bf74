//! The tables of what was measured.

use super::super::report::{Goal, Section, Table};
use super::laptops::WAVE;
use super::{Accounts, Figures, Replies};

/// The class that the goals of speed and memory are about.
const LARGE: usize = 10_000;

/// What one class showed, in a line.
pub(super) fn line(one: &Figures) -> String {
    format!(
        "{} students, {}, {}: {:.2} ms CPU each, {} calls, last login {:.2} s after the last text, {:.1} MB, then \
         {:.1} MB, spares made in {:.1} s",
        one.students,
        replies(one),
        accounts(one),
        one.cpu * 1e3 / one.students as f64,
        one.calls,
        one.last,
        one.memory[0],
        one.memory[1],
        one.made_in
    )
}

/// The section of the report.
pub(super) fn section(played: &[Figures]) -> Section {
    let mut section = Section::new("Accounts that are ready before");
    section.says(&format!(
        "All students text at once. Coder and Twilio answer at once, and each student gets a workspace. *Cold*: account \
         and workspace are made when the text comes. *Warm*: as many spare accounts as students were made before \
         (`CODER_REG_WARM`), and nobody counts what that cost. The CPU time is that of the service from the first page \
         or text until every student has a login and a workspace. Coder is also asked once a minute whether somebody has \
         used a spare. Where accounts have no common end (`_END_AT`), the next round of the removals tells Coder of the \
         later end of each spare workspace, one call each; that is not counted. *Screen*: each student has a laptop, whose page \
         asks as browsers do. At most 2,048 pages may be open, so a larger class comes in waves of {WAVE}, one after \
         the other, and the last login is that of the slowest wave. *Text*: everybody texts at once, whatever the size. *Earlier build* (`BASE=COMMIT`): its \
         accounts are made when the text comes, without workspaces, by text.",
    ));
    section.shows(&table(played));
    for goal in goals(played) {
        section.goals.push(goal);
    }
    section
}

fn replies(one: &Figures) -> &'static str {
    match one.replies {
        Replies::Screen => "screen",
        Replies::Text => "text",
    }
}

fn accounts(one: &Figures) -> &'static str {
    match one.accounts {
        Accounts::Cold => "cold",
        Accounts::Warm => "warm",
        Accounts::Earlier => "cold, earlier build, no workspace",
    }
}

/// The CPU time of a warm class as a part of that of the same class whose accounts are these.
fn part_of(accounts: Accounts, one: &Figures, played: &[Figures]) -> Option<f64> {
    if one.accounts != Accounts::Warm {
        return None;
    }
    let is_meant = |other: &&Figures| {
        other.accounts == accounts && other.students == one.students && other.replies == one.replies
    };
    let other = played.iter().find(is_meant)?;
    Some(one.cpu / other.cpu.max(0.001))
}

fn table(played: &[Figures]) -> Table {
    let mut table = Table::new(
        "**Ready before**: what a class costs the service",
        &[
            "students",
            "replies",
            "accounts",
            "CPU ms each",
            "of cold",
            "of the earlier build",
            "calls to Coder",
            "last login, s after the last text",
            "memory MB before",
            "after",
            "spares made in s",
        ],
    );
    for one in played {
        let part = |accounts| match part_of(accounts, one, played) {
            Some(part) => format!("{:.0} %", 100.0 * part),
            None => "–".to_owned(),
        };
        table.row(vec![
            one.students.to_string(),
            replies(one).to_owned(),
            accounts(one).to_owned(),
            format!("{:.2}", one.cpu * 1e3 / one.students as f64),
            part(Accounts::Cold),
            part(Accounts::Earlier),
            one.calls.to_string(),
            format!("{:.2}", one.last),
            format!("{:.1}", one.memory[0]),
            format!("{:.1}", one.memory[1]),
            match one.accounts {
                Accounts::Warm => format!("{:.1}", one.made_in),
                _ => "–".to_owned(),
            },
        ]);
    }
    table
}

fn goals(played: &[Figures]) -> Vec<Goal> {
    let on_screens =
        |one: &&Figures| one.accounts == Accounts::Warm && one.replies == Replies::Screen;
    let mut goals = Vec::new();
    for one in played {
        let (than, beside) = match one.replies {
            Replies::Screen => (Accounts::Cold, "with screens, beside cold"),
            Replies::Text => (Accounts::Earlier, "by text, beside the earlier build"),
        };
        let Some(part) = part_of(than, one, played) else {
            continue;
        };
        let what = format!("CPU of a warm class of {} {beside}", one.students);
        let found = format!("{:.0} %", 100.0 * part);
        goals.push(Goal::measured(&what, "at most 50 %", found, part <= 0.5));
    }
    for one in played
        .iter()
        .filter(on_screens)
        .filter(|one| one.students == LARGE)
    {
        let found = format!("{:.2} s", one.last);
        let what = "last login of 10,000 warm students with screens after the last text of a wave";
        goals.push(Goal::measured(what, "at most 5 s", found, one.last <= 5.0));
        let found = format!("{:.1} MB", one.memory[1]);
        let what = "memory after 10,000 warm students with screens";
        goals.push(Goal::measured(
            what,
            "at most 20 MB",
            found,
            one.memory[1] <= 20.0,
        ));
    }
    goals
}
