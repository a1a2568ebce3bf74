//! What the file of the program consists of.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use super::super::Bench;

/// Sizes, as far as they can be known here.
pub struct Size {
    /// Bytes of the release binary that was measured.
    pub bytes: u64,
    /// Bytes of the static one, if `make dist` has built it.
    pub fixed: Option<u64>,
    /// Bytes of code by crate, the largest first, as cargo-bloat counts them; what it says without.
    pub crates: Result<Vec<(String, u64)>, &'static str>,
    /// Layers of the container image and their sizes.
    pub layers: Result<Vec<(String, String)>, &'static str>,
}

/// Builds that are further apart are taken for those of different sources.
const TOGETHER: Duration = Duration::from_secs(3_600);

/// What `make bench` has cargo-bloat write, beside the folder of the release build.
const CRATES: &str = "bloat/crates.json";

/// The name that the README gives to the image.
const IMAGE: &str = "coder-sms-register";

/// Reads all of it.
pub fn measure(bench: &Bench) -> Size {
    let length = |path: PathBuf| path.metadata().ok().map(|file| file.len());
    let target = target(bench);
    Size {
        bytes: length(bench.binary.clone()).unwrap_or(0),
        fixed: fixed(bench).and_then(length),
        crates: crates(&target.join(CRATES)).ok_or("cargo-bloat is not installed"),
        layers: layers(),
    }
}

/// The static build, where there is one of about the same time as what is measured. Not for a short version, which
/// measures a build for tests.
pub fn fixed(bench: &Bench) -> Option<PathBuf> {
    let triple = format!("{}-unknown-linux-musl", std::env::consts::ARCH);
    let path = target(bench)
        .join(triple)
        .join("release/coder-sms-register");
    let built = |path: &Path| path.metadata().ok()?.modified().ok();
    let (ours, its) = (built(&bench.binary)?, built(&path)?);
    let apart = ours.max(its).duration_since(ours.min(its)).ok()?;
    (!bench.quick && apart < TOGETHER).then_some(path)
}

/// Where builds are.
fn target(bench: &Bench) -> PathBuf {
    let target = bench.binary.ancestors().nth(2).map(PathBuf::from);
    target.unwrap_or_default()
}

fn crates(path: &Path) -> Option<Vec<(String, u64)>> {
    let text = std::fs::read_to_string(path).ok()?;
    let found: serde_json::Value = serde_json::from_str(&text).ok()?;
    let size = |one: &serde_json::Value| {
        let name = one["name"].as_str()?.to_owned();
        Some((name, one["size"].as_u64()?))
    };
    let crates = found["crates"].as_array()?;
    let mut crates: Vec<(String, u64)> = crates.iter().filter_map(size).collect();
    crates.sort_by_key(|(_, size)| std::cmp::Reverse(*size));
    Some(crates)
}

fn layers() -> Result<Vec<(String, String)>, &'static str> {
    let docker = |arguments: &[&str]| {
        // An engine that hangs must not take the report along.
        let mut command = Command::new("timeout");
        command.args(["10", "docker"]).args(arguments);
        let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output();
        let output = output.ok().filter(|output| output.status.success())?;
        String::from_utf8(output.stdout).ok()
    };
    let Some(found) = docker(&["image", "ls", "--quiet", IMAGE]) else {
        return Err("no container engine answers");
    };
    if found.trim().is_empty() {
        return Err("the image is not built");
    }
    let format = "{{.Size}}\t{{.CreatedBy}}";
    let history = docker(&["history", "--no-trunc", "--format", format, IMAGE]);
    let history = history.ok_or("the image is gone")?;
    let layers = history.lines().filter_map(|line| {
        let (size, made_by) = line.split_once('\t')?;
        let words: String = made_by.chars().take(60).collect();
        (size != "0B").then(|| (words.replace('|', "/"), size.to_owned()))
    });
    Ok(layers.collect())
}
