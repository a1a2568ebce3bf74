//! `make order-file`: which functions of the program a service uses, for the linker to put together.
//!
//! Services run under callgrind: one that only starts, and others that serve whole classes. The functions that they
//! entered are written to `deploy/order-file`, which `deploy/build.rs` reads. What a start needs comes first, so that it
//! is together as well.

mod names;
mod played;
mod profile;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use names::Symbols;
use played::Play;

const HELP: &str = "\
Runs the program under callgrind, and writes down which of its functions a service uses, for the linker.

  order-file FILE PROGRAM...

  FILE      what is written: deploy/order-file
  PROGRAM   a release build with its symbols (CARGO_PROFILE_RELEASE_STRIP=none); more than one if they differ

Exit code: 0 it is written, 1 a class broke off, 2 it cannot run.";

/// What goes before the names.
const HEAD: &str = "\
# Functions that a running service uses, in the order in which the linker puts them. Written by `make order-file`, read
# by deploy/build.rs. Hashes, which a change of the compiler or of a crate changes, are left out (`*`).
";

/// Classes are played without TLS, so what TLS uses is named by its crates.
const TLS: [&str; 5] = [
    "*6rustls*",
    "*6webpki*",
    "*4ring*",
    "ring_core_*",
    "*4ureq3tls*",
];

/// The command.
pub fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some((file, programs)) = arguments.split_first().filter(|(_, rest)| !rest.is_empty())
    else {
        println!("{HELP}");
        return ExitCode::from(2);
    };
    if let Err(complaint) = missing_tool() {
        eprintln!("order-file: {complaint}");
        return ExitCode::from(2);
    }
    let written = order_of(programs)
        .and_then(|order| std::fs::write(file, order).map_err(|error| format!("{file}: {error}")));
    match written {
        Ok(()) => ExitCode::SUCCESS,
        Err(complaint) => {
            eprintln!("order-file: {complaint}");
            ExitCode::FAILURE
        }
    }
}

/// Both tools are needed.
fn missing_tool() -> Result<(), String> {
    for (tool, package) in [("valgrind", "valgrind"), ("nm", "binutils")] {
        let mut command = Command::new(tool);
        let found = command.arg("--version").stdout(Stdio::null()).status();
        found.map_err(|_| format!("{tool} is missing. Type: sudo apt-get install -y {package}"))?;
    }
    Ok(())
}

/// The text of the file.
fn order_of(programs: &[String]) -> Result<String, String> {
    let programs: Vec<(PathBuf, Symbols)> = programs
        .iter()
        .map(|program| {
            let program = absolute(Path::new(program))?;
            let symbols = Symbols::of(&program)?;
            Ok((program, symbols))
        })
        .collect::<Result<_, String>>()?;
    let mut listed = BTreeSet::new();
    let mut order = HEAD.to_owned();
    for Play { title, run } in played::PLAYS {
        order.push_str(&format!("\n# {title}\n"));
        for (program, symbols) in &programs {
            let used = profile::of_play(program, run)?;
            let patterns = symbols.patterns(&used);
            let new = patterns
                .into_iter()
                .filter(|pattern| listed.insert(pattern.clone()));
            for pattern in new {
                order.push_str(&pattern);
                order.push('\n');
            }
            eprintln!("{title}, {}: {} functions", program.display(), used.len());
        }
    }
    order.push_str(&format!("\n# TLS\n{}\n", TLS.join("\n")));
    Ok(order)
}

fn absolute(program: &Path) -> Result<PathBuf, String> {
    program
        .canonicalize()
        .map_err(|error| format!("{}: {error}", program.display()))
}
