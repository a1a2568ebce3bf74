//! `check`: is everything ready for class?

use std::fs;

use serde_json::json;

use super::arguments::{ArgumentWord, Arguments, CommandError};
use super::table::count;
use super::{Command, complain, print};
use crate::check::{self, CheckStatus, Finding};
use crate::config::PartialConfig;

pub(super) const COMMAND: Command = Command {
    name: "check",
    operands: "",
    summary: "is everything ready for class? look at settings, data folder, Redis, Coder, Twilio, public URL, clock and phrase",
    details: "\
A line for each thing that was looked at: ok, warn, FAULT, or - where it could not be looked at; behind ->
stands what helps. Nothing is changed anywhere, and it does not matter whether the service runs. It takes
some seconds, and half a minute at most where nobody answers.

With --write it also makes a user at Coder, logs in as that user, deletes it and sees it gone.

Exit codes: 0 ready for class (there may be warnings), 1 there is a fault or something could not be looked
at, 2 misused
",
    options: "      --write          also make a user at Coder, log in as it, and delete it
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
    print(&if wanted.json {
        format!("{}\n", report.json())
    } else {
        report.text()
    });
    if report.is_ready() {
        Ok(())
    } else {
        Err(CommandError::Reported)
    }
}

struct CheckReport<'a> {
    findings: &'a [Finding],
}

impl<'a> CheckReport<'a> {
    fn of(findings: &'a [Finding]) -> Self {
        Self { findings }
    }

    /// Everything was looked at, and nothing is a fault.
    fn is_ready(&self) -> bool {
        self.findings.iter().all(|one| one.verdict.is_ready())
    }

    fn number(&self, verdict: CheckStatus) -> usize {
        let found = self.findings.iter();
        found.filter(|one| one.verdict == verdict).count()
    }

    /// For people: areas and verdicts in columns, a cure below what it cures.
    fn text(&self) -> String {
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
            let word = match verdict {
                CheckStatus::Pass => "ok",
                CheckStatus::Warning => "warn",
                CheckStatus::Fault => "FAULT",
                CheckStatus::Skipped => "-",
            };
            text += &format!("{title:11}  {word:5}  {what}\n");
            if let Some(cure) = cure {
                text += &format!("{:11}  {:5}  -> {cure}\n", "", "");
            }
        }
        text + &self.sum()
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
            parts.push(format!("{skipped} not looked at"));
        }
        if warnings > 0 {
            parts.push(count(warnings, "warning"));
        }
        let parts = parts.join(", ");
        match (self.is_ready(), parts.as_str()) {
            (true, "") => "ready for class\n".to_owned(),
            (true, parts) => format!("ready for class, {parts}\n"),
            (false, parts) => format!("not ready: {parts}\n"),
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
