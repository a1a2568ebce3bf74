//! `check`: checks that everything is ready for class.

use std::fs;

use serde_json::json;

use super::arguments::{ArgumentWord, Arguments, CommandError};
use super::table::count;
use super::{Command, complain, harmless, print, print_raw};
use crate::check::{self, CheckStatus, Finding};
use crate::config::PartialConfig;
use crate::terminal::{self, Colours, Tone, wrapped};

pub(super) const COMMAND: Command = Command {
    name: "check",
    operands: "",
    summary: "check that everything is ready for class: settings, data folder, Redis, Coder, Twilio, public URL, clock and phrase",
    details: "\
It prints a line for each check: ok, warn, FAULT, or - if the check could not be made. A line after -> says
what to do. Nothing is changed, and the service may be running or stopped. It takes some seconds, and at most
half a minute if a server does not answer.

With --write it also creates a user in Coder, logs in as that user, deletes it and checks that it is gone. If
students get workspaces, it also builds one from each of their templates, sees it running and removes it, which
takes as long as the template takes.

Exit codes: 0 ready for class (there may be warnings), 1 a fault or a check that could not be made, 2 wrong
usage
",
    options: "      --write          also create a user in Coder, log in as it, and delete it
      --json           print one JSON object
",
    run,
};

#[derive(Default)]
struct CheckArguments {
    write: bool,
    json: bool,
}

impl CheckArguments {
    fn read(arguments: &mut Arguments) -> Result<Self, CommandError> {
        let mut wanted = Self::default();
        while let Some(word) = arguments.next()? {
            match word {
                ArgumentWord::Option(option) => match option.as_str() {
                    "write" => wanted.write = true,
                    "json" => wanted.json = true,
                    _ => return Err(CommandError::unknown_option(&option)),
                },
                ArgumentWord::Value(value) => return Err(CommandError::unexpected(&value)),
            }
        }
        Ok(wanted)
    }
}

fn run(arguments: &mut Arguments) -> Result<(), CommandError> {
    let wanted = CheckArguments::read(arguments)?;
    let parts = PartialConfig::from_vars(arguments.vars()?, &|path| fs::read_to_string(path));
    let announce: &dyn Fn(&str) = &complain;
    let findings = check::inspect(&parts, wanted.write.then_some(announce));
    let report = CheckReport::of(&findings);
    if wanted.json {
        print(&format!("{}\n", report.json()));
    } else {
        let width = terminal::size().map(|size| size.columns);
        print_raw(&report.text(width, Colours::of(&std::io::stdout())));
    }
    if report.is_ready() {
        Ok(())
    } else {
        Err(CommandError::Reported)
    }
}

/// The widths of the columns of areas and of verdicts, and of the gap behind a column.
const AREA: usize = 11;
const LABEL: usize = 5;
const GAP: usize = 2;

/// The width of all that is left of a finding.
const MARGIN: usize = AREA + GAP + LABEL + GAP;

/// The word of a verdict, and its tone.
fn label(verdict: CheckStatus) -> (&'static str, Tone) {
    match verdict {
        CheckStatus::Pass => ("ok", Tone::Good),
        CheckStatus::Warning => ("warn", Tone::Warning),
        CheckStatus::Fault => ("FAULT", Tone::Fault),
        CheckStatus::Skipped => ("-", Tone::Warning),
    }
}

struct CheckReport<'a> {
    findings: &'a [Finding],
}

impl<'a> CheckReport<'a> {
    fn of(findings: &'a [Finding]) -> Self {
        Self { findings }
    }

    /// Whether every check was made and none is a fault.
    fn is_ready(&self) -> bool {
        self.findings.iter().all(|one| one.verdict.is_ready())
    }

    fn number(&self, verdict: CheckStatus) -> usize {
        let found = self.findings.iter();
        found.filter(|one| one.verdict == verdict).count()
    }

    /// For people: areas, verdicts and findings in columns, a cure below its finding, in lines of at most `width`
    /// columns.
    fn text(&self, width: Option<usize>, colours: Colours) -> String {
        let room = width.map(|width| width.saturating_sub(MARGIN));
        let cell = |text: &str| wrapped(&[(Tone::Plain, &harmless(text))], room, colours);
        let mut text = String::new();
        let mut last = None;
        for Finding {
            area,
            what,
            verdict,
            cure,
        } in self.findings
        {
            let title = if last == Some(*area) { "" } else { area.name() };
            last = Some(*area);
            let (word, tone) = label(*verdict);
            let gap = " ".repeat(LABEL.saturating_sub(word.len()) + GAP);
            let word = colours.paint(tone, word);
            let mut margin = format!("{title:AREA$}{:GAP$}{word}{gap}", "");
            let cure = cure.as_ref().map(|cure| cell(&format!("-> {cure}")));
            for line in cell(what).into_iter().chain(cure.into_iter().flatten()) {
                text += &format!("{margin}{line}\n");
                margin = " ".repeat(MARGIN);
            }
        }
        let tone = if self.is_ready() {
            Tone::Good
        } else {
            Tone::Fault
        };
        for line in wrapped(&[(tone, &self.sum())], width, colours) {
            text += &format!("{line}\n");
        }
        text
    }

    /// The last line.
    fn sum(&self) -> String {
        let (faults, warnings) = (
            self.number(CheckStatus::Fault),
            self.number(CheckStatus::Warning),
        );
        let skipped = self.number(CheckStatus::Skipped);
        let mut parts = Vec::new();
        if faults > 0 {
            parts.push(count(faults, "fault"));
        }
        if skipped > 0 {
            parts.push(format!("{skipped} not checked"));
        }
        if warnings > 0 {
            parts.push(count(warnings, "warning"));
        }
        let parts = parts.join(", ");
        match (self.is_ready(), parts.as_str()) {
            (true, "") => "ready for class".to_owned(),
            (true, parts) => format!("ready for class, {parts}"),
            (false, parts) => format!("not ready: {parts}"),
        }
    }

    /// For scripts.
    fn json(&self) -> serde_json::Value {
        let finding = |one: &Finding| {
            json!({
                "area": one.area.name(),
                "what": one.what,
                "verdict": one.verdict.as_str(),
                "cure": one.cure,
            })
        };
        json!({
            "ready": self.is_ready(),
            "faults": self.number(CheckStatus::Fault),
            "warnings": self.number(CheckStatus::Warning),
            "skipped": self.number(CheckStatus::Skipped),
            "findings": self.findings.iter().map(finding).collect::<Vec<_>>(),
        })
    }
}
