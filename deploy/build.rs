//! Has the linker put those functions together that a running service uses; `deploy/order-file` names them. Linux maps
//! sixteen pages of a program around each one that is used, so where they lie scattered between the others, nearly the
//! whole file gets into memory. `make order-file` writes that list anew; a name in it that no longer exists does no harm.
//!
//! In a static program it also packs the list of addresses that each start adapts: 164 kB become 2.

use std::path::Path;
use std::process::Command;
use std::{env, fs};

const ORDER_FILE: &str = "deploy/order-file";

/// Another file in its place; an empty one leaves the linker's own order.
const OTHER_FILE: &str = "ORDER_FILE";

/// The first release of Rust (its minor number) whose musl reads the packed list. Sources: the release notes of Rust
/// 1.93.0, which came with musl 1.2.5, and those of musl 1.2.4, which learned it.
const READS_PACKED: u32 = 93;

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
    // Only seen at work on this processor.
    if is("CARGO_CFG_TARGET_ENV", "musl")
        && is("CARGO_CFG_TARGET_ARCH", "x86_64")
        && release_of_rust().is_some_and(|minor| minor >= READS_PACKED)
    {
        link_with(["-z", "pack-relative-relocs"]);
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
    link_with(["-T", &script.display().to_string()]);
}

/// Gives the linker an option. GNU ld and lld both take these, through a compiler as well as by themselves.
fn link_with(option: [&str; 2]) {
    for argument in option {
        println!("cargo::rustc-link-arg-bin=coder-sms-register={argument}");
    }
}

/// The minor number of the compiler's release: 95 of `rustc 1.95.0 (59807616e 2026-04-14)`.
fn release_of_rust() -> Option<u32> {
    let asked = Command::new(env::var_os("RUSTC")?)
        .arg("--version")
        .output()
        .ok()?;
    let told = String::from_utf8(asked.stdout).ok()?;
    let release = told.split_whitespace().nth(1)?;
    release.strip_prefix("1.")?.split('.').next()?.parse().ok()
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
