//! `make bench`: measures all parts, prints the report and writes it down.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use super::bare::{self, BareKind};
use super::report::{Section, draw_goals, wrap};
use super::{Bench, BenchPart, PARTS, compare, count, machine};

const HELP: &str = "\
Measures the real program with a real Redis; Coder and Twilio are fakes with given delays, and nothing
leaves the machine. Prints tables; a figure that misses its goal is no failure.

  bench [--quick] [--write FILE] [PART ...]

  --quick        a short version of seconds, whose figures mean little
  --write FILE   write the report there as well, if all parts ran in full
  --base FILE    an earlier build of the program: compare needs it, warm shows it too
  --hyper FILE   hyper's smallest server, as tests/peers builds it, for the part webhook
  --list         the parts and what each measures
  --help         this text

Exit code: 0 all was measured, 1 something broke off, 2 it cannot run.";

/// What the command line asks for.
#[derive(Default)]
struct Wishes {
    quick: bool,
    write: Option<PathBuf>,
    base: Option<PathBuf>,
    hyper: Option<PathBuf>,
    parts: Vec<&'static BenchPart>,
}

enum BenchWish {
    Measure(Wishes),
    Say(String),
    Serve(BareKind),
    Count(String, u32, Option<PathBuf>),
}

/// The command.
pub fn main() -> ExitCode {
    let wishes = match read(std::env::args().skip(1)) {
        Ok(BenchWish::Measure(wishes)) => wishes,
        Ok(BenchWish::Say(words)) => {
            println!("{words}");
            return ExitCode::SUCCESS;
        }
        Ok(BenchWish::Serve(kind)) => {
            bare::serve_as_child(kind);
            return ExitCode::SUCCESS;
        }
        Ok(BenchWish::Count(path, times, folder)) => {
            return match count::take_as_child(&path, times, folder) {
                Ok(()) => ExitCode::SUCCESS,
                Err(complaint) => unusable(&complaint),
            };
        }
        Err(complaint) => return unusable(&complaint),
    };
    let programs = crate::program().and_then(|binary| Ok((binary, own()?)));
    let (binary, own) = match programs {
        Ok(programs) => programs,
        Err(complaint) => return unusable(&complaint),
    };
    // Thousands of sockets, ours and those of the fakes.
    crate::classroom::wire::room_for_many();
    measure(&wishes, binary, own)
}

fn read(mut arguments: impl Iterator<Item = String>) -> Result<BenchWish, String> {
    let mut wishes = Wishes::default();
    while let Some(argument) = arguments.next() {
        let mut value = || {
            arguments
                .next()
                .ok_or_else(|| format!("{argument} needs a value"))
        };
        match argument.as_str() {
            "--help" | "-h" => return Ok(BenchWish::Say(HELP.to_owned())),
            "--list" => {
                let lines = PARTS
                    .iter()
                    .map(|part| format!("{:12} {}", part.name, part.about));
                return Ok(BenchWish::Say(lines.collect::<Vec<_>>().join("\n")));
            }
            "--quick" => wishes.quick = true,
            "--write" => wishes.write = Some(value()?.into()),
            "--base" => wishes.base = Some(program(value()?)?),
            "--hyper" => wishes.hyper = Some(program(value()?)?),
            "--serve-bare" => {
                let kind = BareKind::of(&value()?).ok_or("no such server")?;
                return Ok(BenchWish::Serve(kind));
            }
            "--count" => {
                let (path, times) = (value()?, value()?);
                let times = times
                    .parse()
                    .map_err(|_| format!("{times:?} is no number"))?;
                return Ok(BenchWish::Count(
                    path,
                    times,
                    arguments.next().map(PathBuf::from),
                ));
            }
            name => match PARTS.iter().find(|part| part.name == name) {
                Some(part) => wishes.parts.push(part),
                None => return Err(format!("{name:?} is no part; --list shows them")),
            },
        }
    }
    if wishes.parts.is_empty() {
        wishes.parts.extend(all_parts(wishes.base.is_some()));
    }
    Ok(BenchWish::Measure(wishes))
}

/// The path of a program, if there is one.
fn program(path: String) -> Result<PathBuf, String> {
    let path = PathBuf::from(path);
    if path.is_file() {
        Ok(path)
    } else {
        Err(format!("{} is no program", path.display()))
    }
}

/// All parts; that which compares only where there is an earlier build.
fn all_parts(compares: bool) -> impl Iterator<Item = &'static BenchPart> {
    let needs_base = |part: &&BenchPart| part.name == compare::PART.name;
    PARTS
        .iter()
        .filter(move |part| compares || !needs_base(part))
}

fn measure(wishes: &Wishes, binary: PathBuf, own: PathBuf) -> ExitCode {
    let began = Instant::now();
    let machine = machine::describe(&binary);
    let bench = Bench {
        binary,
        own: Some(own),
        base: wishes.base.clone(),
        hyper: wishes.hyper.clone(),
        quick: wishes.quick,
        progress: Box::new(move |words| {
            eprintln!("{:>5.0} s  {words}", began.elapsed().as_secs_f64());
        }),
    };
    let mut sections = Vec::new();
    let mut broken = Vec::new();
    for part in &wishes.parts {
        match catch_unwind(AssertUnwindSafe(|| (part.run)(&bench))) {
            Ok(section) => sections.push(section),
            Err(_) => broken.push(part.name),
        }
    }
    let took = began.elapsed().as_secs_f64() / 60.0;
    let report = draw(&machine, &sections, took);
    println!("{report}");
    if !broken.is_empty() {
        eprintln!("broke off, see above: {}", broken.join(", "));
        return ExitCode::FAILURE;
    }
    write(wishes, &report)
}

fn write(wishes: &Wishes, report: &str) -> ExitCode {
    let Some(path) = &wishes.write else {
        return ExitCode::SUCCESS;
    };
    if wishes.quick || wishes.parts.len() < all_parts(false).count() {
        eprintln!(
            "{} is left as it was: only all parts in full make a report",
            path.display()
        );
        return ExitCode::SUCCESS;
    }
    match std::fs::write(path, report) {
        Ok(()) => {
            eprintln!("written to {}", path.display());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{}: {error}", path.display());
            ExitCode::FAILURE
        }
    }
}

fn draw(machine: &str, sections: &[Section], took: f64) -> String {
    let goals = sections.iter().flat_map(|section| &section.goals);
    let parts: Vec<String> = sections.iter().map(Section::draw).collect();
    format!(
        "# Benchmarks\n\n{}\n\n{machine}- load when it ended: {}\n- took: {took:.1} minutes\n\n{}\n\n\
         ## Goals\n\n{}\n{}\n## What this does not say\n\n{}\n",
        wrap(INTRODUCTION),
        machine::load(),
        wrap(COMMANDS),
        draw_goals(goals),
        parts.join("\n"),
        wrap(SILENCE)
    )
}

const INTRODUCTION: &str = "Written by `make bench`, which measures the release build of this program with a \
    real Redis, both on loopback; Coder and Twilio are fakes with given delays. What was found out with it, \
    and what came of that, is in [performance.md](performance.md).";

const COMMANDS: &str = "The commands: `make bench` for all of it, `make bench PARTS=\"webhook class\"` for some. \
    Figures are medians with (least-most) of several rounds. Believe ratios within one run first: all of \
    their sides met the same machine. Absolute figures are this machine's.";

const SILENCE: &str = "Nothing of networks: Twilio and Coder are on loopback, without TLS, and answer after even \
    delays. Sender, server, Redis and fakes share the processors, so rates are lower than on a machine of the \
    service's own, and those of the bare servers less so, as they have no Redis beside them. A bare tiny_http \
    at many connections serves some of them and leaves others waiting, which flatters its rate: the column \
    \"served\" tells. Disks differ by a factor of a hundred in the time of a sync, and with it everything \
    that waits for one. Rates beyond some hundred texts a second come from no classroom; they say how \
    little of a small machine a class takes.";

/// This program, which starts itself again as a child that is measured apart.
fn own() -> Result<PathBuf, String> {
    std::env::current_exe().map_err(|error| error.to_string())
}

fn unusable(complaint: &str) -> ExitCode {
    eprintln!("bench: {complaint}");
    ExitCode::from(2)
}
