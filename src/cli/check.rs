//! `check`: is everything ready for class?

use std::fs;

use serde_json::json;

use super::arguments::{Arguments, Failure, Word};
use super::table::count;
use super::{Command, complain, print};
use crate::check::{self, Finding, Verdict};
use crate::config::Parts;

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
struct Wanted {
    write: bool,
    json: bool,
}

impl Wanted {
    fn read(arguments: &mut Arguments) -> Result<Self, Failure> {
        let mut wanted = Self::default();
        while let Some(word) = arguments.next()? {
            match word {
                Word::Option(option) => match option.as_str() {
                    "write" => wanted.write = true,
                    "json" => wanted.json = true,
                    _ => return Err(Failure::unknown_option(&option)),
                },
                Word::Value(value) => return Err(Failure::unexpected(&value)),
            }
        }
        Ok(wanted)
    }
}

fn run(arguments: &mut Arguments) -> Result<(), Failure> {
    let wanted = Wanted::read(arguments)?;
    let parts = Parts::from_vars(arguments.vars()?, &|path| fs::read_to_string(path));
    let announce: &dyn Fn(&str) = &complain;
    let findings = check::look(&parts, wanted.write.then_some(announce));
    let report = Report::of(&findings);
    print(&if wanted.json {
        format!("{}\n", report.json())
    } else {
        report.text()
    });
    if report.is_ready() {
        Ok(())
    } else {
        Err(Failure::Told)
    }
}

struct Report<'a> {
    findings: &'a [Finding],
}

impl<'a> Report<'a> {
    fn of(findings: &'a [Finding]) -> Self {
        Self { findings }
    }

    /// Everything was looked at, and nothing is a fault.
    fn is_ready(&self) -> bool {
        self.findings.iter().all(|one| one.verdict.is_ready())
    }

    fn number(&self, verdict: Verdict) -> usize {
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
                Verdict::Pass => "ok",
                Verdict::Warning => "warn",
                Verdict::Fault => "FAULT",
                Verdict::Skipped => "-",
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
        let (faults, warnings) = (self.number(Verdict::Fault), self.number(Verdict::Warning));
        let skipped = self.number(Verdict::Skipped);
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
            "faults": self.number(Verdict::Fault),
            "warnings": self.number(Verdict::Warning),
            "skipped": self.number(Verdict::Skipped),
            "findings": self.findings.iter().map(finding).collect::<Vec<_>>(),
        })
    }
}
