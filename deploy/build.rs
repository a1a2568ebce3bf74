//! Has the linker put those functions together that a running service uses; `deploy/order-file` names them. Linux maps
//! sixteen pages of a program around each one that is used, so where they lie scattered between the others, nearly the
//! whole file gets into memory. `make order-file` writes that list anew; a name in it that no longer exists does no harm.

use std::path::Path;
use std::{env, fs};

const ORDER_FILE: &str = "deploy/order-file";

/// Another file in its place; an empty one leaves the linker's own order.
const OTHER_FILE: &str = "ORDER_FILE";

/// Linkers that do not read a script which adds to the usual layout.
const OTHER_LINKERS: [&str; 3] = ["mold", "gold", "wild"];

fn main() {
    let file = env::var(OTHER_FILE).unwrap_or_else(|_| ORDER_FILE.to_owned());
    println!("cargo::rerun-if-changed=deploy/build.rs");
    println!("cargo::rerun-if-changed={file}");
    println!("cargo::rerun-if-env-changed={OTHER_FILE}");
    if !is("PROFILE", "release") || !is("CARGO_CFG_TARGET_OS", "linux") {
        return;
    }
    let order = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{file}: {error}"));
    let names = names_in(&order);
    if names.is_empty() {
        return;
    }
    if let Some(linker) = other_linker() {
        println!(
            "cargo::warning={linker} cannot order functions: the program takes 1 to 2 MB more memory"
        );
        return;
    }
    let folder = env::var("OUT_DIR").expect("cargo sets it for build scripts");
    let script = Path::new(&folder).join("order.ld");
    fs::write(&script, script_of(&names))
        .unwrap_or_else(|error| panic!("{}: {error}", script.display()));
    // GNU ld and lld both take this, through a compiler as well as by themselves.
    for argument in ["-T", &script.display().to_string()] {
        println!("cargo::rustc-link-arg-bin=coder-sms-register={argument}");
    }
}

fn is(variable: &str, value: &str) -> bool {
    env::var(variable).is_ok_and(|found| found == value)
}

/// Which of the other linkers this build was told to use.
fn other_linker() -> Option<&'static str> {
    let flags = env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    let linker = env::var("RUSTC_LINKER").unwrap_or_default();
    let chosen = flags
        .split('\x1f')
        .filter(|flag| flag.contains("fuse-ld=") || flag.contains("linker="));
    let chosen: Vec<&str> = chosen.chain([linker.as_str()]).collect();
    OTHER_LINKERS
        .into_iter()
        .find(|other| chosen.iter().any(|linker| linker.ends_with(other)))
}

/// All lines but empty ones and comments.
fn names_in(order: &str) -> Vec<&str> {
    let lines = order.lines();
    lines
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .collect()
}

/// A linker script that puts the sections of these functions before all others, in their order.
fn script_of(names: &[&str]) -> String {
    let sections: String = names
        .iter()
        // What the compiler takes for unlikely stands apart, although some of that is needed each day.
        .map(|name| format!("    *(.text.{name} .text.unlikely.{name})\n"))
        .collect();
    format!("SECTIONS {{\n  .text.used : {{\n{sections}  }}\n}}\nINSERT BEFORE .text;\n")
}
